//! Whatever pieces are pruned, written or lost: no row that a kept version reaches is missing, and none is carried in vain.

use std::collections::BTreeSet;

use base_gm::sm3::sm3;
use base_wire::Encode;
use ledger_store::Durability;

use super::*;
use crate::{
    Change, Keep, State, StateOptions,
    node::Slot,
    path::Path,
    rows::{CARRIED, HISTORY, LAYOUT, LAYOUT_BEFORE, LAYOUT_NOW, META, OLDEST, StaleLists},
    tree::Branches,
};

const KEEP: Height = 20;

fn draw(seed: Height, number: u64) -> u64 {
    let digest = sm3(&[seed.to_be_bytes(), number.to_be_bytes()].concat());
    digest.0.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// A few changes among some hundred keys, some of which rest for long.
fn changes(height: Height) -> Vec<Change> {
    let key = |i| draw(height, i) % if i % 4 == 0 { 600 } else { 60 };
    let value = |i| (draw(height, i + 500) % 5 != 0).then(|| height.to_be_bytes().to_vec());
    (0..draw(height, 99) % 16).map(|i| (key(i).to_be_bytes().to_vec(), value(i))).collect()
}

fn open(folder: &std::path::Path, history: Keep) -> State {
    let store = Store::open(folder, &State::COLUMNS).expect("store");
    State::open_with(store, StateOptions { history, cache_bytes: 4000 }).expect("state")
}

fn apply(state: &State, height: Height, changes: Vec<Change>) {
    let mut batch = Batch::new();
    state.apply(height, changes, &mut batch).expect("applied");
    state.store.write(batch, Durability::Buffered).expect("written");
}

fn prune(state: &State, upto_work: usize) {
    let mut batch = Batch::new();
    state.prune(upto_work, &mut batch).expect("pruned");
    state.store.write(batch, Durability::Buffered).expect("written");
}

/// Collects the keys of a branch and of all below it, each once, and reads their rows.
fn walk(store: &Store, path: &Path, version: Height, keys: &mut BTreeSet<Vec<u8>>) {
    if !keys.insert(path.row(version).as_bytes().to_vec()) {
        return;
    }
    let branch = store.branch(path, version).expect("nothing is lost");
    for (at, slot) in branch.slots().enumerate() {
        if let Slot::Inner { version, .. } = slot {
            walk(store, &path.child(at), version, keys);
        }
    }
}

/// The keys of all that the kept versions reach.
fn reached(state: &State) -> BTreeSet<Vec<u8>> {
    let (newest, _) = state.latest().expect("read").expect("a version");
    let mut keys = BTreeSet::new();
    for height in state.oldest().expect("read")..=newest {
        walk(&state.store, &Path::root(), height, &mut keys);
    }
    keys
}

fn keys(store: &Store, column: &'static str) -> BTreeSet<Vec<u8>> {
    store.rows(column, &[], &[], usize::MAX).expect("read").into_iter().map(|(key, _)| key).collect()
}

fn carried_version(mark: &[u8]) -> Height {
    mark.first_chunk::<8>().map_or(0, |version| Height::from_be_bytes(*version))
}

/// The version that is being carried over.
fn carried(state: &State) -> Height {
    carried_version(&state.store.get(META, CARRIED).expect("read").unwrap_or_default())
}

/// Prunes all that is due; then the second column holds what is reached before the mark, and nothing else.
fn settled(state: &State) {
    let (newest, _) = state.latest().expect("read").expect("a version");
    for _ in 0..3 {
        prune(state, usize::MAX);
    }
    assert_eq!(state.oldest(), Ok(newest + 1 - KEEP));
    let carried = state.store.get(META, CARRIED).expect("read").expect("a mark");
    let mark = carried_version(&carried);
    assert!(
        mark + KEEP / LAG_SHARE + KEEP / ERA_SHARE >= newest + 1 - KEEP,
        "{mark} of {newest}: no row waits for ever"
    );
    let (before, behind): (BTreeSet<_>, BTreeSet<_>) = reached(state).into_iter().partition(|key| *key < carried);
    assert_eq!(keys(&state.store, OLD), before);
    assert!(behind.is_subset(&keys(&state.store, NODES)));
    assert_eq!(state.store.get(META, LAYOUT).expect("read").as_deref(), Some(LAYOUT_NOW));
}

#[test]
fn random_pieces_lost_batches_and_new_starts_lose_no_row_and_leak_none() {
    let folder = tempfile::tempdir().expect("folder");
    let mut state = open(folder.path(), Keep::Last(KEEP));
    for height in 0..300 {
        apply(&state, height, changes(height));
        let dice = draw(height, 1000);
        for piece in 0..dice % 3 {
            let work = [1, 20, 300, usize::MAX][(dice >> (8 + 2 * piece)) as usize % 4];
            if dice >> (16 + piece) & 3 == 0 {
                state.prune(usize::MAX, &mut Batch::new()).expect("pruned, but not written");
            }
            prune(&state, work);
        }
        if height % 40 == 39 {
            state.store.flush().expect("flushed");
            drop(state);
            state = open(folder.path(), Keep::Last(KEEP));
        }
        if height % 12 == 0 {
            reached(&state);
        }
    }
    settled(&state);
    assert!(!keys(&state.store, OLD).is_empty());
}

/// What the layout before did: removed row by row what the lists up to a height name, and the lists.
fn pruned_as_before(store: &Store, upto: Height) {
    let mut batch = Batch::new();
    for (key, list) in store.rows(STALE, &[], &[], usize::MAX).expect("read") {
        if stale_height(&key).expect("a height") <= upto {
            for stale in read_stale(&list).expect("a list") {
                match stale {
                    Stale::Node(row) => batch.delete(NODES, row),
                    Stale::Value(row) => batch.delete(HISTORY, row),
                }
            }
            batch.delete(STALE, key);
        }
    }
    batch.put(META, OLDEST, upto.to_wire());
    batch.put(META, LAYOUT, LAYOUT_BEFORE);
    store.write(batch, Durability::Buffered).expect("written");
}

#[test]
fn a_state_of_the_layout_before_is_read_kept_and_pruned_on() {
    let folder = tempfile::tempdir().expect("folder");
    let state = open(folder.path(), Keep::All);
    (0..100).for_each(|height| apply(&state, height, changes(height)));
    pruned_as_before(&state.store, 70);
    drop(state);
    let archive = open(folder.path(), Keep::All);
    let before = reached(&archive);
    prune(&archive, usize::MAX);
    assert_eq!(archive.store.get(META, LAYOUT).expect("read").as_deref(), Some(LAYOUT_BEFORE), "an archive stays one");
    assert_eq!(keys(&archive.store, NODES), before);
    drop(archive);
    let state = open(folder.path(), Keep::Last(KEEP));
    for height in 100..160 {
        apply(&state, height, changes(height));
        prune(&state, 60);
        reached(&state);
    }
    settled(&state);
}

#[test]
fn a_state_that_was_not_pruned_for_long_is_pruned_as_fast_as_any_other() {
    let folder = tempfile::tempdir().expect("folder");
    let archive = open(folder.path(), Keep::All);
    (0..1500).for_each(|height| apply(&archive, height, changes(height)));
    drop(archive);
    let state = open(folder.path(), Keep::Last(KEEP));
    for height in 1500..1680 {
        apply(&state, height, changes(height));
        prune(&state, 8_000);
        let (oldest, carried) = (state.oldest().expect("read"), carried(&state));
        assert!(oldest <= farthest(carried, KEEP), "{oldest}, but no row before {carried} has gone");
    }
    // With every list read for every stretch, two thirds of it would still wait.
    assert!(carried(&state) + 200 > 1680, "{}", carried(&state));
    settled(&state);
}

#[test]
fn work_grows_with_what_waits_and_is_never_more_than_allowed() {
    assert_eq!((work(0, 32_768), work(1, 32_768), work(9, 32_768)), (8192, 16_384, 32_768));
    assert_eq!((work(0, 0), work(0, 1), work(Height::MAX, usize::MAX)), (1, 1, usize::MAX));
}

#[test]
fn rows_that_dropped_tables_uncover_are_not_taken_for_those_that_were_carried_over() {
    let folder = tempfile::tempdir().expect("folder");
    let state = open(folder.path(), Keep::Last(KEEP));
    for height in 0..150 {
        apply(&state, height, changes(height));
        prune(&state, usize::MAX);
    }
    let before = reached(&state);
    // As a state would leave them that lay there before, had branches of these versions, and was removed.
    let mut batch = Batch::new();
    keys(&state.store, OLD).iter().for_each(|key| batch.put(NODES, key, [0u8; 4]));
    assert!(!batch.is_empty());
    state.store.write(batch, Durability::Buffered).expect("written");
    assert_eq!(reached(&state), before);
}

#[test]
fn lists_that_are_full_of_a_stretchs_rows_cost_what_it_takes_to_gather_these() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &State::COLUMNS).expect("store");
    let mut batch = Batch::new();
    for at in 0..64u64 {
        let mut lists = StaleLists::new(100 + at);
        for number in 0..256u16 {
            // All of a list lie before those of the list before, which end the stretch.
            let row = [&(90 - at).to_be_bytes()[..], &number.to_be_bytes()].concat();
            lists.add(Stale::Node(&row), &mut batch);
        }
        lists.end(&mut batch);
    }
    store.write(batch, Durability::Buffered).expect("written");
    let worked = [&163u64.to_be_bytes()[..], &0u32.to_be_bytes()].concat();
    let now = Progress { oldest: 163, worked, carried: Vec::new() };
    let (mut stretch, mut left) = (Stretch::new(&now, 95), 1600);
    assert_eq!(stretch.gather(&store, &now, &mut left), Ok(false));
    assert_eq!((left, stretch.dead.len), (0, MOST / 2));
    let read = stale_height(&stretch.from).expect("a height") - 100;
    assert!((20..=36).contains(&read), "1600 are for some twenty lists, and what is read at once: {read}");
    left = usize::MAX;
    assert_eq!(stretch.gather(&store, &now, &mut left), Ok(true));
    assert!(stretch.dead.versions.keys().eq([27u64].iter()), "the first rows end the stretch");
}
