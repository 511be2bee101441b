//! Every kept height reads and proves as a plain map says, in archives and pruned states, whatever batches were lost.

use std::collections::BTreeMap;

use base_types::{Digest, Height};
use ledger_state::{Keep, State, StateError, StateOptions};
use ledger_store::{Batch, Durability, Store};

use crate::{apply, changes, open, open_with};

const KEYS: u64 = 60;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// What every height should hold.
#[derive(Default)]
struct Model {
    now: Map,
    heights: Vec<(Digest, Map)>,
}

impl Model {
    fn step(&mut self, state: &State, store: &Store) -> Height {
        let height = self.heights.len() as Height;
        let root = apply(state, store, height, changes(height));
        self.record(height, root);
        height
    }

    fn record(&mut self, height: Height, root: Digest) {
        for (key, value) in changes(height) {
            match value {
                Some(value) => drop(self.now.insert(key, value)),
                None => drop(self.now.remove(&key)),
            }
        }
        self.heights.push((root, self.now.clone()));
    }

    /// Every key of a height, read and proved.
    fn check(&self, state: &State, height: Height) {
        let (root, map) = &self.heights[height as usize];
        assert_eq!(state.root_at(height), Ok(*root));
        for key in 0..KEYS {
            let key = key.to_be_bytes();
            let value = map.get(&key[..]);
            assert_eq!(state.get_at(height, &key), Ok(value.cloned()), "height {height}");
            let proof = state.proof_at(height, &key).expect("proof");
            assert_eq!(proof.verify(root, &key, value.map(Vec::as_slice)), Ok(()), "height {height}");
        }
    }

    fn check_newest(&self, state: &State) {
        for key in 0..KEYS {
            let key = key.to_be_bytes();
            assert_eq!(state.get(&key), Ok(self.now.get(&key[..]).cloned()));
        }
    }
}

fn pruned(heights: u64) -> StateOptions {
    StateOptions { history: Keep::Last(heights), ..StateOptions::default() }
}

fn prune(state: &State, store: &Store, upto_work: usize) -> Height {
    let mut batch = Batch::new();
    let oldest = state.prune(upto_work, &mut batch).expect("pruned");
    store.write(batch, Durability::Buffered).expect("written");
    assert_eq!(state.oldest(), Ok(oldest));
    oldest
}

fn assert_pruned(state: &State, model: &Model, height: Height) {
    let gone = StateError::Pruned(height);
    assert_eq!(state.get_at(height, b"k"), Err(gone.clone()));
    assert_eq!(state.proof_at(height, b"k"), Err(gone.clone()));
    assert_eq!(state.spine(height), Err(gone.clone()));
    assert_eq!(state.part(height, 0, None, 9), Err(gone));
    let (root, _) = model.heights[height as usize];
    assert_eq!((state.root_at(height), state.root_height(&root)), (Ok(root), Ok(Some(height))), "the root stays known");
}

fn rows(store: &Store) -> [usize; 3] {
    ["state-nodes", "state-history", "state-stale"].map(|c| store.rows(c, &[], &[], usize::MAX).expect("read").len())
}

/// The key of a node before which what is still needed was carried over.
fn mark(store: &Store) -> Vec<u8> {
    store.get("state-meta", b"carried").expect("read").unwrap_or_default()
}

/// The rows of old nodes that were carried over, of those that were not yet, and of old values: all that counts.
fn counting(store: &Store) -> [Vec<(Vec<u8>, Vec<u8>)>; 3] {
    let from = [("state-old", Vec::new()), ("state-nodes", mark(store)), ("state-history", Vec::new())];
    from.map(|(column, from)| store.rows(column, &[], &from, usize::MAX).expect("read"))
}

#[test]
fn an_archive_reads_every_height_with_little_or_no_memory() {
    for cache_bytes in [0, 1, 20_000, 1 << 20] {
        let (_folder, state, store) = open_with(StateOptions { cache_bytes, ..StateOptions::default() });
        let mut model = Model::default();
        for _ in 0..50 {
            model.step(&state, &store);
            model.check_newest(&state);
        }
        assert_eq!(prune(&state, &store, 1 << 20), 0, "an archive prunes nothing");
        for height in (0..50).step_by(3) {
            model.check(&state, height);
        }
        assert_eq!(state.get_at(1 << 40, &7u64.to_be_bytes()), state.get(&7u64.to_be_bytes()));
    }
}

#[test]
fn a_pruned_state_reads_what_it_keeps_and_says_what_it_does_not() {
    let (_folder, state, store) = open_with(pruned(5));
    let mut model = Model::default();
    for height in 0..50u64 {
        model.step(&state, &store);
        assert_eq!(prune(&state, &store, usize::MAX), height.saturating_sub(4));
    }
    for height in 0..45 {
        assert_pruned(&state, &model, height);
    }
    for height in 45..50 {
        model.check(&state, height);
    }
    model.check_newest(&state);
}

#[test]
fn pruning_in_small_pieces_ends_with_the_rows_of_pruning_at_once() {
    let ((_one, slow, slow_store), (_two, fast, fast_store)) = (open_with(pruned(3)), open_with(pruned(3)));
    let (mut model, mut other) = (Model::default(), Model::default());
    for _ in 0..40 {
        model.step(&slow, &slow_store);
        other.step(&fast, &fast_store);
    }
    assert_eq!(prune(&fast, &fast_store, usize::MAX), 37);
    let mut oldest = 0;
    while oldest < 37 {
        let next = prune(&slow, &slow_store, 1);
        assert!(next >= oldest && next <= 37);
        oldest = next;
        for height in (oldest..40).step_by(11) {
            model.check(&slow, height);
        }
    }
    assert_eq!(mark(&fast_store), 37u64.to_be_bytes());
    let pieces = (0..20_000).take_while(|_| {
        prune(&slow, &slow_store, 1);
        mark(&slow_store) != mark(&fast_store)
    });
    assert!(pieces.count() < 20_000, "it comes to its end");
    assert_eq!(counting(&slow_store), counting(&fast_store));
    // What is left of the history is what the three kept heights need: a few dozen rows, not hundreds.
    let [old, nodes, history] = counting(&fast_store).map(|rows| rows.len());
    assert!(!counting(&fast_store)[0].is_empty() && old + nodes < 120 && history < 120, "{old} {nodes} {history}");
    (37..40).for_each(|height| model.check(&slow, height));
}

#[test]
fn random_pieces_beside_a_reader_and_new_starts_leave_every_kept_height_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let open = || {
        let store = Store::open(folder.path(), &State::COLUMNS).expect("store");
        (State::open_with(store.clone(), pruned(24)).expect("state"), store)
    };
    let (mut state, mut store) = open();
    let mut model = Model::default();
    for height in 0..200u64 {
        model.step(&state, &store);
        // A reader that began before a piece and ends after it reads a whole version or is told that it has gone.
        let reader = state.clone();
        let oldest = state.oldest().expect("read");
        std::thread::scope(|scope| {
            let read = scope.spawn(|| reader.proof_at(oldest, &7u64.to_be_bytes()));
            prune(&state, &store, [1, 30, 200, usize::MAX][(height * height / 3) as usize % 4]);
            match read.join().expect("no fault") {
                Ok(proof) => {
                    let (root, map) = &model.heights[oldest as usize];
                    let key = 7u64.to_be_bytes();
                    assert_eq!(proof.verify(root, &key, map.get(&key[..]).map(Vec::as_slice)), Ok(()));
                }
                Err(fault) => assert_eq!(fault, StateError::Pruned(oldest)),
            }
        });
        if height % 50 == 33 {
            store.flush().expect("flushed");
            drop((state, store, reader));
            (state, store) = open();
        }
        if height % 25 == 24 {
            (state.oldest().expect("read")..=height).step_by(5).for_each(|kept| model.check(&state, kept));
        }
    }
    let oldest = prune(&state, &store, usize::MAX);
    assert_eq!(oldest, 176);
    (oldest..200).for_each(|height| model.check(&state, height));
    model.check_newest(&state);
}

#[test]
fn a_removal_in_a_batch_that_was_not_written_leaves_everything_readable() {
    let (_folder, state, store) = open_with(pruned(2));
    let mut model = Model::default();
    for _ in 0..20 {
        model.step(&state, &store);
    }
    let before = rows(&store);
    assert_eq!(state.prune(usize::MAX, &mut Batch::new()), Ok(18));
    assert_eq!(rows(&store), before);
    (0..20).for_each(|height| model.check(&state, height));
}

#[test]
fn an_archive_can_be_pruned_and_a_pruned_state_becomes_an_archive_from_then_on() {
    let (_folder, archive, store) = open();
    let mut model = Model::default();
    for _ in 0..20 {
        model.step(&archive, &store);
    }
    let short = State::open_with(store.clone(), pruned(4)).expect("opened");
    assert_eq!(prune(&short, &store, usize::MAX), 16);
    let archive = State::open(store.clone()).expect("opened");
    for _ in 20..30 {
        model.step(&archive, &store);
        assert_eq!(prune(&archive, &store, usize::MAX), 16);
    }
    (16..30).for_each(|height| model.check(&archive, height));
    assert_pruned(&archive, &model, 15);
}

#[test]
fn a_lost_batch_is_forgotten_and_another_writer_is_noticed() {
    let (_folder, state, store) = open();
    let mut model = Model::default();
    for height in 0..40u64 {
        // A version that is never written, and one that another handle writes, must leave no trace in memory; also when the next
        // version follows at once.
        let lost = (0..30u64).map(|i| (i.to_be_bytes().to_vec(), Some(vec![height as u8; 3]))).collect();
        if height % 3 != 2 {
            state.apply(height, lost, &mut Batch::new()).expect("applied");
        }
        let other = State::open(store.clone()).expect("opened");
        let writer = if height % 3 == 1 { &other } else { &state };
        model.step(writer, &store);
        model.check(&state, height);
    }
    let (_folder, plain, plain_store) = open();
    for (height, (root, _)) in (0..).zip(&model.heights) {
        assert_eq!(apply(&plain, &plain_store, height, changes(height)), *root, "height {height}");
    }
    assert_eq!(rows(&store), rows(&plain_store));
}

#[test]
fn a_state_of_another_layout_is_refused() {
    let (_folder, state, store) = open();
    apply(&state, &store, 0, changes(0));
    let mut batch = Batch::new();
    batch.put("state-meta", *b"layout", vec![9u8]);
    store.write(batch, Durability::Buffered).expect("written");
    assert_eq!(State::open(store).err(), Some(StateError::Layout));
}
