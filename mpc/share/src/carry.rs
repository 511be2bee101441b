//! Signs and comparisons of integers: one carry, by a tree whose data halves at every level.
//!
//! A secret is the sum of a number `u` that party 0 knows and a number `v` that parties 1 and 2 know (see [`crate::cross`]),
//! so its sign is `u63 ^ v63 ^ c`, where `c` is the carry out of the 63 places below. Blocks of places generate a carry or
//! pass one on; two neighbours make one block with two products (the prefix tree of Brent and Kung, IEEE Transactions on
//! Computers C-31(3), 1982, of which one output is needed). For blocks of two places both are sums of three and four products of a
//! function of `u` with one of `v`, so they cost what one product does:
//! `G = u1·v1 + (u1 u0)·v0 + u0·(v1 v0)`, `P = u1 u0 + u1·v0 + u0·v1 + v1 v0`.
//! Five more levels of two products each are left: 2^-1 + 2^-2 + … words. In all about 51 bytes a comparison from all parties
//! together, seven rounds. The words are folded level by level ([`crate::fold`]).

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::{pack, words_for};
use crate::fold::{begun, begun_halves, carry, conjunction, folded, halves, reversed};
use crate::shared::zip;
use crate::{Arith, Bits, Rep3, Replicated, View, Words, Z64};

const SIGN: u32 = 63;

/// What blocks of two places generate and pass on, as this party's part: `input` is party 0's three vectors as this party
/// holds them, `known` the other number, folded; `adds` is a mask of what only one party adds.
fn blocks(input: [&[u64]; 3], known: (&[u64], &[u64]), adds: u64) -> Vec<u64> {
    let ([u0, u1, both], (v0, v1)) = (input, known);
    let mut out = vec![0; 2 * u0.len()];
    let (generate, pass) = out.split_at_mut(u0.len());
    let factors = || u0.iter().zip(u1).zip(both).zip(v0.iter().zip(v1));
    for (out, (((u0, u1), both), (v0, v1))) in generate.iter_mut().zip(factors()) {
        *out = (u1 & v1) ^ (both & v0) ^ (u0 & v1 & v0);
    }
    for (out, (((u0, u1), both), (v0, v1))) in pass.iter_mut().zip(factors()) {
        *out = both ^ (u1 & v0) ^ (u0 & v1) ^ (v1 & v0 & adds);
    }
    out
}

impl Rep3 {
    /// Whether each integer, read as a signed one, is negative. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negative(&mut self, x: View<'_, Z64>) -> Result<Bits, Abort> {
        let (len, words) = (x.len(), words_for(x.len()));
        let mut known = self.known_half(x);
        known.resize(64 * words, 0);
        let sign = Zeroizing::new(pack(&known, SIGN));
        // A top place that passes on, so that the carry out of it is the one into it.
        let top = self.first_passes(1u64 << SIGN);
        known.iter_mut().for_each(|word| *word = reversed((*word & !(1u64 << SIGN)) | top));
        let signs = self.sign_of_sum(folded(&known, 32).map(Zeroizing::new), &sign, 16).await?;
        Ok(Bits::new(signs, len))
    }

    /// The top place of party 0's number, which is set so that it passes a carry on.
    pub(crate) fn first_passes<T: Default>(&self, top: T) -> T {
        if self.me() == 0 { top } else { T::default() }
    }

    /// The signs of sums of two numbers, from this party's number: its even and odd places in words of reversed order with fields
    /// of `2·width`, and its sign bits, packed. Seven rounds for a width of 16.
    pub(crate) async fn sign_of_sum(
        &mut self,
        [even, odd]: [Zeroizing<Vec<u64>>; 2],
        sign: &[u64],
        width: u32,
    ) -> Result<Words, Abort> {
        let len = even.len();
        let mut mine = Vec::new();
        if self.me() == 0 {
            let both = Zeroizing::new(zip(&even, &odd, |even, odd| even & odd));
            mine = [&even[..], &odd[..], &both[..], sign].concat();
        }
        let input: Words = self.input_first(mine, 3 * len + sign.len()).await?;
        let mut part = Vec::new();
        if self.me() != 0 {
            let held = self.part_of_input(&input);
            let held = [&held[..len], &held[len..2 * len], &held[2 * len..3 * len]];
            part = blocks(held, (&even[..], &odd[..]), self.adds_mask());
        }
        let blocks: Words = self.reshare(part, 2 * len).await?;
        let (generate, pass) = (halves(blocks.range(0..len), width), halves(blocks.range(len..2 * len), width));
        let carry = carry(self, generate, pass, width).await?;
        let signs = input.range(3 * len..3 * len + sign.len()).to_shared().add(&self.known_to_others(sign));
        Ok(carry.add(&signs))
    }

    /// Whether `x < y`, as signed integers whose difference is one of 64 bits too. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_than(&mut self, x: &Arith, y: &Arith) -> Result<Bits, Abort> {
        self.negative(x.sub(y).view()).await
    }

    /// Whether `x < y`, as unsigned words of bits. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_words(&mut self, x: &Words, y: &Words) -> Result<Bits, Abort> {
        // x < y where x - y borrows: a place generates a borrow for 0 - 1 and passes one on for equal bits.
        let generate = self.mul(&self.complement(x), y).await?;
        let pass = self.complement(&x.add(y));
        let [generate, pass] = [&generate, &pass].map(|x| begun_halves([x.view()], reversed));
        let borrow = carry(self, generate, pass, 32).await?;
        Ok(Bits::new(borrow, x.len()))
    }

    /// Whether each integer is 0. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn zero(&mut self, x: View<'_, Z64>) -> Result<Bits, Abort> {
        // u + v = 0 where the words u and -v are equal.
        let len = x.len();
        let mut known = self.known_half(x);
        if self.me() != 0 {
            known.iter_mut().for_each(|word| *word = word.wrapping_neg());
        }
        let (others, mine) = (self.known_to_others(&known), self.if_first(&mut known));
        let first: Words = self.input_first(mine, len).await?;
        self.all_ones(&self.complement(&first.add(&others))).await
    }

    /// Whether `x = y`, integer by integer. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn equal(&mut self, x: &Arith, y: &Arith) -> Result<Bits, Abort> {
        self.zero(x.sub(y).view()).await
    }

    /// Whether `x = y`, word of bits by word of bits. Six rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn equal_words(&mut self, x: &Words, y: &Words) -> Result<Bits, Abort> {
        self.all_ones(&self.complement(&x.add(y))).await
    }

    async fn all_ones(&mut self, x: &Words) -> Result<Bits, Abort> {
        let all = conjunction(self, begun(x, |x| x)).await?;
        Ok(Bits::new(all, x.len()))
    }
}
