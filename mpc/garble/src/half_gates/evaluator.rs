//! The evaluator: from the active labels of the inputs and the tables to the active labels of the outputs.

use std::sync::Arc;

use mpc_block::{Block, Tmmo};
use zeroize::Zeroizing;

use super::hash::Scratch;
use super::{GarbleError, OutputLabels, TABLE_BYTES};
use crate::program::{Cursor, Program};

/// The party that evaluates: it holds one label of every live wire and does not know for which value.
pub struct Evaluator {
    program: Arc<Program>,
    cursor: Cursor,
    hash: Tmmo,
    labels: Zeroizing<Vec<Block>>,
    scratch: Scratch<2>,
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
        Ok(Self { program, cursor: Cursor::default(), hash: Tmmo::new(key), labels, scratch: Scratch::new() })
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
                labels[op.out()] = labels[op.left().wire() as usize] ^ labels[op.right().wire() as usize];
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
        let Self { program, hash, labels, scratch, .. } = self;
        let labels: &mut [Block] = labels;
        let ops = program.ops(ands);
        let [left, right] = scratch.groups(ops.len());
        for ((op, left), right) in ops.iter().zip(left).zip(right) {
            *left = labels[op.left().wire() as usize];
            *right = labels[op.right().wire() as usize];
        }
        let [left, right] = scratch.hash(hash, ops.len(), first);
        for ((op, table), (left, right)) in ops.iter().zip(tables).zip(left.iter().zip(right)) {
            let (a, b) = (labels[op.left().wire() as usize], labels[op.right().wire() as usize]);
            let (halves, _) = table.as_chunks::<16>();
            let (garbler_half, evaluator_half) = (Block::from_bytes(halves[0]), Block::from_bytes(halves[1]));
            let from_left = *left ^ garbler_half.masked(a.lsb());
            let from_right = *right ^ (evaluator_half ^ a).masked(b.lsb());
            labels[op.out()] = from_left ^ from_right;
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
