//! Comparisons: a carry by a tree that halves in every round, equality without a carry, both folded into full words.
//!
//! A level's data are half of those before ([`mpc_share::fold`]), the elements being taken up to a multiple of 64: a comparison
//! takes four words of conjunctions, of words of bits three; an equality three and one. Neighbouring blocks of places make one
//! with two products (the prefix tree of Brent and Kung, IEEE Transactions on Computers C-31(3), 1982, of which one output is
//! needed).

use mpc_core::Abort;
use mpc_share::fold::{begun, carry, conjunction, ended, reversed};
use mpc_share::{Arith, Replicated, Words};

use crate::party::Checked;
use crate::words::each;

impl Checked {
    /// In bit 0 of each of `len` words: the carry out of place 63, from where a carry is generated and where it is passed on, the
    /// places in reversed order. Six rounds.
    async fn carry_out(&mut self, generate: Words, pass: Words, len: usize) -> Result<Words, Abort> {
        Ok(ended(&carry(self, generate, pass, 32).await?, len))
    }

    /// In bit 0: whether an integer is negative in two's complement. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negative(&mut self, x: &Arith) -> Result<Words, Abort> {
        let [sum, carry] = self.two_addends(x).await?;
        let (pass, generate) = (sum.add(&carry), self.mul(&sum, &carry).await?);
        // Shifted up by one place, the carry into place 63 is the one out of it.
        let shifted = |x: u64| reversed(x << 1);
        let into = self.carry_out(begun(&generate, shifted), begun(&pass, shifted), x.len()).await?;
        Ok(each(&pass, |x| x >> 63).add(&into))
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
        self.carry_out(begun(&borrow, reversed), begun(&not_x.add(y), reversed), x.len()).await
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

    /// In bit 0: whether all bits are 1. Six rounds.
    async fn all_ones(&mut self, x: &Words) -> Result<Words, Abort> {
        Ok(ended(&conjunction(self, begun(x, |x| x)).await?, x.len()))
    }
}
