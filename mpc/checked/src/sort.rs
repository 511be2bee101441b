//! An oblivious stable radix sort of rows by secret bits, and moving rows to secret places.
//!
//! The sort of [`mpc_share::Rep3::sort`] on checked products and shuffles: Asharov et al. (CCS 2022, ePrint 2022/1595), with
//! several bits at once by algorithm 11 of Chida et al. (ePrint 2019/695); rows move by shuffle and reveal, algorithm 4 of the
//! latter. A destination is opened only after a shuffle and after everything that it follows from has been verified, so
//! what is opened is a uniformly random permutation whatever one party does, as long as the key's columns hold bits.

use mpc_core::Abort;
use mpc_share::{Arith, permutation};

use crate::party::Checked;

/// Bits of one digit: more bits are fewer passes, but 2^bits products a row are verified in each.
const DIGIT_BITS: usize = 5;

impl Checked {
    /// Sorts the rows of equally long columns by the columns named in `key`, most significant first; rows with equal keys keep
    /// their order. Some fifty rounds for every five bits, most of them the checks'.
    ///
    /// The named columns must hold integers 0 and 1: a caller whose columns follow from inputs proves that before. With others
    /// the destinations are no permutation, and what is opened of them may tell something.
    ///
    /// # Errors
    /// [`Abort`] when something that was computed so far is false, the key's columns hold no bits, or a peer is gone or
    /// misbehaves.
    pub async fn sort(&mut self, mut columns: Vec<Arith>, key: &[usize]) -> Result<Vec<Arith>, Abort> {
        for digit in key.rchunks(DIGIT_BITS) {
            let bits: Vec<&Arith> = digit.iter().map(|column| &columns[*column]).collect();
            let to = self.digit_destinations(&bits).await?;
            columns = self.scatter(columns, to).await?;
        }
        Ok(columns)
    }

    /// Moves row `j` of equally long columns to the secret place `to[j]`; `to` is a permutation. Four rounds and a check.
    ///
    /// # Errors
    /// [`Abort`] when something that was computed so far is false, `to` is no permutation, or a peer is gone or misbehaves.
    pub async fn scatter(&mut self, mut columns: Vec<Arith>, to: Arith) -> Result<Vec<Arith>, Abort> {
        columns.push(to);
        let mut moved = self.shuffle(columns).await?;
        let to = moved.pop().unwrap_or_else(|| Arith::zeros(0));
        let opened = self.open(&to).await?;
        self.begin()?;
        let places = permutation(&opened).ok_or_else(|| self.link.undecided("the destinations are no permutation"));
        let places = self.end(places)?;
        Ok(moved.iter().map(|column| column.permuted(&places)).collect())
    }

    /// For each row, the number of rows that come before it when sorted stably by one digit.
    async fn digit_destinations(&mut self, bits: &[&Arith]) -> Result<Arith, Abort> {
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
