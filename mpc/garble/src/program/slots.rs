//! Gives every wire a slot of memory that is free again after the wire's last use.

use super::Op;
use crate::circuit::{Circuit, Literal};

/// AND gates that are hashed by one call at most: their labels fit the first-level cache.
pub const BATCH: usize = 256;

/// The last use of a wire that is an output.
const NEVER: u32 = u32::MAX;

/// A circuit on slots.
pub(super) struct Slots {
    pub(super) ops: Vec<Op>,
    pub(super) results: Vec<Literal>,
    pub(super) count: u32,
}

/// Input `i` starts in slot `i`. A gate's result may take the slot of a wire that this gate reads last.
///
/// That also holds for a batch of independent AND gates, which reads the labels of all before it writes the results: a slot
/// is taken by a result only after the last reader of its wire, so no gate that comes later reads it.
pub(super) fn assign(circuit: &Circuit) -> Slots {
    let last = last_uses(circuit);
    let inputs = circuit.input_bits() as u32;
    let mut places: Vec<u32> = (0..inputs).collect();
    places.reserve_exact(circuit.gates().len());
    let mut unused: Vec<u32> = (0..inputs).rev().filter(|wire| last[*wire as usize] == 0).collect();
    let mut count = inputs;
    let mut ops = Vec::with_capacity(circuit.gates().len());
    for (number, gate) in (1..).zip(circuit.gates()) {
        let (left, right) = (gate.left(), gate.right());
        let op = |out| Op { left: placed(left, &places), right: placed(right, &places), out };
        for wire in [left.wire(), right.wire()].into_iter().take(1 + usize::from(left.wire() != right.wire())) {
            unused.extend((last[wire as usize] == number).then(|| places[wire as usize]));
        }
        let out = unused.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        ops.push(op(out));
        places.push(out);
    }
    let results = circuit.results().iter().map(|result| placed(*result, &places)).collect();
    Slots { ops, results, count }
}

fn placed(literal: Literal, places: &[u32]) -> Literal {
    literal.of(places[literal.wire() as usize])
}

/// For every wire the number of the last gate that reads it, counted from 1; 0 where none does.
fn last_uses(circuit: &Circuit) -> Vec<u32> {
    let mut last = vec![0; circuit.input_bits() + circuit.gates().len()];
    for (number, gate) in (1..).zip(circuit.gates()) {
        last[gate.left().wire() as usize] = number;
        last[gate.right().wire() as usize] = number;
    }
    circuit.results().iter().for_each(|result| last[result.wire() as usize] = NEVER);
    last
}
