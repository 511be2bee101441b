//! What this engine has in common with the semi-honest one: division, sort and scans, the carry trees, choices by mask.
//!
//! Everything that [`Replicated`] builds is made of these operations, so all of it is recorded, and proven before an opening. Most
//! rounds of a sort, some fifty for every five bits, are those of the checks before destinations are opened.

use mpc_core::Abort;
use mpc_share::{Arith, Bits64, Integers, Masks, Replicated, Words, Z64};

use crate::party::Checked;

impl Replicated for Checked {
    fn integers(&self, word: u64, len: usize) -> Arith {
        self.constant::<Z64>(word, len)
    }

    fn words(&self, word: u64, len: usize) -> Words {
        self.constant::<Bits64>(word, len)
    }

    async fn mul_many(&mut self, pairs: &[Integers<'_>]) -> Result<Vec<Arith>, Abort> {
        Self::mul_many::<Z64>(self, pairs).await
    }

    async fn and_many(&mut self, pairs: &[Masks<'_>]) -> Result<Vec<Words>, Abort> {
        Self::mul_many::<Bits64>(self, pairs).await
    }

    async fn and_joined(&mut self, pairs: &[Masks<'_>]) -> Result<Words, Abort> {
        self.mul_joined::<Bits64>(pairs).await
    }

    async fn dot(&mut self, pairs: &[Integers<'_>]) -> Result<Arith, Abort> {
        let mut out = self.dot_many(&[pairs]).await?;
        Ok(out.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    /// Sums of products are recorded of integers alone ([`Checked::dot_many`]), so each conjunction is sent.
    async fn dot_words(&mut self, pairs: &[Masks<'_>]) -> Result<Words, Abort> {
        let mut out = Self::mul_many::<Bits64>(self, pairs).await?.into_iter();
        let first = out.next().unwrap_or_else(|| Words::zeros(0));
        Ok(out.fold(first, |sum, product| sum.add(&product)))
    }

    async fn to_bits(&mut self, x: &Arith) -> Result<Words, Abort> {
        Self::to_bits(self, x).await
    }

    async fn sub_words(&mut self, x: &Words, y: &Words) -> Result<(Words, Words), Abort> {
        Self::sub_words(self, x, y).await
    }

    async fn less_integers(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        let less = Self::less(self, x, y).await?;
        self.bit_to_integer(&less).await
    }

    async fn scatter(&mut self, columns: Vec<Arith>, to: Arith) -> Result<Vec<Arith>, Abort> {
        Self::scatter(self, columns, to).await
    }
}
