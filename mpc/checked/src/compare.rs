//! Comparisons: a carry by a tree that halves in every round, equality without a carry, both packed into full words.
//!
//! An element with `width` live bits takes part of a word, so that later rounds are shorter: a comparison takes about four
//! words of conjunctions, an equality three.

use mpc_core::Abort;
use mpc_share::{Arith, Shared, Words};

use crate::party::Checked;
use crate::words::each;

const LOW: u64 = 0xffff_ffff;

/// The bits at even places, moved together into the low half.
fn even(x: u64) -> u64 {
    let mut x = x & 0x5555_5555_5555_5555;
    x = (x | x >> 1) & 0x3333_3333_3333_3333;
    x = (x | x >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    x = (x | x >> 4) & 0x00ff_00ff_00ff_00ff;
    x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) & LOW
}

/// The bits at odd places, moved together into the low half.
fn odd(x: u64) -> u64 {
    even(x >> 1)
}

/// The lowest bits.
fn low(width: u32) -> u64 {
    u64::MAX >> (64 - width)
}

/// Several elements to a word, `width` bits of each: elements that are a packed length apart share a word.
fn pack(x: &Words, width: u32) -> Words {
    let packed = x.len().div_ceil((64 / width) as usize);
    let half = |words: &[u64]| {
        let mut out = vec![0; packed];
        for (part, at) in words.chunks(packed).zip(0..) {
            out.iter_mut().zip(part).for_each(|(out, x)| *out |= (x & low(width)) << (at * width));
        }
        out
    };
    if packed == 0 {
        return Words::zeros(0);
    }
    let (own, next) = x.parts();
    Shared::from_parts(half(own), half(next))
}

/// The inverse of [`pack`] for `len` elements.
fn unpack(x: &Words, width: u32, len: usize) -> Words {
    let half = |words: &[u64]| {
        let piece = |at: u32| words.iter().map(move |word| word >> (at * width) & low(width));
        (0..64 / width).flat_map(piece).take(len).collect()
    };
    let (own, next) = x.parts();
    Shared::from_parts(half(own), half(next))
}

impl Checked {
    /// Conjunctions of the low `width` bits, a power of two below 64, packed. One round.
    async fn and_packed(&mut self, x: &Words, y: &Words, width: u32) -> Result<Words, Abort> {
        let out = self.mul(&pack(x, width), &pack(y, width)).await?;
        Ok(unpack(&out, width, x.len()))
    }

    /// In bit 0: the carry out of place 63, from where a carry is generated and where it is passed on. Six rounds.
    async fn carry_out(&mut self, generate: &Words, pass: &Words) -> Result<Words, Abort> {
        let (mut generate, mut pass) = (generate.clone(), pass.clone());
        for width in [32, 16, 8, 4, 2, 1] {
            let (high, below) = (each(&pass, odd), each(&generate, even).add(&each(&pass, even).shl(width)));
            let both = high.add(&high.shl(width));
            let out = match width {
                32 => self.mul(&both, &below).await?,
                _ => self.and_packed(&both, &below, 2 * width).await?,
            };
            generate = each(&generate, odd).add(&each(&out, |x| x & low(width)));
            pass = out.shr(width);
        }
        Ok(generate)
    }

    /// In bit 0: whether an integer is negative in two's complement. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negative(&mut self, x: &Arith) -> Result<Words, Abort> {
        let [sum, carry] = self.two_addends(x).await?;
        let (pass, generate) = (sum.add(&carry), self.mul(&sum, &carry).await?);
        // Shifted up by one place, the carry into place 63 is the one out of it.
        let into = self.carry_out(&generate.shl(1), &pass.shl(1)).await?;
        Ok(pass.shr(63).add(&into))
    }

    /// In bit 0: whether `x < y` as signed numbers that are less than 2^63 apart. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Words, Abort> {
        self.negative(&x.sub(y)).await
    }

    /// In bit 0: whether `x < y` as unsigned numbers, for any words of bits. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        let not_x = self.complement(x);
        let borrow = self.mul(&not_x, y).await?;
        self.carry_out(&borrow, &not_x.add(y)).await
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
        let [sum, carry] = self.two_addends(&x.sub(y)).await?;
        let differ = sum.add(&carry);
        let either = self.mul(&sum, &carry).await?.add(&differ);
        self.all_ones(&self.complement(&differ.add(&either.shl(1)))).await
    }

    /// In bit 0: whether two words of bits are equal. Six rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn equal_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        self.all_ones(&self.complement(&x.add(y))).await
    }

    /// In bit 0: whether all bits are 1.
    async fn all_ones(&mut self, x: &Words) -> Result<Words, Abort> {
        let mut x = x.clone();
        for width in [32, 16, 8, 4, 2, 1] {
            x = self.and_packed(&x, &x.shr(width), width).await?;
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_moved_together_and_elements_packed() {
        let words: Vec<u64> = (1..=101).map(|x: u64| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for word in &words {
            let spread = (0..32)
                .fold(0, |sum, at| sum | (even(*word) >> at & 1) << (2 * at) | (odd(*word) >> at & 1) << (2 * at + 1));
            assert_eq!(spread, *word);
        }
        for len in [0, 1, 2, 63, 64, 101] {
            let x = Words::from_parts(words[..len].to_vec(), words[..len].to_vec());
            for width in [1, 2, 4, 8, 16, 32] {
                let packed = pack(&x, width);
                assert_eq!(packed.len(), len.div_ceil(64 / width as usize));
                let back = unpack(&packed, width, len);
                assert!(back.parts().1.iter().zip(&words).all(|(back, word)| *back == word & low(width)));
                assert_eq!(back.len(), len);
            }
        }
    }
}
