//! Words of secret bits: sums, differences and comparisons by parallel prefix, and the way from integers to bits.
//!
//! Carries by Kogge and Stone (IEEE Transactions on Computers C-22(8), 1973): seven rounds for 64 bits. Conversion by
//! ABY3 (Mohassel and Rindal, CCS 2018, section 5.3): each of the three components is known to two parties, so it is a
//! sharing of its own bits; a full adder makes two addends of the three, the prefix adder one.

use mpc_core::Abort;

use crate::{Arith, Rep3, View, Words};

impl Rep3 {
    /// Every bit turned over.
    pub fn complement(&self, x: &Words) -> Words {
        x.add(&self.constant(u64::MAX, x.len()))
    }

    /// Bit by bit: `x` where the mask is 1, else `y`. One round.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn select(&mut self, mask: &Words, x: &Words, y: &Words) -> Result<Words, Abort> {
        Ok(self.mul(mask, &x.add(y)).await?.add(y))
    }

    /// The carries out of every place, from where a carry is generated and where it is passed on. Six rounds.
    async fn carries(&mut self, mut generate: Words, mut pass: Words) -> Result<Words, Abort> {
        for shift in [1, 2, 4, 8, 16, 32] {
            let (below, passed) = (generate.shl(shift), pass.shl(shift));
            let mut pairs = vec![(pass.view(), below.view())];
            if shift < 32 {
                pairs.push((pass.view(), passed.view()));
            }
            let mut out = self.mul_many(&pairs).await?.into_iter();
            // A place generates and passes on never at once, so exclusive or is or.
            generate = out.next().map_or_else(|| Words::zeros(0), |carried| generate.add(&carried));
            pass = out.next().unwrap_or_else(|| Words::zeros(0));
        }
        Ok(generate)
    }

    /// `x + y` modulo 2^64. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn add_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        let generate = self.mul(x, y).await?;
        let sum = x.add(y);
        let carries = self.carries(generate, sum.clone()).await?;
        Ok(sum.add(&carries.shl(1)))
    }

    /// `x - y` modulo 2^64, and in bit 0 of the second vector whether `x < y` as unsigned numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn sub_words(&mut self, x: &Words, y: &Words) -> Result<(Words, Words), Abort> {
        let generate = self.mul(&self.complement(x), y).await?;
        let differ = x.add(y);
        let borrows = self.carries(generate, self.complement(&differ)).await?;
        Ok((differ.add(&borrows.shl(1)), borrows.shr(63)))
    }

    /// In bit 0: whether `x < y` as unsigned numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        Ok(self.sub_words(x, y).await?.1)
    }

    /// In bit 0: whether `x < y` as signed numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_signed(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        let flip = self.constant(1 << 63, x.len());
        self.less(&x.add(&flip), &y.add(&flip)).await
    }

    /// `-x` modulo 2^64 where the mask is all ones, `x` where it is all zeros. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negate_where(&mut self, mask: &Words, x: &Words) -> Result<Words, Abort> {
        Ok(self.sub_words(&x.add(mask), mask).await?.0)
    }

    /// The bits of integers. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_bits(&mut self, x: View<'_, crate::Z64>) -> Result<Words, Abort> {
        let [x0, x1, x2] = self.components(x);
        // Majority with one product: ((x0 ^ x2) & (x1 ^ x2)) ^ x2.
        let carry = self.mul(&x0.add(&x2), &x1.add(&x2)).await?.add(&x2).shl(1);
        let sum = x0.add(&x1).add(&x2);
        self.add_words(&sum, &carry).await
    }

    /// Several vectors of integers at once, each to its bits. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_bits_many(&mut self, columns: &[&Arith]) -> Result<Vec<Words>, Abort> {
        let all = Arith::concat(columns.iter().map(|column| column.view()));
        let bits = self.to_bits(all.view()).await?;
        let mut at = 0;
        let piece = |column: &&Arith| {
            at += column.len();
            bits.range(at - column.len()..at).to_shared()
        };
        Ok(columns.iter().map(piece).collect())
    }

    /// The three components of a sharing, each as a sharing of its bits: component `j` in place `j`, else zeros.
    fn components(&self, x: View<'_, crate::Z64>) -> [Words; 3] {
        let mut out = [(); 3].map(|()| Words::zeros(x.len()));
        out[self.me()].own.copy_from_slice(x.own);
        out[self.after()].next.copy_from_slice(x.next);
        out
    }
}
