//! What must hold whatever happened: one block a height, one state, nothing acknowledged lost or doubled, and progress.

use std::{collections::BTreeMap, ops::RangeInclusive};

use base_types::{Digest, Height};
use ledger_chain::Chain;
use ledger_light::{Block, Certificate};
use tokio::time::Instant;

use crate::world::{PATIENCE, World, org, until};

/// A transaction that a client was told of, and the height it was told.
pub type Told = (Digest, Height);

fn block(chain: &Chain, height: Height) -> (Block, Certificate) {
    chain.block(height).expect("read").expect("a block")
}

/// A block and the state root after it, as one node has them: the block must be certified there.
fn certified(at: usize, chain: &Chain, height: Height) -> (Block, Digest) {
    let (block, certificate) = block(chain, height);
    let epoch = chain.epoch_of(height).expect("an epoch");
    assert_eq!(certificate.verify(&block.header, &epoch), Ok(()), "node {at}, height {height}");
    (block, chain.state_root(height).expect("a root"))
}

/// The block of a height on several chains, which must be certified on each and be the same on all.
fn same_block(chains: &[(usize, &Chain)], height: Height) -> Option<Block> {
    let ((first, chain), others) = chains.split_first()?;
    let (block, root) = certified(*first, chain, height);
    for (at, chain) in others {
        let (theirs, other) = certified(*at, chain, height);
        assert_eq!(theirs.header, block.header, "node {at} has another block at {height}");
        assert_eq!(other, root, "node {at} has another state at {height}");
    }
    Some(block)
}

impl World {
    /// The newest height of all.
    pub fn top(&self) -> Height {
        self.running().map(|(_, chain)| chain.height()).max().unwrap_or_default()
    }

    /// No two nodes have different blocks at a height that both have.
    pub fn no_fork(&self) {
        // They go on meanwhile: what is compared is what they have now.
        let tops: Vec<(Height, (usize, &Chain))> = self.running().map(|node| (node.1.height(), node)).collect();
        for height in 1..=self.top() {
            let with = tops.iter().filter(|(top, _)| *top >= height);
            same_block(&with.map(|(_, node)| *node).collect::<Vec<_>>(), height);
        }
    }

    /// Waits until all nodes come to one height, and compares everything. Each transaction that was told must be in the
    /// one block that was named, on every node.
    pub async fn settle(&self, told: &[Told]) {
        let named = told.iter().map(|(_, height)| *height).max().unwrap_or_default();
        let top = self.top().max(named);
        until("all nodes come to one height", || self.running().all(|(_, chain)| chain.height() >= top)).await;
        let chains: Vec<(usize, &Chain)> = self.running().collect();
        let mut places = BTreeMap::new();
        for height in 1..=top {
            for transaction in same_block(&chains, height).expect("a node").transactions {
                let before = places.insert(transaction.digest(), height);
                assert_eq!(before, None, "a transaction of block {height} is doubled");
            }
        }
        for (digest, height) in told {
            assert_eq!(places.get(digest), Some(height), "lost: {digest}");
            for (at, chain) in self.running() {
                let placed =
                    chain.transaction(digest).expect("read").unwrap_or_else(|| panic!("lost at {at}: {digest}"));
                let executed = placed.executed;
                assert_eq!((executed.height, executed.refusal), (*height, None), "node {at}");
            }
        }
    }

    /// Makes so many more blocks.
    pub async fn advance(&self, by: Height) {
        let to = self.top() + by;
        while self.top() < to {
            self.write().await;
        }
    }

    /// Waits until others make so many more blocks.
    pub async fn grown(&self, by: Height) {
        let to = self.top() + by;
        until("the chain grows", || self.top() >= to).await;
    }

    /// Whether a validator's signature is in a certificate of these heights.
    pub fn signed(&self, at: usize, mut heights: RangeInclusive<Height>) -> bool {
        let signs = |chain: &Chain, height: Height| {
            let Some(place) = chain.epoch_of(height).expect("an epoch").index_of(&org(at)) else { return false };
            let header = chain.header(height).expect("read");
            header.is_some_and(|header| {
                header.certificate.signatures.iter().any(|(signer, _)| usize::from(*signer) == place)
            })
        };
        heights.any(|height| self.running().any(|(_, chain)| signs(chain, height)))
    }

    /// Makes blocks until a validator has signed one.
    pub async fn signs(&self, at: usize) {
        let (from, end) = (self.top() + 1, Instant::now() + PATIENCE);
        while !self.signed(at, from..=self.top()) {
            assert!(Instant::now() < end, "{at} signs nothing");
            self.advance(1).await;
        }
    }
}
