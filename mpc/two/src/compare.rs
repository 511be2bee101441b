//! Comparisons of a value of party 0 with one of party 1, and the sign of shared values.
//!
//! The answers of the digits (`leaves`) are joined pairwise, the higher digit `h` with the lower `l`: `less = less_h ⊕
//! equal_h ∧ less_l` and `equal = equal_h ∧ equal_l`, both products with one factor (CrypTFlow2, CCS 2020).

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::and;
use crate::leaves::{Answers, DIGIT, Number, Question, TRANSFERS, leaves};
use crate::line::Line;
use crate::party::Party;
use crate::shares::WORD;
use crate::transfers::padded;

/// All bits but the sign.
const MAGNITUDE: u64 = u64::MAX >> 1;

/// Shares of bits, 64 a word.
pub(crate) type Bits = Zeroizing<Vec<u64>>;

/// The `bits` lowest bits, from 1 to 64.
pub(crate) const fn low(bits: u32) -> u64 {
    u64::MAX >> (u64::BITS - bits)
}

/// Digits of numbers of `bits` bits.
const fn digits_of(bits: u32) -> usize {
    (bits as usize).div_ceil(DIGIT)
}

/// Makes the transfers of all digits and of the tree above them in one go.
async fn reserve(party: &mut Party, count: usize, digits: usize) -> Result<(), Abort> {
    let words = count.div_ceil(WORD);
    let tree = padded(WORD * words * (digits - 1));
    party.reserve(TRANSFERS * words * digits + tree, tree).await
}

/// Whether party 0's value is smaller than party 1's, both of `bits` bits without sign. What lies behind the last is
/// not cleared.
pub(crate) async fn less<N: Number>(party: &mut Party, line: &mut Line, mine: &[N], bits: u32) -> Result<Bits, Abort> {
    let mut out = Zeroizing::new(Vec::<u64>::with_capacity(mine.len().div_ceil(WORD)));
    let digits = digits_of(bits);
    for part in mine.chunks(party.parameters.slice()) {
        reserve(party, part.len(), digits).await?;
        let answers = leaves(party, line, part, digits, Question::Less).await?;
        out.extend_from_slice(&join_less(party, line, answers, part.len().div_ceil(WORD)).await?);
    }
    Ok(out)
}

/// Whether party 0's value equals party 1's in its `bits` lowest bits. What lies behind the last is not cleared.
pub(crate) async fn equal(party: &mut Party, line: &mut Line, mine: &[u64], bits: u32) -> Result<Bits, Abort> {
    let mut out = Zeroizing::new(Vec::<u64>::with_capacity(mine.len().div_ceil(WORD)));
    let digits = digits_of(bits);
    for part in mine.chunks(party.parameters.slice()) {
        let part: Zeroizing<Vec<u64>> = Zeroizing::new(part.iter().map(|value| value & low(bits)).collect());
        reserve(party, part.len(), digits).await?;
        let planes = leaves(party, line, &part[..], digits, Question::Equal).await?.equal;
        out.extend_from_slice(&join_equal(party, line, planes, part.len().div_ceil(WORD)).await?);
    }
    Ok(out)
}

/// The signs of shared values. With `z = z_0 + z_1` the sign is the sum of the shares' top bits and of the carry into
/// them: whether `2^63 − 1 − z_0 < z_1` for the shares without their top bits.
pub(crate) async fn signs(party: &mut Party, line: &mut Line, shares: &[u64]) -> Result<Bits, Abort> {
    let flip = party.pick(MAGNITUDE, 0);
    let mine: Zeroizing<Vec<u64>> = Zeroizing::new(shares.iter().map(|z| (z & MAGNITUDE) ^ flip).collect());
    let mut out = less(party, line, &mine[..], u64::BITS - 1).await?;
    out.iter_mut().zip(tops(shares).iter()).for_each(|(word, tops)| *word ^= tops);
    Ok(out)
}

/// The top bits of shares, 64 a word.
pub(crate) fn tops(shares: &[u64]) -> Bits {
    let word = |shares: &[u64]| shares.iter().enumerate().fold(0, |all, (lane, z)| all | (z >> (WORD - 1)) << lane);
    Zeroizing::new(shares.chunks(WORD).map(word).collect())
}

/// As [`signs`], of numbers shared modulo 2^bits, from 2 to 128: their place `bits - 1`.
pub(crate) async fn signs_of_long(
    party: &mut Party,
    line: &mut Line,
    shares: &[u128],
    bits: u32,
) -> Result<Bits, Abort> {
    let magnitude = u128::MAX >> (u128::BITS + 1 - bits);
    let flip = party.pick(magnitude, 0);
    let mine: Zeroizing<Vec<u128>> = Zeroizing::new(shares.iter().map(|z| (z & magnitude) ^ flip).collect());
    let mut out = less(party, line, &mine[..], bits - 1).await?;
    for (word, shares) in out.iter_mut().zip(shares.chunks(WORD)) {
        let top = |z: &u128| (z >> (bits - 1)) as u64 & 1;
        *word ^= shares.iter().enumerate().fold(0, |tops, (lane, z)| tops | top(z) << lane);
    }
    Ok(out)
}

/// Planes of `words` words: every second one from the second on, and every second one from the first on. A last one
/// without a partner is in neither.
fn pairs(planes: &[u64], words: usize) -> [Bits; 2] {
    let of = |first: usize| -> Bits {
        let both = planes.chunks_exact(2 * words);
        Zeroizing::new(both.flat_map(|pair| &pair[first * words..][..words]).copied().collect())
    };
    [of(1), of(0)]
}

/// The last plane where their number is odd.
fn unpaired(planes: &[u64], words: usize) -> &[u64] {
    planes.chunks_exact(2 * words).remainder()
}

async fn join_less(party: &mut Party, line: &mut Line, answers: Answers, words: usize) -> Result<Bits, Abort> {
    line.enter("tree");
    let Answers { mut less, mut equal } = answers;
    while less.len() > words {
        let [less_high, less_low] = pairs(&less, words);
        let [equal_high, equal_low] = pairs(&equal, words);
        let [mut lower, mut both] = and(party, line, &equal_high, [&less_low, &equal_low]).await?;
        lower.iter_mut().zip(less_high.iter()).for_each(|(lower, high)| *lower ^= high);
        lower.extend_from_slice(unpaired(&less, words));
        both.extend_from_slice(unpaired(&equal, words));
        (less, equal) = (lower, both);
    }
    Ok(less)
}

async fn join_equal(party: &mut Party, line: &mut Line, mut equal: Bits, words: usize) -> Result<Bits, Abort> {
    line.enter("tree");
    while equal.len() > words {
        let [high, low] = pairs(&equal, words);
        let [mut both] = and(party, line, &high, [&low]).await?;
        both.extend_from_slice(unpaired(&equal, words));
        equal = both;
    }
    Ok(equal)
}
