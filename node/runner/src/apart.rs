//! Engines on threads of their own: they compute for seconds, and the node's ledger shares the runtime.
//!
//! The threads are not of the runtime's pool. That has some hundred, which the ledger's own work needs; a run may wait for a silent peer,
//! and the end of the process waits for no engine.

use std::{convert::Infallible, thread};

use base_types::fault::{Code, Fault};
use tokio::{runtime::Handle, sync::oneshot};

/// Runs a part on a thread of its own. Whoever drops the answer's future ends the part where it next waits for a peer, so no thread goes on
/// for nobody; a job that is called off ends there by its links.
///
/// # Errors
/// The part's own, or [`Code::Internal`] at `step` when it panicked, or there is no thread for it.
pub(crate) async fn apart<T, P>(step: &str, part: impl FnOnce() -> P + Send + 'static) -> Result<T, Fault>
where
    T: Send + 'static,
    P: Future<Output = Result<T, Fault>>,
{
    let (here, named) = (Handle::current(), step.to_owned());
    let (wanted, unwanted) = oneshot::channel::<Infallible>();
    let (tell, told) = oneshot::channel::<Result<T, Fault>>();
    let work = move || {
        let ended = here.block_on(async move {
            tokio::select! {
                biased;
                _ = unwanted => Err(Fault::new(Code::Internal, named, "nobody waits for it any more")),
                ended = part() => ended,
            }
        });
        // Who waited may be gone.
        let _ = tell.send(ended);
    };
    let spawned = thread::Builder::new().name("engine".to_owned()).spawn(work);
    spawned.map_err(|why| Fault::new(Code::Internal, step, why.to_string()))?;
    let ended = told.await.unwrap_or_else(|_| Err(Fault::new(Code::Internal, step, "its thread panicked")));
    drop(wanted);
    ended
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use mpc_core::{Blame, memory};
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Long enough for a slow machine; nothing waits so long where all is well.
    const SOON: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_part_that_computes_leaves_the_runtime_to_others() {
        let (tell, told) = mpsc::channel();
        // It holds its thread until another task of the runtime's only thread has had a turn.
        let part = apart("test", move || async move { Ok::<bool, Fault>(told.recv_timeout(SOON).is_ok()) });
        let (heard, sent) = tokio::join!(part, async move { tell.send(()).is_ok() });
        assert!(sent && heard.is_ok_and(|heard| heard));
    }

    #[tokio::test]
    async fn a_part_that_nobody_waits_for_ends_where_it_waits() {
        let mut both = memory::contexts(memory::network(2), [5; 32]);
        let (mut peer, mut mine) = (both.pop().expect("two"), both.pop().expect("two"));
        let part = apart("test", move || async move {
            let waited = mine.round(vec![(1, vec![7; 8])], &[(1, 8)]).await;
            waited.map_err(|abort| Fault::new(Code::Internal, "test", abort.why))
        });
        tokio::select! {
            ended = part => panic!("the peer has said nothing: {ended:?}"),
            heard = peer.round(vec![], &[(0, 8)]) => assert!(heard.is_ok()),
        }
        // The part was dropped as the select ended; its links close with its session.
        let gone = timeout(SOON, peer.round(vec![], &[(0, 8)])).await.expect("the part has ended");
        assert_eq!(gone.map_err(|abort| abort.blame), Err(Blame::Network(0)));
    }

    #[tokio::test]
    async fn a_part_that_panics_is_a_fault() {
        fn broken() -> Result<(), Fault> {
            panic!("on purpose")
        }
        let ended = apart("test", || async { broken() }).await;
        assert_eq!(ended.map_err(|fault| (fault.code, fault.step)), Err((Code::Internal, "test".to_owned())));
    }
    #[tokio::test]
    async fn parts_that_wait_leave_the_threads_of_the_runtime_s_pool_to_others() {
        // More than the pool has.
        const MANY: usize = 600;
        let begun = Arc::new(AtomicUsize::new(0));
        let waiting = |begun: Arc<AtomicUsize>| {
            apart("test", move || async move {
                begun.fetch_add(1, Ordering::SeqCst);
                pending::<Result<(), Fault>>().await
            })
        };
        let parts: Vec<_> = (0..MANY).map(|_| tokio::spawn(waiting(begun.clone()))).collect();
        let all = timeout(SOON, async {
            while begun.load(Ordering::SeqCst) < MANY {
                sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(all.await.is_ok(), "{begun:?} of {MANY} have begun");
        parts.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
