//! A circuit compiled for garbling: its gates in the order they are done, and a slot of memory for every live wire.
//!
//! Two orders. [`Schedule::InOrder`] keeps the circuit's own: AND gates that follow each other and are independent are
//! hashed together, the others one by one, and a slot is free again after a wire's last use, so memory follows the
//! circuit's locality. [`Schedule::Layered`] does the AND gates of one depth together, in windows of
//! [`WINDOW`](crate::circuit::WINDOW) gates: one call of the hash for a whole layer, which keeps the AES units busy; but a
//! wire waits for its layer, so more wires live at once, up to all of a window. [`Program::label_bytes`] tells the
//! difference before a run. Both parties use one order: it decides the tables' order.

mod cursor;
mod slots;

use crate::circuit::{Circuit, Gate, Literal};

pub(crate) use cursor::Cursor;
pub use slots::BATCH;

/// In which order a circuit's gates are garbled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// The circuit's own order: little memory, batches as they come.
    InOrder,
    /// By AND depth in windows: large batches, more memory.
    Layered,
}

/// A gate on slots, 12 bytes. Where a slot is read it stands doubled, plus one where the value is inverted.
#[derive(Clone, Copy)]
pub(crate) struct Op {
    left: Literal,
    right: Literal,
    out: u32,
}

impl Op {
    pub(crate) const fn left(self) -> Literal {
        self.left
    }

    pub(crate) const fn right(self) -> Literal {
        self.right
    }

    pub(crate) const fn out(self) -> usize {
        self.out as usize
    }
}

/// A run of free gates, then a run of AND gates that do not depend on each other.
#[derive(Clone, Copy, Default)]
pub(crate) struct Step {
    free: u32,
    ands: u32,
}

/// A compiled circuit, shared by all its runs; twelve bytes a gate.
pub struct Program {
    inputs: Vec<u32>,
    outputs: Vec<u32>,
    ops: Vec<Op>,
    steps: Vec<Step>,
    results: Vec<Literal>,
    slots: usize,
    ands: usize,
    digest: [u8; 32],
}

impl Program {
    /// Compiles a circuit; while it does, it takes 8 bytes a gate more than the program (16 for [`Schedule::Layered`]).
    pub fn new(circuit: &Circuit, schedule: Schedule) -> Self {
        match schedule {
            Schedule::InOrder => Self::compile(circuit),
            Schedule::Layered => Self::compile(&circuit.layered()),
        }
    }

    /// Compiles a circuit in layers where the labels then take at most `bytes` at each party, else in its own order.
    pub fn within(circuit: &Circuit, bytes: usize) -> Self {
        let layered = Self::new(circuit, Schedule::Layered);
        if layered.label_bytes() <= bytes { layered } else { Self::new(circuit, Schedule::InOrder) }
    }

    fn compile(circuit: &Circuit) -> Self {
        let slots = slots::assign(circuit);
        Self {
            inputs: circuit.inputs().to_vec(),
            outputs: circuit.outputs().to_vec(),
            ops: slots.ops,
            steps: steps(circuit),
            results: slots.results,
            slots: slots.count as usize,
            ands: circuit.ands(),
            digest: circuit.digest(),
        }
    }

    /// The width of every input, in bits.
    pub fn inputs(&self) -> &[u32] {
        &self.inputs
    }

    /// The width of every output, in bits.
    pub fn outputs(&self) -> &[u32] {
        &self.outputs
    }

    /// Bits of all inputs; they lie in the first slots.
    pub fn input_bits(&self) -> usize {
        self.inputs.iter().map(|width| *width as usize).sum()
    }

    /// Bits of all outputs.
    pub fn output_bits(&self) -> usize {
        self.results.len()
    }

    /// AND gates, one table each.
    pub fn ands(&self) -> usize {
        self.ands
    }

    /// XOR gates.
    pub fn xors(&self) -> usize {
        self.ops.len() - self.ands
    }

    /// Calls of the hash that a run makes when nothing cuts its batches.
    pub fn batches(&self) -> usize {
        self.steps.iter().map(|step| (step.ands as usize).div_ceil(BATCH)).sum()
    }

    /// Bytes of labels that each party holds during a run: 16 for every wire that is alive at once.
    pub fn label_bytes(&self) -> usize {
        16 * self.slots
    }

    /// SM3 of the circuit in the order in which its gates are done: equal at parties that run the same program.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn ops(&self, range: std::ops::Range<usize>) -> &[Op] {
        &self.ops[range]
    }

    /// The slots of the output bits after the last gate.
    pub(crate) fn results(&self) -> &[Literal] {
        &self.results
    }
}

/// Cuts the gates into steps. Wires are numbered in order, so an AND gate depends on the run before it exactly when it
/// reads a wire from the run's first on.
fn steps(circuit: &Circuit) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut step, mut run) = (Step::default(), 0);
    for (wire, gate) in (circuit.input_bits() as u32..).zip(circuit.gates()) {
        let depends = step.ands > 0 && reads_from(*gate, run);
        if step.ands > 0 && (depends || !gate.is_and()) {
            steps.push(std::mem::take(&mut step));
        }
        if !gate.is_and() {
            step.free += 1;
            continue;
        }
        if step.ands == 0 {
            run = wire;
        }
        step.ands += 1;
    }
    steps.extend((step.free + step.ands > 0).then_some(step));
    steps
}

fn reads_from(gate: Gate, first: u32) -> bool {
    gate.left().wire() >= first || gate.right().wire() >= first
}
