//! Where a run stands in its program, and what it does next.

use std::ops::Range;

use super::{BATCH, Program, Step};

/// What is done at once: free gates, then AND gates that do not depend on each other.
pub(crate) struct Piece {
    /// The free gates.
    pub(crate) free: Range<usize>,
    /// The AND gates, [`BATCH`] at most.
    pub(crate) ands: Range<usize>,
    /// The number of the first AND gate among all AND gates of the program.
    pub(crate) first: u64,
}

/// A place in a program.
#[derive(Default)]
pub(crate) struct Cursor {
    /// The step in work.
    step: usize,
    /// What is done of it.
    done: Step,
    /// The next gate.
    op: usize,
    /// AND gates so far.
    ands: usize,
}

impl Cursor {
    /// What comes next when tables of `room` AND gates can be written or read; `None` at the end, or when the next
    /// needs more than no room.
    pub(crate) fn next(&mut self, program: &Program, room: usize) -> Option<Piece> {
        let step = program.steps.get(self.step)?;
        let left = step.ands - self.done.ands;
        if left > 0 && room == 0 {
            return None;
        }
        let free = self.op..self.op + (step.free - self.done.free) as usize;
        let count = (left as usize).min(room).min(BATCH);
        let ands = free.end..free.end + count;
        let first = self.ands as u64;
        self.op = ands.end;
        self.ands += count;
        self.done = Step { free: step.free, ands: self.done.ands + count as u32 };
        if self.done.ands == step.ands {
            self.step += 1;
            self.done = Step::default();
        }
        Some(Piece { free, ands, first })
    }

    /// AND gates whose tables are still to come.
    pub(crate) fn remaining(&self, program: &Program) -> usize {
        program.ands - self.ands
    }
}
