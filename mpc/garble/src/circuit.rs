//! Boolean circuits of XOR and AND gates: their form, their size, their digest and their evaluation in the clear.
//!
//! Wires are numbered: first the input bits, then one wire a gate, so a gate reads only wires before its own.
//! Inversions cost nothing: a gate reads a wire with or without one. Constants are folded away while a circuit is
//! built.

mod bristol;
mod builder;
mod gate;
mod layers;
mod limits;
mod view;

use base_gm::sm3::{Sm3Stream, tagged};
use zeroize::Zeroizing;

pub use bristol::parse;
pub use builder::{Bit, Builder};
pub(crate) use gate::{Gate, Literal};
pub use layers::WINDOW;
pub use limits::{CircuitError, Limits};
pub use view::{Step, Wire};

/// A circuit; eight bytes a gate. Made by [`Builder`] or [`parse`], which keep its wires in order and within
/// [`Limits`].
pub struct Circuit {
    inputs: Vec<u32>,
    outputs: Vec<u32>,
    bits: u32,
    gates: Vec<Gate>,
    results: Vec<Literal>,
    ands: usize,
}

impl Circuit {
    fn new(inputs: Vec<u32>, outputs: Vec<u32>, bits: u32, gates: Vec<Gate>, results: Vec<Literal>) -> Self {
        let ands = gates.iter().filter(|gate| gate.is_and()).count();
        Self { inputs, outputs, bits, gates, results, ands }
    }

    /// The width of every input, in bits.
    pub fn inputs(&self) -> &[u32] {
        &self.inputs
    }

    /// The width of every output, in bits.
    pub fn outputs(&self) -> &[u32] {
        &self.outputs
    }

    /// Bits of all inputs.
    pub fn input_bits(&self) -> usize {
        self.bits as usize
    }

    /// Bits of all outputs.
    pub fn output_bits(&self) -> usize {
        self.results.len()
    }

    /// AND gates: what garbling costs.
    pub fn ands(&self) -> usize {
        self.ands
    }

    /// XOR gates: free but for a pass over memory.
    pub fn xors(&self) -> usize {
        self.gates.len() - self.ands
    }

    pub(crate) fn gates(&self) -> &[Gate] {
        &self.gates
    }

    pub(crate) fn results(&self) -> &[Literal] {
        &self.results
    }

    /// Evaluates in the clear. Bits of all inputs one after the other, each input's least significant bit first; the
    /// answer has the bits of all outputs likewise.
    ///
    /// # Errors
    /// [`CircuitError::Count`] when there are not [`Circuit::input_bits`] bits.
    pub fn evaluate(&self, inputs: &[bool]) -> Result<Vec<bool>, CircuitError> {
        let lanes = Zeroizing::new(inputs.iter().map(|bit| u64::from(*bit)).collect::<Vec<u64>>());
        Ok(self.evaluate_lanes(&lanes)?.into_iter().map(|word| word & 1 == 1).collect())
    }

    /// 64 evaluations in the clear at once: bit `l` of every word belongs to evaluation `l`. One word an input bit, one
    /// word an output bit.
    ///
    /// # Errors
    /// As [`Circuit::evaluate`].
    pub fn evaluate_lanes(&self, inputs: &[u64]) -> Result<Vec<u64>, CircuitError> {
        if inputs.len() != self.input_bits() {
            return Err(CircuitError::Count { what: "input bits", found: inputs.len(), due: self.input_bits() });
        }
        let mut wires = Zeroizing::new(Vec::<u64>::with_capacity(inputs.len() + self.gates.len()));
        wires.extend_from_slice(inputs);
        let value = |wires: &[u64], at: Literal| wires[at.wire() as usize] ^ u64::from(at.inverted()).wrapping_neg();
        for gate in &self.gates {
            let (x, y) = (value(&wires, gate.left()), value(&wires, gate.right()));
            wires.push(if gate.is_and() { x & y } else { x ^ y });
        }
        Ok(self.results.iter().map(|result| value(&wires, *result)).collect())
    }

    /// SM3 over the widths, every gate and every output's wire: two circuits with one digest are gate by gate the same.
    pub fn digest(&self) -> [u8; 32] {
        let Self { inputs, outputs, bits: _, gates, results, ands: _ } = self;
        let mut stream = Sm3Stream::new();
        for part in gates.chunks(1024) {
            stream.update(&bytes(part.iter().flat_map(|gate| gate.words())));
        }
        let parts = [
            bytes(inputs.iter().copied()),
            bytes(outputs.iter().copied()),
            bytes(results.iter().map(|result| result.0)),
            (gates.len() as u64).to_le_bytes().to_vec(),
            stream.finish().0.to_vec(),
        ];
        tagged("heqi/mpc/circuit/1", &parts.each_ref().map(Vec::as_slice)).0
    }
}

fn bytes(words: impl Iterator<Item = u32>) -> Vec<u8> {
    words.flat_map(u32::to_le_bytes).collect()
}
