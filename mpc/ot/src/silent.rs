//! Silent correlated transfers: many random correlated transfers from little communication, by [`crate::pcg`] over GF(2).
//!
//! The sender holds `Δ`, whose lowest bit is 1, and gets blocks `C` whose lowest bit is 0: the messages for choice 0, those for
//! choice 1 differ by `Δ`. The receiver gets blocks `B`; the lowest bit of `B` is its choice `A`, and `C = A·Δ + B`. Hash both sides by
//! index (`mpc_block::Tmmo`) before the messages encrypt anything.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::pcg::{self, Field, Parameters};

/// The party that has both messages of every transfer. It exists once a session; an abort ends it.
pub struct Sender {
    inner: pcg::Sender,
    delta: Zeroizing<Block>,
}

/// The party that has a choice bit and its message of every transfer. It exists once a session; an abort ends it.
pub struct Receiver {
    inner: pcg::Receiver,
}

impl Sender {
    /// Forks the session with party `peer`, which calls [`Receiver::setup`] with equal parameters. `delta` is fresh, uniform and
    /// secret; its lowest bit is set to 1, see [`Self::delta`].
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context, peer: usize, parameters: Parameters, delta: Block) -> Result<Self, Abort> {
        let delta = delta.with_lsb(true);
        let inner = pcg::Sender::setup(ctx, peer, Field::Bits, parameters, delta).await?;
        Ok(Self { inner, delta: Zeroizing::new(delta) })
    }

    /// `Δ`, the difference of the two messages of every transfer.
    pub fn delta(&self) -> Block {
        *self.delta
    }

    /// `count` transfers: `sink` gets `C`, batch by batch, in order. What a batch has more than is asked for is lost, so `count` is best a
    /// multiple of [`Parameters::batch`].
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves; every later call fails then too.
    pub async fn correlated<F>(&mut self, count: usize, sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block]) + Send,
    {
        self.inner.extend(count, sink).await
    }
}

impl Receiver {
    /// Forks the session with party `peer`, which calls [`Sender::setup`] with equal parameters.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context, peer: usize, parameters: Parameters) -> Result<Self, Abort> {
        Ok(Self { inner: pcg::Receiver::setup(ctx, peer, Field::Bits, parameters).await? })
    }

    /// `count` transfers: `sink` gets `B`, choices in the lowest bits, batch by batch, in order, each after its check.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats; every later call fails then too.
    pub async fn correlated<F>(&mut self, count: usize, mut sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block]) + Send,
    {
        self.inner.extend(count, |_: &[Block], b: &[Block]| sink(b)).await
    }
}
