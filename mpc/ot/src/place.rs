//! Where two parties stand: the fork's identifier and who plays which role; it goes into every hash.

use base_gm::sm3::tagged;
use mpc_block::Block;
use mpc_core::Context;

/// What both parties know before the first message and bind into every hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The identifier of the fork, equal at both parties and fresh for every session.
    pub id: [u8; 32],
    /// The party that sends in the oblivious transfers.
    pub sender: usize,
    /// The party that chooses.
    pub receiver: usize,
}

impl Place {
    /// Forks the session for two parties in the given roles; the fork's identifier binds roles and `parameters`.
    pub(crate) fn open(
        ctx: &mut Context,
        label: &str,
        sender: usize,
        receiver: usize,
        parameters: &[u8],
    ) -> (Context, Self) {
        let roles = [(sender as u64).to_be_bytes(), (receiver as u64).to_be_bytes()].concat();
        let fork = ctx.fork_bound(label, &[roles.as_slice(), parameters].concat());
        let id = fork.id();
        (fork, Self { id, sender, receiver })
    }

    /// The same parties at the same fork with the roles exchanged.
    pub(crate) fn reversed(self) -> Self {
        Self { id: self.id, sender: self.receiver, receiver: self.sender }
    }

    /// A digest bound to the fork, the parties and their roles.
    pub(crate) fn digest(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let Self { id, sender, receiver } = self;
        let roles = [(*sender as u64).to_be_bytes(), (*receiver as u64).to_be_bytes()].concat();
        let mut all: Vec<&[u8]> = vec![id.as_slice(), roles.as_slice()];
        all.extend_from_slice(parts);
        tagged(domain, &all).0
    }
}

/// The first half of a digest.
pub(crate) fn first_half(digest: &[u8; 32]) -> Block {
    let (halves, _) = digest.as_chunks::<16>();
    Block::from_bytes(halves[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_roles_domain_and_parts_move_the_digest() {
        let place = Place { id: [1; 32], sender: 0, receiver: 1 };
        let digests = [
            place.digest("a", &[b"x"]),
            place.digest("b", &[b"x"]),
            place.digest("a", &[b"y"]),
            place.digest("a", &[b"x", b""]),
            place.reversed().digest("a", &[b"x"]),
            Place { id: [2; 32], ..place }.digest("a", &[b"x"]),
        ];
        for (at, one) in digests.iter().enumerate() {
            assert!(digests[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
