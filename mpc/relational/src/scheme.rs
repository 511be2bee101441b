//! What the engine asks of secret sharing: the operations on three-party shares that a star takes, for either tier.

use std::future::Future;

use mpc_checked::Checked;
use mpc_core::{Abort, Context};
use mpc_share::{Arith, Bits64, Rep3, Replicated, Words, Z64};

/// A party of a three-party scheme over [`Arith`] and [`Words`]: what all engines have ([`Replicated`], whose rules for callers
/// hold here too), and what a star takes besides.
pub trait Scheme: Replicated {
    /// Whether a party may deviate: then what owners put in is checked on the shares before anything depends on it.
    const DEVIATES: bool;

    /// Forks the session and agrees on the streams' seeds. Three rounds.
    fn setup(ctx: &mut Context) -> impl Future<Output = Result<Self, Abort>> + Send;

    /// This party's number, from 0 to 2.
    fn me(&self) -> usize;

    /// Names the step that an abort from here on reports.
    fn enter(&mut self, step: &'static str);

    /// Shares every party's words: `counts` says how many each puts in, `mine` are this party's. One vector a party.
    fn input(&mut self, counts: [usize; 3], mine: &[u64]) -> impl Future<Output = Result<[Arith; 3], Abort>> + Send;

    /// Element by element: the product.
    fn mul(&mut self, x: &Arith, y: &Arith) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// Whether `x < y`, as integers 0 and 1, for signed numbers that are less than 2^63 apart.
    fn less(&mut self, x: &Arith, y: &Arith) -> impl Future<Output = Result<Arith, Abort>> + Send;

    /// Puts rows into a uniformly random order that no party knows.
    fn shuffle(&mut self, columns: Vec<Arith>) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Opens integers to all; they must follow from public values, or be granted.
    fn open(&mut self, x: &Arith) -> impl Future<Output = Result<Vec<u64>, Abort>> + Send;

    /// Reveals words of bits to one party: `Some` there, `None` at the others.
    fn reveal(&mut self, x: &Words, to: usize) -> impl Future<Output = Result<Option<Vec<u64>>, Abort>> + Send;
}

/// The comparison of tier B: bits, packed, then integers.
async fn less_of_bits(party: &mut Rep3, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
    let less = party.less_than(x, y).await?;
    party.to_integers(&less).await
}

/// The comparison of tier B+: words with the bit in place 0, then integers.
async fn less_of_words(party: &mut Checked, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
    let less = Checked::less(party, x, y).await?;
    party.bit_to_integer(&less).await
}

/// Hands every method to the party's own of that name, and comparisons to `less`.
macro_rules! scheme {
    ($party:ty, $deviates:literal, $less:ident) => {
        impl Scheme for $party {
            const DEVIATES: bool = $deviates;

            async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
                <$party>::setup(ctx).await
            }

            fn me(&self) -> usize {
                <$party>::me(self)
            }

            fn enter(&mut self, step: &'static str) {
                <$party>::enter(self, step);
            }

            async fn input(&mut self, counts: [usize; 3], mine: &[u64]) -> Result<[Arith; 3], Abort> {
                <$party>::input::<Z64>(self, counts, mine).await
            }

            async fn mul(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
                <$party>::mul::<Z64>(self, x, y).await
            }

            async fn less(&mut self, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
                $less(self, x, y).await
            }

            async fn shuffle(&mut self, columns: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
                <$party>::shuffle(self, columns).await
            }

            async fn open(&mut self, x: &Arith) -> Result<Vec<u64>, Abort> {
                <$party>::open::<Z64>(self, x).await
            }

            async fn reveal(&mut self, x: &Words, to: usize) -> Result<Option<Vec<u64>>, Abort> {
                <$party>::reveal::<Bits64>(self, x, to).await
            }
        }
    };
}

scheme!(Rep3, false, less_of_bits);
scheme!(Checked, true, less_of_words);
