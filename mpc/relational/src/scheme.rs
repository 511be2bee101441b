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

    /// Puts rows into a uniformly random order that no party knows.
    fn shuffle(&mut self, columns: Vec<Arith>) -> impl Future<Output = Result<Vec<Arith>, Abort>> + Send;

    /// Opens integers to all; they must follow from public values, or be granted.
    fn open(&mut self, x: &Arith) -> impl Future<Output = Result<Vec<u64>, Abort>> + Send;

    /// Reveals words of bits to one party: `Some` there, `None` at the others.
    fn reveal(&mut self, x: &Words, to: usize) -> impl Future<Output = Result<Option<Vec<u64>>, Abort>> + Send;
}

/// Hands every method to the party's own of that name.
macro_rules! scheme {
    ($party:ty, $deviates:literal) => {
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

scheme!(Rep3, false);
scheme!(Checked, true);
