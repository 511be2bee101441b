//! From bits to words and back: a bit as a word, a word where a bit is set, the bits of a word.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::and;
use crate::compare::Bits;
use crate::cot::{add_received, add_sent, corrections, flips, mask};
use crate::line::Line;
use crate::party::{Party, Role};
use crate::shares::WORD;
use crate::transfers::padded;

/// Words of shares.
pub(crate) type Words = Zeroizing<Vec<u64>>;

/// Share `at` of bits 64 a word.
fn bit(bits: &[u64], at: usize) -> u64 {
    bits[at / WORD] >> (at % WORD) & 1
}

/// Elements that one message holds; whole words of bits.
fn slices(len: usize, slice: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(slice).map(move |from| (from, slice.min(len - from)))
}

/// Shares modulo 2^64 of `len` bits, one transfer each: `b_0 ⊕ b_1 = b_0 + b_1 − 2·b_0·b_1`.
pub(crate) async fn to_words(party: &mut Party, bits: &[u64], len: usize) -> Result<Words, Abort> {
    let line = party.line("bits to words", &[len]);
    joined(party, line, bits, len, 2_u64.wrapping_neg()).await
}

/// Shares modulo 2^64 of whether either party's bit is set, one transfer each: `b_0 ∨ b_1 = b_0 + b_1 − b_0·b_1`. The line is that of
/// the caller's operation, so that it binds all of its arguments.
pub(crate) async fn either(party: &mut Party, line: Line, bits: &[u64], len: usize) -> Result<Words, Abort> {
    joined(party, line, bits, len, 1_u64.wrapping_neg()).await
}

/// Shares modulo 2^64 of `b_0 + b_1 + factor·b_0·b_1`.
async fn joined(party: &mut Party, mut line: Line, bits: &[u64], len: usize, factor: u64) -> Result<Words, Abort> {
    let mut all: Words = Zeroizing::new((0..len).map(|at| bit(bits, at)).collect());
    for (from, count) in slices(len, WORD * party.parameters.slice()) {
        let (out, transfers) = (&mut all[from..][..count], padded(count));
        let choices_due = count.div_ceil(WORD);
        party.reserve(transfers, 0).await?;
        match party.role {
            Role::Zero => {
                let keys = party.sender.take(transfers);
                let values: Words = Zeroizing::new(out.iter().map(|b| b.wrapping_mul(factor)).collect());
                let theirs = line.words(&corrections(keys, &values), choices_due).await?;
                add_sent(keys, &values, &theirs, out);
            }
            Role::One => {
                let (keys, choices) = party.receiver.take(transfers);
                let mine = flips(choices, &bits[from / WORD..][..choices_due]);
                let theirs = line.words(&mine, count).await?;
                add_received(keys, choices, &mine, &theirs, out);
            }
        }
    }
    Ok(all)
}

/// Shares of `x` where the bit is set and of 0 elsewhere, two transfers each: `b·x` is the sum over both parties of
/// `b_i·x_i + b_j·(1 − 2·b_i)·x_i`.
pub(crate) async fn select(party: &mut Party, bits: &[u64], x: &[u64]) -> Result<Words, Abort> {
    let mut line = party.line("select", &[x.len()]);
    let masked = x.iter().enumerate().map(|(at, x)| x & mask(bit(bits, at)));
    let mut all: Words = Zeroizing::new(masked.collect());
    for (from, count) in slices(x.len(), WORD * party.parameters.slice()) {
        let (out, transfers) = (&mut all[from..][..count], padded(count));
        let choices_due = count.div_ceil(WORD);
        let bits = &bits[from / WORD..][..choices_due];
        // `x − 2·(b·x)`, where `b·x` is what `out` holds.
        let signed = x[from..][..count].iter().zip(out.iter()).map(|(x, masked)| x.wrapping_sub(masked << 1));
        let values: Words = Zeroizing::new(signed.collect());
        party.reserve(transfers, transfers).await?;
        let Party { sender, receiver, .. } = &mut *party;
        let sent = sender.take(transfers);
        let (keys, choices) = receiver.take(transfers);
        let mine = flips(choices, bits);
        let message = [&mine[..], &corrections(sent, &values)[..]].concat();
        let got = line.words(&message, choices_due + count).await?;
        let (flips_due, corrections_due) = got.split_at(choices_due);
        add_sent(sent, &values, flips_due, out);
        add_received(keys, choices, &mine, corrections_due, out);
    }
    Ok(all)
}

/// Shares of the bits of each word, the lowest first: the sum of both parties' shares by the parallel-prefix adder of
/// Kogge and Stone (IEEE Transactions on Computers C-22(8), 1973), 7 rounds and 896 transfers a word.
pub(crate) async fn to_bits(party: &mut Party, x: &[u64]) -> Result<Bits, Abort> {
    let mut line = party.line("words to bits", &[x.len()]);
    let zeros = vec![0; x.len()];
    let (zero, one) = party.pick((x, zeros.as_slice()), (zeros.as_slice(), x));
    let [mut carries] = and(party, &mut line, zero, [one]).await?;
    let mut passes: Bits = Zeroizing::new(x.to_vec());
    for shift in [1, 2, 4, 8, 16, 32] {
        let shifted = |words: &[u64]| -> Bits { Zeroizing::new(words.iter().map(|word| word << shift).collect()) };
        let (below, through) = (shifted(&carries), shifted(&passes));
        let [more, both] = and(party, &mut line, &passes, [&below, &through]).await?;
        carries.iter_mut().zip(more.iter()).for_each(|(carry, more)| *carry ^= more);
        passes = both;
    }
    let sum = |(x, carry): (&u64, &u64)| x ^ carry << 1;
    Ok(Zeroizing::new(x.iter().zip(carries.iter()).map(sum).collect()))
}
