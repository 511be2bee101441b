//! What each implementation of AES-128 under one key does with many blocks at once.

use crate::Block;
use crate::cast::Bytes;
use crate::half_gates::{self, Table};
use crate::sums;

/// What becomes of the words that a stream is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The stream replaces them.
    Replace,
    /// The stream is added to them (exclusive or).
    Add,
}

/// The tweaks of a vector of hashes.
#[derive(Clone, Copy)]
pub(crate) enum Tweaks<'a> {
    /// Entry `j` has the tweak `first + j` modulo 2^128.
    From(u128),
    /// Every entry has its own; there are as many as entries.
    Each(&'a [Bytes]),
}

/// AES-128 under one key: `p` below. The lengths agree, as the callers in this crate have checked.
pub(crate) trait Cipher: Sized {
    /// `blocks[i] = p(blocks[i])`.
    fn encrypt(&self, blocks: &mut [Bytes]);

    /// Writes or adds `p(first + i)` at place `i`, the integer taken modulo 2^128.
    fn stream(&self, first: u128, mode: Mode, out: &mut [Bytes]);

    /// `xs[i] = p(p(xs[i]) ^ tweak(i)) ^ p(xs[i])`.
    fn hash(&self, xs: &mut [Bytes], tweaks: Tweaks<'_>);

    /// See [`crate::Tmmo::garble`].
    fn garble(&self, delta: Block, first: u64, inputs: [&[Block]; 2], tables: &mut [Table], out: &mut [Block]) {
        half_gates::garble(self, delta, first, inputs, tables, out);
    }

    /// See [`crate::Tmmo::evaluate`].
    fn evaluate(&self, first: u64, inputs: [&[Block]; 2], tables: &[Table], out: &mut [Block]) {
        half_gates::evaluate(self, first, inputs, tables, out);
    }

    /// Row 0 of `sums` becomes the sum of the streams from `position` on of all ciphers from number `first` on, row `b + 1` the sum
    /// of those whose number has bit `b`. There is a power of two of ciphers, and the rows have one length.
    fn sum_streams(ciphers: &[Self], first: usize, position: u128, sums: &mut [Block]) {
        sums::sum_streams(ciphers, first, position, sums);
    }

    /// `children[2i + side] = p_side(parents[i]) ^ parents[i]` under the two keys of the pair.
    fn expand(pair: [&Self; 2], parents: &[Bytes], children: &mut [Bytes]);
}
