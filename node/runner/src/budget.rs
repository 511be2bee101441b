//! How many runs a node carries out at a time and how much memory they take together; no organisation's leave the others without.
//!
//! A run comes before it opens a link, waits once it asks for room, and has room until it ends. Those that fit are let in in the order in
//! which they came: one that does not fit holds up no other, and nobody keeps the node to itself by asking for much. Of places, of
//! memory and of the line, the runs that one organisation asked for have at most half; a single run may take more than half of the memory.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use tokio::sync::watch;

/// The step of a run at which it takes its room.
pub(crate) const STEP: &str = "wait for room";
/// That at which it is told that it never will.
const SIZE: &str = "check size";

/// Most runs that have come and have no room yet: each holds a link to every peer, of which a peer may fill the window.
const LINE: usize = 64;

/// What a node gives to runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of memory that all runs together may take, about.
    pub memory: u64,
    /// Most runs at a time, at least 1.
    pub runs: usize,
    /// How long a run waits until there is room for it at all its nodes.
    pub wait: Duration,
}

/// Where a run is: on its way to its peers, in the line, or let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Comes,
    Waits,
    Runs,
}

struct Entry {
    number: u64,
    asker: OrgId,
    memory: u64,
    stage: Stage,
}

/// All runs, in the order in which they came.
#[derive(Default)]
struct Runs {
    newest: u64,
    all: Vec<Entry>,
}

/// So many runs take so much memory.
type Taken = (usize, u64);

fn taken<'a>(runs: impl Iterator<Item = &'a Entry>) -> Taken {
    runs.fold((0, 0), |(count, memory), run| (count + 1, memory.saturating_add(run.memory)))
}

impl Runs {
    /// What runs that are in have, all together and of this asker.
    fn taken(&self, asker: &OrgId) -> (Taken, Taken) {
        let runs = || self.all.iter().filter(|run| run.stage == Stage::Runs);
        (taken(runs()), taken(runs().filter(|run| run.asker == *asker)))
    }

    fn fits(&self, run: &Entry, limits: &Limits) -> bool {
        let ((count, memory), (own, own_memory)) = self.taken(&run.asker);
        let shared = own == 0 || own_memory.saturating_add(run.memory) <= limits.memory / 2;
        let places = count < limits.runs && own < limits.runs.div_ceil(2);
        places && shared && memory.saturating_add(run.memory) <= limits.memory
    }

    /// Lets in all that fit.
    fn let_in(&mut self, limits: &Limits) {
        for at in 0..self.all.len() {
            let fits = self.all.get(at).is_some_and(|run| run.stage == Stage::Waits && self.fits(run, limits));
            if let Some(run) = self.all.get_mut(at).filter(|_| fits) {
                run.stage = Stage::Runs;
            }
        }
    }

    /// Whether a run more of this asker may come.
    fn has_room_in_line(&self, asker: &OrgId) -> bool {
        let line = || self.all.iter().filter(|run| run.stage != Stage::Runs);
        line().count() < LINE && line().filter(|run| run.asker == *asker).count() < LINE / 2
    }
}

/// A node's room for runs.
pub struct Budget {
    me: OrgId,
    limits: Limits,
    runs: Mutex<Runs>,
    changed: watch::Sender<()>,
}

impl Budget {
    /// The room of the node of `me`.
    pub fn new(me: OrgId, limits: Limits) -> Arc<Self> {
        Arc::new(Self { me, limits, runs: Mutex::default(), changed: watch::Sender::new(()) })
    }

    /// What the node gives to runs.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a run that takes so many bytes of memory could ever be let in.
    ///
    /// # Errors
    /// [`Code::RunTooLarge`] with both numbers.
    pub fn check(&self, memory: u64) -> Result<(), Fault> {
        if memory <= self.limits.memory {
            return Ok(());
        }
        let (takes, gives) = (mib(memory), self.limits.memory >> 20);
        let why = format!("it takes about {takes} MiB there, and the node gives {gives} MiB to all runs together");
        Err(Fault::new(Code::RunTooLarge, SIZE, why).at(&self.me))
    }

    /// A run comes that this organisation asked for and that takes so many bytes of memory.
    ///
    /// # Errors
    /// As [`Budget::check`]; [`Code::Busy`] where too many wait already.
    pub(crate) fn come(self: &Arc<Self>, asker: &OrgId, memory: u64) -> Result<Place, Fault> {
        self.check(memory)?;
        let mut runs = self.runs();
        if !runs.has_room_in_line(asker) {
            return Err(self.busy(&runs, asker, memory, "and too many wait for room already"));
        }
        runs.newest += 1;
        let (number, asker) = (runs.newest, asker.clone());
        runs.all.push(Entry { number, asker: asker.clone(), memory, stage: Stage::Comes });
        drop(runs);
        Ok(Place { budget: self.clone(), number, asker, memory, changes: self.changed.subscribe() })
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the runs, lets in those that fit then, and tells all that wait.
    fn change(&self, change: impl FnOnce(&mut Runs)) {
        let mut runs = self.runs();
        change(&mut runs);
        runs.let_in(&self.limits);
        drop(runs);
        self.changed.send_replace(());
    }

    fn busy(&self, runs: &Runs, asker: &OrgId, memory: u64, why: &str) -> Fault {
        let ((count, all), (own, own_memory)) = runs.taken(asker);
        let Limits { memory: most, runs: places, .. } = self.limits;
        let why = format!(
            "{count} of {places} runs take {} of {} MiB, of which {own} with {} MiB are {asker}'s, who may have half; \
             this one takes about {} MiB, {why}",
            mib(all),
            most >> 20,
            mib(own_memory),
            mib(memory)
        );
        Fault::new(Code::Busy, STEP, why).at(&self.me)
    }
}

/// Mebibytes that so many bytes fill or begin.
fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// A run's place: first in the line, then in the room. Whoever drops it gives it back.
pub(crate) struct Place {
    budget: Arc<Budget>,
    number: u64,
    asker: OrgId,
    memory: u64,
    changes: watch::Receiver<()>,
}

impl Place {
    /// Asks for room.
    pub(crate) fn ask(&self) {
        self.budget.change(|runs| {
            let mine = runs.all.iter_mut().find(|run| run.number == self.number);
            if let Some(mine) = mine.filter(|run| run.stage == Stage::Comes) {
                mine.stage = Stage::Waits;
            }
        });
    }

    /// Whether it has room.
    pub(crate) fn has_room(&self) -> bool {
        self.budget.runs().all.iter().any(|run| run.number == self.number && run.stage == Stage::Runs)
    }

    /// Waits until it has room.
    pub(crate) async fn room(&mut self) {
        while !self.has_room() {
            if self.changes.changed().await.is_err() {
                return pending().await;
            }
        }
    }

    /// The fault of a run that has waited for as long as any does.
    pub(crate) fn given_up(&self) -> Fault {
        let why = format!("and has waited for {} s", self.budget.limits.wait.as_secs());
        self.budget.busy(&self.budget.runs(), &self.asker, self.memory, &why)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.change(|runs| runs.all.retain(|run| run.number != self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn org(name: &str) -> OrgId {
        OrgId::new(name).expect("a name")
    }

    fn budget(mib: u64, runs: usize) -> Arc<Budget> {
        Budget::new(org("health"), Limits { memory: mib * MIB, runs, wait: Duration::from_secs(7) })
    }

    /// Runs of an asker that come and ask at once.
    fn asked(budget: &Arc<Budget>, asker: &str, mib: u64, count: usize) -> Vec<Place> {
        let one = |_| {
            let place = budget.come(&org(asker), mib * MIB).expect("a place in the line");
            place.ask();
            place
        };
        (0..count).map(one).collect()
    }

    fn let_in(places: &[Place]) -> Vec<bool> {
        places.iter().map(Place::has_room).collect()
    }

    #[test]
    fn an_organisation_has_half_of_the_places_and_the_ninth_run_goes_in_when_one_ends() {
        let budget = budget(1000, 8);
        let mut one = asked(&budget, "one", 1, 5);
        assert_eq!(let_in(&one), [true, true, true, true, false]);
        let (two, three) = (asked(&budget, "two", 1, 4), asked(&budget, "three", 1, 1));
        assert_eq!((let_in(&two), let_in(&three)), (vec![true; 4], vec![false]), "eight runs are all there may be");
        drop(one.remove(0));
        // Of the two that wait the one that came first.
        assert_eq!((let_in(&one), let_in(&three)), (vec![true; 4], vec![false]));
        drop(one);
        assert_eq!(let_in(&three), [true]);
    }

    #[test]
    fn memory_is_shared_likewise_and_what_does_not_fit_holds_up_no_other() {
        let budget = budget(100, 8);
        let mut one = asked(&budget, "one", 30, 2);
        assert_eq!(let_in(&one), [true, false], "two would have more than half");
        let two = asked(&budget, "two", 80, 1);
        let three = asked(&budget, "three", 50, 1);
        assert_eq!((let_in(&two), let_in(&three)), (vec![false], vec![true]));
        drop(one.remove(0));
        assert_eq!((let_in(&one), let_in(&two)), (vec![true], vec![false]));
        drop((one, three));
        assert_eq!(let_in(&two), [true], "a single run may take more than half");
        assert_eq!(let_in(&asked(&budget, "two", 1, 1)), [false], "and then no other of its asker");
    }

    #[test]
    fn what_can_never_fit_is_refused_and_so_is_whoever_finds_the_line_full() {
        let budget = budget(100, 2);
        assert_eq!(budget.check(100 * MIB), Ok(()));
        let fault = budget.check(100 * MIB + 1).expect_err("too large");
        assert_eq!((fault.code, fault.party.clone()), (Code::RunTooLarge, Some(org("health"))));
        assert!(fault.detail.contains("101 MiB") && fault.detail.contains("100 MiB"), "{fault}");
        assert_eq!(budget.come(&org("one"), 101 * MIB).map(|_| ()).map_err(|fault| fault.code), Err(Code::RunTooLarge));
        let mut one = asked(&budget, "one", 40, 1 + LINE / 2);
        let fault = budget.come(&org("one"), MIB).map(|_| ()).expect_err("its half of the line is full");
        assert_eq!((fault.code, fault.party.clone()), (Code::Busy, Some(org("health"))));
        for part in ["1 of 2 runs", "40 of 100 MiB", "one's", "too many wait"] {
            assert!(fault.detail.contains(part), "{part}: {fault}");
        }
        let two = asked(&budget, "two", 1, 1 + LINE / 2);
        assert!(two[0].has_room() && budget.come(&org("three"), MIB).is_err(), "and then all of it");
        one.truncate(LINE / 2);
        assert!(budget.come(&org("three"), MIB).is_ok());
        assert!(two[1].given_up().detail.contains("7 s"));
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_there_is_room_and_who_gave_up_is_not_in_the_way() {
        let budget = budget(100, 1);
        let mut places = asked(&budget, "one", 1, 3);
        let mut last = places.pop().expect("three");
        let gave_up = places.pop().expect("two");
        let waiting = tokio::spawn(async move {
            last.room().await;
            last
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop((gave_up, places));
        assert!(waiting.await.expect("a task").has_room());
        assert!(budget.runs().all.is_empty());
    }
}
