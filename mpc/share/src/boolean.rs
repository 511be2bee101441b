//! Words of secret bits: sums, differences and comparisons by parallel prefix, and the way from integers to bits and back.
//!
//! Carries by the prefix network of [`crate::prefix`]. An integer is the sum of a number that party 0 knows and one that
//! parties 1 and 2 know (see [`crate::cross`]): they add the two as words of bits, the first level of carries without a round.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::prefix::{halves_joined, halves_parted};
use crate::shared::zip;
use crate::{Arith, Rep3, Replicated, View, Words};

/// Places with odd numbers: the upper ones of pairs.
const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;

impl Rep3 {
    /// `x + y` modulo 2^64. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn add_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        let generate = self.mul(x, y).await?;
        let sum = x.add(y);
        let carries = self.carries(generate, sum.clone(), 0).await?;
        Ok(sum.add(&carries.shl(1)))
    }

    /// `x - y` modulo 2^64, and in bit 0 of the second vector whether `x < y` as unsigned numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn sub_words(&mut self, x: &Words, y: &Words) -> Result<(Words, Words), Abort> {
        let generate = self.mul(&self.complement(x), y).await?;
        let differ = x.add(y);
        let borrows = self.carries(generate, self.complement(&differ), 0).await?;
        Ok((differ.add(&borrows.shl(1)), borrows.shr(63)))
    }

    /// In bit 0: whether `x < y` as unsigned numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        Ok(self.less_words(x, y).await?.to_words())
    }

    /// In bit 0: whether `x < y` as signed numbers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_signed(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        let flip = self.constant(1 << 63, x.len());
        self.less(&x.add(&flip), &y.add(&flip)).await
    }

    /// The bits of integers. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_bits(&mut self, x: View<'_, crate::Z64>) -> Result<Words, Abort> {
        let (len, known) = (x.len(), self.known_half(x));
        let others: Words = self.known_to_others(&known);
        // Party 0 shares its number u and, for every pair of places, u1 u0.
        let mine = if self.me() == 0 {
            let both = Zeroizing::new(known.iter().map(|u| u & (u << 1) & ODD).collect::<Vec<_>>());
            let both = Zeroizing::new(halves_joined(&both, 0));
            [&known[..], &both[..]].concat()
        } else {
            Vec::new()
        };
        let joined = len.div_ceil(2);
        let input: Words = self.input_first(mine, len + joined).await?;
        let part = if self.me() == 0 { Vec::new() } else { self.pairs_of_places(&input, &known) };
        let shared: Words = self.reshare(part, len + joined).await?;
        let sum = input.range(0..len).plus(others.view());
        let (generate, odd) = (shared.range(0..len).to_shared(), shared.range(len..len + joined));
        let odd = Words::new(halves_parted(odd.own, len, 0), halves_parted(odd.next, len, 0));
        let pass = sum.both(&odd, |sum, odd| (sum & !ODD) | odd);
        let carries = self.carries(generate, pass, 1).await?;
        Ok(sum.add(&carries.shl(1)))
    }

    /// This party's part of what places and pairs of places generate, then of what pairs pass on: as the blocks of
    /// [`crate::carry`], in place.
    fn pairs_of_places(&self, input: &Words, known: &[u64]) -> Vec<u64> {
        let (held, adds) = (self.part_of_input(input), self.adds_mask());
        let (u, both) = held.split_at(known.len());
        let both = Zeroizing::new(halves_parted(both, known.len(), 0));
        let places = || u.iter().zip(known).zip(both.iter()).map(|((u, v), both)| (*u, *v, *both));
        let mut out = Vec::with_capacity(known.len() + known.len().div_ceil(2));
        out.extend(places().map(|(u, v, both)| (u & v) ^ (ODD & (u << 1) & v & (v << 1)) ^ (both & (v << 1))));
        let pass = places().map(|(u, v, both)| {
            let mixed = (u & (v << 1)) ^ ((u << 1) & v) ^ (v & (v << 1) & adds);
            (ODD & mixed) ^ both
        });
        let pass = Zeroizing::new(pass.collect::<Vec<_>>());
        out.extend_from_slice(&Zeroizing::new(halves_joined(&pass, 0)));
        out
    }

    /// Words of bits as integers modulo 2^64. Nine rounds.
    ///
    /// Parties 1 and 2, and 1 and 0, draw two components; what is left of the word without them, which party 1 knows the
    /// sum of, is revealed to the two others that hold the third (ABY3, section 5.3).
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn from_bits(&mut self, x: &Words) -> Result<Arith, Abort> {
        let len = x.len();
        // Component 1 is drawn from the stream of parties 0 and 1, component 2 from that of parties 1 and 2.
        let mut out = Arith::zeros(len);
        if self.me() != 0 {
            self.own.fill(&mut out.own);
        }
        if self.me() != 2 {
            self.next.fill(&mut out.next);
        }
        let sum = if self.me() == 1 { zip(&out.own, &out.next, u64::wrapping_add) } else { Vec::new() };
        let drawn = Zeroizing::new(sum);
        let mut counts = [0; 3];
        counts[1] = len;
        let [_, drawn, _] = self.input::<crate::Bits64>(counts, &drawn).await?;
        let (rest, _) = self.sub_words(x, &drawn).await?;
        if let Some(first) = self.reveal(&rest, 0).await? {
            out.own = first;
        }
        if let Some(first) = self.reveal(&rest, 2).await? {
            out.next = first;
        }
        Ok(out)
    }
}
