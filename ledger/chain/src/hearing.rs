//! Whom this node has not heard for long: a link may take what is sent, and hold it, and bring nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base_types::OrgId;

/// Who says nothing while this node tells its height more often than this is lost. Every peer tells its own as often. A
/// validator that is held up for a second or two on a busy machine is not.
const STATUSES: u32 = 4;

/// How often this node told its height since each peer was heard last. It is counted in this node's own statuses and not read
/// off a clock: a chain that was held up itself takes nobody for lost whom it had no time to hear.
#[derive(Default)]
pub(crate) struct Hearing(Mutex<BTreeMap<OrgId, u32>>);

impl Hearing {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrgId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A peer has spoken, whatever it said.
    pub(crate) fn heard(&self, peer: &OrgId) {
        self.lock().remove(peer);
    }

    /// This node tells its height; all that it wants to hear of are named.
    pub(crate) fn told<'a>(&self, peers: impl Iterator<Item = &'a OrgId>) {
        let mut all = self.lock();
        let before = std::mem::take(&mut *all);
        let more = |peer: &OrgId| before.get(peer).map_or(1, |times| times.saturating_add(1));
        *all = peers.map(|peer| (peer.clone(), more(peer))).collect();
    }

    /// Whether a peer has not been heard for long.
    pub(crate) fn has_lost(&self, peer: &OrgId) -> bool {
        self.lock().get(peer).is_some_and(|times| *times > STATUSES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_for_long_is_lost_until_it_speaks() {
        let hearing = Hearing::default();
        let [quiet, lively] = ["quiet", "lively"].map(|name| OrgId::new(name).expect("a name"));
        let all = || [&quiet, &lively].into_iter();
        for _ in 0..=STATUSES {
            assert!(!hearing.has_lost(&quiet), "it may be held up");
            hearing.told(all());
            hearing.heard(&lively);
        }
        assert_eq!((hearing.has_lost(&quiet), hearing.has_lost(&lively)), (true, false));
        hearing.heard(&quiet);
        assert!(!hearing.has_lost(&quiet), "one word is enough");
        for _ in 0..STATUSES {
            hearing.told(all());
        }
        assert!(!hearing.has_lost(&quiet), "it is counted anew");
        hearing.told(all());
        assert!(hearing.has_lost(&quiet));
        hearing.told([&lively].into_iter());
        assert!(!hearing.has_lost(&quiet), "nobody wants to hear of it any more");
    }
}
