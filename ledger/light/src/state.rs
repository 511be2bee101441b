//! Proofs of what the state holds under a key, or that it holds nothing there.
//!
//! The state is a sparse Merkle tree over SM3 with the shape and the hashing of the Jellyfish Merkle tree: an empty
//! subtree is a constant, a subtree with one key is that key's leaf, any other is the hash of its two halves.

use base_gm::sm3::{Many, Sm3Stream, sm3};
use base_types::Digest;
use base_wire::{Decode, Encode, Reader, WireError, wire_enum};
use thiserror::Error;

/// Stands for a subtree without keys.
pub const EMPTY: Digest = Digest(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__");

/// Longest path from a leaf to the root: one step a bit of the key's hash.
const MAX_STEPS: usize = 256;

/// What the bytes of a leaf begin with.
const LEAF: &[u8] = b"JMT::LeafNode";

/// What the bytes of an inner node begin with.
const INNER: &[u8] = b"JMT::IntrnalNode";

/// The hash of a key's leaf, of the hashes of the key and of its value.
pub fn leaf_hash(key: &Digest, value: &Digest) -> Digest {
    joined(LEAF, key, value)
}

/// The hash of a subtree with at least two keys.
pub fn inner_hash(left: &Digest, right: &Digest) -> Digest {
    joined(INNER, left, right)
}

fn joined(domain: &[u8], first: &Digest, second: &Digest) -> Digest {
    let mut stream = Sm3Stream::new();
    stream.update(domain);
    stream.update(&first.0);
    stream.update(&second.0);
    stream.finish()
}

/// Leaves and inner nodes that are hashed together: many times faster than one after the other where the processor has wide
/// vectors.
#[derive(Default)]
pub struct Hashes(Many);

impl Hashes {
    /// Nothing to hash yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what [`leaf_hash`] hashes.
    pub fn leaf(&mut self, key: &Digest, value: &Digest) {
        self.0.plain(&[LEAF, &key.0, &value.0]);
    }

    /// Adds what [`inner_hash`] hashes.
    pub fn inner(&mut self, left: &Digest, right: &Digest) {
        self.0.plain(&[INNER, &left.0, &right.0]);
    }

    /// The hashes, in the order in which they were asked for; begins anew.
    pub fn digests(&mut self) -> Vec<Digest> {
        self.0.digests()
    }
}

/// What stands where the key's path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofEnd {
    /// The key's own leaf.
    Found,
    /// Nothing.
    Empty,
    /// The leaf of another key, the only one of its subtree.
    Other {
        /// Hash of that key.
        key: Digest,
        /// Hash of its value.
        value: Digest,
    },
}
wire_enum!(ProofEnd { 0 => Found, 1 => Empty, 2 => Other { key, value } });

/// The way from the end of a key's path to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateProof {
    /// Where the path ends.
    pub end: ProofEnd,
    /// Siblings from the end upwards; `None` is an empty subtree, so that it has one form only.
    pub siblings: Vec<Option<Digest>>,
}

impl Encode for StateProof {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { end, siblings } = self;
        end.encode(out);
        siblings.encode(out);
    }
}

impl Decode for StateProof {
    const MIN_BYTES: usize = 5;
    /// The bound stands before the siblings: an empty one takes a byte on the wire and many in memory.
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let end = ProofEnd::decode(input)?;
        let len = input.count("state proof", 1)?;
        if len > MAX_STEPS {
            return Err(WireError::TooLong { what: "state proof", len, max: MAX_STEPS });
        }
        let siblings = (0..len).map(|_| Decode::decode(input)).collect::<Result<_, _>>()?;
        Ok(Self { end, siblings })
    }
}

/// Why a state proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateProofFault {
    /// More steps than a key's hash has bits, or an empty subtree written in full.
    #[error("the state proof is not in canonical form")]
    NotCanonical,
    /// It shows that the key is there, or that it is not, and the other was asked.
    #[error("the state proof shows the opposite")]
    Opposite,
    /// The leaf it ends at cannot be where the key's path ends.
    #[error("the state proof is for another key")]
    OtherKey,
    /// Its path leads to another root.
    #[error("the state proof leads to another root")]
    OtherRoot,
}

/// Bit `at` of a hash, the highest of the first byte being bit 0.
fn bit(hash: &Digest, at: usize) -> bool {
    hash.0.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
}

impl StateProof {
    /// Checks that the state of `root` holds `value` under `key`, or nothing when `value` is `None`.
    ///
    /// # Errors
    /// [`StateProofFault`].
    pub fn verify(&self, root: &Digest, key: &[u8], value: Option<&[u8]>) -> Result<(), StateProofFault> {
        let steps = self.siblings.len();
        if steps > MAX_STEPS || self.siblings.contains(&Some(EMPTY)) {
            return Err(StateProofFault::NotCanonical);
        }
        let key = sm3(key);
        let end = self.end_hash(&key, value.map(sm3))?;
        let reached = self.siblings.iter().zip((0..steps).rev()).fold(end, |at, (sibling, depth)| {
            let sibling = sibling.as_ref().unwrap_or(&EMPTY);
            if bit(&key, depth) { inner_hash(sibling, &at) } else { inner_hash(&at, sibling) }
        });
        if &reached == root { Ok(()) } else { Err(StateProofFault::OtherRoot) }
    }

    fn end_hash(&self, key: &Digest, value: Option<Digest>) -> Result<Digest, StateProofFault> {
        match (&self.end, value) {
            (ProofEnd::Found, Some(value)) => Ok(leaf_hash(key, &value)),
            (ProofEnd::Empty, None) => Ok(EMPTY),
            (ProofEnd::Other { key: other, value }, None) => {
                let shared = (0..self.siblings.len()).all(|at| bit(key, at) == bit(other, at));
                if shared && key != other { Ok(leaf_hash(other, value)) } else { Err(StateProofFault::OtherKey) }
            }
            _ => Err(StateProofFault::Opposite),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two keys whose hashes differ in the first bit, so that the tree is one inner node.
    fn two() -> (Vec<u8>, Vec<u8>) {
        let side = |want: bool| (0u8..).map(|i| vec![i]).find(|k| bit(&sm3(k), 0) == want).expect("some key");
        (side(false), side(true))
    }

    #[test]
    fn many_together_are_what_each_is_alone() {
        let digests: Vec<Digest> = (0..40u8).map(|i| sm3(&[i])).collect();
        let (mut hashes, mut alone) = (Hashes::new(), Vec::new());
        for pair in digests.windows(2) {
            hashes.leaf(&pair[0], &pair[1]);
            hashes.inner(&pair[0], &pair[1]);
            alone.extend([leaf_hash(&pair[0], &pair[1]), inner_hash(&pair[0], &pair[1])]);
        }
        assert_eq!(hashes.digests(), alone);
        assert!(hashes.digests().is_empty());
    }

    #[test]
    fn presence_and_absence_are_shown_and_not_confused() {
        let (left, right) = two();
        let (l, r) = (leaf_hash(&sm3(&left), &sm3(b"1")), leaf_hash(&sm3(&right), &sm3(b"2")));
        let root = inner_hash(&l, &r);
        let proof = StateProof { end: ProofEnd::Found, siblings: vec![Some(r)] };
        assert_eq!(proof.verify(&root, &left, Some(b"1")), Ok(()));
        assert_eq!(proof.verify(&root, &left, Some(b"2")), Err(StateProofFault::OtherRoot));
        assert_eq!(proof.verify(&root, &right, Some(b"1")), Err(StateProofFault::OtherRoot));
        assert_eq!(proof.verify(&root, &left, None), Err(StateProofFault::Opposite));

        let absent = (0u8..).map(|i| vec![i, i]).find(|k| !bit(&sm3(k), 0)).expect("some key");
        let end = ProofEnd::Other { key: sm3(&left), value: sm3(b"1") };
        let proof = StateProof { end, siblings: vec![Some(r)] };
        assert_eq!(proof.verify(&root, &absent, None), Ok(()));
        assert_eq!(proof.verify(&root, &left, None), Err(StateProofFault::OtherKey));
        assert_eq!(proof.verify(&root, &right, None), Err(StateProofFault::OtherKey));
        assert_eq!(proof.verify(&root, &absent, Some(b"1")), Err(StateProofFault::Opposite));
    }

    #[test]
    fn an_empty_subtree_has_one_form_and_a_path_has_a_bound() {
        let long = StateProof { end: ProofEnd::Empty, siblings: vec![None; 257] };
        assert_eq!(long.verify(&EMPTY, b"k", None), Err(StateProofFault::NotCanonical));
        assert!(matches!(StateProof::from_wire(&long.to_wire()), Err(WireError::TooLong { len: 257, .. })));
        let longest = StateProof { end: ProofEnd::Empty, siblings: vec![None; 256] };
        assert_eq!(StateProof::from_wire(&longest.to_wire()), Ok(longest));
        let written = StateProof { end: ProofEnd::Empty, siblings: vec![Some(EMPTY)] };
        assert_eq!(written.verify(&EMPTY, b"k", None), Err(StateProofFault::NotCanonical));
        assert_eq!(StateProof { end: ProofEnd::Empty, siblings: vec![] }.verify(&EMPTY, b"k", None), Ok(()));
    }
}
