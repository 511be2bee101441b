//! Authenticated shares: bits that all parties hold together, and that none can open otherwise than it is.
//!
//! A bit `x` is the sum of one bit a party. For every party `j` with its secret `Δ_j`, `x·Δ_j` is the sum of one block a party
//! as well: the block at party `i ≠ j` is the MAC of its bit under `j`'s key; that of `j` itself is `x_j·Δ_j` plus its keys of
//! all others' bits. So everything is linear: sums of bits are sums of blocks, bit by bit and party by party. Who wants another
//! value to be believed by an honest party `j` has to add `Δ_j` to its block.

use futures::future::try_join_all;
use mpc_block::{Block, bytes_of_mut, xor_into};
use mpc_core::Abort;
use mpc_ot::bits;
use zeroize::Zeroizing;

use crate::correlation::{Correlation, both};
use crate::net::Net;
use crate::plan::Op;

/// Blocks that are wiped.
pub(crate) type Blocks = Zeroizing<Vec<Block>>;

/// One party's ends of the transfers with every peer, at the peer's place.
pub(crate) type Ends = [Option<Box<dyn Correlation>>];

/// One party's shares of many bits.
pub(crate) struct Shares {
    /// This party's bits, 0 or 1.
    pub(crate) bits: Zeroizing<Vec<u8>>,
    /// For every party `j` this party's blocks of `x·Δ_j`.
    pub(crate) columns: Vec<Blocks>,
}

impl Shares {
    /// Shares of `len` zeros.
    pub(crate) fn zero(parties: usize, len: usize) -> Self {
        let column = || Zeroizing::new(vec![Block::ZERO; len]);
        Self { bits: Zeroizing::new(vec![0; len]), columns: (0..parties).map(|_| column()).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bits.len()
    }

    /// Takes the shares from `at` on away.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let columns = self.columns.iter_mut().map(|column| Zeroizing::new(column.split_off(at))).collect();
        Self { bits: Zeroizing::new(self.bits.split_off(at)), columns }
    }

    /// The XOR gate `op`, every slot being a share.
    pub(crate) fn add(&mut self, op: Op) {
        let (left, right, out) = (op.left.slot(), op.right.slot(), op.out());
        self.bits[out] = self.bits[left] ^ self.bits[right];
        self.columns.iter_mut().for_each(|column| add(column, op));
    }

    /// Puts share `from` of `other` to place `to`.
    pub(crate) fn put(&mut self, to: usize, other: &Self, from: usize) {
        self.bits[to] = other.bits[from];
        for (column, other) in self.columns.iter_mut().zip(&other.columns) {
            column[to] = other[from];
        }
    }
}

/// The XOR gate `op` on a column of blocks.
pub(crate) fn add(column: &mut [Block], op: Op) {
    column[op.out()] = column[op.left.slot()] ^ column[op.right.slot()];
}

/// `count` fresh random bits, and this party's keys of each peer's bits, at the peer's place.
///
/// Only the sum of a corrupt party's blocks matters, so what has to be checked later is that it used one bit with all peers
/// ([`crate::triples`]); between two parties there is nothing to check.
pub(crate) async fn draw(
    net: &mut Net,
    ends: &mut Ends,
    delta: Block,
    count: usize,
) -> Result<(Shares, Vec<Blocks>), Abort> {
    let me = net.me();
    let mut packed = Zeroizing::new(vec![Block::ZERO; bits::blocks(count)]);
    net.random(bytes_of_mut(&mut packed));
    let packed: &[Block] = &packed;
    let pairs = ends.iter_mut().enumerate();
    let work: Vec<_> =
        pairs.filter_map(|(peer, end)| Some(both(end.as_deref_mut()?, me < peer, packed, count))).collect();
    let got = try_join_all(work).await?;
    let bits: Zeroizing<Vec<u8>> = Zeroizing::new((0..count).map(|at| u8::from(bits::get(packed, at))).collect());
    let mut own = Zeroizing::new(bits.iter().map(|bit| delta.masked(*bit == 1)).collect::<Vec<Block>>());
    let (mut columns, mut kept) = (Vec::with_capacity(got.len() + 1), Vec::with_capacity(got.len() + 1));
    for [keys, macs] in got {
        xor_into(&mut own, &keys);
        columns.push(macs);
        kept.push(keys);
    }
    columns.insert(me, own);
    kept.insert(me, Zeroizing::new(Vec::new()));
    Ok((Shares { bits, columns }, kept))
}
