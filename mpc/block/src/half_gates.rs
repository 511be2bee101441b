//! AND gates by half gates: from the labels of many gates' inputs to tables and labels of their outputs, and back.
//!
//! Zahur, Rosulek and Evans, "Two Halves Make a Whole" (EUROCRYPT 2015), Fig. 2, with [`Tmmo`] as the hash. The tweak is the gate's
//! number, marked with the half. Gates of one call do not depend on each other.

use zeroize::Zeroizing;

use crate::cast::{raw, raw_mut};
use crate::cipher::{Cipher, Tweaks};
use crate::{Block, Tmmo};

/// An AND gate's table: its garbler half, then its evaluator half.
pub type Table = [u8; 32];

/// The mark of the evaluator half's tweaks, which hash the right input, above the 64 bits of a number. The garbler half, which hashes
/// the left input, has none.
pub(crate) const RIGHT: u128 = 1 << 64;
/// Gates whose labels are hashed by one call where there is no kernel for them.
const GROUP: usize = 32;

impl Tmmo {
    /// Garbles AND gates: `inputs` are the labels for 0 of the left inputs and of the right ones, a label for 1 is that for 0 plus
    /// `delta`, whose lowest bit is 1. Writes the gates' tables, and the labels for 0 of their outputs to `out`. The gates are
    /// numbered from `first` on. Four hashes a gate.
    ///
    /// # Panics
    /// When inputs, tables and outputs are not equally many.
    pub fn garble(&self, delta: Block, first: u64, inputs: [&[Block]; 2], tables: &mut [Table], out: &mut [Block]) {
        assert!(inputs.iter().all(|side| side.len() == out.len()) && tables.len() == out.len(), "a table a gate");
        self.aes().garble(delta, first, inputs, tables, out);
    }

    /// Evaluates AND gates: `inputs` is one label of every left input and of every right one, `tables` what [`Self::garble`] wrote
    /// for gates numbered from `first` on. Writes one label of every output to `out`. Two hashes a gate.
    ///
    /// # Panics
    /// As [`Self::garble`].
    pub fn evaluate(&self, first: u64, inputs: [&[Block]; 2], tables: &[Table], out: &mut [Block]) {
        assert!(inputs.iter().all(|side| side.len() == out.len()) && tables.len() == out.len(), "a table a gate");
        self.aes().evaluate(first, inputs, tables, out);
    }
}

/// Hashes the labels of `count` gates, groups of `count` one after the other, the first half of them left inputs.
fn hash_groups<C: Cipher>(cipher: &C, first: u64, count: usize, labels: &mut [Block]) {
    let half = labels.len() / 2;
    let mut tweaks = [Block::ZERO; 4 * GROUP];
    for (at, tweak) in tweaks.iter_mut().take(labels.len()).enumerate() {
        let number = u128::from(first) + (at % count) as u128;
        *tweak = Block::from_u128(number | if at < half { 0 } else { RIGHT });
    }
    let len = labels.len();
    cipher.hash(raw_mut(labels), Tweaks::Each(raw(&tweaks[..len])));
}

/// [`Tmmo::garble`] by a cipher's hash.
pub(crate) fn garble<C: Cipher>(
    cipher: &C,
    delta: Block,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &mut [Table],
    out: &mut [Block],
) {
    let mut room = Zeroizing::new([Block::ZERO; 4 * GROUP]);
    for (group, (out, tables)) in out.chunks_mut(GROUP).zip(tables.chunks_mut(GROUP)).enumerate() {
        let (from, count) = (group * GROUP, out.len());
        let (left, right) = (&left[from..][..count], &right[from..][..count]);
        let labels = &mut room[..4 * count];
        for (at, (a, b)) in left.iter().zip(right).enumerate() {
            (labels[at], labels[count + at]) = (*a, *a ^ delta);
            (labels[2 * count + at], labels[3 * count + at]) = (*b, *b ^ delta);
        }
        hash_groups(cipher, first + from as u64, count, labels);
        for (at, (out, table)) in out.iter_mut().zip(tables).enumerate() {
            let [a0, a1, b0, b1] = [0, 1, 2, 3].map(|label| labels[label * count + at]);
            let (a, b) = (left[at], right[at]);
            let garbler_half = a0 ^ a1 ^ delta.masked(b.lsb());
            let evaluator_half = b0 ^ b1 ^ a;
            *out = a0 ^ garbler_half.masked(a.lsb()) ^ b0 ^ (evaluator_half ^ a).masked(b.lsb());
            let (halves, _) = table.as_chunks_mut::<16>();
            (halves[0], halves[1]) = (garbler_half.to_bytes(), evaluator_half.to_bytes());
        }
    }
}

/// [`Tmmo::evaluate`] by a cipher's hash.
pub(crate) fn evaluate<C: Cipher>(
    cipher: &C,
    first: u64,
    [left, right]: [&[Block]; 2],
    tables: &[Table],
    out: &mut [Block],
) {
    let mut room = Zeroizing::new([Block::ZERO; 2 * GROUP]);
    for (group, (out, tables)) in out.chunks_mut(GROUP).zip(tables.chunks(GROUP)).enumerate() {
        let (from, count) = (group * GROUP, out.len());
        let (left, right) = (&left[from..][..count], &right[from..][..count]);
        let labels = &mut room[..2 * count];
        labels[..count].copy_from_slice(left);
        labels[count..].copy_from_slice(right);
        hash_groups(cipher, first + from as u64, count, labels);
        for (at, (out, table)) in out.iter_mut().zip(tables).enumerate() {
            let (a, b) = (left[at], right[at]);
            let (halves, _) = table.as_chunks::<16>();
            let (garbler_half, evaluator_half) = (Block::from_bytes(halves[0]), Block::from_bytes(halves[1]));
            let from_left = labels[at] ^ garbler_half.masked(a.lsb());
            let from_right = labels[count + at] ^ (evaluator_half ^ a).masked(b.lsb());
            *out = from_left ^ from_right;
        }
    }
}
