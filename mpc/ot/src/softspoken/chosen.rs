//! Transfers of chosen messages with chosen choices, from random and correlated ones by one exchange of corrections.
//!
//! Beaver, "Precomputing Oblivious Transfer" (CRYPTO 1995): the receiver says by which bits its choices differ from the random
//! ones, the sender encrypts its messages by keys that are exchanged where the bit is set. Both directions are bounded by what the
//! caller passes in one call: 33 bytes a transfer.

use std::mem;

use mpc_block::{Block, bytes_of, bytes_of_mut, xor_into};
use mpc_core::Abort;
use zeroize::Zeroizing;

use super::{Receiver, Sender};
use crate::bits::{self, blocks, clear_from};

/// Bytes that `count` bits take on the wire.
const fn bit_bytes(count: usize) -> usize {
    count.div_ceil(8)
}

impl Sender {
    /// Sends one message of each pair, the one that the receiver chooses with [`Receiver::chosen`].
    ///
    /// # Errors
    /// As [`Self::random`].
    pub async fn chosen(&mut self, pairs: &[[Block; 2]]) -> Result<(), Abort> {
        let mut keys = Zeroizing::new(Vec::<[Block; 2]>::with_capacity(pairs.len()));
        let take = |zeros: &[Block], ones: &[Block]| keys.extend(zeros.iter().zip(ones).map(|(x, y)| [*x, *y]));
        self.random(pairs.len(), take).await?;
        let flips = self.flips(pairs.len()).await?;
        let mut sealed = vec![[Block::ZERO; 2]; pairs.len()];
        for (at, ((out, pair), key)) in sealed.iter_mut().zip(pairs).zip(keys.iter()).enumerate() {
            let flip = bits::get(&flips, at);
            let [zero, one] = *key;
            *out = [pair[0] ^ Block::select(flip, zero, one), pair[1] ^ Block::select(flip, one, zero)];
        }
        self.exchange(bytes_of(sealed.as_flattened()).to_vec(), 0).await?;
        Ok(())
    }

    /// `count` correlated transfers whose choices the receiver decides with [`Receiver::correlated_chosen`]: the messages for choice
    /// 0; the one for choice 1 differs by `Δ`.
    ///
    /// # Errors
    /// As [`Self::correlated`].
    pub async fn correlated_chosen(&mut self, count: usize) -> Result<Vec<Block>, Abort> {
        let mut keys = Zeroizing::new(Vec::<Block>::with_capacity(count));
        self.correlated(count, |part| keys.extend_from_slice(part)).await?;
        let flips = self.flips(count).await?;
        let delta = self.delta();
        for (at, key) in keys.iter_mut().enumerate() {
            *key ^= delta.masked(bits::get(&flips, at));
        }
        Ok(mem::take(&mut *keys))
    }

    /// The receiver's corrections of `count` choices.
    async fn flips(&mut self, count: usize) -> Result<Vec<Block>, Abort> {
        let got = self.exchange(Vec::new(), bit_bytes(count)).await?;
        let mut flips = vec![Block::ZERO; blocks(count)];
        bytes_of_mut(&mut flips)[..got.len()].copy_from_slice(&got);
        let mut canonical = flips.clone();
        clear_from(&mut canonical, count);
        if canonical == flips { Ok(flips) } else { Err(self.end("corrections of choices that do not exist")) }
    }
}

impl Receiver {
    /// Receives `count` messages, of each pair the one that `choices` (packed, see [`crate::bits`]) names, from
    /// [`Sender::chosen`].
    ///
    /// # Errors
    /// As [`Self::random`]; also when `choices` does not hold `count` bits.
    pub async fn chosen(&mut self, choices: &[Block], count: usize) -> Result<Vec<Block>, Abort> {
        let choices = checked(choices, count)?;
        let mut keys = Zeroizing::new(Vec::<Block>::with_capacity(count));
        let mut random = Zeroizing::new(Vec::<Block>::with_capacity(blocks(count)));
        let take = |part: &[Block], chosen: &[Block]| {
            random.extend_from_slice(part);
            keys.extend_from_slice(chosen);
        };
        self.random(count, take).await?;
        xor_into(&mut random, &choices);
        let flips = bytes_of(&random)[..bit_bytes(count)].to_vec();
        let sealed = self.exchange(flips, 32 * count).await?;
        for (at, (key, pair)) in keys.iter_mut().zip(sealed.as_chunks::<32>().0).enumerate() {
            let [zero, one] = halves(pair);
            *key ^= Block::select(bits::get(&choices, at), zero, one);
        }
        Ok(mem::take(&mut *keys))
    }

    /// `count` correlated transfers with these choices (packed), against [`Sender::correlated_chosen`]: for choice `c` the
    /// sender's message plus `c·Δ`.
    ///
    /// # Errors
    /// As [`Self::correlated`]; also when `choices` does not hold `count` bits.
    pub async fn correlated_chosen(&mut self, choices: &[Block], count: usize) -> Result<Vec<Block>, Abort> {
        let choices = checked(choices, count)?;
        let mut keys = Zeroizing::new(Vec::<Block>::with_capacity(count));
        let mut random = Zeroizing::new(Vec::<Block>::with_capacity(blocks(count)));
        let take = |part: &[Block], received: &[Block]| {
            random.extend_from_slice(part);
            keys.extend_from_slice(received);
        };
        self.correlated(count, take).await?;
        xor_into(&mut random, &choices);
        let flips = bytes_of(&random)[..bit_bytes(count)].to_vec();
        self.exchange(flips, 0).await?;
        Ok(mem::take(&mut *keys))
    }
}

/// The first `count` choices; the rest of the last block is cleared.
fn checked(choices: &[Block], count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
    if choices.len() != blocks(count) {
        return Err(Abort::local(format!("{} blocks of choices for {count} transfers", choices.len())));
    }
    let mut own = Zeroizing::new(choices.to_vec());
    clear_from(&mut own, count);
    Ok(own)
}

fn halves(bytes: &[u8; 32]) -> [Block; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [Block::from_bytes(halves[0]), Block::from_bytes(halves[1])]
}
