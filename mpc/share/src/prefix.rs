//! Parallel prefix over the 64 places of a word: carries, and everything from the first one on.
//!
//! The network of Sklansky (IRE Transactions on Electronic Computers EC-9, 1960): six levels; in level `k` every place whose
//! number has bit `k` takes over what the block of 2^k places below it has found. Half of the places stand still in a level, so
//! its two products a place fill one word, where the network of Kogge and Stone takes two.

use mpc_core::Abort;

use crate::fixed::{Engine, Planes};
use crate::{Rep3, Words};

const LEVELS: u32 = 6;

/// The places whose number has bit `level`.
const fn upper(level: u32) -> u64 {
    let blocks = u64::MAX / ((1 << (1 << level)) + 1);
    !blocks
}

/// What the top place of every lower block holds, copied to all places of the block above it.
fn handed_up(x: u64, level: u32) -> u64 {
    // A lower block's top place is the one whose successor is an upper block's lowest.
    let upper = upper(level);
    let lowest = (x & !upper) << 1 & upper & !(upper << 1);
    (lowest << (1 << level)).wrapping_sub(lowest)
}

/// The upper places of a level of the first and the second half of the words, side by side: half as many words.
pub(crate) fn halves_joined(words: &[u64], level: u32) -> Vec<u64> {
    let (first, second) = words.split_at(words.len().div_ceil(2));
    let upper = upper(level);
    let mut out: Vec<u64> = first.iter().map(|word| (word & upper) >> (1 << level)).collect();
    out.iter_mut().zip(second).for_each(|(out, word)| *out |= word & upper);
    out
}

/// The inverse of [`halves_joined`] for `len` words; the other places are 0.
pub(crate) fn halves_parted(joined: &[u64], len: usize, level: u32) -> Vec<u64> {
    let upper = upper(level);
    let first = joined.iter().map(|word| word << (1 << level) & upper);
    first.chain(joined.iter().map(|word| word & upper)).take(len).collect()
}

fn joined(x: &Words, level: u32) -> Words {
    Words::new(halves_joined(&x.own, level), halves_joined(&x.next, level))
}

fn parted(x: &Words, len: usize, level: u32) -> Words {
    Words::new(halves_parted(&x.own, len, level), halves_parted(&x.next, len, level))
}

impl Rep3 {
    /// The carries out of every place, from where blocks of 2^first places generate one and pass one on; places inside a
    /// block then hold their own prefix already. A round a level.
    pub(crate) async fn carries(&mut self, mut generate: Words, mut pass: Words, first: u32) -> Result<Words, Abort> {
        for level in first..LEVELS - 1 {
            let (up, by) = (upper(level), 1 << level);
            let passing = pass.each(|pass| (pass & up) | ((pass & up) >> by));
            let below =
                generate.both(&pass, |generate, pass| handed_up(generate, level) | (handed_up(pass, level) >> by));
            let out = self.mul(&passing, &below).await?;
            // A block generates and passes on never at once, so exclusive or is or.
            generate = generate.both(&out, |generate, out| generate ^ (out & up));
            pass = pass.both(&out, |pass, out| (pass & !up) | (out << by & up));
        }
        let level = LEVELS - 1;
        let below = joined(&generate.each(|word| handed_up(word, level)), level);
        let out = self.mul(&joined(&pass, level), &below).await?;
        Ok(generate.add(&parted(&out, generate.len(), level)))
    }

    /// In every place: whether there is a 1 in it or in a higher place. Six rounds, half a word an element, round and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn ones_from_first(&mut self, x: &Words) -> Result<Words, Abort> {
        ones_from_first(self, x).await
    }
}

/// Word by word: a linear operation on the bits.
pub(crate) fn each<W: Planes>(x: &W, op: impl Fn(u64) -> u64) -> W {
    x.map(|words| words.iter().map(|word| op(*word)).collect())
}

/// [`Rep3::ones_from_first`] in any engine: six conjunctions of half as many words.
pub(crate) async fn ones_from_first<E: Engine>(engine: &mut E, x: &E::Words) -> Result<E::Words, Abort> {
    let mut found = each(x, u64::reverse_bits);
    for level in 0..LEVELS {
        let below = each(&found, |word| handed_up(word, level));
        let upper = found.map(|words| halves_joined(words, level));
        let lower = below.map(|words| halves_joined(words, level));
        let both = engine.and(&upper, &lower).await?;
        found = found.xor(&below).xor(&both.map(|words| halves_parted(words, x.count(), level)));
    }
    Ok(each(&found, u64::reverse_bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_hand_up_and_halves_come_back() {
        assert_eq!([0, 1, 5].map(upper), [0xaaaa_aaaa_aaaa_aaaa, 0xcccc_cccc_cccc_cccc, 0xffff_ffff_0000_0000]);
        assert_eq!(handed_up(0b0001_0010, 0), 0b0010_0000);
        assert_eq!(handed_up(0b1010, 1), 0b1100);
        assert_eq!(handed_up(1 << 31, 5), 0xffff_ffff_0000_0000);
        assert_eq!(handed_up(1 << 30 | 1 << 63, 5), 0);
        for level in 0..LEVELS {
            for len in [0, 1, 2, 5] {
                let words: Vec<u64> = (1..=len as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
                let upper: Vec<u64> = words.iter().map(|word| word & upper(level)).collect();
                assert_eq!(halves_parted(&halves_joined(&words, level), len, level), upper);
            }
        }
    }
}
