//! The sender: a key of the function, from which it can be evaluated on anything.

use base_wire::{Decode, Encode};
use mpc_block::Block;
use mpc_core::cointoss::{Committer, Reply};
use mpc_core::{Abort, Context};
use mpc_ot::vole;
use zeroize::{Zeroize, Zeroizing};

use super::function::Function;
use super::{OPENING_BYTES, REPLY_BYTES, Start};
use crate::Mode;
use crate::line::{self, Line, halves};
use crate::okvs::{ATTEMPTS, Okvs, Partition};

/// The party that holds the function. What it evaluates is pseudorandom to a receiver that did not evaluate it too.
pub struct Sender {
    okvs: Okvs,
    function: Function,
    /// Which rows each bin has.
    attempts: Vec<u8>,
    /// `K`.
    table: Zeroizing<Vec<Block>>,
    delta: Zeroizing<Block>,
    /// `w`.
    coin: Zeroizing<Block>,
}

/// Memory for one bin of keys.
struct Room {
    decoded: Zeroizing<Vec<Block>>,
    values: Zeroizing<Vec<Block>>,
    outputs: Zeroizing<Vec<[Block; 2]>>,
}

impl Room {
    /// For bins of at most so many keys: a vector that does not grow leaves no copy behind.
    fn new(keys: usize) -> Self {
        let blocks = || Zeroizing::new(Vec::<Block>::with_capacity(keys));
        let outputs = Zeroizing::new(Vec::<[Block; 2]>::with_capacity(keys));
        Self { decoded: blocks(), values: blocks(), outputs }
    }
}

impl Sender {
    /// Runs the protocol with party `receiver`, which calls [`super::evaluate`] with `count` keys in the same mode.
    /// Keeps `16 · 1.33 · count` bytes.
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves, or `count` is beyond [`crate::okvs::MAX_KEYS`].
    pub async fn setup(ctx: &mut Context, receiver: usize, count: usize, mode: Mode) -> Result<Self, Abort> {
        Self::setup_with(ctx, receiver, count, mode, &[], &mut []).await
    }

    /// [`Self::setup`], evaluating the function on `keys` while the receiver's table arrives. One place of `out` a key.
    pub(crate) async fn setup_with(
        ctx: &mut Context,
        receiver: usize,
        count: usize,
        mode: Mode,
        keys: &[Block],
        out: &mut [[Block; 2]],
    ) -> Result<Self, Abort> {
        let me = ctx.me();
        let start = Start::new(ctx, [me, receiver], count, mode)?;
        let (bin_bytes, slots) = (start.bin_bytes(), start.okvs.slots());
        let Start { mut line, toss, okvs, function, vole } = start;
        let (share, salt) = (Zeroizing::new(line.random_bytes()), line.random_bytes());
        let (committer, commitment) = Committer::start(toss, *share, salt);
        line.enter("commitment");
        line.send(commitment.to_wire()).await?;
        let delta = Zeroizing::new(line.random_block());
        let table = correlation(&mut line, vole, *delta, slots).await?;
        line.enter("coin");
        let reply = Zeroizing::new(line.receive(REPLY_BYTES).await?);
        let reply = Reply::from_wire(&reply).map_err(|fault| line.blame(fault.to_string()))?;
        let (coin, opening) = committer.open(reply);
        let coin = Zeroizing::new(halves(coin.expose())[0]);
        let mut this = Self { attempts: Vec::new(), okvs, function, table, delta, coin };
        let partition = Partition::new(&this.okvs, keys);
        let mut room = Room::new(partition.longest());
        line.enter("table");
        for bin in 0..this.okvs.bins() {
            let message = line.receive(bin_bytes).await?;
            this.take(bin, &message).ok_or_else(|| line.blame("rows that do not exist"))?;
            this.evaluate_bin(bin, &partition, &mut room, out);
        }
        line.enter("opening");
        let mut message = line::message(OPENING_BYTES);
        opening.encode(&mut message);
        line.send(message).await?;
        Ok(this)
    }

    /// Takes the receiver's slots of the next bin: `K = C + Δ·(A + P)`. `None` when the rows that it names do not
    /// exist.
    fn take(&mut self, bin: usize, message: &[u8]) -> Option<()> {
        let (attempt, slots) = message.split_first()?;
        if *attempt >= ATTEMPTS {
            return None;
        }
        self.attempts.push(*attempt);
        let width = self.okvs.width();
        let delta = *self.delta;
        for (own, sent) in self.table[bin * width..][..width].iter_mut().zip(slots.as_chunks::<16>().0) {
            *own ^= delta.gf_mul(Block::from_bytes(*sent));
        }
        Some(())
    }

    /// Evaluates the keys of one bin, whose slots have been taken.
    fn evaluate_bin(&self, bin: usize, partition: &Partition, room: &mut Room, out: &mut [[Block; 2]]) {
        let (keys, width) = (partition.keys(bin), self.okvs.width());
        room.decoded.resize(keys.len(), Block::ZERO);
        room.values.resize(keys.len(), Block::ZERO);
        room.outputs.resize(keys.len(), [Block::ZERO; 2]);
        let attempt = self.attempts.get(bin).copied().unwrap_or_default();
        self.okvs.decode_bin(attempt, &self.table[bin * width..][..width], keys, &mut room.decoded);
        self.function.values(keys, &mut room.values);
        for (decoded, value) in room.decoded.iter_mut().zip(room.values.iter()) {
            *decoded ^= self.delta.gf_mul(*value) ^ *self.coin;
        }
        self.function.outputs(&room.decoded, keys, &mut room.outputs);
        for (at, output) in partition.index(bin).iter().zip(room.outputs.iter()) {
            out[*at as usize] = *output;
        }
    }

    /// `out[i]` becomes the function of `keys[i]`.
    ///
    /// # Panics
    /// When there is not one place a key.
    pub fn evaluate(&self, keys: &[Block], out: &mut [Block]) {
        assert_eq!(keys.len(), out.len(), "a place a key");
        let partition = Partition::new(&self.okvs, keys);
        let mut room = Room::new(partition.longest());
        let mut pairs = Zeroizing::new(vec![[Block::ZERO; 2]; keys.len()]);
        (0..self.okvs.bins()).for_each(|bin| self.evaluate_bin(bin, &partition, &mut room, &mut pairs));
        out.iter_mut().zip(pairs.iter()).for_each(|(out, pair)| *out = pair[0]);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.attempts.zeroize();
    }
}

/// `C`, which becomes `K`.
async fn correlation(
    line: &mut Line,
    parameters: mpc_ot::pcg::Parameters,
    delta: Block,
    slots: usize,
) -> Result<Zeroizing<Vec<Block>>, Abort> {
    let peer = line.peer();
    let mut sender = vole::Sender::setup(line.ctx(), peer, parameters, delta).await?;
    let mut table = Zeroizing::new(Vec::<Block>::with_capacity(slots));
    sender.extend(slots, |part: &[Block]| table.extend_from_slice(part)).await?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use mpc_block::Aes;

    use super::*;

    #[test]
    fn a_bin_with_rows_that_do_not_exist_is_refused() {
        let okvs = Okvs::new(3, Mode::Fast, Block::ONE).unwrap();
        let slots = okvs.slots();
        let function = Function::new(Aes::new(Block::ONE), Block::ONE);
        let table = Zeroizing::new(vec![Block::ZERO; slots]);
        let (delta, coin) = (Zeroizing::new(Block::from_u128(2)), Zeroizing::new(Block::ZERO));
        let mut sender = Sender { okvs, function, attempts: Vec::new(), table, delta, coin };
        let mut message = vec![0; 1 + 16 * slots];
        message[1] = 3;
        for attempt in ATTEMPTS..=u8::MAX {
            message[0] = attempt;
            assert!(sender.take(0, &message).is_none(), "{attempt}");
        }
        assert!(sender.attempts.is_empty() && sender.table.iter().all(|slot| *slot == Block::ZERO));
        message[0] = ATTEMPTS - 1;
        assert!(sender.take(0, &message).is_some());
        assert!(sender.table[0] == Block::from_u128(6) && sender.attempts == [ATTEMPTS - 1]);
        assert!(sender.take(0, &[]).is_none());
    }
}
