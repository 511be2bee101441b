//! Hashing branches, many at a time: what stands on one level of all of them is hashed together.

use std::ops::Deref;

use base_types::Digest;
use ledger_light::state::{EMPTY, Hashes};

use crate::node::{ALL, Branch, Slot, WIDTH};

/// Hashes of a branch's nodes, numbered as in a heap: 1 is the branch's own root, the halves of `at` are `2 * at` and
/// `2 * at + 1`, and numbers from 16 on are the slots. Number 0 is not used.
pub(crate) type Nodes = [Digest; 2 * WIDTH];

/// Branches that are hashed together: enough to fill the processor's vectors on every level, and few enough for its cache.
const AT_ONCE: usize = 256;

/// The slots below an inner node, one a bit.
fn slots_below(at: usize) -> u16 {
    let level = at.max(1).ilog2();
    let (first, width) = (1usize << level, WIDTH >> level);
    let mask = ((1u32 << width) - 1) << ((at - first) * width);
    (mask & u32::from(ALL)) as u16
}

/// Whether one leaf is all that stands in some slots of a branch.
fn is_leaf(branch: &Branch, slots: u16) -> bool {
    let inside = branch.used() & slots;
    inside.count_ones() == 1 && inside & branch.leaves() != 0
}

/// Hashes branches; what it needs for that is kept from one time to the next.
#[derive(Default)]
pub(crate) struct Hasher {
    hashes: Hashes,
    /// Of which branch and which of its nodes each hash is that was asked for.
    asked: Vec<(usize, usize)>,
    sheets: Vec<Nodes>,
}

impl Hasher {
    /// The hashes of several branches, in their order; inner nodes whose slots did not change are not hashed again.
    pub(crate) fn hash(&mut self, branches: &mut [&mut Branch]) -> Vec<Digest> {
        let mut roots = Vec::with_capacity(branches.len());
        for some in branches.chunks_mut(AT_ONCE) {
            self.fill(&*some, Branch::stale);
            for (branch, nodes) in some.iter_mut().zip(&self.sheets) {
                branch.hashed(nodes);
                roots.push(nodes[1]);
            }
        }
        roots
    }

    /// The hashes of all of a branch's nodes.
    pub(crate) fn nodes(&mut self, branch: &Branch) -> Nodes {
        self.fill(&[branch], |_| ALL);
        self.sheets.first().copied().unwrap_or([EMPTY; 2 * WIDTH])
    }

    /// Fills a sheet for each branch; hashes what stands above the slots that `stale` names, and takes the rest from what
    /// the branch keeps.
    fn fill<B: Deref<Target = Branch>>(&mut self, branches: &[B], stale: impl Fn(&Branch) -> u16) {
        self.sheets.clear();
        self.sheets.resize(branches.len(), [EMPTY; 2 * WIDTH]);
        for (which, (branch, nodes)) in branches.iter().zip(&mut self.sheets).enumerate() {
            let kept = branch.halves();
            nodes[1..=kept.len()].copy_from_slice(kept);
            // The lowest inner nodes have two slots each: both are needed where one changed.
            let pairs = (stale(branch) | stale(branch) >> 1) & 0x5555;
            let near = (pairs | pairs << 1) & branch.used();
            for at in (0..WIDTH).filter(|at| near >> at & 1 == 1) {
                match branch.slot(at) {
                    Slot::Empty => {}
                    Slot::Inner { hash, .. } => nodes[WIDTH + at] = hash,
                    Slot::Leaf { key, value } => {
                        self.hashes.leaf(&key, &value);
                        self.asked.push((which, WIDTH + at));
                    }
                }
            }
        }
        self.place();
        for level in [8, 4, 2, 1] {
            for (which, (branch, nodes)) in branches.iter().zip(&mut self.sheets).enumerate() {
                for at in (level..2 * level).filter(|at| stale(branch) & slots_below(*at) != 0) {
                    let (left, right) = (nodes[2 * at], nodes[2 * at + 1]);
                    if branch.used() & slots_below(at) == 0 {
                        nodes[at] = EMPTY;
                    } else if is_leaf(branch, slots_below(at)) {
                        nodes[at] = if left == EMPTY { right } else { left };
                    } else {
                        self.hashes.inner(&left, &right);
                        self.asked.push((which, at));
                    }
                }
            }
            self.place();
        }
    }

    /// Puts the hashes that were asked for into their places.
    fn place(&mut self) {
        for ((which, at), digest) in self.asked.drain(..).zip(self.hashes.digests()) {
            if let Some(nodes) = self.sheets.get_mut(which) {
                nodes[at] = digest;
            }
        }
    }
}

/// Goes down a branch's four levels towards slot `to`, as far as there are several keys, and gathers the other halves'
/// hashes; `nodes` are all of the branch's.
pub(crate) fn descend(branch: &Branch, nodes: &Nodes, to: usize, siblings: &mut Vec<Digest>) -> Slot {
    let mut at = 1usize;
    while at < WIDTH {
        let inside = branch.used() & slots_below(at);
        if inside == 0 {
            return Slot::Empty;
        }
        if is_leaf(branch, inside) {
            return branch.slot(inside.trailing_zeros() as usize);
        }
        let towards = to >> (3 - at.ilog2()) & 1;
        siblings.push(nodes[2 * at + (1 - towards)]);
        at = 2 * at + towards;
    }
    branch.slot(at - WIDTH)
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;
    use base_wire::{Decode, Encode};
    use ledger_light::state::{inner_hash, leaf_hash};

    use super::*;

    fn hash_of(slot: Slot) -> Digest {
        match slot {
            Slot::Empty => EMPTY,
            Slot::Leaf { key, value } => leaf_hash(&key, &value),
            Slot::Inner { hash, .. } => hash,
        }
    }

    /// The hash of a range of slots by the tree's rules, nothing remembered.
    fn fold(slots: &[Slot]) -> Digest {
        let used: Vec<Slot> = slots.iter().copied().filter(|slot| *slot != Slot::Empty).collect();
        match used.as_slice() {
            [] => EMPTY,
            [leaf @ Slot::Leaf { .. }] => hash_of(*leaf),
            [inner] if slots.len() == 1 => hash_of(*inner),
            _ => {
                let (left, right) = slots.split_at(slots.len() / 2);
                inner_hash(&fold(left), &fold(right))
            }
        }
    }

    fn slot(draw: &Digest) -> Slot {
        match draw.0[1] % 3 {
            0 => Slot::Empty,
            1 => Slot::Leaf { key: *draw, value: sm3(&draw.0) },
            _ => Slot::Inner { hash: *draw, version: u64::from(draw.0[2]) },
        }
    }

    #[test]
    fn hashing_what_changed_gives_what_hashing_everything_gives() {
        let mut branches: Vec<Branch> = (0..AT_ONCE + 40).map(|_| Branch::default()).collect();
        let mut hasher = Hasher::default();
        for round in 0..40u32 {
            for (which, branch) in (0u32..).zip(&mut branches) {
                let draw = sm3(&[round.to_be_bytes(), which.to_be_bytes()].concat());
                // Some are changed in many slots, some in one, some not at all.
                for at in draw.0.iter().take(which as usize % 4) {
                    branch.set(usize::from(at % 16), slot(&sm3(&[&draw.0[..], &[*at]].concat())));
                }
            }
            let expected: Vec<Digest> =
                branches.iter().map(|branch| fold(&branch.slots().collect::<Vec<_>>())).collect();
            let hashed = hasher.hash(&mut branches.iter_mut().collect::<Vec<_>>());
            assert!(hashed == expected, "round {round}");
        }
        for branch in &branches {
            let read = Branch::from_wire(&branch.to_wire()).expect("read");
            assert!(hasher.nodes(&read) == hasher.nodes(branch));
        }
    }

    #[test]
    fn every_way_down_folds_back_to_the_branch() {
        let mut hasher = Hasher::default();
        for round in 0..60u32 {
            let mut branch = Branch::default();
            for at in 0..=(round as usize % WIDTH) {
                branch.set(at, slot(&sm3(&[round as u8, at as u8])));
            }
            let nodes = hasher.nodes(&branch);
            for to in 0..WIDTH {
                let mut siblings = Vec::new();
                let end = hash_of(descend(&branch, &nodes, to, &mut siblings));
                let folded = (0..siblings.len()).rev().fold(end, |below, step| match to >> (3 - step) & 1 {
                    0 => inner_hash(&below, &siblings[step]),
                    _ => inner_hash(&siblings[step], &below),
                });
                assert_eq!(folded, nodes[1], "round {round}, slot {to}");
            }
        }
    }
}
