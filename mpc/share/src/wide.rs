//! Integers modulo 2^128: what [`crate::Arith`] is modulo 2^64, for sums and fixed-point numbers that need more room.
//!
//! The same protocols on twice as long words: products of Araki et al. (CCS 2016), inputs and revealing of ABY3, signs by the
//! carry tree of [`crate::carry`], truncation as in [`crate::truncate`].

use bytemuck::{must_cast_slice, must_cast_slice_mut};
use mpc_core::Abort;
use zeroize::{Zeroize, Zeroizing};

use crate::bits::{pack, words_for};
use crate::fold::reversed;
use crate::{Arith, Bits, Rep3};

/// This party's two components of a vector of secret integers modulo 2^128, signed ones in two's complement.
#[derive(Clone)]
pub struct Wide {
    pub(crate) own: Vec<u128>,
    pub(crate) next: Vec<u128>,
}

/// Most places that [`Rep3::truncate_wide`] cuts off: the product's modulus fits a word.
pub const MOST_WIDE_PLACES: u32 = 64;
const SIGN: u32 = 127;

impl Drop for Wide {
    fn drop(&mut self) {
        self.own.as_mut_slice().zeroize();
        self.next.as_mut_slice().zeroize();
    }
}

fn zip(x: &[u128], y: &[u128], op: impl Fn(u128, u128) -> u128) -> Vec<u128> {
    x.iter().zip(y).map(|(x, y)| op(*x, *y)).collect()
}

impl Wide {
    pub(crate) fn new(own: Vec<u128>, next: Vec<u128>) -> Self {
        Self { own, next }
    }

    /// A vector of the public value 0.
    pub fn zeros(len: usize) -> Self {
        Self::new(vec![0; len], vec![0; len])
    }

    /// How many secrets.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    fn both(&self, other: &Self, op: impl Fn(u128, u128) -> u128) -> Self {
        assert_eq!(self.len(), other.len(), "vectors of one length");
        Self::new(zip(&self.own, &other.own, &op), zip(&self.next, &other.next, &op))
    }

    /// Element by element: the sum.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.both(other, u128::wrapping_add)
    }

    /// Element by element: the difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.both(other, u128::wrapping_sub)
    }

    /// Element by element: the product with a public value.
    #[must_use]
    pub fn scale(&self, by: u128) -> Self {
        let map = |words: &[u128]| words.iter().map(|word| word.wrapping_mul(by)).collect();
        Self::new(map(&self.own), map(&self.next))
    }
}

/// The low half of a word, drawn apart: place `i` goes to `2i`.
fn every_other(x: u64) -> u64 {
    let apart = |x: u64, by: u32, places: u64| (x | x << by) & places;
    let x = apart(x & 0xffff_ffff, 16, 0x0000_ffff_0000_ffff);
    let x = apart(x, 8, 0x00ff_00ff_00ff_00ff);
    let x = apart(x, 4, 0x0f0f_0f0f_0f0f_0f0f);
    let x = apart(x, 2, 0x3333_3333_3333_3333);
    apart(x, 1, 0x5555_5555_5555_5555)
}

/// The even and the odd places of 128, each as a word in bit-reversed order.
fn even_and_odd(x: u128) -> (u64, u64) {
    let (low, high) = (reversed(x as u64), reversed((x >> 64) as u64));
    (every_other(low) | every_other(high) << 1, every_other(low >> 32) | every_other(high >> 32) << 1)
}

impl Rep3 {
    /// A vector of public values.
    pub fn public_wide(&self, words: &[u128]) -> Wide {
        let zeros = vec![0; words.len()];
        match self.me() {
            0 => Wide::new(words.to_vec(), zeros),
            2 => Wide::new(zeros, words.to_vec()),
            _ => Wide::zeros(words.len()),
        }
    }

    /// Shares every party's inputs in one round: as [`Rep3::input`].
    ///
    /// # Errors
    /// As [`Rep3::input`].
    pub async fn input_wide(&mut self, counts: [usize; 3], mine: &[u128]) -> Result<[Wide; 3], Abort> {
        let (me, after, before) = (self.me(), self.after(), self.before());
        if mine.len() != counts[me] {
            let why = format!("{} words of input where {} are due", mine.len(), counts[me]);
            return Err(self.ctx.name(Abort::local(why)));
        }
        // Held as shares before the round, so that an abort wipes them too.
        let (mut own, mut theirs) = (Wide::zeros(counts[me]), Wide::zeros(counts[before]));
        self.own.fill(must_cast_slice_mut(&mut own.own));
        own.next = zip(mine, &own.own, u128::wrapping_sub);
        let sent = Some((after, must_cast_slice(&own.next)));
        self.pass(sent, Some((before, must_cast_slice_mut(&mut theirs.own)))).await?;
        let mut out = counts.map(Wide::zeros);
        self.next.fill(must_cast_slice_mut(&mut out[after].next));
        out[me] = own;
        out[before] = theirs;
        Ok(out)
    }

    /// Sums of products of vectors, element by element: as much as one product. One round, two words an element and party.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn dot_wide(&mut self, pairs: &[(&Wide, &Wide)]) -> Result<Wide, Abort> {
        let len = pairs.first().map_or(0, |(x, _)| x.len());
        assert!(pairs.iter().all(|(x, y)| x.len() == len && y.len() == len), "factors have one length");
        let mut out = Wide::zeros(len);
        let mut masks = Zeroizing::new(vec![0u128; len]);
        self.own.fill(must_cast_slice_mut(&mut out.own));
        self.next.fill(must_cast_slice_mut(&mut masks));
        out.own.iter_mut().zip(masks.iter()).for_each(|(word, mask)| *word = word.wrapping_sub(*mask));
        for (x, y) in pairs {
            let factors = x.own.iter().zip(&x.next).zip(y.own.iter().zip(&y.next));
            for (out, ((x0, x1), (y0, y1))) in out.own.iter_mut().zip(factors) {
                let product = x0.wrapping_mul(y0.wrapping_add(*y1)).wrapping_add(x1.wrapping_mul(*y0));
                *out = out.wrapping_add(product);
            }
        }
        let (to, from) = (self.before(), self.after());
        let sent = Some((to, must_cast_slice(&out.own)));
        self.pass(sent, Some((from, must_cast_slice_mut(&mut out.next)))).await?;
        Ok(out)
    }

    /// The number of the two that this party knows, with room behind it: as for words of 64 bits.
    fn known_half_wide(&self, x: &Wide) -> Zeroizing<Vec<u128>> {
        let mut known = Zeroizing::new(Vec::<u128>::with_capacity(x.len().next_multiple_of(64)));
        match self.me() {
            0 => known.extend(x.own.iter().zip(&x.next).map(|(own, next)| own.wrapping_add(*next))),
            1 => known.extend_from_slice(&x.next),
            _ => known.extend_from_slice(&x.own),
        }
        known
    }

    /// Whether each integer, read as a signed one, is negative. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn negative_wide(&mut self, x: &Wide) -> Result<Bits, Abort> {
        let (len, words) = (x.len(), words_for(x.len()));
        let mut known = self.known_half_wide(x);
        known.resize(64 * words, 0);
        let high = Zeroizing::new(known.iter().map(|word| (word >> 64) as u64).collect::<Vec<_>>());
        let sign = Zeroizing::new(pack(&high, 63));
        let top = self.first_passes(1u128 << SIGN);
        let places = known.iter().map(|word| even_and_odd((word & !(1u128 << SIGN)) | top));
        let (even, odd): (Vec<u64>, Vec<u64>) = places.unzip();
        let signs = self.sign_of_sum([Zeroizing::new(even), Zeroizing::new(odd)], &sign, 32).await?;
        Ok(Bits::new(signs, len))
    }

    /// Whether `x < y`, as signed integers whose difference is one of 128 bits too. Eight rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn less_wide(&mut self, x: &Wide, y: &Wide) -> Result<Bits, Abort> {
        self.negative_wide(&x.sub(y)).await
    }

    /// `x / 2^by` within one unit, for signed integers between -2^126 and 2^126 - 1 and `by` from 1 to [`MOST_WIDE_PLACES`]: as
    /// [`Rep3::truncate`]. Two rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn truncate_wide(&mut self, x: &Wide, by: u32) -> Result<Wide, Abort> {
        assert!((1..=MOST_WIDE_PLACES).contains(&by), "from 1 to {MOST_WIDE_PLACES} places are cut off");
        let mut known = self.known_half_wide(x);
        let lift = self.first_passes(1u128 << (SIGN - 1));
        known.iter_mut().for_each(|word| *word = word.wrapping_add(lift));
        let (len, unit) = (x.len(), 128 - by);
        let tops = Zeroizing::new(known.iter().map(|word| (word >> SIGN) as u64).collect::<Vec<_>>());
        let half = known.iter().zip(tops.iter());
        let half = half.map(|(word, top)| (word >> by).wrapping_sub(u128::from(*top) << unit));
        let mut half = Zeroizing::new(half.collect::<Vec<_>>());
        let mine = if self.me() == 0 { half.to_vec() } else { Vec::new() };
        let held = self.first_wide(Zeroizing::new(mine), len).await?;
        let top = if self.me() == 0 { tops.to_vec() } else { Vec::new() };
        let top: Arith = self.input_first(top, len).await?;
        if self.me() != 0 {
            let adds = u128::from(self.me() == 1).wrapping_neg();
            let products = self.part_of_input(&top).iter().zip(tops.iter()).map(|(u, v)| u & v.wrapping_neg());
            for ((half, held), product) in half.iter_mut().zip(held.iter()).zip(products) {
                *half = held.wrapping_add(*half & adds).wrapping_add(u128::from(product) << unit);
            }
        }
        let mut out = self.reshare_wide(half).await?;
        let back = 1u128.wrapping_sub(1 << (SIGN - 1 - by));
        match self.me() {
            0 => out.own.iter_mut().for_each(|word| *word = word.wrapping_add(back)),
            2 => out.next.iter_mut().for_each(|word| *word = word.wrapping_add(back)),
            _ => (),
        }
        Ok(out)
    }

    /// Party 0's words in two parts: less a mask at party 1, the mask at party 2. One round.
    async fn first_wide(&mut self, mut words: Zeroizing<Vec<u128>>, len: usize) -> Result<Zeroizing<Vec<u128>>, Abort> {
        let mut part = Zeroizing::new(vec![0u128; len]);
        match self.me() {
            0 => {
                self.own.fill(must_cast_slice_mut(&mut part));
                words.iter_mut().zip(part.iter()).for_each(|(word, mask)| *word = word.wrapping_sub(*mask));
                self.pass(Some((1, must_cast_slice(&words))), None).await?;
            }
            1 => self.pass(None, Some((0, must_cast_slice_mut(&mut part)))).await?,
            _ => self.next.fill(must_cast_slice_mut(&mut part)),
        }
        Ok(part)
    }

    /// The sum of a vector at party 1 and one at party 2, shared afresh. One round.
    async fn reshare_wide(&mut self, mut part: Zeroizing<Vec<u128>>) -> Result<Wide, Abort> {
        let (mut out, mut mask) = (Wide::zeros(part.len()), Zeroizing::new(vec![0u128; part.len()]));
        match self.me() {
            0 => {
                self.pass(None, Some((2, must_cast_slice_mut(&mut out.own)))).await?;
                self.next.fill(must_cast_slice_mut(&mut out.next));
            }
            1 => {
                self.own.fill(must_cast_slice_mut(&mut out.own));
                self.next.fill(must_cast_slice_mut(&mut mask));
                part.iter_mut().zip(&out.own).for_each(|(part, own)| *part = part.wrapping_sub(*own));
                out.next = zip(&part, &mask, u128::wrapping_add);
                self.pass(Some((2, must_cast_slice(&out.next))), None).await?;
            }
            _ => {
                self.own.fill(must_cast_slice_mut(&mut mask));
                out.next = zip(&part, &mask, u128::wrapping_sub);
                let sent = Some((0, must_cast_slice(&out.next)));
                self.pass(sent, Some((1, must_cast_slice_mut(&mut out.own)))).await?;
            }
        }
        Ok(out)
    }

    /// Reveals a vector to one party: as [`Rep3::reveal`].
    ///
    /// # Errors
    /// As [`Rep3::reveal`].
    pub async fn reveal_wide(&mut self, x: &Wide, to: usize) -> Result<Option<Vec<u128>>, Abort> {
        let (own, next) = (must_cast_slice(&x.own), must_cast_slice(&x.next));
        let missing = self.missing_component("z128", own, next, to).await?;
        Ok(missing.map(|words| {
            let third = words.as_chunks::<2>().0.iter().map(|[low, high]| u128::from(*low) | u128::from(*high) << 64);
            let two = x.own.iter().zip(&x.next).map(|(own, next)| own.wrapping_add(*next));
            two.zip(third).map(|(two, third)| two.wrapping_add(third)).collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_and_odd_places_in_reversed_order() {
        for place in 0..128u32 {
            let at = 1u64 << ((place / 2).reverse_bits() >> 26);
            let due = if place % 2 == 0 { (at, 0) } else { (0, at) };
            assert_eq!(even_and_odd(1 << place), due, "{place}");
        }
    }
}
