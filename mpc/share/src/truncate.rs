//! Cutting off low places of signed integers: never a large error, at most one unit of what is left, two rounds.
//!
//! An integer `x + 2^62` below 2^63 is `u + v - 2^64 w`, where party 0 knows `u`, parties 1 and 2 know `v` (see [`crate::cross`]),
//! and `w = u63 or v63`, because the sum has no top bit. So the places from `f` on are
//! `(u >> f) + (v >> f) - 2^(64-f) (u63 + v63 - u63 v63)`, less the carry out of the places that are cut off, which is left out: one
//! product of a bit that party 0 knows with one that the others know, modulo 2^f. (Compare the truncation of Dalskov, Escudero
//! and Keller, "Fantastic Four", USENIX Security 2021, section 4.3, which draws a random pair instead; that of ABY3 errs by
//! 2^(64-f) with a probability that grows with `x`, and is not used.)
//!
//! What is computed: `floor((x - r) / 2^f) + 1` with `r = u mod 2^f`. The offset `r` is a function of the shares that party 0
//! holds, so it is uniform and independent of `x` for shares that were made afresh, and the functionality gives it to party 0
//! (to the others `v`, and with it `(x - r) mod 2^f`, one of two values they hold already): rounding is stochastic with public coins
//! of the sharing, nothing about `x` follows from them, and the view of each party is simulated from its shares and uniform words.
//! The error is above -1 and at most 1 unit, and on average 2^-f.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::pairs::{paired, parted};
use crate::ring::Pairs32;
use crate::shared::zip;
use crate::{Arith, Rep3, Shared};

/// Most places that one step cuts off: the product's modulus fits half a word.
pub const MOST_PLACES: u32 = 32;

impl Rep3 {
    /// `x / 2^by` within one unit, for signed integers between -2^62 and 2^62 - 1 and `by` from 1 to [`MOST_PLACES`]. Two
    /// rounds, about one word an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn truncate(&mut self, x: &Arith, by: u32) -> Result<Arith, Abort> {
        assert!((1..=MOST_PLACES).contains(&by), "from 1 to {MOST_PLACES} places are cut off");
        let mut known = self.known_half(x.view());
        if self.me() == 0 {
            known.iter_mut().for_each(|word| *word = word.wrapping_add(1 << 62));
        }
        let above = self.sum_without_wrap(&known, 63, by).await?;
        Ok(self.plus_public(above, 1u64.wrapping_sub(1 << (62 - by))))
    }

    /// `(u >> by) + (v >> by) - 2^(top+1-by) w`, where `u` at party 0 and `v` at the others are `known`, below 2^(top+1), and `w`
    /// says whether either has bit `top`; `top - by` is from 31 to 62. Two rounds.
    pub(crate) async fn sum_without_wrap(&mut self, known: &[u64], top: u32, by: u32) -> Result<Arith, Abort> {
        let (len, joined, unit) = (known.len(), known.len().div_ceil(2), top + 1 - by);
        let bit = |word: &u64| word >> top & 1;
        let half = known.iter().map(|word| (word >> by).wrapping_sub(bit(word) << unit));
        let half = Zeroizing::new(half.collect::<Vec<_>>());
        let first = self.me() == 0;
        let mine = if first { half.to_vec() } else { Vec::new() };
        let shared: Arith = self.input_first(mine, len).await?;
        let tops = Zeroizing::new(if first { known.iter().map(bit).collect::<Vec<_>>() } else { Vec::new() });
        let tops = if first { paired(&tops) } else { Vec::new() };
        let tops: Shared<Pairs32> = self.input_first(tops, joined).await?;
        let mut part = Vec::new();
        if self.me() != 0 {
            let (adds, tops) = (self.adds_mask(), Zeroizing::new(parted(self.part_of_input(&tops), len)));
            part = zip(self.part_of_input(&shared), &half, |share, half| share.wrapping_add(half & adds));
            for ((part, top), word) in part.iter_mut().zip(tops.iter()).zip(known) {
                *part = part.wrapping_add((top & bit(word).wrapping_neg()) << unit);
            }
        }
        self.reshare(part, len).await
    }
}
