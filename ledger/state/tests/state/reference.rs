//! The state against two references: a plain map for contents and proofs, the `jmt` crate for roots.

use std::{cell::RefCell, collections::BTreeMap};

use base_gm::sm3::{Sm3Stream, sm3};
use base_types::{Digest, Height};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, SimpleHasher, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use ledger_light::state::StateProof;
use ledger_state::{Change, HEIGHT_KEY, StateError};
use ledger_store::Batch;

use crate::{apply, changes, open};

struct Sm3Hasher(Sm3Stream);

impl SimpleHasher for Sm3Hasher {
    fn new() -> Self {
        Self(Sm3Stream::new())
    }
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn finalize(self) -> [u8; 32] {
        self.0.finish().0
    }
}

/// Nodes and values of a reference tree in memory.
#[derive(Default)]
struct Reference {
    nodes: RefCell<BTreeMap<NodeKey, Node>>,
    values: RefCell<BTreeMap<(KeyHash, Version), Option<OwnedValue>>>,
}

impl TreeReader for Reference {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.borrow().get(key).cloned())
    }
    fn get_value_option(&self, max: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        let values = self.values.borrow();
        Ok(values.range((key, 0)..=(key, max)).next_back().and_then(|(_, value)| value.clone()))
    }
    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl Reference {
    fn apply(&self, height: Height, changes: &[Change]) -> Digest {
        let set = changes.iter().map(|(key, value)| (KeyHash(sm3(key).0), value.clone()));
        let set: BTreeMap<_, _> =
            set.chain([(KeyHash(sm3(HEIGHT_KEY).0), Some(height.to_be_bytes().to_vec()))]).collect();
        let tree = JellyfishMerkleTree::<_, Sm3Hasher>::new(self);
        let (root, update) = tree.put_value_set(set, height).expect("applied");
        let nodes = update.node_batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone()));
        self.nodes.borrow_mut().extend(nodes);
        let values = update.node_batch.values().iter().map(|((version, key), value)| ((*key, *version), value.clone()));
        self.values.borrow_mut().extend(values);
        Digest(root.0)
    }
}

#[test]
fn roots_equal_jmt_and_every_height_reads_and_proves_as_a_map_says() {
    let (_folder, state, store) = open();
    let (reference, mut map, mut history) = (Reference::default(), BTreeMap::new(), Vec::new());
    for height in 0..60 {
        let changes = changes(height);
        for (key, value) in &changes {
            map.insert(key.clone(), value.clone());
        }
        let root = apply(&state, &store, height, changes.clone());
        assert_eq!(root, reference.apply(height, &changes), "height {height}");
        assert_eq!(state.latest(), Ok(Some((height, root))));
        assert_eq!(state.root_height(&root), Ok(Some(height)));
        history.push((root, map.clone()));
    }
    for (height, (root, map)) in (0..).zip(&history).step_by(7) {
        for key in 0..60u64 {
            let key = key.to_be_bytes();
            let value = map.get(&key[..]).cloned().flatten();
            assert_eq!(state.get_at(height, &key), Ok(value.clone()));
            let proof = state.proof_at(height, &key).expect("proof");
            assert_eq!(proof.verify(root, &key, value.as_deref()), Ok(()));
            let other = value.is_none().then_some(&b"forged"[..]);
            assert!(proof.verify(root, &key, other).is_err());
        }
    }
}

#[test]
fn an_empty_block_is_a_version_with_a_root_of_its_own_and_order_is_kept() {
    let (_folder, state, store) = open();
    let first = apply(&state, &store, 0, vec![(b"k".to_vec(), Some(b"v".to_vec()))]);
    let second = apply(&state, &store, 1, vec![]);
    assert_ne!(first, second);
    assert_eq!(state.get(b"k"), Ok(Some(b"v".to_vec())));
    assert_eq!(state.apply(3, vec![], &mut Batch::new()), Err(StateError::Order { given: 3 }));
    assert_eq!(state.proof_at(2, b"k"), Err(StateError::NoHeight(2)));
    assert_eq!(state.apply(2, vec![], &mut Batch::new()), state.apply(2, vec![], &mut Batch::new()));
    assert_eq!(state.latest(), Ok(Some((1, second))), "an unwritten batch is not seen");
}

#[test]
fn no_changed_byte_of_a_proof_still_proves() {
    use base_wire::{Decode, Encode};
    let (_folder, state, store) = open();
    let set = (0..200u32).map(|i| (i.to_be_bytes().to_vec(), Some(vec![1]))).collect();
    let root = apply(&state, &store, 0, set);
    for (key, value) in [(7u32, Some(&[1u8][..])), (777, None)] {
        let wire = state.proof_at(0, &key.to_be_bytes()).expect("proof").to_wire();
        for at in 0..wire.len() {
            let mut changed = wire.clone();
            changed[at] ^= 1;
            let holds =
                StateProof::from_wire(&changed).is_ok_and(|p| p.verify(&root, &key.to_be_bytes(), value).is_ok());
            assert!(!holds, "byte {at}");
        }
    }
}
