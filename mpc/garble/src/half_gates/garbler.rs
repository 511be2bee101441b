//! The garbler: labels for the inputs, tables for the AND gates, and what decodes the outputs.

use std::sync::Arc;

use mpc_block::{Block, BlockPrg, Tmmo, set_xor, xor_at};
use zeroize::Zeroizing;

use super::hash::Room;
use super::{Decoding, GarbleError, TABLE_BYTES};
use crate::circuit::Literal;
use crate::program::{Cursor, Program};

/// The labels of the input bits, as long as they are needed.
pub struct InputLabels {
    delta: Zeroizing<Block>,
    zeros: Zeroizing<Vec<Block>>,
}

impl InputLabels {
    /// The labels that stand for the given values of the input bits from `first` on; bits that do not exist have none.
    pub fn active(&self, first: usize, values: &[bool]) -> Vec<Block> {
        let zeros = self.zeros.get(first..).unwrap_or_default();
        zeros.iter().zip(values).map(|(zero, value)| *zero ^ self.delta.masked(*value)).collect()
    }

    /// Both labels, for 0 and for 1, of `count` input bits from `first` on; bits that do not exist have none.
    pub fn pairs(&self, first: usize, count: usize) -> Zeroizing<Vec<[Block; 2]>> {
        let zeros = self.zeros.get(first..).unwrap_or_default();
        Zeroizing::new(zeros.iter().take(count).map(|zero| [*zero, *zero ^ *self.delta]).collect())
    }
}

/// The party that garbles: it holds the 0-label of every live wire.
pub struct Garbler {
    program: Arc<Program>,
    cursor: Cursor,
    hash: Tmmo,
    delta: Zeroizing<Block>,
    labels: Zeroizing<Vec<Block>>,
    room: Room,
}

impl Garbler {
    /// Draws `Δ` and the labels of the inputs from `seed`, which is fresh, uniform and secret. `key` is the session's
    /// public key of the hash.
    pub fn start(program: Arc<Program>, key: Block, seed: Block) -> (InputLabels, Self) {
        let mut prg = BlockPrg::new(seed);
        let delta = prg.next().with_lsb(true);
        let mut labels = Zeroizing::new(vec![Block::ZERO; program.slots()]);
        let inputs = &mut labels[..program.input_bits()];
        prg.fill(inputs);
        let zeros = Zeroizing::new(inputs.to_vec());
        let garbler = Self {
            program,
            cursor: Cursor::default(),
            hash: Tmmo::new(key),
            delta: Zeroizing::new(delta),
            labels,
            room: Room::new(),
        };
        (InputLabels { delta: Zeroizing::new(delta), zeros }, garbler)
    }

    /// Tables that are still to be written.
    pub fn remaining(&self) -> usize {
        self.cursor.remaining(&self.program)
    }

    /// Writes the next tables, as many as `out` holds whole ones of [`TABLE_BYTES`], and gives the number of bytes
    /// written: less than whole tables would take only at the end.
    pub fn fill(&mut self, out: &mut [u8]) -> usize {
        let (tables, _) = out.as_chunks_mut::<TABLE_BYTES>();
        let mut done = 0;
        while let Some(piece) = self.cursor.next(&self.program, tables.len() - done) {
            let labels: &mut [Block] = &mut self.labels;
            for op in self.program.ops(piece.free) {
                xor_at(labels, op.out(), op.left().wire() as usize, op.right().wire() as usize);
            }
            let count = piece.ands.len();
            if count > 0 {
                self.garble(piece.ands, piece.first, &mut tables[done..done + count]);
            }
            done += count;
        }
        done * TABLE_BYTES
    }

    /// Garbles AND gates that do not depend on each other: gathers the labels, garbles all, puts the results in place.
    fn garble(&mut self, ands: std::ops::Range<usize>, first: u64, tables: &mut [[u8; TABLE_BYTES]]) {
        let Self { program, hash, delta, labels, room, .. } = self;
        let labels: &mut [Block] = labels;
        let (ops, delta) = (program.ops(ands), **delta);
        // Which inputs are inverted is public.
        let shift = [Block::ZERO, delta];
        let [left, right, out] = room.groups(ops.len());
        for (op, (a, b)) in ops.iter().zip(left.iter_mut().zip(right.iter_mut())) {
            let (x, y) = (op.left(), op.right());
            set_xor(a, &labels[x.wire() as usize], &shift[usize::from(x.inverted())]);
            set_xor(b, &labels[y.wire() as usize], &shift[usize::from(y.inverted())]);
        }
        hash.garble(delta, first, [left, right], tables, out);
        for (op, out) in ops.iter().zip(out.iter()) {
            labels[op.out()] = *out;
        }
    }

    /// What decodes the outputs, once every table is written.
    ///
    /// # Errors
    /// [`GarbleError::Unfinished`] when tables are still to be written.
    pub fn finish(mut self) -> Result<Decoding, GarbleError> {
        // Free gates behind the last AND gate, or all of a program without AND gates.
        self.fill(&mut []);
        match self.remaining() {
            0 => {}
            left => return Err(GarbleError::Unfinished(left)),
        }
        let delta = *self.delta;
        let zero = |at: &Literal| self.labels[at.wire() as usize] ^ delta.masked(at.inverted());
        let zeros = Zeroizing::new(self.program.results().iter().map(zero).collect::<Vec<Block>>());
        Ok(Decoding::new(self.hash, self.delta, zeros))
    }
}
