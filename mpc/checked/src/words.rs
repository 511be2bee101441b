//! Words of secret bits: what a party does to them alone, sums and differences by parallel prefix, and integers as words and back.

use mpc_core::Abort;
use mpc_share::{Arith, Bits64, Replicated, Ring, Shared, View, Words, Z64};

use crate::party::Checked;

/// Word by word: an operation that is linear over bits.
pub(crate) fn each(x: &Words, op: impl Fn(u64) -> u64) -> Words {
    let (own, next) = x.parts();
    Shared::from_parts(own.iter().map(|x| op(*x)).collect(), next.iter().map(|x| op(*x)).collect())
}

/// The three components of a sharing, each as a sharing: component `j` in place `j`, else zeros. Nothing is sent: each
/// component is known to two parties, which is a sharing of it.
pub(crate) fn components<R: Ring>(me: usize, x: View<'_, Z64>, op: impl Fn(u64) -> u64) -> [Shared<R>; 3] {
    let (own, next) = x.parts();
    let zeros = || vec![0; own.len()];
    let map = |words: &[u64]| words.iter().map(|x| op(*x)).collect::<Vec<u64>>();
    let mut out = [(); 3].map(|()| Shared::zeros(own.len()));
    out[me] = Shared::from_parts(map(own), zeros());
    out[(me + 1) % 3] = Shared::from_parts(zeros(), map(next));
    out
}

/// The exclusive or of some of the three components of integers, as a sharing: the components themselves, and as many `zeros`.
fn sum_of<'a>(me: usize, x: View<'a, Z64>, zeros: &'a [u64], chosen: impl Fn(usize) -> bool) -> View<'a, Bits64> {
    let (own, next) = x.parts();
    let part = |words: &'a [u64], at: usize| if chosen(at % 3) { words } else { zeros };
    View::from_parts(part(own, me), part(next, me + 1))
}

impl Checked {
    /// `x` where the integer is 1, `y` where it is 0. One round.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn select_integers(&mut self, bit: &Arith, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
        Ok(self.mul(bit, &x.sub(y)).await?.add(y))
    }

    /// `x + y` modulo 2^64. Seven rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn add_words(&mut self, x: &Words, y: &Words) -> Result<Words, Abort> {
        self.sum_of_words(x.view(), y.view()).await
    }

    async fn sum_of_words(&mut self, x: View<'_, Bits64>, y: View<'_, Bits64>) -> Result<Words, Abort> {
        let generate = self.product(x, y).await?;
        let mut sum = x.plus(y);
        let carries = self.carries(generate, sum.clone()).await?;
        sum.update(carries.view(), |sum, carries| sum ^ (carries << 1));
        Ok(sum)
    }

    /// `x - y` modulo 2^64, and in bit 0 of the second vector whether `x < y` as unsigned numbers. Seven rounds.
    ///
    /// With every bit of `x` turned over, `x` stands for `2^64 - 1 - x`: the sum with `y` is the difference turned over, and its
    /// carry says that `y` is larger.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn sub_words(&mut self, x: &Words, y: &Words) -> Result<(Words, Words), Abort> {
        let turned = self.complement(x);
        let generate = self.mul(&turned, y).await?;
        let sum = turned.add(y);
        let carries = self.carries(generate, sum.clone()).await?;
        Ok((self.complement(&sum.add(&carries.shl(1))), carries.shr(63)))
    }

    /// The carries out of every place, from where one is generated and where one is passed on. Six rounds.
    ///
    /// Kogge and Stone (IEEE Transactions on Computers C-22(8), 1973).
    async fn carries(&mut self, mut generate: Words, mut pass: Words) -> Result<Words, Abort> {
        for shift in [1, 2, 4, 8, 16, 32] {
            let (below, passed) = (generate.shl(shift), pass.shl(shift));
            let mut pairs = vec![(pass.view(), below.view())];
            if shift < 32 {
                pairs.push((pass.view(), passed.view()));
            }
            let mut out = self.mul_many(&pairs).await?.into_iter();
            // A place generates and passes on never at once, so exclusive or is or.
            generate = out.next().map_or_else(|| Words::zeros(0), |carried| generate.add(&carried));
            pass = out.next().unwrap_or_else(|| Words::zeros(0));
        }
        Ok(generate)
    }

    /// The bits of integers. Eight rounds.
    ///
    /// ABY3 (Mohassel and Rindal, CCS 2018, section 5.3): a full adder makes two addends of the three components, the prefix
    /// adder one.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn to_bits(&mut self, x: &Arith) -> Result<Words, Abort> {
        let (sum, carry) = self.two_addends(x.view()).await?;
        self.sum_of_words(sum, carry.view()).await
    }

    /// Two words of bits whose sum modulo 2^64 is the integer; the components of the first are the integer's. One round.
    pub(crate) async fn two_addends<'a>(&mut self, x: View<'a, Z64>) -> Result<(View<'a, Bits64>, Words), Abort> {
        let (me, zeros) = (self.me(), vec![0; x.len()]);
        // Majority with one product: ((x0 ^ x2) & (x1 ^ x2)) ^ x2.
        let (first, second) = (sum_of(me, x, &zeros, |at| at != 1), sum_of(me, x, &zeros, |at| at != 0));
        let mut carry = self.product(first, second).await?;
        carry.update(sum_of(me, x, &zeros, |at| at == 2), |product, third| (product ^ third) << 1);
        let (own, next) = x.parts();
        Ok((View::from_parts(own, next), carry))
    }

    /// Bit 0 of every word as an integer 0 or 1. Two rounds.
    ///
    /// The exclusive or of the three components' bits: `a ^ b = a + b - 2 a b`.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn bit_to_integer(&mut self, x: &Words) -> Result<Arith, Abort> {
        let (own, next) = x.parts();
        let bits = Arith::from_parts(own.to_vec(), next.to_vec());
        let [x0, x1, x2] = components::<Z64>(self.me(), bits.view(), |word| word & 1);
        let both = self.mul(&x0, &x1).await?;
        let first = x0.add(&x1).sub(&both.scale(2));
        let both = self.mul(&first, &x2).await?;
        Ok(first.add(&x2).sub(&both.scale(2)))
    }
}
