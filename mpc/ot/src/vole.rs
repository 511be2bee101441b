//! Vector oblivious linear evaluation over GF(2^128), by [`crate::pcg`]: `C = A·Δ + B`.
//!
//! The sender holds one `Δ` for the session and gets the vector `C`; the receiver gets the uniform vector `A` and the vector `B`. (PSI and
//! proofs call the receiver the prover: it knows `A`, authenticated under the sender's `Δ`.)

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::pcg::{self, Field, Parameters};

/// The party that holds `Δ` and gets `C`. It exists once a session; an abort ends it.
pub struct Sender {
    inner: pcg::Sender,
    delta: Zeroizing<Block>,
}

/// The party that gets `A` and `B`. It exists once a session; an abort ends it.
pub struct Receiver {
    inner: pcg::Receiver,
}

impl Sender {
    /// Forks the session with party `peer`, which calls [`Receiver::setup`] with equal parameters. `delta` is fresh, uniform and
    /// secret.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context, peer: usize, parameters: Parameters, delta: Block) -> Result<Self, Abort> {
        let inner = pcg::Sender::setup(ctx, peer, Field::Blocks, parameters, delta).await?;
        Ok(Self { inner, delta: Zeroizing::new(delta) })
    }

    /// `Δ`.
    pub fn delta(&self) -> Block {
        *self.delta
    }

    /// The next `count` elements: `sink` gets `C`, batch by batch, in order. What a batch has more than is asked for is lost.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves; every later call fails then too.
    pub async fn extend<F>(&mut self, count: usize, sink: F) -> Result<(), Abort>
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
        Ok(Self { inner: pcg::Receiver::setup(ctx, peer, Field::Blocks, parameters).await? })
    }

    /// The next `count` elements: `sink` gets `A` and `B`, batch by batch, in order, each after its check.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats; every later call fails then too.
    pub async fn extend<F>(&mut self, count: usize, sink: F) -> Result<(), Abort>
    where
        F: FnMut(&[Block], &[Block]) + Send,
    {
        self.inner.extend(count, sink).await
    }
}
