//! Work that computes for long, away from the threads of the runtime: one piece at a time for each who caused it.
//!
//! The node's ledger shares the runtime. What somebody else can make long, such as the compilation of a program, would keep the
//! ledger waiting on every thread that it runs on, and other people's work too. Here it holds up what the same one asked for,
//! and takes one thread.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use base_types::fault::{Code, Fault};

/// The turns of all who cause work, by their names. There are as many as names, so these must be few.
pub struct Apart<K>(Mutex<BTreeMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for Apart<K> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord + Clone> Apart<K> {
    /// Does a piece of work that `who` caused, after all that it caused before. Work that has begun goes on to its end, also
    /// where nobody waits for it any more. Call within a runtime.
    ///
    /// # Errors
    /// The work's own, or [`Code::Internal`] at `step` when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        step: &str,
        who: &K,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turns = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(who.clone()).or_default())
        };
        let turn = turns.lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.unwrap_or_else(|why| Err(Fault::new(Code::Internal, step, why.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn long_work_holds_up_neither_the_runtime_nor_others_and_is_done_in_turn() {
        let apart = Arc::new(Apart::<u8>::default());
        let (go_on, waits) = mpsc::channel::<()>();
        let (ended, ends) = mpsc::channel::<&str>();
        let (one, other) = (ended.clone(), ended.clone());
        let work = {
            let apart = Arc::clone(&apart);
            async move {
                let long = move || {
                    waits.recv_timeout(LONG).expect("another is done meanwhile");
                    one.send("first").expect("heard");
                    Ok(())
                };
                apart.run("test", &1, long).await
            }
        };
        let first = tokio::spawn(work);
        while apart.0.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = {
            let apart = Arc::clone(&apart);
            async move { apart.run("test", &1, move || ended.send("second").map_err(|_| unheard())).await }
        };
        let second = tokio::spawn(second);
        // On the one thread of this runtime, while the first is at work.
        let done = apart.run("test", &2, move || other.send("other").map_err(|_| unheard())).await;
        assert_eq!(done, Ok(()));
        go_on.send(()).expect("it waits");
        assert_eq!((first.await.expect("a task"), second.await.expect("a task")), (Ok(()), Ok(())));
        assert_eq!(ends.iter().take(3).collect::<Vec<_>>(), ["other", "first", "second"]);
    }

    fn unheard() -> Fault {
        Fault::new(Code::Internal, "test", "nobody hears")
    }

    #[tokio::test]
    async fn work_that_panics_is_a_fault_and_the_next_has_its_turn() {
        let apart = Apart::<u8>::default();
        let broken = apart.run("test", &1, || -> Result<(), Fault> { panic!("on purpose") }).await;
        assert_eq!(broken.map_err(|fault| (fault.code, fault.step)), Err((Code::Internal, "test".to_owned())));
        assert_eq!(apart.run("test", &1, || Ok(7)).await, Ok(7));
    }
}
