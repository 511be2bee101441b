//! An oblivious stable radix sort of rows by secret bits.
//!
//! Asharov et al., "Efficient Secure Three-Party Sorting with Applications to Data Analysis and Heavy Hitters" (CCS
//! 2022, ePrint 2022/1595): the destination of every row under one bit is protocol 4.1 (genBitPerm), under several bits
//! at once algorithm 11 (GenMultiBitSort) of Chida et al. (ePrint 2019/695); rows move by shuffle and reveal, algorithm
//! 4 (ApplyInv) of the latter. A destination is opened only after a shuffle with fresh permutations, so what is opened
//! is a uniformly random permutation. Rows travel whole instead of composing permutations: three rounds less a digit.

use mpc_core::Abort;

use crate::{Arith, Rep3};

/// Bits of one digit: more bits are fewer passes, but 2^bits vectors are summed in each.
const DIGIT_BITS: usize = 5;

impl Rep3 {
    /// Sorts the rows of equally long columns by the columns named in `key`, most significant first, each of which
    /// holds bits; rows with equal keys keep their order. Nothing is learnt from it.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn sort(&mut self, mut columns: Vec<Arith>, key: &[usize]) -> Result<Vec<Arith>, Abort> {
        for digit in key.rchunks(DIGIT_BITS) {
            let bits: Vec<&Arith> = digit.iter().map(|column| &columns[*column]).collect();
            let to = self.digit_destinations(&bits).await?;
            columns = self.scatter(columns, to).await?;
        }
        Ok(columns)
    }

    /// For each row, the number of rows that come before it when sorted stably by one digit.
    pub(crate) async fn digit_destinations(&mut self, bits: &[&Arith]) -> Result<Arith, Abort> {
        let rows = bits.first().map_or(0, |bit| bit.len());
        let is = self.indicators(bits).await?;
        // Rows of lower digits come first, then earlier rows of the same digit: one running sum over all digits.
        let sums = Arith::concat(is.iter().map(Arith::view)).prefix_sums();
        let sums = sums.sub(&self.constant(1, sums.len())).pieces(rows);
        let pairs: Vec<_> = is.iter().zip(&sums).map(|(is, sum)| (is.view(), sum.view())).collect();
        let mut out = self.dot_many(&[&pairs]).await?;
        Ok(out.pop().unwrap_or_else(|| Arith::zeros(0)))
    }

    /// For each value of a digit, most significant bit first, a vector of bits: whether a row's digit is that value.
    async fn indicators(&mut self, bits: &[&Arith]) -> Result<Vec<Arith>, Abort> {
        let Some((first, rest)) = bits.split_first() else {
            return Ok(Vec::new());
        };
        let mut is = vec![self.not(first), (*first).clone()];
        for bit in rest {
            let pairs: Vec<_> = is.iter().map(|is| (is.view(), bit.view())).collect();
            let with = self.mul_many(&pairs).await?;
            is = is.iter().zip(with).flat_map(|(is, with)| [is.sub(&with), with]).collect();
        }
        Ok(is)
    }
}
