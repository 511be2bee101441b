//! The newest version's branches in memory: as many as a number of bytes allows, the idle and the low given up first.

use base_types::{Digest, Height};

use crate::node::{Branch, WIDTH};

/// A part of the tree that gives up memory gives up a quarter of its own.
const SHARE: usize = 4;

/// The first rank of a branch that the last block did not write: before it, one for each level.
const IDLE: usize = 65;

/// Ranks: of idle branches four for each level and four for each doubling of the time.
const RANKS: usize = IDLE + 4 * 64 + 4 * 64;

/// A version's tree as far as it is in memory.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) root: Box<Branch>,
    /// Bytes of the branches below the root.
    pub(crate) bytes: usize,
}

/// What is held in memory between two blocks: the tree of the last batch.
///
/// The batch may never be written; then its tree is not that of the newest version, and none is held.
#[derive(Default)]
pub(crate) struct Held {
    version: Option<(Height, Digest)>,
    tree: Tree,
    /// The slot of the root below which memory was given up last.
    turn: usize,
}

impl Held {
    /// Takes the tree of the newest version out; another is forgotten.
    pub(crate) fn take(&mut self, latest: Option<(Height, Digest)>) -> Option<Tree> {
        let (version, tree) = (self.version.take(), std::mem::take(&mut self.tree));
        Some(tree).filter(|_| version.is_some() && version == latest)
    }

    /// Holds the tree of a version, of the branches below its root no more than `max_bytes` bytes.
    pub(crate) fn keep(&mut self, height: Height, root: Digest, tree: Tree, max_bytes: usize) {
        self.version = Some((height, root));
        self.tree = tree;
        // Below one slot after the other: each holds a like part of the tree, and no block waits for the whole.
        let mut idle = 0;
        while self.tree.bytes > max_bytes && idle < WIDTH {
            self.turn = self.turn.wrapping_add(1) % WIDTH;
            let given_up = give_up(&mut self.tree.root, self.turn, height);
            self.tree.bytes = self.tree.bytes.saturating_sub(given_up);
            idle = if given_up == 0 { idle + 1 } else { 0 };
        }
    }
}

/// How dispensable a branch is that was written at `version`, `now` being the last block. What that wrote goes last, since it
/// tends to be written again. Others may be idle for twice as long as those a level lower: these serve a sixteenth of the
/// keys. A branch ranks above the one that it stands in, as whatever changes it writes that, too.
fn rank(depth: usize, version: Height, now: Height) -> usize {
    let rank = match now.saturating_sub(version) {
        0 => depth.min(IDLE - 1),
        idle => {
            let doublings = idle.ilog2();
            let quarters = if doublings < 2 { idle << (2 - doublings) } else { idle >> (doublings - 2) };
            IDLE + 4 * depth + 4 * doublings as usize + (quarters & 3) as usize
        }
    };
    rank.min(RANKS - 1)
}

/// Adds the bytes of a branch and of all held below it to their ranks.
fn weigh(branch: &Branch, depth: usize, version: Height, now: Height, ranks: &mut [usize; RANKS]) {
    ranks[rank(depth, version, now)] += branch.bytes();
    branch.held().for_each(|(version, below)| weigh(below, depth + 1, version, now, ranks));
}

/// Bytes of a branch and of all held below it.
fn whole(branch: &Branch) -> usize {
    branch.held().map(|(_, below)| whole(below)).sum::<usize>() + branch.bytes()
}

/// Gives up a share of what is held below a slot of the root, the most dispensable, and returns its bytes: 0 when nothing
/// is held there.
fn give_up(root: &mut Branch, at: usize, now: Height) -> usize {
    let Some((version, below)) = root.below(at) else { return 0 };
    let mut ranks = [0; RANKS];
    if let Some(branch) = &*below {
        weigh(branch, 1, version, now, &mut ranks);
    }
    let mut left = ranks.iter().sum::<usize>().div_ceil(SHARE);
    let mut last = RANKS - 1;
    while ranks[last] < left {
        left -= ranks[last];
        last -= 1;
    }
    if left == 0 { 0 } else { Sweep { now, last, left }.sweep(version, below, 1) }
}

/// Gives up all branches above a rank, and some of it.
struct Sweep {
    now: Height,
    last: usize,
    /// Bytes of rank `last` that are still to be given up.
    left: usize,
}

impl Sweep {
    fn sweep(&mut self, version: Height, below: &mut Option<Box<Branch>>, depth: usize) -> usize {
        let Some(branch) = below else { return 0 };
        let rank = rank(depth, version, self.now);
        if rank < self.last || rank == self.last && self.left == 0 {
            return branch.all_below().map(|(version, below)| self.sweep(version, below, depth + 1)).sum();
        }
        if rank == self.last {
            self.left = self.left.saturating_sub(branch.bytes());
        }
        let given_up = whole(branch);
        *below = None;
        given_up
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;
    use ledger_store::Batch;

    use super::*;
    use crate::{
        path::Path,
        tree::{Item, Update, tests::Rows},
    };

    /// A tree in memory, at most so many bytes of it.
    #[derive(Default)]
    struct State {
        rows: Rows,
        held: Held,
        max_bytes: usize,
        latest: Option<(Height, Digest)>,
    }

    impl State {
        fn step(&mut self, height: Height, mut items: Vec<Item>) -> Batch {
            items.sort();
            let Tree { root, bytes } = self.held.take(self.latest).unwrap_or_default();
            let mut batch = Batch::new();
            let mut update = Update::new(&self.rows, height, &mut batch, Some(bytes));
            let mut root = update.change(root, Path::root(), &items).expect("applied");
            let hash = update.finish(&Path::root(), &mut root);
            let bytes = update.held.expect("counted");
            self.rows.write(&batch);
            self.held.keep(height, hash, Tree { root, bytes }, self.max_bytes);
            self.latest = Some((height, hash));
            batch
        }

        /// Bytes that are really held below the root, by depth.
        fn levels(&self) -> Vec<usize> {
            fn add(branch: &Branch, depth: usize, levels: &mut Vec<usize>) {
                for (_, below) in branch.held() {
                    levels.resize(levels.len().max(depth + 1), 0);
                    levels[depth] += below.bytes();
                    add(below, depth + 1, levels);
                }
            }
            let mut levels = Vec::new();
            add(&self.held.tree.root, 0, &mut levels);
            levels
        }
    }

    fn items(height: Height, keys: impl Iterator<Item = u64>) -> Vec<Item> {
        let value = |key: u64| sm3(&[key.to_be_bytes(), height.to_be_bytes()].concat());
        keys.map(|key| (sm3(&key.to_be_bytes()), Some(value(key)))).collect()
    }

    #[test]
    fn a_sixteenth_of_a_million_leaves_takes_less_than_a_sixteenth_of_160_mib() {
        let mut state = State { max_bytes: usize::MAX, ..State::default() };
        for height in 0..5 {
            state.step(height, items(height, height * 12_500..(height + 1) * 12_500));
        }
        let levels = state.levels();
        assert_eq!(levels.iter().sum::<usize>(), state.held.tree.bytes, "every byte is counted");
        assert!(state.held.tree.bytes < 10 << 20, "{levels:?}");
        assert_eq!(*state.rows.reads.borrow(), 0);
    }

    #[test]
    fn no_more_is_held_than_allowed_what_is_counted_is_held_and_no_row_changes_by_it() {
        for max_bytes in [0, 1, 5_000, 60_000, 200_000] {
            let mut state = State { max_bytes, ..State::default() };
            let mut whole = State { max_bytes: usize::MAX, ..State::default() };
            for height in 0..40 {
                let keys = (0..40).map(|i| u64::from(sm3(&[height as u8, i]).0[0]) << 3 | u64::from(i) & 7);
                let mut items = items(height, keys);
                items.sort();
                items.dedup_by_key(|(key, _)| *key);
                items.iter_mut().step_by(5).for_each(|(_, value)| *value = None);
                assert!(state.step(height, items.clone()) == whole.step(height, items), "height {height}");
                assert_eq!(state.levels().iter().sum::<usize>(), state.held.tree.bytes);
                assert!(state.held.tree.bytes <= max_bytes);
            }
        }
    }

    #[test]
    fn high_and_busy_branches_stay_and_low_and_idle_ones_go() {
        let mut state = State { max_bytes: 2 << 20, ..State::default() };
        state.step(0, items(0, 0..20_000));
        for height in 1..60 {
            // A few keys are busy; all others change once in a while, or never.
            state.step(height, items(height, (0..100).chain(1000 + 200 * height..1200 + 200 * height)));
        }
        let full = [16, 256];
        let levels = state.levels();
        assert!(full.iter().zip(&levels).all(|(count, bytes)| *bytes > count * 1200), "two whole levels: {levels:?}");
        assert!(levels.iter().sum::<usize>() > 3 << 19, "memory is used");
        let before = *state.rows.reads.borrow();
        state.step(60, items(60, 0..100));
        assert_eq!(*state.rows.reads.borrow(), before, "the busy ones are held");
        state.step(61, items(61, 500..600));
        assert!(*state.rows.reads.borrow() > before, "the idle ones are not");
    }

    #[test]
    fn another_version_than_the_newest_is_forgotten() {
        let mut held = Held::default();
        assert!(held.take(None).is_none());
        for (latest, found) in [(Some((5, sm3(b"a"))), true), (Some((5, sm3(b"b"))), false), (None, false)] {
            held.keep(5, sm3(b"a"), Tree::default(), 1);
            assert_eq!(held.take(latest).is_some(), found);
            assert!(held.take(latest).is_none(), "it was taken out");
        }
    }

    #[test]
    fn ranks_rise_with_time_and_depth_up_to_the_last() {
        for depth in 0..64 {
            let ranks: Vec<usize> = (0..200).map(|idle| rank(depth, 1000 - idle, 1000)).collect();
            assert!(ranks.is_sorted() && ranks[0] == depth);
            let deeper = |idle: Height| rank(depth + 1, 1000 - idle, 1000);
            assert!(ranks.iter().zip(0..).all(|(rank, idle)| deeper(idle) > *rank));
            assert_eq!(ranks[2], deeper(1), "twice as long, a level higher");
        }
        assert_eq!(rank(64, 0, Height::MAX), RANKS - 1);
    }
}
