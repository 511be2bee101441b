//! Where a branch stands: half-bytes of the hashes of the keys below it.

use base_types::{Digest, Height};

/// Most half-bytes of a key's hash.
pub(crate) const DEEPEST: u8 = 64;

/// The first `depth` half-bytes of the hashes of the keys below a branch; the rest of `prefix` is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    prefix: Digest,
    depth: u8,
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

    /// The branch's key in storage: depth, the bytes of the prefix, version.
    pub(crate) fn row(&self, version: Height) -> Vec<u8> {
        let used = usize::from(self.depth).div_ceil(2);
        let mut row = Vec::with_capacity(used.saturating_add(9));
        row.push(self.depth);
        row.extend(self.prefix.0.iter().take(used));
        row.extend_from_slice(&version.to_be_bytes());
        row
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
    fn a_branch_ends_before_the_keys_of_later_slots_only() {
        let key = sm3(b"key");
        let above = Path::towards(&key, 3);
        let here = above.slot_of(&key);
        for slot in 0..16 {
            assert_eq!(above.child(slot).ends_before(&key), slot < here);
        }
    }
}
