//! Keys: this party's secret, and the peer's public key, by which answers to the peer are made fresh.

use mpc_block::Block;
use mpc_core::Abort;

use super::ntt::{forward, tables};
use super::sample::{Poly, Sampler};
use super::values::subtract_product;
use super::{N, POLY};
use crate::line::SEED_BYTES;
use crate::party::Party;

/// What a session keeps for all its products.
pub(crate) struct Keys {
    /// This party's secret `s`, as values.
    pub(super) secret: Poly,
    /// The peer's `b = e − a·s`, as values.
    pub(super) peer_b: Vec<u64>,
    /// The peer's `a`, as values.
    pub(super) peer_a: Vec<u64>,
}

/// A seed of public polynomials.
pub(super) fn public_seed(party: &mut Party) -> [u8; SEED_BYTES] {
    let mut seed = [0_u8; SEED_BYTES];
    party.prg.fill(&mut seed);
    seed
}

/// Whether the words are residues of as many polynomials as they fill.
pub(super) fn is_reduced(polys: &[u64]) -> bool {
    polys.chunks_exact(N).zip(tables().iter().cycle()).all(|(part, table)| {
        let p = table.modulus.p();
        part.iter().all(|residue| *residue < p)
    })
}

impl Keys {
    /// Makes this party's keys and exchanges the public ones: one round.
    pub(super) async fn exchange(party: &mut Party) -> Result<Self, Abort> {
        let mut line = party.line("ring keys", &[]);
        let mut sampler = Sampler::secret(&mut party.prg);
        let secret = sampler.ternary();
        let seed = public_seed(party);
        let mut a = vec![0_u64; POLY];
        Sampler::new(Block::from_bytes(seed)).uniform(&mut a);
        let mut b = vec![0_u64; POLY];
        sampler.add_error(&mut b);
        forward(&mut b);
        subtract_product(&mut b, &a, &secret);
        let (seed, peer_b) = line.seeded(seed, &b, POLY).await?;
        if !is_reduced(&peer_b) {
            return Err(line.blame("a public key that is not reduced"));
        }
        let mut peer_a = vec![0_u64; POLY];
        Sampler::new(Block::from_bytes(seed)).uniform(&mut peer_a);
        Ok(Self { secret, peer_b, peer_a })
    }
}
