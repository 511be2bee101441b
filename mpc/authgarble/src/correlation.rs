//! What the engine asks of oblivious transfer: correlated transfers of chosen bits with each peer, in both directions.
//!
//! Of every transfer the holder of `Δ` gets a key `K`, the peer with the bit `x` its MAC `K ⊕ x·Δ`. Implemented by the two
//! ends of [`mpc_ot::softspoken`]; an ideal functionality takes its place where only what lies above is to be examined.

use async_trait::async_trait;
use mpc_block::Block;
use mpc_core::{Abort, Context};
use mpc_ot::softspoken::{Parameters, Receiver, Sender};
use zeroize::Zeroizing;

/// One party's end of the transfers with one peer. Calls at both ends come in one order with equal counts: `keys` here is
/// `macs` there. `Δ` is the one that the end was made with.
#[async_trait]
pub trait Correlation: Send {
    /// Keys of `count` bits of the peer.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or cheats; nothing works any more then.
    async fn keys(&mut self, count: usize) -> Result<Zeroizing<Vec<Block>>, Abort>;

    /// MACs of `count` bits of this party, packed as in [`mpc_ot::bits`], under the peer's `Δ`.
    ///
    /// # Errors
    /// As [`Correlation::keys`].
    async fn macs(&mut self, bits: &[Block], count: usize) -> Result<Zeroizing<Vec<Block>>, Abort>;
}

/// Two ends of the extension, one a direction.
struct Extension {
    sender: Sender,
    receiver: Receiver,
}

#[async_trait]
impl Correlation for Extension {
    async fn keys(&mut self, count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        Ok(Zeroizing::new(self.sender.correlated_chosen(count).await?))
    }

    async fn macs(&mut self, bits: &[Block], count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        Ok(Zeroizing::new(self.receiver.correlated_chosen(bits, count).await?))
    }
}

/// Sets up both directions with `peer` over the fork of the pair; the party with the lower number sends first.
pub(crate) async fn extension(
    mut pair: Context,
    peer: usize,
    parameters: Parameters,
    delta: Block,
) -> Result<Box<dyn Correlation>, Abort> {
    let (sender, receiver) = if pair.me() < peer {
        let sender = Sender::setup(&mut pair, peer, parameters, delta).await?;
        (sender, Receiver::setup(&mut pair, peer, parameters).await?)
    } else {
        let receiver = Receiver::setup(&mut pair, peer, parameters).await?;
        (Sender::setup(&mut pair, peer, parameters, delta).await?, receiver)
    };
    Ok(Box::new(Extension { sender, receiver }))
}

/// Keys of the peer's `count` bits and MACs of this party's own; `first` tells whether this party's keys come first.
pub(crate) async fn both(
    end: &mut dyn Correlation,
    first: bool,
    bits: &[Block],
    count: usize,
) -> Result<[Zeroizing<Vec<Block>>; 2], Abort> {
    let [keys, macs] = if first {
        let keys = end.keys(count).await?;
        [keys, end.macs(bits, count).await?]
    } else {
        let macs = end.macs(bits, count).await?;
        [end.keys(count).await?, macs]
    };
    if keys.len() != count || macs.len() != count {
        return Err(Abort::local("another number of correlated transfers than asked for"));
    }
    Ok([keys, macs])
}
