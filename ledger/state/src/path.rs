//! Where a branch stands: half-bytes of the hashes of the keys below it.

use base_types::{Digest, Height};

/// Most half-bytes of a key's hash.
pub(crate) const DEEPEST: u8 = 64;

/// The first `depth` half-bytes of the hashes of the keys below a branch; the rest of `prefix` is zero. In their order a
/// branch comes before all that are below it, and these before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    prefix: Digest,
    depth: u8,
}

/// Bytes of a row's key before the prefix: version and depth.
const ROW_HEAD: usize = 9;

/// A branch's key in storage, 9 to 41 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    bytes: [u8; ROW_HEAD + 32],
    len: usize,
}

impl Row {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Path {
    /// The root's.
    pub(crate) fn root() -> Self {
        Self { prefix: Digest([0; 32]), depth: 0 }
    }

    /// The path of the branch at `depth` on the way to `key`.
    pub(crate) fn towards(key: &Digest, depth: u8) -> Self {
        let mut prefix = Digest([0; 32]);
        let whole = usize::from(depth / 2);
        for (at, (to, from)) in prefix.0.iter_mut().zip(key.0).enumerate().take(whole.saturating_add(1)) {
            *to = if at < whole {
                from
            } else if depth % 2 == 1 {
                from & 0xf0
            } else {
                0
            };
        }
        Self { prefix, depth }
    }

    /// The path of the branch below `self` on the way to `key`.
    pub(crate) fn below(&self, key: &Digest) -> Self {
        Self::towards(key, self.depth.saturating_add(1))
    }

    /// The path of the branch below `self` in a slot.
    pub(crate) fn child(&self, slot: usize) -> Self {
        let mut prefix = self.prefix;
        let half = (slot & 0x0f) as u8;
        if let Some(byte) = prefix.0.get_mut(usize::from(self.depth / 2)) {
            *byte |= if self.depth % 2 == 0 { half << 4 } else { half };
        }
        Self { prefix, depth: self.depth.saturating_add(1) }
    }

    /// Half-bytes from the root.
    pub(crate) fn depth(&self) -> u8 {
        self.depth
    }

    /// True if every key below is smaller than `key`.
    pub(crate) fn ends_before(&self, key: &Digest) -> bool {
        self.prefix < Self::towards(key, self.depth).prefix
    }

    /// Which of the branch's slots leads to `key`.
    pub(crate) fn slot_of(&self, key: &Digest) -> usize {
        let byte = key.0.get(usize::from(self.depth / 2)).copied().unwrap_or_default();
        usize::from(if self.depth % 2 == 0 { byte >> 4 } else { byte & 0x0f })
    }

    /// The branch's key in storage: version, depth, the bytes of the prefix. In the order of writing: tables of later
    /// versions follow those of earlier ones and need not be merged.
    pub(crate) fn row(&self, version: Height) -> Row {
        let mut bytes = [0; ROW_HEAD + 32];
        bytes[..8].copy_from_slice(&version.to_be_bytes());
        bytes[8] = self.depth;
        bytes[ROW_HEAD..].copy_from_slice(&self.prefix.0);
        let used = usize::from(self.depth).div_ceil(2).min(32);
        Row { bytes, len: ROW_HEAD + used }
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm3::sm3;

    use super::*;

    #[test]
    fn slot_by_slot_and_towards_a_key_are_one_way() {
        let key = sm3(b"key");
        let mut path = Path::root();
        for depth in 0..DEEPEST {
            assert_eq!(path, Path::towards(&key, depth));
            assert_eq!(path.below(&key), path.child(path.slot_of(&key)));
            path = path.below(&key);
        }
        assert_eq!(path.prefix, key);
    }

    #[test]
    fn a_branch_comes_before_those_below_it_and_these_before_the_next() {
        let key = sm3(b"key");
        let path = Path::towards(&key, 5);
        assert!((0..15).all(|slot| path < path.child(slot) && path.child(slot).child(15) < path.child(slot + 1)));
        assert_eq!(
            path.row(7).as_bytes(),
            [&[0, 0, 0, 0, 0, 0, 0, 7, 5][..], &key.0[..2], &[key.0[2] & 0xf0]].concat()
        );
        assert_eq!(Path::root().row(1).as_bytes().len(), 9);
        assert_eq!(Path::towards(&key, DEEPEST).row(1).as_bytes().len(), 41);
    }

    #[test]
    fn a_branch_ends_before_the_keys_of_later_slots_only() {
        let key = sm3(b"key");
        let above = Path::towards(&key, 3);
        let here = above.slot_of(&key);
        for slot in 0..16 {
            assert_eq!(above.child(slot).ends_before(&key), slot < here);
        }
    }
}
