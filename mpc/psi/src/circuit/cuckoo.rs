//! The receiver's keys in bins, one a bin: cuckoo hashing with three bins a key and no stash.
//!
//! *Bins.* `⌊1.3·n⌋ + 1024` for `n` keys. By Hall's theorem the keys fit unless some `s` of them have `s − 1` bins in all; of a
//! smallest such set every bin is named at least twice. The union bound over those sets,
//! `Σ_s C(n,s)·C(m,s−1)·min_x (3s)!·(e^x − 1 − x)^(s−1)·x^(−3s) / (m(m−1)(m−2))^s`, is below 2^-45 for every `n` up to
//! [`super::MAX_KEYS`] (largest near `n = 700`, where four keys with the same three bins decide; from `n = 2^16` on below 2^-69).
//! The measured rule of Demmler, Rindal, Rosulek and Trieu ("PIR-PSI", PETS 2018, appendix B), `(296 + log2 n)/240` bins a key for
//! 2^-40, is about the same: 1.317 at 2^20.
//!
//! *Placing.* Local search by labels (Khosla, "Balls into Bins Made Faster", ESA 2013): a bin's label is a lower bound on the
//! moves from it to a free bin; a key goes to its bin of least label and turns out who is there. That takes linear time, and
//! it finds a placing whenever there is one.

use mpc_block::{Aes, Block};
use mpc_core::Context;
use zeroize::Zeroizing;

/// Hash functions, and so bins, of a key.
pub(super) const WAYS: usize = 3;
/// No key.
pub(super) const FREE: u32 = u32::MAX;
/// A label that means: no free bin can be reached. Placings that exist have labels below some dozens.
const OUT_OF_REACH: u8 = 254;
/// Bits of a key's hash that one bin is drawn from; with fewer than 2^24 bins a product fits a word.
const DRAW_BITS: u32 = 40;

/// Bins for `keys` keys.
pub(super) fn bins(keys: usize) -> usize {
    keys * 13 / 10 + 1024
}

/// The session's public hash functions.
///
/// Keys are hashes already. A permutation under a public key of the session keeps distinct keys distinct, its outputs for
/// different purposes unrelated, and the bins of another session too.
pub(super) struct Places {
    bins: u64,
    positions: Aes,
    inputs: [Aes; WAYS],
}

impl Places {
    pub(super) fn new(ctx: &Context, bins: usize) -> Self {
        let aes = |purpose: u8| {
            let digest = ctx.digest("heqi/mpc/psi/circuit/places/1", &[&[purpose]]);
            Aes::new(super::first_half(&digest))
        };
        Self { bins: bins as u64, positions: aes(0), inputs: [aes(1), aes(2), aes(3)] }
    }

    /// The three distinct bins of every key.
    pub(super) fn of(&self, keys: &[Block]) -> Vec<[u32; WAYS]> {
        let mut hashes = Zeroizing::new(keys.to_vec());
        self.positions.encrypt_all(&mut hashes);
        hashes.iter().map(|hash| draw(hash.to_u128(), self.bins)).collect()
    }

    /// Replaces keys by what the pseudorandom function is asked for them in their bin of way `way`.
    pub(super) fn ask(&self, way: usize, keys: &mut [Block]) {
        self.inputs[way].encrypt_all(keys);
    }
}

/// Three distinct numbers below `bins` from the bits of a hash.
fn draw(hash: u128, bins: u64) -> [u32; WAYS] {
    let below = |way: u32, count: u64| {
        let bits = (hash >> (way * DRAW_BITS)) as u64 & ((1 << DRAW_BITS) - 1);
        ((bits * count) >> DRAW_BITS) as u32
    };
    let first = below(0, bins);
    let mut second = below(1, bins - 1);
    second += u32::from(second >= first);
    let mut third = below(2, bins - 2);
    third += u32::from(third >= first.min(second));
    third += u32::from(third >= first.max(second));
    [first, second, third]
}

/// The key in every bin ([`FREE`] where none is); every key is in one of its bins. `None` when the keys do not fit.
pub(super) fn place(choices: &[[u32; WAYS]], bins: usize) -> Option<Vec<u32>> {
    let mut owners = vec![FREE; bins];
    let mut labels = vec![0_u8; bins];
    for key in 0..choices.len() as u32 {
        let mut moving = key;
        while moving != FREE {
            let [mut best, mut other, third] = choices[moving as usize].map(|bin| bin as usize);
            if labels[other] < labels[best] {
                (best, other) = (other, best);
            }
            let mut beyond = labels[other].min(labels[third]);
            if labels[third] < labels[best] {
                beyond = labels[best];
                best = third;
            }
            if labels[best] >= OUT_OF_REACH {
                return None;
            }
            labels[best] = beyond.saturating_add(1);
            moving = std::mem::replace(&mut owners[best], moving);
        }
    }
    Some(owners)
}

#[cfg(test)]
mod tests {
    use mpc_block::BlockPrg;
    use mpc_core::memory;

    use super::*;

    fn keys(count: usize, seed: u128) -> Vec<Block> {
        let mut out = vec![Block::ZERO; count];
        BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
        out
    }

    fn places(bins: usize) -> Places {
        let contexts = memory::contexts(memory::network(2), [8; 32]);
        Places::new(&contexts[0], bins)
    }

    #[test]
    fn every_key_gets_one_of_its_bins_and_no_two_share() {
        for count in [0, 1, 2, 600, 5000, 1 << 16] {
            let bins = bins(count);
            let choices = places(bins).of(&keys(count, 4));
            let owners = place(&choices, bins).unwrap();
            let mut seen = vec![false; count];
            for (bin, key) in owners.iter().enumerate().filter(|(_, key)| **key != FREE) {
                let key = *key as usize;
                assert!(choices[key].contains(&(bin as u32)));
                assert!(!std::mem::replace(&mut seen[key], true), "key {key} lies twice");
            }
            assert!(seen.iter().all(|placed| *placed), "{count}");
        }
    }

    #[test]
    fn placing_succeeds_again_and_again_and_close_to_the_threshold() {
        for seed in 0..300 {
            let bins = bins(600);
            assert!(place(&places(bins).of(&keys(600, seed)), bins).is_some(), "{seed}");
        }
        // Three choices carry a load up to 0.917; this one is 0.89.
        let bins = 18_000;
        assert!(place(&places(bins).of(&keys(16_000, 7)), bins).is_some());
    }

    #[test]
    fn keys_that_do_not_fit_are_noticed() {
        assert!(place(&[[4, 7, 9]; 3], 2000).is_some());
        assert!(place(&[[4, 7, 9]; 4], 2000).is_none());
        let bins = 1000;
        assert!(place(&places(bins).of(&keys(1001, 7)), bins).is_none());
        assert!(place(&places(bins).of(&keys(960, 7)), bins).is_none());
    }

    #[test]
    fn the_three_bins_differ_and_cover_the_range_evenly() {
        let bins = 10;
        let mut counts = vec![[0_u32; WAYS]; bins];
        for chosen in places(bins).of(&keys(30_000, 9)) {
            assert!(chosen[0] != chosen[1] && chosen[0] != chosen[2] && chosen[1] != chosen[2]);
            chosen.iter().enumerate().for_each(|(way, bin)| counts[*bin as usize][way] += 1);
        }
        assert!(counts.as_flattened().iter().all(|count| (2700..3300).contains(count)), "{counts:?}");
        for hash in [0, u128::MAX] {
            assert!(draw(hash, 1024).iter().all(|bin| *bin < 1024));
        }
    }

    #[test]
    fn one_key_asks_differently_in_each_of_its_bins() {
        let places = places(1024);
        let asked = |way: usize| {
            let mut keys = keys(3, 1);
            places.ask(way, &mut keys);
            keys
        };
        let all: Vec<Block> = (0..WAYS).flat_map(asked).collect();
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other != one));
        }
    }
}
