//! Division of secret unsigned numbers in any engine: restoring, sixteen digits of four bits.
//!
//! The schoolbook method (Knuth, TAOCP 2, 4.3.1; Parhami, "Computer Arithmetic", 13.2) in radix 16: each step brings down
//! four bits of the dividend, compares the remainder with all fifteen multiples of the divisor at once (seven rounds),
//! and keeps the difference to the largest that fits (one round). The multiples of a divisor up to 2^60 take no round.

use mpc_core::Abort;

use crate::{Arith, Replicated, Words};

const DIGIT: u32 = 4;
const MULTIPLES: usize = 15;

/// [`Replicated::divide`].
pub(crate) async fn divide<P: Replicated>(party: &mut P, dividend: &Words, divisor: &Arith) -> Result<Words, Abort> {
    let len = divisor.len();
    let multiples: Vec<Arith> = (1..=MULTIPLES as u64).map(|by| divisor.scale(by)).collect();
    let multiples = party.to_bits(&Arith::concat(multiples.iter().map(Arith::view))).await?;
    let (mut quotient, mut remainder) = (Words::zeros(len), Words::zeros(len));
    for shift in (0..u64::BITS).step_by(DIGIT as usize).rev() {
        let digit = dividend.shr(shift).scale(MULTIPLES as u64);
        remainder = remainder.shl(DIGIT).add(&digit);
        let (differences, less) = party.sub_words(&remainder.repeat(MULTIPLES), &multiples).await?;
        let chosen = chosen_of(&less, party.words(u64::MAX, len));
        remainder = restored(party, &chosen, &remainder, &differences).await?;
        quotient = quotient.add(&digit_of(&chosen, len).shl(shift));
    }
    Ok(quotient)
}

/// Sixteen masks a number, one of them all ones: which multiple is the largest that fits.
fn chosen_of(less: &Words, ones: Words) -> Vec<Words> {
    // "multiple j does not fit" grows with j, so neighbours differ at one place.
    let len = ones.len();
    let mut exceeds = vec![Words::zeros(len)];
    exceeds.extend(less.spread(0).pieces(len));
    exceeds.push(ones);
    exceeds.windows(2).map(|pair| pair[0].add(&pair[1])).collect()
}

async fn restored<P: Replicated>(
    party: &mut P,
    chosen: &[Words],
    remainder: &Words,
    differences: &Words,
) -> Result<Words, Abort> {
    let differences = differences.pieces(remainder.len());
    let rest = std::iter::once(remainder).chain(&differences);
    let pairs: Vec<_> = chosen.iter().zip(rest).map(|(mask, rest)| (mask.view(), rest.view())).collect();
    party.dot_words(&pairs).await
}

fn digit_of(chosen: &[Words], len: usize) -> Words {
    let digits = chosen.iter().zip(0..).map(|(mask, digit)| mask.scale(digit));
    digits.fold(Words::zeros(len), |sum, digit| sum.add(&digit))
}
