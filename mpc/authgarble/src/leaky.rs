//! Leaky AND triples: products of random bits, of which a corrupt party may learn a factor at the risk of being caught.
//!
//! The protocol of Wang, Ranellucci and Katz ("Global-Scale Secure Multiparty Computation", CCS 2017, Π_LaAND) with the
//! improvement of Katz, Ranellucci, Rosulek and Wang ("Optimizing Authenticated Garbling", CRYPTO 2018, section 5; for many
//! parties Yang, Wang and Zhang, CCS 2020): one message instead of two, because the bit that is multiplied is the lowest bit of what
//! is multiplied. Let `Δ* = Σ Δ_i`; its lowest bit is 1 ([`crate::session`]).
//!
//! 1. `Φ_i`, the sum of all of party `i`'s blocks of `y`, is its share of `y·Δ*`.
//! 2. Party `j` sends to party `i` the block `H(K) ⊕ H(K ⊕ Δ_j) ⊕ Φ_j`, `K` being its key of `i`'s bit of `x`. Party `i` gets
//!    `H(K) ⊕ x_i·Φ_j` from it and its MAC. With `x_i·Φ_i` and the hashes added, `S_i` are shares of `x·y·Δ*`.
//! 3. `z_i` is the lowest bit of `S_i`; `e_i = z_i ⊕ r_i` is opened, `r` being a random authenticated bit, so `⟨z⟩ = ⟨r⟩ ⊕ e`.
//! 4. `S_i` plus the sum of all blocks of `z` are shares of `(x·y ⊕ z)·Δ*`, more exactly of the sum of `(x·y ⊕ z)·Δ_i`, each
//!    with the `z` that party `i` believes in. [`crate::triples`] checks that a random combination of these is zero.
//!
//! A false message adds an error where `x_i = 1`, so whoever passes the check has guessed `x_i`; [`crate::bucket`] removes what
//! that tells.

use mpc_block::{Block, Tmmo, bytes_of};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::net::Net;
use crate::shares::{Blocks, Shares};
use crate::tweak;

/// Leaky triples `z = x·y`, to be checked.
pub(crate) struct Leaky {
    pub(crate) x: Shares,
    pub(crate) y: Shares,
    pub(crate) z: Shares,
    /// This party's shares of zero, if nobody cheated.
    pub(crate) zeros: Blocks,
}

/// What the triples are made of: random bits `x`, `y` and `r`, and this party's keys of the peers' bits of `x`.
pub(crate) struct Raw {
    pub(crate) x: Shares,
    pub(crate) keys: Vec<Blocks>,
    pub(crate) y: Shares,
    pub(crate) r: Shares,
}

/// Triples number `first` of the session and on.
pub(crate) async fn leaky(net: &mut Net, hash: &Tmmo, delta: Block, first: u64, raw: Raw) -> Result<Leaky, Abort> {
    let me = net.me();
    let Raw { x, mut keys, y, r: mut z } = raw;
    let factors = sum_columns(&y);
    let products = x.bits.iter().zip(factors.iter()).map(|(x, factor)| factor.masked(*x == 1));
    let mut sums: Blocks = Zeroizing::new(products.collect());
    let mut out = vec![Vec::new(); net.parties()];
    for peer in net.peers() {
        out[peer] = multiply(hash, delta, tweak::triple(peer, first), &mut keys[peer], &factors, &mut sums);
    }
    drop(keys);
    let due = 16 * x.len();
    let got = net.scatter(out, |_| due).await?;
    for peer in net.peers() {
        receive(hash, tweak::triple(me, first), &x, peer, &got[peer], &mut sums);
    }
    drop(got);
    let own = sums.iter().zip(z.bits.iter()).map(|(sum, r)| u8::from(sum.lsb()) ^ r).collect::<Vec<u8>>();
    let opened = net.open(&own).await?;
    for (at, (own, all)) in own.iter().zip(&opened).enumerate() {
        z.bits[at] ^= own;
        z.columns[me][at] ^= delta.masked(*all == 1);
    }
    for (sum, share) in sums.iter_mut().zip(sum_columns(&z).iter()) {
        *sum ^= *share;
    }
    Ok(Leaky { x, y, z, zeros: sums })
}

/// The sum of this party's blocks of each bit.
fn sum_columns(shares: &Shares) -> Blocks {
    let mut sum = Zeroizing::new(vec![Block::ZERO; shares.len()]);
    shares.columns.iter().for_each(|column| mpc_block::xor_into(&mut sum, column));
    sum
}

/// The message to a peer, `keys` being those of its bits; what this party keeps of the products is added to `sums`.
fn multiply(
    hash: &Tmmo,
    delta: Block,
    tweak: u128,
    keys: &mut Blocks,
    factors: &[Block],
    sums: &mut [Block],
) -> Vec<u8> {
    let mut message: Vec<Block> = keys.iter().map(|key| *key ^ delta).collect();
    hash.hash_all(keys, tweak);
    hash.hash_all(&mut message, tweak);
    for (((sent, zero), factor), sum) in message.iter_mut().zip(keys.iter()).zip(factors).zip(sums) {
        *sent ^= *zero ^ *factor;
        *sum ^= *zero;
    }
    bytes_of(&message).to_vec()
}

/// Adds to `sums` what a peer's message gives.
fn receive(hash: &Tmmo, tweak: u128, x: &Shares, peer: usize, message: &[u8], sums: &mut [Block]) {
    let mut macs = x.columns[peer].clone();
    hash.hash_all(&mut macs, tweak);
    let (message, _) = message.as_chunks::<16>();
    for (((sum, mac), sent), x) in sums.iter_mut().zip(macs.iter()).zip(message).zip(x.bits.iter()) {
        *sum ^= *mac ^ Block::from_bytes(*sent).masked(*x == 1);
    }
}
