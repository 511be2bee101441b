//! What an engine of another tier needs of this layout: the components themselves, and the neighbours' seeds.

use mpc_core::cointoss::Coin;
use mpc_core::{Abort, Context};

use crate::{Ring, Shared, View, seeds};

impl<R: Ring> Shared<R> {
    /// The vector with these components: `own` is `x_i` at party `i`, `next` is `x_{i+1}`.
    ///
    /// # Panics
    /// When the two have different lengths.
    pub fn from_parts(own: Vec<u64>, next: Vec<u64>) -> Self {
        Self::new(own, next)
    }

    /// This party's components: `x_i` and `x_{i+1}`.
    pub fn parts(&self) -> (&[u64], &[u64]) {
        (&self.own, &self.next)
    }
}

impl<'a, R: Ring> View<'a, R> {
    /// The run with these components: as [`Shared::from_parts`], borrowed.
    ///
    /// # Panics
    /// When the two have different lengths.
    pub fn from_parts(own: &'a [u64], next: &'a [u64]) -> Self {
        Self::new(own, next)
    }

    /// This party's components: `x_i` and `x_{i+1}`.
    pub fn parts(self) -> (&'a [u64], &'a [u64]) {
        (self.own, self.next)
    }
}

/// Tosses the coins `k_i` (with the party before) and `k_{i+1}` (with the next one) of a three-party session. Three rounds.
///
/// # Errors
/// [`Abort`] when a peer is gone or misbehaves.
pub async fn neighbour_seeds(ctx: &mut Context) -> Result<(Coin, Coin), Abort> {
    let seeds = seeds::agree(ctx).await?;
    Ok((seeds.own, seeds.next))
}
