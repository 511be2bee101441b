//! Products of what party 0 knows with what parties 1 and 2 both know: two rounds, one word from each party.
//!
//! A replicated secret is a sum of two numbers: `x0 + x1`, which party 0 knows, and `x2`, which parties 1 and 2 know. Party 0
//! shares a function `f` of its number as a mask, known to party 2, and the difference, known to party 1 (the input of ABY3,
//! Mohassel and Rindal, CCS 2018, section 3.2). For a function `g` of the other number, parties 1 and 2 then hold an additive
//! sharing of `f g` without a message, which they make a replicated one: a third of a product's traffic is saved, and
//! several products with different functions of either number cost no more than one.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::shared::zip;
use crate::{Rep3, Ring, Shared, View};

impl Rep3 {
    /// The number of the two that this party knows: `x0 + x1` at party 0, `x2` at the others. There is room for zeros behind it, up to
    /// whole words of bits: a vector that never grows leaves no copy behind.
    pub(crate) fn known_half<R: Ring>(&self, x: View<'_, R>) -> Zeroizing<Vec<u64>> {
        let mut known = Zeroizing::new(Vec::<u64>::with_capacity(x.len().next_multiple_of(64)));
        match self.me() {
            0 => known.extend(x.own.iter().zip(x.next).map(|(own, next)| R::add(*own, *next))),
            1 => known.extend_from_slice(x.next),
            _ => known.extend_from_slice(x.own),
        }
        known
    }

    /// Takes out what this party knows, at party 0 alone.
    pub(crate) fn if_first(&self, known: &mut Zeroizing<Vec<u64>>) -> Vec<u64> {
        if self.me() == 0 { std::mem::take(&mut **known) } else { Vec::new() }
    }

    /// What parties 1 and 2 know, as a sharing; party 0's words are not looked at.
    pub(crate) fn known_to_others<R: Ring>(&self, words: &[u64]) -> Shared<R> {
        let zeros = vec![0; words.len()];
        match self.me() {
            0 => Shared::zeros(words.len()),
            1 => Shared::new(zeros, words.to_vec()),
            _ => Shared::new(words.to_vec(), zeros),
        }
    }

    /// Shares what party 0 knows; `words` are of interest there alone, `len` says how many. One round. Words are held as shares before
    /// it, here and below, so that an abort wipes them too.
    pub(crate) async fn input_first<R: Ring>(&mut self, mut words: Vec<u64>, len: usize) -> Result<Shared<R>, Abort> {
        match self.me() {
            0 => {
                let mask = self.own.words(len);
                words.iter_mut().zip(&mask).for_each(|(word, mask)| *word = R::sub(*word, *mask));
                let out = Shared::<R>::new(mask, words);
                self.pass(Some((1, out.next.as_slice())), None).await?;
                Ok(out)
            }
            1 => {
                let mut out = Shared::<R>::zeros(len);
                self.pass(None, Some((0, out.own.as_mut_slice()))).await?;
                Ok(out)
            }
            _ => Ok(Shared::new(vec![0; len], self.next.words(len))),
        }
    }

    /// The part of what party 0 shared that parties 1 and 2 hold: the difference at party 1, the mask at party 2.
    pub(crate) fn part_of_input<'a, R: Ring>(&self, x: &'a Shared<R>) -> &'a [u64] {
        if self.me() == 1 { &x.own } else { &x.next }
    }

    /// The sum of a vector at party 1 and one at party 2, shared afresh; party 0's is not looked at. One round.
    pub(crate) async fn reshare<R: Ring>(&mut self, mut part: Vec<u64>, len: usize) -> Result<Shared<R>, Abort> {
        match self.me() {
            0 => {
                let mut out = Shared::<R>::zeros(len);
                self.pass(None, Some((2, out.own.as_mut_slice()))).await?;
                self.next.fill(&mut out.next);
                Ok(out)
            }
            1 => {
                let own = self.own.words(len);
                part.iter_mut().zip(&own).for_each(|(part, own)| *part = R::sub(*part, *own));
                self.next.each(&mut part, |part, mask| *part = R::add(*part, mask));
                let out = Shared::<R>::new(own, part);
                self.pass(Some((2, out.next.as_slice())), None).await?;
                Ok(out)
            }
            _ => {
                self.own.each(&mut part, |part, mask| *part = R::sub(*part, mask));
                let mut out = Shared::<R>::new(vec![0; len], part);
                let Shared { own, next, .. } = &mut out;
                self.pass(Some((0, next.as_slice())), Some((1, own.as_mut_slice()))).await?;
                Ok(out)
            }
        }
    }

    /// All ones at party 1, else zeros: of what parties 1 and 2 both know, only one of them adds to its part.
    pub(crate) fn adds_mask(&self) -> u64 {
        u64::from(self.me() == 1).wrapping_neg()
    }

    /// Secret bits as integers 0 and 1 (in both places of a pair): `known` are the bits of [`Rep3::known_half`], a word each.
    /// Two rounds.
    pub(crate) async fn integers_of_bits<R: Ring>(
        &mut self,
        mut known: Zeroizing<Vec<u64>>,
    ) -> Result<Shared<R>, Abort> {
        let len = known.len();
        let mine = self.if_first(&mut known);
        let shared = self.input_first::<R>(mine, len).await?;
        let adds = self.adds_mask();
        // t ^ w = t + w - 2 t w, of which party 1 adds the w that it shares with party 2.
        let part =
            zip(self.part_of_input(&shared), &known, |t, w| R::sub(R::add(t, w & adds), R::mul(R::add(t, t), w)));
        self.reshare(part, len).await
    }
}

#[cfg(test)]
mod tests {
    use mpc_core::{Context, memory};

    use super::*;
    use crate::Arith;

    async fn half(mut ctx: Context) -> Result<Zeroizing<Vec<u64>>, Abort> {
        let party = Rep3::setup(&mut ctx).await?;
        let x: Arith = party.public(&[3, 5]);
        Ok(party.known_half(x.view()))
    }

    #[tokio::test]
    async fn what_a_party_knows_has_room_for_whole_words_so_that_it_never_grows() {
        let mut all = memory::contexts(memory::network(3), [9; 32]);
        let (two, one, zero) = (all.pop().unwrap(), all.pop().unwrap(), all.pop().unwrap());
        let (zero, one, two) = tokio::join!(half(zero), half(one), half(two));
        for (known, due) in [(zero, [3, 5]), (one, [0, 0]), (two, [0, 0])] {
            let known = known.unwrap();
            assert!(known.as_slice() == due && known.capacity() >= 64, "{due:?}");
        }
    }
}
