//! AND triples that do not leak, from leaky ones in buckets.
//!
//! Wang, Ranellucci and Katz (CCS 2017, Π_aAND): a permutation that nobody chose deals the checked leaky triples into buckets. In
//! each, `d_k = y_1 ⊕ y_k` is opened, and `x = Σ x_k`, `y = y_1`, `z = z_1 ⊕ Σ (z_k ⊕ d_k·x_k)` is a triple; `x` stays unknown
//! unless every `x_k` of the bucket leaks ([`crate::parameters`]).

use mpc_block::Block;
use mpc_core::{Abort, Prg};

use crate::leaky::Leaky;
use crate::net::Net;
use crate::opening::Opened;
use crate::parameters::Chunk;
use crate::shares::Shares;

/// Triples `c = a·b`.
pub(crate) struct Triples {
    pub(crate) a: Shares,
    pub(crate) b: Shares,
    pub(crate) c: Shares,
}

/// Combines the triples of a chunk; `seed` is the coin that decides the permutation. Also what was opened, to be checked.
pub(crate) async fn combine(
    net: &mut Net,
    leaky: Leaky,
    chunk: Chunk,
    seed: &[u8; 32],
) -> Result<(Triples, Opened), Abort> {
    let parties = net.parties();
    let Leaky { x, y, z, zeros: _ } = leaky;
    let order = Prg::new(seed).permutation(chunk.leaky() as u32);
    let buckets = || order.chunks_exact(chunk.bucket).filter_map(<[u32]>::split_first);
    let rest = chunk.bucket - 1;
    let mut differences = Shares::zero(parties, chunk.triples * rest);
    fill(&mut differences.bits, buckets().flat_map(|(first, others)| pairs(&y.bits, *first, others)));
    for (to, y) in differences.columns.iter_mut().zip(&y.columns) {
        fill(to, buckets().flat_map(|(first, others)| pairs(y, *first, others)));
    }
    let opened = Opened::open(net, differences).await?;
    let mut triples = Triples {
        a: Shares::zero(parties, chunk.triples),
        b: Shares::zero(parties, chunk.triples),
        c: Shares::zero(parties, chunk.triples),
    };
    for (at, ((first, others), flips)) in buckets().zip(opened.values().chunks_exact(rest)).enumerate() {
        let first = *first as usize;
        let bit = |of: &Shares, from: usize| of.bits[from];
        let (mut a, mut c) = (bit(&x, first), bit(&z, first));
        for (other, flip) in others.iter().zip(flips) {
            a ^= bit(&x, *other as usize);
            c ^= bit(&z, *other as usize) ^ (flip & bit(&x, *other as usize));
        }
        (triples.a.bits[at], triples.b.bits[at], triples.c.bits[at]) = (a, bit(&y, first), c);
        for party in 0..parties {
            let (x, y, z) = (&x.columns[party], &y.columns[party], &z.columns[party]);
            let (mut a, mut c) = (x[first], z[first]);
            for (other, flip) in others.iter().zip(flips) {
                a ^= x[*other as usize];
                c ^= z[*other as usize] ^ x[*other as usize].masked(*flip == 1);
            }
            triples.a.columns[party][at] = a;
            triples.b.columns[party][at] = y[first];
            triples.c.columns[party][at] = c;
        }
    }
    Ok((triples, opened))
}

/// What a share is made of, a bit in a byte or a block, whose sum is taken by exclusive or.
trait Part: Copy + std::ops::BitXor<Output = Self> {}
impl Part for u8 {}
impl Part for Block {}

/// The sum of the first and each of the others.
fn pairs<T: Part>(of: &[T], first: u32, others: &[u32]) -> impl Iterator<Item = T> {
    others.iter().map(move |other| of[first as usize] ^ of[*other as usize])
}

fn fill<T>(to: &mut [T], from: impl Iterator<Item = T>) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
}
