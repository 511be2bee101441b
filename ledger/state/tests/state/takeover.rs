//! A state taken over in parts is the state, and no false part gets in.

use base_types::Digest;
use ledger_state::{Keep, Leaf, Restore, SnapshotFault, State, StateError, StateOptions};
use ledger_store::{Batch, Durability, Store};

use crate::{apply, changes, open};

/// A state of some hundred keys, changed and removed over a few heights, and the root of height 6.
fn source() -> (tempfile::TempDir, State, Store, Digest) {
    let (folder, state, store) = open();
    let first = (0..900u32).map(|i| (i.to_be_bytes().to_vec(), Some(vec![i as u8; (i % 90) as usize]))).collect();
    apply(&state, &store, 0, first);
    for height in 1..10 {
        apply(&state, &store, height, changes(height));
    }
    let root = state.root_at(6).expect("root");
    (folder, state, store, root)
}

/// All leaves of a part, asked for in small pages.
fn whole(state: &State, index: u8) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    loop {
        let part = state.part(6, index, leaves.last().map(|(key, _)| *key), 150).expect("part");
        let bytes: usize = part.leaves.iter().map(|(_, value)| 32 + value.len()).sum();
        assert!(part.leaves.len() == 1 || bytes <= 150);
        leaves.extend(part.leaves);
        if !part.more {
            return leaves;
        }
    }
}

fn empty() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &State::COLUMNS).expect("store");
    (folder, store)
}

fn finish(restore: Restore, store: &Store) -> Digest {
    let mut batch = Batch::new();
    let root = restore.finish(&mut batch).expect("finished");
    store.write(batch, Durability::Synced).expect("written");
    root
}

#[test]
fn a_state_that_is_taken_over_has_the_root_the_values_and_the_future_of_its_source() {
    let (_folder, state, store, root) = source();
    let spine = state.spine(6).expect("spine");
    assert_eq!(spine.verify(&root), Ok(()));
    let (_to, target) = empty();
    let mut restore = Restore::start(target.clone(), 6, &root, spine).expect("started");
    let parts = restore.missing().to_vec();
    // Any order, and one of them twice.
    for index in parts.iter().rev().chain(parts.first()) {
        restore.part(*index, &whole(&state, *index)).expect("taken");
    }
    assert_eq!(finish(restore, &target), root);
    let taken = State::open(target.clone()).expect("opened");
    assert_eq!(taken.latest(), Ok(Some((6, root))));
    for key in (0..900u32).map(u32::to_be_bytes) {
        let value = state.get_at(6, &key).expect("read");
        assert_eq!(taken.get(&key), Ok(value.clone()));
        let proof = taken.proof_at(6, &key).expect("proof");
        assert_eq!(proof.verify(&root, &key, value.as_deref()), Ok(()));
    }
    assert_eq!(taken.get_at(5, b"k"), Err(StateError::Pruned(5)));
    assert_eq!(taken.root_at(5), Err(StateError::Pruned(5)));
    assert_eq!(taken.root_at(7), Err(StateError::NoHeight(7)));
    for height in 7..10 {
        assert_eq!(Ok(apply(&taken, &target, height, changes(height))), state.root_at(height));
    }
    assert_eq!(taken.spine(9), state.spine(9));
    assert_eq!(Restore::start(store, 6, &root, state.spine(6).expect("spine")).err(), Some(StateError::NotEmpty));
}

#[test]
fn what_of_a_state_taken_over_leaves_the_kept_heights_is_carried_over_in_pieces() {
    let (_folder, state, _store, root) = source();
    let (_to, target) = empty();
    let mut restore = Restore::start(target.clone(), 6, &root, state.spine(6).expect("spine")).expect("started");
    for index in restore.missing().to_vec() {
        restore.part(index, &whole(&state, index)).expect("taken");
    }
    finish(restore, &target);
    let options = StateOptions { history: Keep::Last(2), ..StateOptions::default() };
    let taken = State::open_with(target.clone(), options).expect("opened");
    let carried = || target.rows("state-old", &[], &[], usize::MAX).expect("read").len();
    let (mut most, mut before) = (0, 0);
    for height in 7..60 {
        let root = apply(&taken, &target, height, changes(height));
        let mut batch = Batch::new();
        taken.prune(40, &mut batch).expect("pruned");
        target.write(batch, Durability::Buffered).expect("written");
        (most, before) = (most.max(carried().saturating_sub(before)), carried());
        for key in (0..900u32).step_by(13).map(u32::to_be_bytes) {
            let (value, proof) = (state.get_at(6, &key), taken.proof_at(height, &key).expect("proof"));
            assert_eq!(proof.verify(&root, &key, value.expect("read").as_deref()), Ok(()), "height {height}");
        }
    }
    assert!(before > 100, "{before} branches were carried over");
    assert!(most <= 40, "{most} at once");
}

#[test]
fn no_false_part_and_no_false_spine_gets_in() {
    let (_folder, state, _store, root) = source();
    let spine = state.spine(6).expect("spine");
    let (_to, target) = empty();
    let refused = Restore::start(target.clone(), 6, &root, state.spine(7).expect("spine")).err();
    assert_eq!(refused, Some(StateError::Snapshot(SnapshotFault::OtherRoot)));
    let mut restore = Restore::start(target.clone(), 6, &root, spine).expect("started");
    let parts = restore.missing().to_vec();
    let index = parts.iter().copied().find(|index| whole(&state, *index).len() > 2).expect("some part");
    let good = whole(&state, index);
    let next = parts.iter().copied().find(|other| *other != index).expect("another");
    let mut value = good.clone();
    value[0].1.push(1);
    let mut extra = good.clone();
    let mut key = good[1].0;
    key.0[31] ^= 1;
    extra.push((key, Vec::new()));
    extra.sort();
    let (mut double, mut moved) = (good.clone(), whole(&state, next));
    double.push(good[good.len() - 1].clone());
    moved.extend(good.iter().cloned());
    for bad in [value, good[1..].to_vec(), good[..2].to_vec(), Vec::new(), extra, double, moved] {
        assert!(matches!(restore.part(index, &bad), Err(StateError::Snapshot(_))), "{} leaves", bad.len());
    }
    assert!(restore.missing().contains(&index), "nothing of it counts");
    assert_eq!(target.last("state-latest"), Ok(None), "nothing of it is written");
    assert_eq!(restore.finish(&mut Batch::new()), Err(StateError::Snapshot(SnapshotFault::Missing(parts[0]))));
}

#[test]
fn a_takeover_that_was_cut_off_is_noticed_and_begins_again() {
    let (_folder, state, store, root) = source();
    let (_to, target) = empty();
    let mut restore = Restore::start(target.clone(), 6, &root, state.spine(6).expect("spine")).expect("started");
    let parts = restore.missing().to_vec();
    for index in &parts[..parts.len() / 2] {
        restore.part(*index, &whole(&state, *index)).expect("taken");
    }
    drop(restore);
    assert_eq!(State::open(target.clone()).err(), Some(StateError::Unfinished));
    // The second attempt is for a later height, with other leaves.
    let (root, spine) = (state.root_at(9).expect("root"), state.spine(9).expect("spine"));
    let mut restore = Restore::start(target.clone(), 9, &root, spine).expect("started again");
    assert_eq!(target.last("state-latest"), Ok(None), "what the first attempt left is gone");
    assert_eq!(target.last("state-nodes"), Ok(None));
    for index in restore.missing().to_vec() {
        let part = state.part(9, index, None, usize::MAX).expect("part");
        assert!(!part.more);
        restore.part(index, &part.leaves).expect("taken");
    }
    let mut unwritten = Batch::new();
    restore.finish(&mut unwritten).expect("finished");
    assert_eq!(State::open(target.clone()).err(), Some(StateError::Unfinished), "until the last batch is written");
    target.write(unwritten, Durability::Synced).expect("written");
    let taken = State::open(target.clone()).expect("opened");
    assert_eq!(taken.latest(), Ok(Some((9, root))));
    assert_eq!(apply(&taken, &target, 10, changes(10)), apply(&state, &store, 10, changes(10)));
}

#[test]
fn an_online_backup_has_the_same_root_and_goes_on_by_itself() {
    let (_folder, state, store, _) = source();
    let folder = tempfile::tempdir().expect("folder");
    let backup = folder.path().join("backup");
    store.checkpoint(&backup).expect("checkpoint");
    apply(&state, &store, 10, changes(10));
    let copy_store = Store::open(&backup, &State::COLUMNS).expect("opened");
    let copy = State::open(copy_store.clone()).expect("state");
    assert_eq!(copy.latest(), Ok(Some((9, state.root_at(9).expect("root")))));
    assert_eq!(Ok(apply(&copy, &copy_store, 10, changes(10))), state.root_at(10));
}
