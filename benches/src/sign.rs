//! Transactions that are signed before the clock starts, by all cores at a time.

use std::{num::NonZero, ops::Range};

use base_gm::{sm2::SecretKey, sm3::tagged};
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_light::Transaction;
use ledger_vm::{
    Address,
    notary::{Entry, EntryKind},
};

use crate::{
    token::{recipient, transfer},
    world::World,
};

/// How many heights a transaction of the load lives; the ledger allows 2,000.
pub const LIFE: Height = 1900;

/// A signed transaction that waits to be sent.
pub struct Planned {
    /// Its encoding.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// Number of the recipient, or of the sender for a note.
    pub to: u32,
}

/// Makes what belongs to each number, by all cores, in order.
fn parallel<T: Send>(numbers: Range<u64>, make: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let part = (numbers.end - numbers.start).div_ceil(threads);
    let make = &make;
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|thread| {
                let from = (numbers.start + thread * part).min(numbers.end);
                let to = (from + part).min(numbers.end);
                scope.spawn(move || (from..to).map(make).collect::<Vec<T>>())
            })
            .collect();
        spawned.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// A number that is as good as random, by another one (Steele, Lea and Flood 2014, splitmix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A nonce by purpose and number.
pub fn nonce(purpose: &str, number: u64) -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&tagged("heqi/bench-nonce/1", &[purpose.as_bytes(), &number.to_be_bytes()]).0[..16]);
    nonce
}

fn sign(world: &World, key: &SecretKey, nonce: [u8; 16], until: Height, payload: Vec<u8>, to: u32) -> Planned {
    let transaction = Transaction::sign(world.chain, key, nonce, until, payload);
    Planned { digest: transaction.digest(), bytes: transaction.to_wire(), to }
}

/// Transfers of one token each, from the senders in turn to recipients drawn at random. `numbers` tell transfers apart:
/// none may be used twice on a chain.
pub fn transfers(world: &World, token: Address, recipients: u32, numbers: Range<u64>, until: Height) -> Vec<Planned> {
    let senders = world.senders.len() as u64;
    parallel(numbers, |number| {
        let to = (mix(number) % u64::from(recipients.max(1))) as u32;
        let payload = transfer(token, &recipient(to), 1).to_payload();
        let key = &world.senders[(number % senders) as usize];
        sign(world, key, nonce("transfer", number), until, payload, to)
    })
}

/// The subject of a sender's notes.
pub fn subject(sender: u32) -> Digest {
    tagged("heqi/bench-subject/1", &[&sender.to_be_bytes()])
}

/// Entries of the notary by the senders in turn, each about a subject of the sender's own. `numbers` as for
/// [`transfers`].
pub fn notes(world: &World, numbers: Range<u64>, until: Height) -> Vec<Planned> {
    let senders = world.senders.len() as u64;
    parallel(numbers, |number| {
        let sender = (number % senders) as u32;
        let (kind, body) = (EntryKind::Refused, number.to_be_bytes().to_vec());
        let entry = Entry { subject: subject(sender), kind, attempt: 0, parties: Vec::new(), expires: 0, body };
        sign(world, &world.senders[sender as usize], nonce("note", number), until, entry.to_wire(), sender)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_made_once_and_in_order() {
        for (from, to) in [(0, 0), (0, 1), (7, 8), (3, 1003)] {
            assert_eq!(parallel(from..to, |number| number), (from..to).collect::<Vec<_>>());
        }
    }

    #[test]
    fn recipients_are_drawn_evenly() {
        let mut drawn = [0u32; 10];
        (0..10_000).for_each(|number| drawn[(mix(number) % 10) as usize] += 1);
        assert!(drawn.iter().all(|times| (850..1150).contains(times)), "{drawn:?}");
    }
}
