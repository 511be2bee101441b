//! The seals of a height: one from each validator, and the certificate once more than two thirds seal one block.

use std::collections::BTreeMap;

use base_gm::sm2::{self, PublicKey, Signature};
use base_types::{Digest, Height};
use ledger_light::{Certificate, VoteKind, vote_bytes};

/// The round of every seal and certificate: Raft has none.
const ROUND: u32 = 0;

/// What a seal signs: a precommit, so that certificates do not tell the engine.
pub(crate) fn seal_digest(chain: &Digest, height: Height, block: &Digest) -> Digest {
    vote_bytes(chain, VoteKind::Precommit, height, ROUND, Some(block))
}

/// What a seal turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The validator's first.
    New,
    /// Here already.
    Known,
    /// Its signature is wrong.
    Wrong,
    /// The validator has sealed another block before.
    Second,
}

/// Good seals by the validators' places.
#[derive(Default)]
pub(crate) struct Seals(BTreeMap<u16, (Digest, Signature)>);

impl Seals {
    /// Takes in a validator's seal; the first of each stands.
    pub fn take(
        &mut self,
        place: u16,
        key: &PublicKey,
        (chain, height): (&Digest, Height),
        (block, signature): (Digest, Signature),
    ) -> Taken {
        let known = self.0.get(&place);
        if known == Some(&(block, signature)) {
            return Taken::Known;
        }
        if sm2::verify(key, &seal_digest(chain, height, &block).0, &signature).is_err() {
            return Taken::Wrong;
        }
        match known {
            Some((other, _)) if *other != block => Taken::Second,
            Some(_) => Taken::Known,
            None => {
                self.0.insert(place, (block, signature));
                Taken::New
            }
        }
    }

    /// Notes an own seal.
    pub fn own(&mut self, place: u16, block: Digest, signature: Signature) {
        self.0.insert(place, (block, signature));
    }

    /// The proof of the block that `quorum` validators have sealed, once there is one.
    pub fn certificate(&self, height: Height, quorum: usize) -> Option<Certificate> {
        let mut counts = BTreeMap::<Digest, usize>::new();
        for (block, _) in self.0.values() {
            let count = counts.entry(*block).or_default();
            *count = count.saturating_add(1);
        }
        let (block, _) = counts.into_iter().find(|(_, count)| *count >= quorum)?;
        let of_block = self.0.iter().filter(|(_, (sealed, _))| *sealed == block);
        let signatures = of_block.map(|(place, (_, signature))| (*place, *signature)).collect();
        Some(Certificate { height, round: ROUND, block, signatures })
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;

    use super::*;

    #[test]
    fn one_seal_of_each_counts_and_only_a_quorum_for_one_block_is_a_proof() {
        let (chain, a, b) = (Digest([9; 32]), Digest([1; 32]), Digest([2; 32]));
        let keys: Vec<_> = (0..4u8).map(|i| SecretKey::from_seed(&[i])).collect();
        let seal = |i: usize, block: Digest| (block, keys[i].sign(&seal_digest(&chain, 7, &block).0));
        let mut seals = Seals::default();
        let mut take = |i: usize, seal| seals.take(i as u16, &keys[i].public(), (&chain, 7), seal);
        assert_eq!(take(2, seal(2, a)), Taken::New);
        assert_eq!(take(2, seal(2, a)), Taken::Known);
        assert_eq!(take(2, seal(2, b)), Taken::Second);
        assert_eq!(take(1, seal(3, a)), Taken::Wrong);
        assert_eq!(take(1, seal(1, b)), Taken::New);
        assert_eq!(take(0, seal(0, a)), Taken::New);
        assert_eq!(seals.certificate(7, 3), None, "two of three, and the third is for another");
        let (block, signature) = seal(3, a);
        seals.own(3, block, signature);
        let proof = seals.certificate(7, 3).expect("three of four");
        assert_eq!(proof.signatures.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!((proof.height, proof.round, proof.block), (7, 0, a));
    }
}
