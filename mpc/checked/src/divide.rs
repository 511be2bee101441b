//! Division of secret unsigned numbers: restoring, sixteen digits of four bits.
//!
//! The method of [`mpc_share::Rep3::divide`] (Knuth, TAOCP 2, 4.3.1; Parhami, "Computer Arithmetic", 13.2) on checked words:
//! each step brings down four bits of the dividend, compares the remainder with all fifteen multiples of the divisor at once
//! (seven rounds), and keeps the difference to the largest that fits (one round). 136 rounds, and those of the checks.

use mpc_core::Abort;
use mpc_share::{Arith, Words};

use crate::party::Checked;

const DIGIT: u32 = 4;
const MULTIPLES: usize = 15;

impl Checked {
    /// `dividend / divisor`, rounded down. The divisor is an integer between 1 and 2^60. For any other divisor (0 too) the
    /// quotient is meaningless, and nothing is learnt from it.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn divide(&mut self, dividend: &Words, divisor: &Arith) -> Result<Words, Abort> {
        let len = divisor.len();
        let multiples: Vec<Arith> = (1..=MULTIPLES as u64).map(|by| divisor.scale(by)).collect();
        let multiples = self.to_bits(&Arith::concat(multiples.iter().map(Arith::view))).await?;
        let (mut quotient, mut remainder) = (Words::zeros(len), Words::zeros(len));
        for shift in (0..u64::BITS).step_by(DIGIT as usize).rev() {
            let digit = dividend.shr(shift).scale(MULTIPLES as u64);
            remainder = remainder.shl(DIGIT).add(&digit);
            let (differences, less) = self.sub_words(&remainder.repeat(MULTIPLES), &multiples).await?;
            let chosen = self.chosen(&less, len);
            remainder = self.restore(&chosen, &remainder, &differences).await?;
            quotient = quotient.add(&digit_of(&chosen, len).shl(shift));
        }
        Ok(quotient)
    }

    /// Sixteen masks a number, one of them all ones: which multiple is the largest that fits.
    fn chosen(&self, less: &Words, len: usize) -> Vec<Words> {
        // "multiple j does not fit" grows with j, so neighbours differ at one place.
        let mut exceeds = vec![Words::zeros(len)];
        exceeds.extend(less.spread(0).pieces(len));
        exceeds.push(self.constant(u64::MAX, len));
        exceeds.windows(2).map(|pair| pair[0].add(&pair[1])).collect()
    }

    async fn restore(&mut self, chosen: &[Words], remainder: &Words, differences: &Words) -> Result<Words, Abort> {
        let differences = differences.pieces(remainder.len());
        let rest = std::iter::once(remainder).chain(&differences);
        let pairs: Vec<_> = chosen.iter().zip(rest).map(|(mask, rest)| (mask.view(), rest.view())).collect();
        let kept = self.mul_many(&pairs).await?;
        Ok(kept.iter().fold(Words::zeros(remainder.len()), |sum, kept| sum.add(kept)))
    }
}

fn digit_of(chosen: &[Words], len: usize) -> Words {
    let digits = chosen.iter().zip(0..).map(|(mask, digit)| mask.scale(digit));
    digits.fold(Words::zeros(len), |sum, digit| sum.add(&digit))
}
