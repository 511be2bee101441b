//! One peer over one fork of a session: what a two-party protocol sends, receives and blames.

use mpc_block::Block;
use mpc_core::{Abort, Context, Frame};

/// This party's end of a two-party fork.
pub(crate) struct Link {
    ctx: Context,
    peer: usize,
}

impl Link {
    pub(crate) fn new(ctx: Context, peer: usize) -> Self {
        Self { ctx, peer }
    }

    /// Names the step that an abort from here on reports.
    pub(crate) fn enter(&mut self, step: &'static str) {
        self.ctx.enter(step);
    }

    /// Sends `message` and waits for exactly `due` bytes, at the same time. An empty message is not sent, and no frame is
    /// waited for where nothing is due.
    pub(crate) async fn round(&mut self, message: Vec<u8>, due: usize) -> Result<Vec<u8>, Abort> {
        let expect = [(self.peer, due)];
        let expect = &expect[..usize::from(due > 0)];
        let got = self.ctx.round(vec![(self.peer, message)], expect).await?;
        Ok(got.into_iter().next().unwrap_or_default())
    }

    /// Sends a message from where it was written; an empty one is not sent.
    pub(crate) async fn send(&mut self, message: Frame) -> Result<(), Abort> {
        self.ctx.send_frame(self.peer, message).await
    }

    /// Waits for exactly `due` bytes, which stay where they came; for nothing where nothing is due.
    pub(crate) async fn receive(&mut self, due: usize) -> Result<Frame, Abort> {
        self.ctx.receive_frame(self.peer, due).await
    }

    /// An abort that holds the peer responsible.
    pub(crate) fn blame(&self, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::peer(self.peer, why))
    }

    /// Fills `out` with this party's own randomness.
    pub(crate) fn random(&self, out: &mut [u8]) {
        self.ctx.random(out);
    }

    /// A block of this party's own randomness.
    pub(crate) fn random_block(&self) -> Block {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        Block::from_bytes(bytes)
    }
}

/// What a party says that goes on with transfers after an abort.
pub(crate) fn ended() -> Abort {
    Abort::local("the transfers of this session have ended with an abort")
}
