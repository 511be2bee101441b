//! Comparisons: a carry by a tree that halves in every round, equality without a carry, both folded into full words.
//!
//! A level's data are half of those before ([`mpc_share::fold`]), the elements being taken up to a multiple of 64: a comparison
//! takes four words of conjunctions, of words of bits three; an equality three and one. Neighbouring blocks of places make one
//! with two products (the prefix tree of Brent and Kung, IEEE Transactions on Computers C-31(3), 1982, of which one output is
//! needed).
//!
//! A tree holds a dozen vectors as long as its elements. Long vectors are compared part by part, so that these stay in the cache
//! and their memory serves part after part; each part takes the rounds that are named.

use std::ops::Range;

use mpc_core::Abort;
use mpc_share::fold::{begun, begun_halves, carry, conjunction, ended, reversed};
use mpc_share::{Arith, Bits64, Replicated, View, Words, Z64};

use crate::party::Checked;
use crate::product::LIMIT;

/// Elements that are compared at a time: their first products are as many as are verified at once.
const PART: usize = LIMIT;

/// The parts of a vector of `len` elements.
fn parts(len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(PART).map(move |start| start..len.min(start + PART))
}

/// The parts' results, one after the other; a single one is not copied.
fn joined(mut parts: Vec<Words>) -> Words {
    if parts.len() > 1 {
        return Words::concat(parts.iter().map(Words::view));
    }
    parts.pop().unwrap_or_else(|| Words::zeros(0))
}

impl Checked {
    /// In bit 0 of each of `len` words: the carry out of place 63, from the halves of where a carry is generated and of where it is passed
    /// on, the places in reversed order. Six rounds.
    async fn carry_out(&mut self, [generate, pass]: [[Words; 2]; 2], len: usize) -> Result<Words, Abort> {
        Ok(ended(&carry(self, generate, pass, 32).await?, len))
    }

    /// In bit 0: whether an integer is negative in two's complement. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negative(&mut self, x: &Arith) -> Result<Words, Abort> {
        let mut out = Vec::new();
        for part in parts(x.len()) {
            out.push(self.signs(x.range(part)).await?);
        }
        Ok(joined(out))
    }

    /// In bit 0: whether `x < y` as signed numbers that are less than 2^63 apart. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Words, Abort> {
        assert_eq!(x.len(), y.len(), "vectors of one length");
        let mut out = Vec::new();
        for part in parts(x.len()) {
            let difference = x.range(part.clone()).minus(y.range(part));
            out.push(self.signs(difference.view()).await?);
        }
        Ok(joined(out))
    }

    /// In bit 0: whether `x < y` as unsigned numbers, for any words of bits. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        assert_eq!(x.len(), y.len(), "vectors of one length");
        let mut out = Vec::new();
        for part in parts(x.len()) {
            let ones = self.constant::<Bits64>(u64::MAX, part.len());
            let (not_x, y) = (x.range(part.clone()).plus(ones.view()), y.range(part));
            let borrow = self.product(not_x.view(), y).await?;
            let first = [begun_halves([borrow.view()], reversed), begun_halves([not_x.view(), y], reversed)];
            out.push(self.carry_out(first, y.len()).await?);
        }
        Ok(joined(out))
    }

    /// In bit 0: whether `x = y`. Eight rounds.
    ///
    /// The difference is a sum of two words, which is 0 exactly if at every place their exclusive or is the or of the place
    /// below (Cortadella and Llabería, "Evaluation of A + B = K Conditions Without Carry Propagation", IEEE Transactions on
    /// Computers 41(11), 1992).
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn equal(&mut self, x: &Arith, y: &Arith) -> Result<Words, Abort> {
        assert_eq!(x.len(), y.len(), "vectors of one length");
        let mut out = Vec::new();
        for part in parts(x.len()) {
            let difference = x.range(part.clone()).minus(y.range(part));
            let (sum, carry) = self.two_addends(difference.view()).await?;
            let differ = sum.plus(carry.view());
            let mut other = self.product(sum, carry.view()).await?;
            other.update(differ.view(), |both, differ| differ ^ ((both ^ differ) << 1));
            out.push(self.all_ones(&self.complement(&other)).await?);
        }
        Ok(joined(out))
    }

    /// The signs of a part. Eight rounds.
    async fn signs(&mut self, x: View<'_, Z64>) -> Result<Words, Abort> {
        let (sum, carry) = self.two_addends(x).await?;
        let generate = self.product(sum, carry.view()).await?;
        // Shifted up by one place, the carry into place 63 is the one out of it.
        let shifted = |x: u64| reversed(x << 1);
        let first = [begun_halves([generate.view()], shifted), begun_halves([sum, carry.view()], shifted)];
        drop(generate);
        let mut sign = self.carry_out(first, x.len()).await?;
        sign.update(sum, |into, sum| into ^ (sum >> 63));
        sign.update(carry.view(), |into, carry| into ^ (carry >> 63));
        Ok(sign)
    }

    /// In bit 0: whether two words of bits are equal. Six rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn equal_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        assert_eq!(x.len(), y.len(), "vectors of one length");
        let mut out = Vec::new();
        for part in parts(x.len()) {
            let same = self.complement(&x.range(part.clone()).plus(y.range(part)));
            out.push(self.all_ones(&same).await?);
        }
        Ok(joined(out))
    }

    /// In bit 0: whether all bits are 1. Six rounds.
    async fn all_ones(&mut self, x: &Words) -> Result<Words, Abort> {
        Ok(ended(&conjunction(self, begun(x, |x| x)).await?, x.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_their_results_too() {
        for len in [0, 1, PART, PART + 1, 2 * PART + 5] {
            let all: Vec<Range<usize>> = parts(len).collect();
            assert!(all.iter().all(|part| part.len() <= PART && !part.is_empty()));
            assert!(all.iter().flat_map(Range::clone).eq(0..len), "{len}");
        }
        let part = |word: u64| Words::from_parts(vec![word; 2], vec![word + 1; 2]);
        assert!(joined(Vec::new()).is_empty());
        for (count, own) in [(1, vec![0, 0]), (3, vec![0, 0, 1, 1, 2, 2])] {
            let all = joined((0..count).map(part).collect());
            let next: Vec<u64> = own.iter().map(|word| word + 1).collect();
            assert_eq!(all.parts(), (&own[..], &next[..]));
        }
    }
}
