//! Signs of life: who works long before its first message says every half second that it goes on, so that nobody takes it for silent.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use mpc_core::{Abort, Context};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

/// What a message begins with: a state, behind which there is room for what the party tells when it is ready.
const WORKING: u8 = 0;
const READY: u8 = 1;

/// How often a party says that it goes on; and how often at most: for an hour, since the largest table of published keys takes a
/// quarter of one on a single core. Who is not ready by then gives up by itself, so that it is never blamed for being slow.
pub(crate) const BEAT: Duration = Duration::from_millis(500);
const MAX_BEATS: usize = 2 * 3600;

/// A party's words to one peer while it works.
pub(crate) struct Beating {
    /// Dropped when the work is done.
    stop: oneshot::Sender<()>,
    task: JoinHandle<Option<Context>>,
    over: Over,
}

/// Why a party may stop working: its peer is gone, the run was called off, or its hour is up.
#[derive(Clone, Default)]
pub(crate) struct Over(Arc<OnceLock<Abort>>);

impl Over {
    /// The reason, once there is one.
    pub(crate) fn why(&self) -> Option<&Abort> {
        self.0.get()
    }

    /// The reason of a beat that has ended.
    fn reason(&self) -> Abort {
        self.why().cloned().unwrap_or_else(|| Abort::local("the signs of life ended"))
    }
}

impl Beating {
    /// Begins, on a fork that both sides use for nothing else before [`tell`]; `room` bytes are told there. Call within a runtime.
    pub(crate) fn start(fork: Context, peer: usize, room: usize) -> Self {
        Self::bounded(fork, (peer, room), MAX_BEATS)
    }

    fn bounded(fork: Context, (peer, room): (usize, usize), most: usize) -> Self {
        let ((stop, stopped), over) = (oneshot::channel(), Over::default());
        let told = over.clone();
        let task = tokio::spawn(async move {
            let ended = beat(fork, (peer, room), most, stopped).await;
            ended.inspect_err(|abort| drop(told.0.set(abort.clone()))).ok()
        });
        Self { stop, task, over }
    }

    /// For work that looks by itself whether it is to go on.
    pub(crate) fn over(&self) -> Over {
        self.over.clone()
    }

    /// Waits for `work`, unless it is for nothing.
    pub(crate) async fn unless_over<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Abort> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            _ = &mut self.task => Err(self.over.reason()),
        }
    }

    /// Ends it when the work is done, and gives the fork back.
    pub(crate) async fn end(self) -> Result<Context, Abort> {
        let Self { stop, task, over } = self;
        drop(stop);
        task.await.ok().flatten().ok_or_else(|| over.reason())
    }
}

/// Says that this party goes on, until it is stopped.
async fn beat(
    mut fork: Context,
    (peer, room): (usize, usize),
    most: usize,
    mut stopped: oneshot::Receiver<()>,
) -> Result<Context, Abort> {
    for _ in 0..most {
        tokio::select! {
            biased;
            _ = &mut stopped => return Ok(fork),
            () = sleep(BEAT) => {}
        }
        go_on(&mut fork, peer, room).await?;
    }
    let why = "this node's own work takes too long; let fewer rows take part, or submit again when it is idle";
    Err(fork.name(Abort::local(why)))
}

/// Says once that this party goes on; `room` bytes are told when it is ready.
pub(crate) async fn go_on(fork: &mut Context, peer: usize, room: usize) -> Result<(), Abort> {
    fork.round(vec![(peer, vec![WORKING; 1 + room])], &[]).await.map(|_| ())
}

/// Says that this party is ready, and `word`.
pub(crate) async fn tell(fork: &mut Context, peer: usize, word: &[u8]) -> Result<(), Abort> {
    let message = [&[READY], word].concat();
    fork.round(vec![(peer, message)], &[]).await.map(|_| ())
}

/// Waits until a peer is ready; the `room` bytes that it tells.
pub(crate) async fn hear(fork: &mut Context, peer: usize, room: usize) -> Result<Vec<u8>, Abort> {
    for _ in 0..=MAX_BEATS {
        let message = fork.round(vec![], &[(peer, 1 + room)]).await?.pop().unwrap_or_default();
        match message.split_first() {
            Some((&READY, word)) => return Ok(word.to_vec()),
            Some((&WORKING, rest)) if rest.iter().all(|byte| *byte == 0) => {}
            _ => break,
        }
    }
    Err(fork.name(Abort::peer(peer, "neither that it works nor that it is ready")))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use mpc_core::{Blame, memory};
    use tokio::time::timeout;

    use super::*;

    fn pair() -> (Context, Context) {
        let mut both = memory::contexts(memory::network(2), [3; 32]);
        let one = both.pop().expect("two");
        (both.pop().expect("two").fork("prepare"), one)
    }

    #[tokio::test]
    async fn who_works_longer_than_a_peer_would_wait_is_heard_all_the_time() {
        let (zero, mut one) = pair();
        let mut fork = one.fork("prepare");
        // So many beats that a machine that stands still for a moment passes for nobody's silence.
        let patience = BEAT * 10;
        let working = async {
            let mut beating = Beating::start(zero, 1, 2);
            beating.unless_over(sleep(BEAT * 21 / 2)).await.expect("the peer listens");
            let mut fork = beating.end().await.expect("the peer listens");
            tell(&mut fork, 1, &[7, 8]).await
        };
        let waiting = async {
            let mut states = Vec::<u8>::new();
            while states.last() != Some(&READY) {
                let message = timeout(patience, fork.round(vec![], &[(0, 3)])).await.expect("no silence");
                states.extend(message.expect("a word").concat().first());
            }
            states
        };
        let (told, states) = tokio::join!(working, waiting);
        assert_eq!((told, states.iter().filter(|state| **state != WORKING).count()), (Ok(()), 1));
        assert!(states.len() > 2, "{states:?}");
    }

    #[tokio::test]
    async fn a_slow_party_gives_up_by_itself_and_so_does_one_whose_peer_is_gone() {
        let (zero, one) = pair();
        let mut slow = Beating::bounded(zero, (1, 0), 1);
        let abort = slow.unless_over(pending::<()>()).await.expect_err("one beat is all");
        assert_eq!((abort.blame, slow.over().why()), (Blame::Local, Some(&abort)));
        drop(one);
        let (zero, one) = pair();
        drop(one);
        let mut left = Beating::start(zero, 1, 0);
        let abort = left.unless_over(pending::<()>()).await.expect_err("nobody listens");
        assert_eq!(abort.blame, Blame::Network(1));
    }

    #[tokio::test]
    async fn what_is_no_sign_of_life_is_the_peers_fault() {
        for (message, word) in [(vec![READY, 5], Some(vec![5])), (vec![WORKING, 5], None), (vec![2, 0], None)] {
            let (mut zero, mut one) = pair();
            let mut fork = one.fork("prepare");
            zero.round(vec![(1, message)], &[]).await.expect("sent");
            let heard = hear(&mut fork, 0, 1).await;
            assert_eq!(heard.map_err(|abort| abort.blame), word.ok_or(Blame::Peer(0)));
        }
    }
}
