//! Vectors of single secret bits, 64 a word, and the way from them to integers.
//!
//! Bit `p` of word `w` is that of element `p·q + w`, where `q` is the number of words: so a fold of whole words into halves
//! (see [`crate::fold`]) ends in this order, and packing is a loop over runs.

use base_vector::wide::wide;
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::fold::ended;
use crate::{Arith, Bits64, Rep3, Replicated, View, Words};

/// A vector of secret bits.
#[derive(Clone)]
pub struct Bits {
    words: Words,
    len: usize,
}

/// How many words hold so many bits.
pub(crate) fn words_for(len: usize) -> usize {
    len.div_ceil(64)
}

/// Bit `at` of every word, packed.
pub(crate) fn pack(words: &[u64], at: u32) -> Vec<u64> {
    let mut out = vec![0; words_for(words.len())];
    for (place, run) in words.chunks(out.len().max(1)).enumerate() {
        out.iter_mut().zip(run).for_each(|(out, word)| *out |= (word >> at & 1) << place);
    }
    out
}

/// Packed bits, each in place 0 of a word of its own.
pub(crate) fn unpack(packed: &[u64], len: usize) -> Vec<u64> {
    let mut out = Vec::with_capacity(len);
    unpack_to(&mut out, packed, len);
    out
}

/// Appends what [`unpack`] gives.
fn unpack_to(out: &mut Vec<u64>, packed: &[u64], len: usize) {
    for (place, from) in (0..len).step_by(packed.len().max(1)).enumerate() {
        let run = &packed[..packed.len().min(len - from)];
        wide(|| out.extend(run.iter().map(|word| word >> place & 1)));
    }
}

impl Bits {
    pub(crate) fn new(words: Words, len: usize) -> Self {
        assert_eq!(words.len(), words_for(len), "64 bits a word");
        Self { words, len }
    }

    /// Bit `at` (below 64) of every word.
    pub fn of_words(words: &Words, at: u32) -> Self {
        Self::new(Words::new(pack(&words.own, at), pack(&words.next, at)), words.len())
    }

    /// For every word: whether an odd number of the bits of `mask` is set, which each component says for itself.
    pub(crate) fn parities(words: &Words, mask: u64) -> Self {
        let parity = words.each(|word| u64::from((word & mask).count_ones() & 1));
        Self::of_words(&parity, 0)
    }

    /// The words that hold them, borrowed.
    pub(crate) fn view(&self) -> View<'_, Bits64> {
        self.words.view()
    }

    /// How many bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// As words with the bit in place 0, zeros elsewhere.
    pub fn to_words(&self) -> Words {
        ended(&self.words, self.len)
    }

    /// Bit by bit: exclusive or with an equally long vector.
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        assert_eq!(self.len, other.len, "bits of one length");
        Self::new(self.words.add(&other.words), self.len)
    }
}

impl Rep3 {
    /// Every bit turned over.
    pub fn not_bits(&self, x: &Bits) -> Bits {
        Bits::new(self.complement(&x.words), x.len)
    }

    /// Pairs of equally long vectors, bit by bit: and. One round.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn and_bits(&mut self, pairs: &[(&Bits, &Bits)]) -> Result<Vec<Bits>, Abort> {
        assert!(pairs.iter().all(|(x, y)| x.len == y.len), "bits of one length");
        let words: Vec<_> = pairs.iter().map(|(x, y)| (x.words.view(), y.words.view())).collect();
        let out = self.mul_many(&words).await?;
        Ok(out.into_iter().zip(pairs).map(|(words, (x, _))| Bits::new(words, x.len)).collect())
    }

    /// Bits as integers 0 and 1. Two rounds, one word a bit and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_integers(&mut self, bits: &Bits) -> Result<Arith, Abort> {
        let mut all = self.to_integers_many(&[bits]).await?;
        Ok(all.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    /// Several vectors of bits as integers 0 and 1. Two rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_integers_many(&mut self, columns: &[&Bits]) -> Result<Vec<Arith>, Abort> {
        let mut known = Zeroizing::new(Vec::<u64>::with_capacity(columns.iter().map(|bits| bits.len).sum()));
        for bits in columns {
            unpack_to(&mut known, &self.known_half(bits.words.view()), bits.len);
        }
        let all: Arith = self.integers_of_bits(known).await?;
        let mut at = 0;
        let piece = |bits: &&Bits| {
            at += bits.len;
            all.range(at - bits.len..at).to_shared()
        };
        Ok(columns.iter().map(piece).collect())
    }

    /// Reveals bits, as words 0 and 1, to one party: `Some` there, `None` at the others. One round.
    ///
    /// # Errors
    /// As [`Rep3::reveal`].
    pub async fn reveal_bits(&mut self, bits: &Bits, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        let words = self.reveal(&bits.words, to).await?;
        Ok(words.map(|words| unpack(&words, bits.len)))
    }

    /// Reveals bits, as words 0 and 1, to all. One round.
    ///
    /// # Errors
    /// As [`Rep3::open`].
    pub async fn open_bits(&mut self, bits: &Bits) -> Result<Vec<u64>, Abort> {
        Ok(unpack(&self.open(&bits.words).await?, bits.len))
    }

    /// Element by element: `x` where the bit is 1, else `y`. Three rounds, two words an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn choose(&mut self, bits: &Bits, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let choice = self.to_integers(bits).await?;
        Ok(self.mul(&choice, &x.sub(y)).await?.add(y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bits_come_back_for_every_length() {
        for len in [0, 1, 63, 64, 65, 127, 128, 200] {
            let words: Vec<u64> = (0..len as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            for at in [0, 5, 63] {
                let packed = pack(&words, at);
                assert_eq!(packed.len(), words_for(len));
                let bits: Vec<u64> = words.iter().map(|word| word >> at & 1).collect();
                assert_eq!(unpack(&packed, len), bits, "{len} at {at}");
            }
        }
    }
}
