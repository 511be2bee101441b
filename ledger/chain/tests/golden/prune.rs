//! A data folder of the state's layout before is pruned on, block by block, and every state that it keeps stays whole.

use base_types::Height;
use ledger_chain::COLUMNS;
use ledger_state::{Keep, State, StateOptions, verify_part};
use ledger_store::{Batch, Durability, Store};

use crate::{DATA, golden, world};

const KEPT: u64 = 3;
const FURTHER: Height = 30;

fn layout(store: &Store) -> Option<Vec<u8>> {
    store.get("state-meta", b"layout").expect("read")
}

/// Builds the root of a state again from its leaves.
fn whole(state: &State, height: Height) {
    let spine = state.spine(height).expect("kept");
    assert_eq!(Ok(spine.root()), state.root_at(height), "height {height}");
    for index in spine.parts() {
        let part = state.part(height, index, None, usize::MAX).expect("kept");
        assert_eq!(verify_part(&spine, index, &part.leaves), Ok(()), "height {height}");
    }
}

#[test]
fn a_folder_of_the_layout_before_is_pruned_on() {
    let work = tempfile::tempdir().expect("a folder");
    world::copy(&golden().join("0.1.0-layout-2").join(DATA), work.path());
    let store = Store::open(work.path(), &COLUMNS).expect("store");
    let options = StateOptions { history: Keep::Last(KEPT), ..StateOptions::default() };
    let state = State::open_with(store.clone(), options).expect("state");
    assert_eq!(layout(&store), Some(vec![2]));
    let (before, _) = state.latest().expect("read").expect("a version");
    for height in before + 1..=before + FURTHER {
        let mut batch = Batch::new();
        let change = (height.to_be_bytes().to_vec(), Some(vec![1]));
        state.apply(height, vec![change], &mut batch).expect("applied");
        state.prune(400, &mut batch).expect("pruned");
        store.write(batch, Durability::Buffered).expect("written");
        (state.oldest().expect("read")..=height).for_each(|kept| whole(&state, kept));
    }
    assert_eq!(layout(&store), Some(vec![3]));
    // A version more, since each was pruned in the batch of the one that followed.
    assert_eq!(state.oldest(), Ok(before + FURTHER - KEPT));
    assert!(store.last("state-old").expect("read").is_some(), "what old branches are still needed was carried over");
}
