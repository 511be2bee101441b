//! What a run asks of oblivious transfer: of each of many pairs of labels the evaluator gets one, by its input bits.
//!
//! Implemented for the two ends of [`mpc_ot::softspoken`], set up once a session. Calls at both ends come in one order
//! with equal numbers of pairs.

use async_trait::async_trait;
use mpc_block::Block;
use mpc_core::Abort;
use mpc_ot::{bits, softspoken};
use zeroize::Zeroizing;

/// The garbler's end.
#[async_trait]
pub trait LabelSender: Send {
    /// Sends one block of each pair, the one that the receiver chooses.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats.
    async fn send(&mut self, pairs: &[[Block; 2]]) -> Result<(), Abort>;
}

/// The evaluator's end.
#[async_trait]
pub trait LabelReceiver: Send {
    /// Receives one block for every choice: the second of the pair where it is true.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats.
    async fn receive(&mut self, choices: &[bool]) -> Result<Zeroizing<Vec<Block>>, Abort>;
}

#[async_trait]
impl LabelSender for softspoken::Sender {
    async fn send(&mut self, pairs: &[[Block; 2]]) -> Result<(), Abort> {
        self.chosen(pairs).await
    }
}

#[async_trait]
impl LabelReceiver for softspoken::Receiver {
    async fn receive(&mut self, choices: &[bool]) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let packed = Zeroizing::new(bits::pack(choices));
        Ok(Zeroizing::new(self.chosen(&packed, choices.len()).await?))
    }
}
