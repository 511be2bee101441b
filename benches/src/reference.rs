//! The `jmt` crate over nodes in memory, with the leaves and the hash of our state tree, to compare ours with.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base_gm::sm3::{Sm3Stream, sm3};
use base_types::{Digest, Height};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, SimpleHasher, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use ledger_state::{Change, HEIGHT_KEY};

use crate::tree::{FILL, change};

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

#[derive(Default)]
struct Nodes(HashMap<NodeKey, Node>);

impl TreeReader for Nodes {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.0.get(key).cloned())
    }
    fn get_value_option(&self, _max: Version, _key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(None)
    }
    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// The other tree; what newer versions replaced is dropped.
#[derive(Default)]
pub struct Reference {
    nodes: Nodes,
    next: Height,
}

/// What a block of it took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Computing the new nodes and the root.
    pub apply: Duration,
    /// Bytes of the new nodes with their keys, about as Borsh writes them.
    pub bytes: usize,
}

/// A node's key and the node: version and path, then hash, version and kind of each child, or a leaf's hashes.
fn size(key: &NodeKey, node: &Node) -> usize {
    let body = match node {
        Node::Null => 1,
        Node::Internal(inner) => {
            1 + inner.children_unsorted().map(|(_, child)| if child.is_leaf() { 42 } else { 50 }).sum::<usize>()
        }
        Node::Leaf(_) => 65,
    };
    8 + key.nibble_path().num_nibbles().div_ceil(2) + 1 + body
}

impl Reference {
    /// The height of the next block.
    pub fn next(&self) -> Height {
        self.next
    }

    /// Applies the next block.
    ///
    /// # Errors
    /// The crate's.
    pub fn block(&mut self, changes: Vec<Change>) -> anyhow::Result<(Digest, Took)> {
        let began = Instant::now();
        let mut set: Vec<(KeyHash, Option<OwnedValue>)> =
            changes.into_iter().map(|(key, value)| (KeyHash(sm3(&key).0), value)).collect();
        set.push((KeyHash(sm3(HEIGHT_KEY).0), Some(self.next.to_be_bytes().to_vec())));
        let tree = JellyfishMerkleTree::<_, Sm3Hasher>::new(&self.nodes);
        let (root, update) = tree.put_value_set(set, self.next)?;
        let apply = began.elapsed();
        let nodes = update.node_batch.nodes();
        let bytes = nodes.iter().map(|(key, node)| size(key, node)).sum();
        for stale in &update.stale_node_index_batch {
            self.nodes.0.remove(&stale.node_key);
        }
        self.nodes.0.extend(nodes.iter().map(|(key, node)| (key.clone(), node.clone())));
        self.next += 1;
        Ok((Digest(root.0), Took { apply, bytes }))
    }

    /// Adds leaves up to a number, in the blocks in which our tree gets them.
    ///
    /// # Errors
    /// The crate's.
    pub fn fill(&mut self, from: u64, leaves: u64) -> anyhow::Result<()> {
        for start in (from..leaves).step_by(FILL as usize) {
            let changes = (start..leaves.min(start + FILL)).map(|number| change(number, self.next)).collect();
            self.block(changes)?;
        }
        Ok(())
    }
}
