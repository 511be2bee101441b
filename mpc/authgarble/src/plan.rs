//! A circuit in the order in which it is garbled: AND gates of one depth together, a slot of memory for every live wire.

use std::ops::Range;

use mpc_garble::circuit::{Circuit, Step, Wire};

/// AND gates that are hashed together at most.
pub(crate) const BATCH: usize = 512;
/// AND gates after which a frame of tables is sent.
const FRAME: usize = 1 << 13;
/// The mark of an AND gate in [`Op::out`].
const AND: u32 = 1 << 31;
/// The last use of a wire that is an output.
const NEVER: u32 = u32::MAX;

/// A slot as a gate reads it: twice its number, plus one where the value is inverted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) const fn slot(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(crate) const fn inverted(self) -> bool {
        self.0 & 1 == 1
    }
}

/// A gate on slots.
#[derive(Clone, Copy)]
pub(crate) struct Op {
    pub(crate) left: Place,
    pub(crate) right: Place,
    out: u32,
}

impl Op {
    pub(crate) const fn is_and(self) -> bool {
        self.out & AND != 0
    }

    pub(crate) const fn out(self) -> usize {
        (self.out & !AND) as usize
    }
}

/// Free gates, then AND gates that do not depend on each other, [`BATCH`] at most.
#[derive(Clone, Copy, Default)]
pub(crate) struct Piece {
    pub(crate) free: usize,
    pub(crate) ands: usize,
}

/// A compiled circuit; 12 bytes a gate.
pub(crate) struct Plan {
    pub(crate) ops: Vec<Op>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) results: Vec<Place>,
    pub(crate) slots: usize,
    pub(crate) ands: usize,
    /// Input bits; they lie in the first slots.
    pub(crate) inputs: usize,
}

impl Plan {
    pub(crate) fn new(circuit: &Circuit) -> Self {
        let ordered = circuit.layered();
        let (inputs, ands) = (ordered.input_bits(), ordered.ands());
        let (ops, results, slots) = assign(&ordered);
        Self { ops, pieces: pieces(&ordered), results, slots, ands, inputs }
    }

    /// The pieces of every frame of tables.
    pub(crate) fn frames(&self) -> Vec<Range<usize>> {
        let (mut frames, mut start, mut ands) = (Vec::new(), 0, 0);
        for (at, piece) in self.pieces.iter().enumerate() {
            ands += piece.ands;
            if ands >= FRAME {
                frames.push(start..at + 1);
                (start, ands) = (at + 1, 0);
            }
        }
        frames.extend((start < self.pieces.len()).then_some(start..self.pieces.len()));
        frames
    }
}

/// Cuts the gates into pieces. Wires are numbered in order, so an AND gate depends on the run before it exactly when it reads a
/// wire from the run's first on.
fn pieces(circuit: &Circuit) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut piece, mut run) = (Piece::default(), 0);
    for (wire, step) in (circuit.input_bits() as u32..).zip(circuit.steps()) {
        let depends = step.left.number >= run || step.right.number >= run;
        let ends = piece.ands > 0 && (!step.and || depends || piece.ands == BATCH);
        if ends {
            pieces.push(std::mem::take(&mut piece));
        }
        if !step.and {
            piece.free += 1;
            continue;
        }
        if piece.ands == 0 {
            run = wire;
        }
        piece.ands += 1;
    }
    pieces.extend((piece.free + piece.ands > 0).then_some(piece));
    pieces
}

/// Input `i` starts in slot `i`. A slot is free again after its wire's last reader, so a gate's result may take the slot of a
/// wire that this gate reads last; the gates of a piece read all before the first of them writes.
fn assign(circuit: &Circuit) -> (Vec<Op>, Vec<Place>, usize) {
    let last = last_uses(circuit);
    let inputs = circuit.input_bits() as u32;
    let mut places: Vec<u32> = (0..inputs).collect();
    places.reserve_exact(circuit.steps().len());
    let mut unused: Vec<u32> = (0..inputs).rev().filter(|wire| last[*wire as usize] == 0).collect();
    let mut count = inputs;
    let mut ops = Vec::with_capacity(circuit.steps().len());
    for (number, Step { and, left, right }) in (1..).zip(circuit.steps()) {
        let (left_place, right_place) = (placed(left, &places), placed(right, &places));
        for wire in [left.number, right.number].into_iter().take(1 + usize::from(left.number != right.number)) {
            unused.extend((last[wire as usize] == number).then(|| places[wire as usize]));
        }
        let out = unused.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        ops.push(Op { left: left_place, right: right_place, out: if and { out | AND } else { out } });
        places.push(out);
    }
    let results = circuit.output_wires().map(|wire| placed(wire, &places)).collect();
    (ops, results, count as usize)
}

fn placed(wire: Wire, places: &[u32]) -> Place {
    Place(places[wire.number as usize] << 1 | u32::from(wire.inverted))
}

/// For every wire the number of the last gate that reads it, counted from 1; 0 where none does.
fn last_uses(circuit: &Circuit) -> Vec<u32> {
    let mut last = vec![0; circuit.input_bits() + circuit.steps().len()];
    for (number, step) in (1..).zip(circuit.steps()) {
        last[step.left.number as usize] = number;
        last[step.right.number as usize] = number;
    }
    circuit.output_wires().for_each(|wire| last[wire.number as usize] = NEVER);
    last
}
