//! An oblivious stable radix sort of rows by secret bits, and compaction, which is one by a single bit, in any engine.
//!
//! Asharov et al., "Efficient Secure Three-Party Sorting with Applications to Data Analysis and Heavy Hitters" (CCS
//! 2022, ePrint 2022/1595): the destination of every row under one bit is protocol 4.1 (genBitPerm), under several bits
//! at once algorithm 11 (GenMultiBitSort) of Chida et al. (ePrint 2019/695); rows move by shuffle and reveal, algorithm
//! 4 (ApplyInv) of the latter. A destination is opened only after a shuffle with fresh permutations, so what is opened
//! is a uniformly random permutation. Rows travel whole instead of composing permutations: three rounds less a digit.

use mpc_core::Abort;

use crate::{Arith, Replicated};

/// Bits of one digit: more bits are fewer passes, but 2^bits vectors are multiplied and summed in each.
const DIGIT_BITS: usize = 5;

/// [`Replicated::sort`].
pub(crate) async fn sort<P: Replicated>(
    party: &mut P,
    mut columns: Vec<Arith>,
    key: &[usize],
) -> Result<Vec<Arith>, Abort> {
    for digit in key.rchunks(DIGIT_BITS) {
        let bits: Vec<&Arith> = digit.iter().map(|column| &columns[*column]).collect();
        let to = digit_destinations(party, &bits).await?;
        columns = party.scatter(columns, to).await?;
    }
    Ok(columns)
}

/// [`Replicated::compact`].
pub(crate) async fn compact<P: Replicated>(
    party: &mut P,
    columns: Vec<Arith>,
    valid: &Arith,
) -> Result<Vec<Arith>, Abort> {
    let others = party.not(valid);
    let to = digit_destinations(party, &[&others]).await?;
    party.scatter(columns, to).await
}

/// For each row, the number of rows that come before it when sorted stably by one digit.
async fn digit_destinations<P: Replicated>(party: &mut P, bits: &[&Arith]) -> Result<Arith, Abort> {
    let rows = bits.first().map_or(0, |bit| bit.len());
    let is = indicators(party, bits).await?;
    // Rows of lower digits come first, then earlier rows of the same digit: one running sum over all digits.
    let sums = Arith::concat(is.iter().map(Arith::view)).prefix_sums();
    let sums = sums.sub(&party.integers(1, sums.len())).pieces(rows);
    let pairs: Vec<_> = is.iter().zip(&sums).map(|(is, sum)| (is.view(), sum.view())).collect();
    party.dot(&pairs).await
}

/// For each value of a digit, most significant bit first, a vector of bits: whether a row's digit is that value.
async fn indicators<P: Replicated>(party: &mut P, bits: &[&Arith]) -> Result<Vec<Arith>, Abort> {
    let Some((first, rest)) = bits.split_first() else {
        return Ok(Vec::new());
    };
    let mut is = vec![party.not(first), (*first).clone()];
    for bit in rest {
        let pairs: Vec<_> = is.iter().map(|is| (is.view(), bit.view())).collect();
        let with = party.mul_many(&pairs).await?;
        is = is.iter().zip(with).flat_map(|(is, with)| [is.sub(&with), with]).collect();
    }
    Ok(is)
}
