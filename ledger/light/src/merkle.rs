//! Merkle tree over a list of digests, as RFC 6962 shapes it, with SM3.

use base_gm::sm3;
use base_types::Digest;
use base_wire::wire_struct;

const LEAF: &str = "heqi/merkle-leaf/1";
const NODE: &str = "heqi/merkle-node/1";

fn leaf(digest: &Digest) -> Digest {
    sm3::tagged(LEAF, &[&digest.0])
}

fn inner(left: &Digest, right: &Digest) -> Digest {
    sm3::tagged(NODE, &[&left.0, &right.0])
}

/// Size of the left subtree: the largest power of two below `n` (RFC 6962, section 2.1); `n` is at least 2.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// The root of a list; an empty list has a root of its own.
pub fn merkle_root(items: &[Digest]) -> Digest {
    let mut many = sm3::Many::new();
    items.iter().for_each(|item| many.tagged(LEAF, &[&item.0]));
    let mut level = many.digests();
    // Halves that are the largest powers of two meet where neighbours are joined level by level, and the odd one goes up.
    while level.len() > 1 {
        let (pairs, odd) = level.as_chunks::<2>();
        pairs.iter().for_each(|[left, right]| many.tagged(NODE, &[&left.0, &right.0]));
        let mut above = many.digests();
        above.extend_from_slice(odd);
        level = above;
    }
    level.first().copied().unwrap_or_else(|| sm3::tagged("heqi/merkle-empty/1", &[]))
}

/// One step from a leaf to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerkleStep {
    /// True when the sibling is on the left.
    pub left: bool,
    /// The sibling.
    pub sibling: Digest,
}
wire_struct!(MerkleStep { left, sibling });

/// The way from a leaf to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerklePath {
    /// From the leaf upwards.
    pub steps: Vec<MerkleStep>,
}
wire_struct!(MerklePath { steps });

impl MerklePath {
    /// The root that this path gives an item.
    pub fn root_of(&self, item: &Digest) -> Digest {
        self.steps
            .iter()
            .fold(leaf(item), |at, step| if step.left { inner(&step.sibling, &at) } else { inner(&at, &step.sibling) })
    }
}

/// The path of `items[index]`, `None` when there is no such item.
pub fn merkle_path(items: &[Digest], index: usize) -> Option<MerklePath> {
    let mut steps = Vec::new();
    let (mut items, mut index) = (items.get(..).filter(|i| index < i.len())?, index);
    while items.len() > 1 {
        let (left, right) = items.split_at(split(items.len()));
        if index < left.len() {
            steps.push(MerkleStep { left: false, sibling: merkle_root(right) });
            items = left;
        } else {
            steps.push(MerkleStep { left: true, sibling: merkle_root(left) });
            index -= left.len();
            items = right;
        }
    }
    steps.reverse();
    Some(MerklePath { steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 6962, section 2.1, says it.
    fn root(items: &[Digest]) -> Digest {
        match items {
            [one] => leaf(one),
            _ => {
                let (left, right) = items.split_at(split(items.len()));
                inner(&root(left), &root(right))
            }
        }
    }

    #[test]
    fn level_by_level_gives_the_root_of_the_definition() {
        let items: Vec<_> = (0..200u8).map(|i| sm3::sm3(&[i])).collect();
        for n in 1..=items.len() {
            assert_eq!(merkle_root(&items[..n]), root(&items[..n]), "{n} items");
        }
    }

    #[test]
    fn every_item_of_every_list_has_a_path_and_no_other_item_fits_it() {
        for n in 1..20u8 {
            let items: Vec<_> = (0..n).map(|i| sm3::sm3(&[i])).collect();
            let root = merkle_root(&items);
            for (i, item) in items.iter().enumerate() {
                let path = merkle_path(&items, i).expect("in the list");
                assert_eq!(path.root_of(item), root);
                assert_ne!(path.root_of(&sm3::sm3(b"other")), root);
            }
            assert!(merkle_path(&items, n.into()).is_none());
        }
    }
}
