//! Reciprocal, division, square root and its reciprocal: normalise, approximate by a cubic, two steps of Newton, scale back.
//!
//! On `w` in `[1, 2]` the cubics in `2w - 3` (near-minimax, by projection on Chebyshev polynomials) are off by 2^-8.9 of `1/w` and
//! 2^-11 of `1/√w`; a step of Newton squares that (times 1, and 3/2), so two leave 2^-35 and 2^-41, below the rounding of 2^-30.

use mpc_core::Abort;

use super::normal::{Normal, bits_for};
use super::{Fixed, INNER, ONE};
use crate::interval::{Overflow, Range, TOO_LARGE};
use crate::{Arith, Rep3};

/// `1/w` for `w` in `[1, 2]`, in powers of `2w - 3`, with [`INNER`] fractional bits.
const INVERSE: [i64; 4] = [714_549_651, -237_525_288, 89_400_948, -30_677_555];
/// `1/√w` likewise.
const INVERSE_ROOT: [i64; 4] = [876_289_411, -145_799_013, 39_768_672, -11_379_149];
/// `√2 - 1`.
const ROOT_GAIN: i64 = 444_758_426;
/// `1/√2 - 1`.
const INVERSE_ROOT_GAIN: i64 = -314_491_699;
/// Most doublings between the smallest and the largest divisor.
const MOST_DOUBLINGS: u32 = 31;

/// The first bit of the largest number, and how many places lower that of the smallest may be.
fn places(range: Range) -> (u32, u32) {
    let place = |number: i64| number.max(1).ilog2();
    (place(range.hi()), place(range.hi()) - place(range.lo()))
}

/// As [`places`] for a divisor.
fn divisor_places(operation: &'static str, range: Range) -> Result<(u32, u32), Overflow> {
    let (top, span) = places(range);
    let why = "the divisor's range spans more than 31 doublings";
    if span <= MOST_DOUBLINGS { Ok((top, span)) } else { Err(Overflow { operation, why }) }
}

/// As [`places`], with a first bit that makes a whole exponent of the root.
fn root_places(operation: &'static str, range: Range, frac: u32) -> Result<(u32, u32), Overflow> {
    let (top, span) = places(range);
    let odd = (top + frac) % 2;
    if top + odd > 61 { Err(Overflow { operation, why: TOO_LARGE }) } else { Ok((top + odd, span + odd)) }
}

impl Rep3 {
    /// `1/w` for `w` in `[1, 2]`, both with [`INNER`] fractional bits.
    pub(super) async fn inverse(&mut self, w: &Arith) -> Result<Arith, Abort> {
        let mut y = self.polynomial(&self.centred(w), &INVERSE).await?;
        for _ in 0..2 {
            let product = self.inner_mul(w, &y).await?;
            let rest = self.plus_public(product.scale(u64::MAX), 2 * ONE);
            y = self.inner_mul(&y, &rest).await?;
        }
        Ok(y)
    }

    /// `1/√w` likewise.
    async fn inverse_root(&mut self, w: &Arith) -> Result<Arith, Abort> {
        let mut y = self.polynomial(&self.centred(w), &INVERSE_ROOT).await?;
        for _ in 0..2 {
            let square = self.inner_mul(&y, &y).await?;
            let product = self.inner_mul(w, &square).await?;
            let rest = self.plus_public(product.scale(u64::MAX), 3 * ONE);
            let twice = self.mul(&y, &rest).await?;
            y = self.truncate(&twice, INNER + 1).await?;
        }
        Ok(y)
    }

    /// `2w - 3`.
    pub(super) fn centred(&self, w: &Arith) -> Arith {
        self.plus_public(w.scale(2), (3 * ONE).wrapping_neg())
    }

    /// Reciprocals of numbers whose range is positive and spans at most 31 doublings. About 45 rounds.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when one might not fit or the range might hold 0, else when a peer is gone or
    /// misbehaves.
    pub async fn fixed_reciprocal(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let range = x.range.reciprocals(x.frac).map_err(|overflow| self.refuse(overflow))?;
        let (top, span) = divisor_places("reciprocal", x.range).map_err(|overflow| self.refuse(overflow))?;
        let Normal { number, power, .. } = self.normalise(&x.raw, top, span).await?;
        let inverse = self.inverse(&number).await?;
        // 2^(2 frac) / x = (1/w) 2^(2 frac - top) 2^d.
        let raised = self.mul(&inverse, &power).await?;
        Ok(x.with(self.shift_down(raised, (INNER + top) as i32 - 2 * x.frac as i32).await?, range))
    }

    /// `x / y`, where `y`'s range is as for [`Rep3::fixed_reciprocal`]. About 50 rounds.
    ///
    /// # Errors
    /// As [`Rep3::fixed_reciprocal`].
    pub async fn fixed_divide(&mut self, x: &Fixed, y: &Fixed) -> Result<Fixed, Abort> {
        assert!(x.frac == y.frac, "numbers of one scale");
        let range = x.range.quotients(y.range, x.frac).map_err(|overflow| self.refuse(overflow))?;
        let (top, span) = divisor_places("division", y.range).map_err(|overflow| self.refuse(overflow))?;
        if x.range.bits() + span > 60 {
            return Err(self.refuse(Overflow { operation: "division", why: TOO_LARGE }));
        }
        let Normal { number, power, .. } = self.normalise(&y.raw, top, span).await?;
        let inverse = self.inverse(&number).await?;
        // A long numerator leaves fewer places for the inverse.
        let less = x.range.bits().saturating_sub(31).min(INNER);
        let inverse = self.shift_down(inverse, less as i32).await?;
        let product = self.mul(&x.raw, &inverse).await?;
        let scaled = self.shift_down(product, (INNER - less) as i32).await?;
        // x 2^frac / y = x (1/w) 2^(frac - top) 2^d.
        let raised = self.mul(&scaled, &power).await?;
        Ok(x.with(self.shift_down(raised, top as i32 - x.frac as i32).await?, range))
    }

    /// Square roots of numbers whose range has no negative one. About 50 rounds.
    ///
    /// # Errors
    /// As [`Rep3::fixed_reciprocal`].
    pub async fn fixed_sqrt(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let range = x.range.roots(x.frac).map_err(|overflow| self.refuse(overflow))?;
        let (top, span) = root_places("square root", x.range, x.frac).map_err(|overflow| self.refuse(overflow))?;
        let Normal { number, index, .. } = self.normalise(&x.raw, top, span).await?;
        let inverse = self.inverse_root(&number).await?;
        let root = self.inner_mul(&number, &inverse).await?;
        // √(x 2^frac) = √w 2^((top + frac)/2) 2^(-d/2), and -d/2 is the index's half less its largest value.
        let root = self.with_odd_place(root, &index, INVERSE_ROOT_GAIN).await?;
        let power = self.power_of_two(index.get(1..).unwrap_or(&[]), false, x.len()).await?;
        let raised = self.mul(&root, &power).await?;
        let most = (1i32 << bits_for(span).saturating_sub(1)) - 1;
        let by = INNER as i32 + most - (top + x.frac) as i32 / 2;
        Ok(x.with(self.shift_down(raised, by).await?, range))
    }

    /// Reciprocals of square roots of numbers whose range is positive. About 50 rounds.
    ///
    /// # Errors
    /// As [`Rep3::fixed_reciprocal`].
    pub async fn fixed_inverse_sqrt(&mut self, x: &Fixed) -> Result<Fixed, Abort> {
        let (operation, frac) = ("inverse square root", x.frac);
        let range = x.range.inverse_roots(frac).map_err(|overflow| self.refuse(overflow))?;
        let (top, span) = root_places(operation, x.range, frac).map_err(|overflow| self.refuse(overflow))?;
        let Normal { number, index, .. } = self.normalise(&x.raw, top, span).await?;
        let inverse = self.inverse_root(&number).await?;
        // 2^(3 frac/2) / √x = (1/√w) 2^((3 frac - top)/2) 2^(d/2).
        let inverse = self.with_odd_place(inverse, &index, ROOT_GAIN).await?;
        let power = self.power_of_two(index.get(1..).unwrap_or(&[]), true, x.len()).await?;
        let raised = self.mul(&inverse, &power).await?;
        let by = INNER as i32 - (3 * frac as i32 - top as i32) / 2;
        Ok(x.with(self.shift_down(raised, by).await?, range))
    }

    /// Times `1 + gain` where `d` is odd: where the index, its complement, is even.
    async fn with_odd_place(&mut self, x: Arith, index: &[Arith], gain: i64) -> Result<Arith, Abort> {
        let Some(even) = index.first() else {
            return Ok(x);
        };
        let factor = self.plus_public(even.scale(gain.wrapping_neg() as u64), ONE.wrapping_add(gain as u64));
        self.inner_mul(&x, &factor).await
    }
}
