//! One operation's end of the link: a fork that binds the operation and its lengths, and the peer.

use mpc_core::{Abort, Context, words};

/// Bytes of a public seed on the wire.
pub(crate) const SEED_BYTES: usize = 16;

/// This party's end of one operation.
pub(crate) struct Line {
    ctx: Context,
    peer: usize,
}

impl Line {
    pub(crate) fn new(ctx: Context, peer: usize) -> Self {
        Self { ctx, peer }
    }

    /// Names the step that an abort from here on reports.
    pub(crate) fn enter(&mut self, step: &'static str) {
        self.ctx.enter(step);
    }

    /// Sends `message` and waits for exactly `due` bytes, at the same time. Nothing is sent where the message is empty,
    /// nothing waited for where nothing is due.
    pub(crate) async fn round(&mut self, message: Vec<u8>, due: usize) -> Result<Vec<u8>, Abort> {
        let expect = [(self.peer, due)];
        let expect = &expect[..usize::from(due > 0)];
        let got = self.ctx.round(vec![(self.peer, message)], expect).await?;
        Ok(got.into_iter().next().unwrap_or_default())
    }

    /// [`Self::round`] of words, which go from and to their places a piece at a time.
    pub(crate) async fn words(&mut self, message: &[u64], due: usize) -> Result<Vec<u64>, Abort> {
        let mut got = vec![0; due];
        self.ctx.pass(Some((self.peer, message)), Some((self.peer, &mut got[..]))).await?;
        Ok(got)
    }

    /// [`Self::words`] with a public seed before the words, in both directions.
    pub(crate) async fn seeded(
        &mut self,
        seed: [u8; SEED_BYTES],
        message: &[u64],
        due: usize,
    ) -> Result<([u8; SEED_BYTES], Vec<u64>), Abort> {
        let message = [&seed[..], &words::encode(message)[..]].concat();
        let got = self.round(message, SEED_BYTES + words::bytes(due)).await?;
        let (seed, rest) = got.split_first_chunk::<SEED_BYTES>().ok_or_else(|| self.blame("no seed"))?;
        Ok((*seed, words::decode(rest)))
    }

    /// An abort that holds the peer responsible.
    pub(crate) fn blame(&self, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::peer(self.peer, why))
    }
}
