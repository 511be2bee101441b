//! Engines on threads of their own: they compute for seconds, and the node's ledger shares the runtime.

use std::convert::Infallible;

use base_types::fault::{Code, Fault};
use tokio::{runtime::Handle, sync::oneshot, task::spawn_blocking};

/// Runs a part on a thread of its own. Whoever drops the answer's future ends the part where it next waits for a peer, so no thread goes on
/// for nobody; a job that is called off ends there by its links.
///
/// # Errors
/// The part's own, or [`Code::Internal`] at `step` when it panicked.
pub(crate) async fn apart<T, P>(step: &str, part: impl FnOnce() -> P + Send + 'static) -> Result<T, Fault>
where
    T: Send + 'static,
    P: Future<Output = Result<T, Fault>>,
{
    let (here, named) = (Handle::current(), step.to_owned());
    let (wanted, unwanted) = oneshot::channel::<Infallible>();
    let part = spawn_blocking(move || {
        here.block_on(async move {
            tokio::select! {
                biased;
                _ = unwanted => Err(Fault::new(Code::Internal, named, "nobody waits for it any more")),
                ended = part() => ended,
            }
        })
    });
    let ended = part.await.unwrap_or_else(|why| Err(Fault::new(Code::Internal, step, why.to_string())));
    drop(wanted);
    ended
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use mpc_core::{Blame, memory};
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

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
}
