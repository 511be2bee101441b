//! The state against references, through pruning and lost batches, and taken over by another store.

mod history;
mod reference;
mod takeover;

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use ledger_state::{Change, State, StateOptions};
use ledger_store::{Batch, Durability, Store};

fn open_with(options: StateOptions) -> (tempfile::TempDir, State, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &State::COLUMNS).expect("store");
    (folder, State::open_with(store.clone(), options).expect("state"), store)
}

fn open() -> (tempfile::TempDir, State, Store) {
    open_with(StateOptions::default())
}

fn apply(state: &State, store: &Store, height: Height, changes: Vec<Change>) -> Digest {
    let mut batch = Batch::new();
    let root = state.apply(height, changes, &mut batch).expect("applied");
    store.write(batch, Durability::Buffered).expect("written");
    root
}

/// Pseudo-random changes over few keys, so that keys are set, changed, removed and set again.
fn changes(height: Height) -> Vec<Change> {
    let draw = |i: u64| {
        u64::from_be_bytes(sm3(&[height.to_be_bytes(), i.to_be_bytes()].concat()).0[..8].try_into().expect("8"))
    };
    (0..draw(99) % 24)
        .map(|i| {
            let (key, value) = ((draw(i) % 60).to_be_bytes().to_vec(), draw(i + 1000));
            (key, (value % 3 != 0).then(|| value.to_be_bytes().to_vec()))
        })
        .collect()
}
