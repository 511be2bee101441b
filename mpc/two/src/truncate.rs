//! Division of signed numbers by a power of two, without the large error of local truncation.
//!
//! With `y = x + 2^63` between 0 and 2^64 and its shares `y_0 + y_1 = y + w·2^64`: `⌊y/2^f⌋ = ⌊y_0/2^f⌋ + ⌊y_1/2^f⌋ + c
//! − w·2^(64−f)`, where `c` is the carry out of the low `f` bits (Rathee et al., CrypTFlow2, CCS 2020, and SIRNN, S&P
//! 2021). Both bits are comparisons of a value of one party with one of the other. Without `c` the sum
//! is at most one too small (Huang et al., Cheetah, USENIX Security 2022).
//!
//! Of a number with a bit to spare the wrap is no comparison (Cheetah's and SIRNN's truncation of known sign): with `y = x + 2^62` below
//! 2^63 the top bit of the sum is 0, so `y_0 + y_1` wraps exactly where either has its top bit, which one transfer tells.
//!
//! *What rounding tells.* Where `c` is left out it follows from the low bits of both shares. A party's own are uniform and depend on
//! nothing, so rounding is by its coins, as among three parties ([`mpc_share::Rep3::truncate`]): a party to whom such a quotient is
//! revealed learns, beside the floor, whether what was cut off reaches beyond a uniform number that it knows. Where that is too much
//! [`Rounding::Floor`] tells nothing more than the floor.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::compare::{less, low, tops};
use crate::convert::{Words, either, to_words};
use crate::party::Party;

/// How a quotient that is no integer becomes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// Towards minus infinity, exactly.
    Floor,
    /// The floor or one more, so at most one unit away; half the cost.
    Near,
}

/// Bits of a word.
const BITS: u32 = u64::BITS;

/// This party's shares of `x / 2^by`, for signed `x` of any size and `by` from 1 to 63.
pub(crate) async fn truncate(party: &mut Party, x: &[u64], by: u32, rounding: Rounding) -> Result<Words, Abort> {
    let name = if rounding == Rounding::Floor { "truncate" } else { "truncate near" };
    let mut line = party.line(name, &[x.len(), by as usize]);
    let lift = party.pick(1_u64 << (BITS - 1), 0);
    let lifted: Words = Zeroizing::new(x.iter().map(|x| x.wrapping_add(lift)).collect());
    // `y_0 + y_1 ≥ 2^n` says that `2^n − 1 − y_0 < y_1`.
    let flip = party.pick(u64::MAX, 0);
    let operand = |bits: u32| -> Words { Zeroizing::new(lifted.iter().map(|y| (y ^ flip) & low(bits)).collect()) };
    line.enter("wrap");
    let wraps = less(party, &mut line, &operand(BITS)[..], BITS).await?;
    let wraps = to_words(party, &wraps, x.len()).await?;
    // Without the carry the sum is the floor or one less; a one that is added makes it the floor or one more.
    let (carries, one): (Words, u64) = match rounding {
        Rounding::Floor => {
            line.enter("carry");
            let carries = less(party, &mut line, &operand(by)[..], by).await?;
            (to_words(party, &carries, x.len()).await?, 0)
        }
        Rounding::Near => (Zeroizing::new(vec![0; x.len()]), 1),
    };
    let offset = party.pick(one.wrapping_sub(1 << (BITS - 1 - by)), 0);
    let quotient = |((y, wrap), carry): ((&u64, &u64), &u64)| {
        (y >> by).wrapping_add(*carry).wrapping_sub(wrap << (BITS - by)).wrapping_add(offset)
    };
    Ok(Zeroizing::new(lifted.iter().zip(wraps.iter()).zip(carries.iter()).map(quotient).collect()))
}

/// This party's shares of `x / 2^by` or of one more, rounded down, for signed `x` from −2^62 to 2^62 − 1 and `by` from 1 to 62. One
/// transfer each, one round.
pub(crate) async fn truncate_small(party: &mut Party, x: &[u64], by: u32) -> Result<Words, Abort> {
    let line = party.line("truncate small", &[x.len(), by as usize]);
    let lift = party.pick(1_u64 << (BITS - 2), 0);
    let lifted: Words = Zeroizing::new(x.iter().map(|x| x.wrapping_add(lift)).collect());
    let wraps = either(party, line, &tops(&lifted), x.len()).await?;
    let offset = party.pick(1_u64.wrapping_sub(1 << (BITS - 2 - by)), 0);
    let quotient = |(y, wrap): (&u64, &u64)| (y >> by).wrapping_sub(wrap << (BITS - by)).wrapping_add(offset);
    Ok(Zeroizing::new(lifted.iter().zip(wraps.iter()).map(quotient).collect()))
}
