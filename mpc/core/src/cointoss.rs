//! Two parties agree on a coin that neither chose: commit and open (Blum 1981, "Coin flipping by telephone").
//!
//! A leaf protocol without I/O. The committer sends a [`Commitment`], the responder a [`Reply`], the committer an
//! [`Opening`]; each state is consumed by its step, so no step can be taken twice or out of order. Every hash binds
//! the session, the step and both roles. The commitment is SM3 over a 32-byte salt (binding by collision resistance,
//! hiding in the random-oracle model). The committer can still refuse to open: the session then ends without a coin.
//!
//! ```
//! use mpc_core::cointoss::{Committer, Responder, Toss};
//!
//! let toss = Toss { session: [7; 32], step: "seeds".into(), committer: 0, responder: 1 };
//! let (alice, commitment) = Committer::start(toss.clone(), [1; 32], [2; 32]);
//! let (bob, reply) = Responder::answer(toss, commitment, [3; 32]);
//! let (at_alice, opening) = alice.open(reply);
//! let at_bob = bob.finish(&opening)?;
//! assert_eq!(at_alice.expose(), at_bob.expose());
//! # Ok::<(), mpc_core::cointoss::BadOpening>(())
//! ```

use base_gm::sm3::tagged;
use base_secret::Secret;
use base_wire::wire_struct;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What both parties know beforehand; it goes into every hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toss {
    /// The session the coin belongs to.
    pub session: [u8; 32],
    /// What the coin is for.
    pub step: String,
    /// The party that commits.
    pub committer: usize,
    /// The party that answers.
    pub responder: usize,
}

/// The agreed coin.
pub type Coin = Secret<[u8; 32]>;

/// First message: binds the committer to its contribution.
pub struct Commitment {
    digest: [u8; 32],
}
wire_struct!(Commitment { digest });

/// Second message: the responder's contribution.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Reply {
    share: [u8; 32],
}
wire_struct!(Reply { share });

/// Third message: the committer's contribution and the salt of its commitment.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    share: [u8; 32],
    salt: [u8; 32],
}
wire_struct!(Opening { share, salt });

/// The opening does not belong to the commitment: the committer cheats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the opening does not belong to the commitment")]
pub struct BadOpening;

impl Toss {
    fn hash(&self, domain: &str, first: &[u8; 32], second: &[u8; 32]) -> [u8; 32] {
        let Self { session, step, committer, responder } = self;
        let roles = [(*committer as u64).to_be_bytes(), (*responder as u64).to_be_bytes()].concat();
        tagged(domain, &[session, step.as_bytes(), &roles, first, second]).0
    }

    fn commitment(&self, share: &[u8; 32], salt: &[u8; 32]) -> [u8; 32] {
        self.hash("heqi/mpc/cointoss/commitment/1", share, salt)
    }

    fn coin(&self, committed: &[u8; 32], answered: &[u8; 32]) -> Coin {
        Secret::new(self.hash("heqi/mpc/cointoss/coin/1", committed, answered))
    }
}

/// The committer, waiting for the reply.
pub struct Committer {
    toss: Toss,
    share: Zeroizing<[u8; 32]>,
    salt: [u8; 32],
}

impl Committer {
    /// Commits to a fresh random share under a fresh random salt.
    pub fn start(toss: Toss, share: [u8; 32], salt: [u8; 32]) -> (Self, Commitment) {
        let digest = toss.commitment(&share, &salt);
        (Self { toss, share: Zeroizing::new(share), salt }, Commitment { digest })
    }

    /// Learns the coin and opens the commitment.
    pub fn open(self, reply: Reply) -> (Coin, Opening) {
        let coin = self.toss.coin(&self.share, &reply.share);
        (coin, Opening { share: *self.share, salt: self.salt })
    }
}

/// The responder, waiting for the opening.
pub struct Responder {
    toss: Toss,
    commitment: Commitment,
    share: Zeroizing<[u8; 32]>,
}

impl Responder {
    /// Answers a commitment with a fresh random share.
    pub fn answer(toss: Toss, commitment: Commitment, share: [u8; 32]) -> (Self, Reply) {
        (Self { toss, commitment, share: Zeroizing::new(share) }, Reply { share })
    }

    /// Checks the opening and learns the coin.
    ///
    /// # Errors
    /// [`BadOpening`] when the committer opens to anything but what it committed to.
    pub fn finish(self, opening: &Opening) -> Result<Coin, BadOpening> {
        if self.toss.commitment(&opening.share, &opening.salt) != self.commitment.digest {
            return Err(BadOpening);
        }
        Ok(self.toss.coin(&opening.share, &self.share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toss(step: &str) -> Toss {
        Toss { session: [9; 32], step: step.into(), committer: 1, responder: 2 }
    }

    #[test]
    fn a_changed_share_or_salt_is_caught() {
        for change in [0, 1] {
            let (alice, commitment) = Committer::start(toss("a"), [1; 32], [2; 32]);
            let (bob, reply) = Responder::answer(toss("a"), commitment, [3; 32]);
            let (_, mut opening) = alice.open(reply);
            if change == 0 {
                opening.share[31] ^= 1
            } else {
                opening.salt[0] ^= 1
            }
            assert!(bob.finish(&opening).is_err());
        }
    }

    #[test]
    fn a_commitment_does_not_open_in_another_step() {
        let (alice, commitment) = Committer::start(toss("a"), [1; 32], [2; 32]);
        let (bob, reply) = Responder::answer(toss("b"), commitment, [3; 32]);
        let (_, opening) = alice.open(reply);
        assert!(bob.finish(&opening).is_err());
    }

    #[test]
    fn both_contributions_move_the_coin() {
        let coin = |mine, theirs| {
            let (alice, _) = Committer::start(toss("a"), mine, [0; 32]);
            *alice.open(Reply { share: theirs }).0.expose()
        };
        let base = coin([1; 32], [2; 32]);
        assert_ne!(base, coin([1; 32], [3; 32]));
        assert_ne!(base, coin([4; 32], [2; 32]));
        assert_ne!(base, coin([2; 32], [1; 32]));
    }
}
