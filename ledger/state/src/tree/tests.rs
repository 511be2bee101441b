//! The update against the tree's definition, with and without branches in memory.

use std::{cell::RefCell, collections::BTreeMap};

use base_gm::sm3::sm3;

use super::*;
use crate::snapshot::subtree;

/// Rows in memory, and how many were read.
#[derive(Default)]
pub(crate) struct Rows {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) reads: RefCell<usize>,
}

impl Branches for Rows {
    fn nodes(&self, keys: &[Row]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        *self.reads.borrow_mut() += keys.len();
        Ok(keys.iter().map(|key| self.rows.get(key.as_bytes()).cloned()).collect())
    }
}

impl Rows {
    pub(crate) fn write(&mut self, batch: &Batch) {
        for (column, key, row) in batch.changes() {
            assert_eq!(column, NODES);
            self.rows.insert(key.to_vec(), row.expect("no row is removed").to_vec());
        }
    }
}

/// A tree of one version after another.
#[derive(Default)]
struct Tree {
    rows: Rows,
    root: Box<Branch>,
    held: Option<usize>,
}

impl Tree {
    /// The next version's root, its rows and the rows that it replaces.
    fn step(&mut self, version: Height, items: &[Item]) -> (Digest, Batch, Vec<(Path, Height)>) {
        let mut batch = Batch::new();
        let mut update = Update::new(&self.rows, version, &mut batch, self.held);
        self.root = update.change(std::mem::take(&mut self.root), Path::root(), items).expect("applied");
        let hash = update.finish(&Path::root(), &mut self.root);
        let replaced = std::mem::take(&mut update.replaced);
        self.held = update.held;
        self.rows.write(&batch);
        (hash, batch, replaced)
    }
}

fn items(version: Height, count: u64) -> Vec<Item> {
    let item = |i: u64| {
        let draw = sm3(&[version.to_be_bytes(), i.to_be_bytes()].concat());
        (key(u64::from(draw.0[0]) % 200), (draw.0[1] % 3 != 0).then_some(draw))
    };
    (0..count).map(item).collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// Every fourth key shares all but some of its last bits with another.
fn key(number: u64) -> Digest {
    let mut key = sm3(&(number - u64::from(number % 4 == 3)).to_be_bytes());
    if number % 4 == 3 {
        key.0[31 - (number / 4 % 3) as usize] ^= 1u8 << (number % 7);
    }
    key
}

#[test]
fn every_version_has_the_root_of_the_definition() {
    for held in [None, Some(0)] {
        let (mut tree, mut map) = (Tree { held, ..Tree::default() }, BTreeMap::new());
        for version in 0..120 {
            // Now and then nearly everything goes.
            let items = match version % 20 {
                19 => (0..199).map(key).map(|key| (key, None)).collect::<BTreeMap<_, _>>().into_iter().collect(),
                count => items(version, count * 3),
            };
            for (key, value) in &items {
                match value {
                    Some(value) => drop(map.insert(*key, *value)),
                    None => drop(map.remove(key)),
                }
            }
            let leaves: Vec<(Digest, Digest)> = map.iter().map(|(key, value)| (*key, *value)).collect();
            assert_eq!(tree.step(version, &items).0, subtree(&leaves, 0), "version {version}");
        }
    }
}

#[test]
fn held_branches_spare_reads_and_change_no_row() {
    let (mut bare, mut warm) = (Tree::default(), Tree { held: Some(0), ..Tree::default() });
    for version in 0..40 {
        let items = items(version, 30);
        assert_eq!(bare.step(version, &items), warm.step(version, &items), "version {version}");
    }
    assert_eq!(*warm.rows.reads.borrow(), 0);
    assert!(*bare.rows.reads.borrow() > 100);
}

#[test]
fn what_a_version_replaces_is_no_longer_reached_from_its_root() {
    let mut tree = Tree::default();
    for version in 0..40 {
        let (_, _, replaced) = tree.step(version, &items(version, 30));
        for (path, version) in replaced {
            assert!(tree.rows.rows.remove(path.row(version).as_bytes()).is_some(), "it was there once");
        }
        let root = || tree.rows.branch(&Path::root(), version).expect("read");
        assert!((0..200).all(|number| prove(&tree.rows, root(), &key(number)).is_ok()), "version {version}");
        let mut reached = 1;
        count(&tree.rows, &root(), &Path::root(), &mut reached);
        assert_eq!(reached, tree.rows.rows.len(), "nothing else is left");
        tree.rows.rows.remove(Path::root().row(version).as_bytes());
    }
}

fn count(rows: &Rows, branch: &Branch, path: &Path, reached: &mut usize) {
    for (at, slot) in branch.slots().enumerate() {
        if let Slot::Inner { version, .. } = slot {
            *reached += 1;
            let path = path.child(at);
            count(rows, &rows.branch(&path, version).expect("read"), &path, reached);
        }
    }
}

#[test]
fn a_tree_that_is_too_deep_or_lacks_a_branch_is_damaged_and_nothing_is_written() {
    let (rows, mut batch) = (Rows::default(), Batch::new());
    let mut root = Branch::default();
    root.set(key(0).0[0] as usize >> 4, Slot::Inner { hash: EMPTY, version: 0 });
    let mut update = Update::new(&rows, 1, &mut batch, None);
    let result = update.change(Box::new(root), Path::root(), &[(key(0), Some(EMPTY))]);
    assert_eq!(result.err(), Some(StateError::Damaged("a node is missing")));
    assert_eq!(rows.branch(&Path::towards(&key(0), DEEPEST + 1), 0).err(), Some(TOO_DEEP));
    assert!(batch.is_empty());
}
