//! Which messages of every sender were handed over, so that none is taken twice.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use base_types::OrgId;
use tokio::sync::OwnedMutexGuard;

/// Runs remembered of a sender. A restarted one has a new run while the last words of the former may be under way.
const MAX_RUNS: usize = 4;

/// The runs of one sender, each with the newest number handed over; the one heard last stands at the end.
#[derive(Default)]
pub(crate) struct Runs(VecDeque<(u64, u64)>);

impl Runs {
    /// Whether this message is above all that its run had before; from now on it counts as handed over.
    pub(crate) fn take(&mut self, run: u64, number: u64) -> bool {
        let known = self.0.iter().position(|(known, _)| *known == run);
        let newest = known.and_then(|at| self.0.remove(at)).map_or(0, |(_, newest)| newest);
        self.0.push_back((run, newest.max(number)));
        if self.0.len() > MAX_RUNS {
            self.0.pop_front();
        }
        number > newest
    }
}

/// The runs of all senders. Only organisations that a handshake proved get in, so their number is bounded.
#[derive(Default)]
pub(crate) struct Taken(Mutex<BTreeMap<OrgId, Arc<tokio::sync::Mutex<Runs>>>>);

impl Taken {
    /// The runs of `from`, for one caller at a time in the order of the calls.
    pub(crate) async fn of(&self, from: &OrgId) -> OwnedMutexGuard<Runs> {
        let runs = {
            let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(senders.entry(from.clone()).or_default())
        };
        runs.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_once_and_only_above_the_last_of_its_run() {
        let mut runs = Runs::default();
        let taken = [(1, 1), (1, 1), (1, 4), (1, 3), (2, 1), (1, 4), (1, 5), (2, 1)].map(|(r, n)| runs.take(r, n));
        assert_eq!(taken, [true, false, true, false, true, false, true, false]);
    }

    #[test]
    fn the_run_that_was_silent_longest_is_forgotten() {
        let mut runs = Runs::default();
        (1..=4).for_each(|run| assert!(runs.take(run, 9)));
        assert!(!runs.take(1, 9));
        assert!(runs.take(5, 9));
        assert_eq!(runs.0.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [3, 4, 1, 5]);
        assert!(!runs.take(1, 9));
    }
}
