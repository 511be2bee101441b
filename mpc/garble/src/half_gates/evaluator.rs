//! The evaluator: from the active labels of the inputs and the tables to the active labels of the outputs.

use std::sync::Arc;

use mpc_block::{Block, Tmmo, xor_at};
use zeroize::Zeroizing;

use super::hash::Room;
use super::{GarbleError, OutputLabels, TABLE_BYTES};
use crate::program::{Cursor, Program};

/// The party that evaluates: it holds one label of every live wire and does not know for which value.
pub struct Evaluator {
    program: Arc<Program>,
    cursor: Cursor,
    hash: Tmmo,
    labels: Zeroizing<Vec<Block>>,
    room: Room,
}

impl Evaluator {
    /// Starts with one label of every input bit, in order, and the session's public key of the hash.
    ///
    /// # Errors
    /// [`GarbleError::Inputs`] when there is not one label for every input bit.
    pub fn start(program: Arc<Program>, key: Block, active: &[Block]) -> Result<Self, GarbleError> {
        if active.len() != program.input_bits() {
            return Err(GarbleError::Inputs);
        }
        let mut labels = Zeroizing::new(vec![Block::ZERO; program.slots()]);
        labels[..active.len()].copy_from_slice(active);
        Ok(Self { program, cursor: Cursor::default(), hash: Tmmo::new(key), labels, room: Room::new() })
    }

    /// Tables that are still to come.
    pub fn remaining(&self) -> usize {
        self.cursor.remaining(&self.program)
    }

    /// Evaluates the AND gates of the next tables.
    ///
    /// # Errors
    /// [`GarbleError::Tables`] when the bytes are no whole number of tables or more tables than are left; nothing is
    /// evaluated then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), GarbleError> {
        let (tables, rest) = bytes.as_chunks::<TABLE_BYTES>();
        if !rest.is_empty() || tables.len() > self.remaining() {
            return Err(GarbleError::Tables(bytes.len()));
        }
        let mut done = 0;
        while let Some(piece) = self.cursor.next(&self.program, tables.len() - done) {
            let labels: &mut [Block] = &mut self.labels;
            for op in self.program.ops(piece.free) {
                xor_at(labels, op.out(), op.left().wire() as usize, op.right().wire() as usize);
            }
            let count = piece.ands.len();
            if count > 0 {
                self.evaluate(piece.ands, piece.first, &tables[done..done + count]);
            }
            done += count;
        }
        Ok(())
    }

    /// Evaluates AND gates that do not depend on each other.
    fn evaluate(&mut self, ands: std::ops::Range<usize>, first: u64, tables: &[[u8; TABLE_BYTES]]) {
        let Self { program, hash, labels, room, .. } = self;
        let labels: &mut [Block] = labels;
        let ops = program.ops(ands);
        let [left, right, out] = room.groups(ops.len());
        for (op, (a, b)) in ops.iter().zip(left.iter_mut().zip(right.iter_mut())) {
            *a = labels[op.left().wire() as usize];
            *b = labels[op.right().wire() as usize];
        }
        hash.evaluate(first, [left, right], tables, out);
        for (op, out) in ops.iter().zip(out.iter()) {
            labels[op.out()] = *out;
        }
    }

    /// The labels of the outputs, once every table has come.
    ///
    /// # Errors
    /// [`GarbleError::Unfinished`] when tables are still to come.
    pub fn finish(mut self) -> Result<OutputLabels, GarbleError> {
        self.feed(&[])?;
        match self.remaining() {
            0 => {}
            left => return Err(GarbleError::Unfinished(left)),
        }
        let label = |at: &crate::circuit::Literal| self.labels[at.wire() as usize];
        let labels = Zeroizing::new(self.program.results().iter().map(label).collect::<Vec<Block>>());
        Ok(OutputLabels::new(self.hash, labels))
    }
}
