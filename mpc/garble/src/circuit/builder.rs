//! Builds circuits by code: constants are folded, what no output needs is left out, and bounds end the growth.

use std::ops::Not;

use super::gate::{Gate, Literal};
use super::{Circuit, CircuitError, Limits};

/// A bit of a circuit that is being built: a wire, a wire's inverse, or a constant. `!bit` costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bit(u32);

impl Bit {
    /// The constant 0.
    pub const ZERO: Self = Self(u32::MAX - 1);
    /// The constant 1.
    pub const ONE: Self = Self(u32::MAX);

    /// A constant.
    pub const fn constant(value: bool) -> Self {
        if value { Self::ONE } else { Self::ZERO }
    }

    const fn is_constant(self) -> bool {
        self.0 >= Self::ZERO.0
    }

    const fn wire(self) -> u32 {
        self.0 >> 1
    }

    /// 1 for an inverse and for the constant 1.
    const fn flip(self) -> u32 {
        self.0 & 1
    }
}

impl Not for Bit {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// Grows a circuit gate by gate. Words are slices of bits, the least significant first; [`crate::library`] adds to this
/// type what works on words.
///
/// A mistake (a bound exceeded, words of unequal width, another builder's bits) is kept and told by
/// [`Builder::finish`], so that circuits are written without a branch at every gate; after it nothing grows any more.
///
/// ```
/// use mpc_garble::circuit::{Builder, Limits};
///
/// let mut b = Builder::new(&[1, 1], Limits::default())?;
/// let (x, y) = (b.input(0)[0], b.input(1)[0]);
/// let neither = b.and(!x, !y);
/// b.output(&[neither]);
/// let circuit = b.finish()?;
/// assert_eq!(circuit.evaluate(&[false, false])?, [true]);
/// # Ok::<(), mpc_garble::circuit::CircuitError>(())
/// ```
pub struct Builder {
    inputs: Vec<u32>,
    /// The first wire of each input.
    starts: Vec<u32>,
    outputs: Vec<u32>,
    bits: u32,
    gates: Vec<Gate>,
    results: Vec<Bit>,
    limits: Limits,
    fault: Option<CircuitError>,
}

impl Builder {
    /// Begins a circuit with inputs of the given widths, in bits.
    ///
    /// # Errors
    /// [`CircuitError::TooLarge`] when the inputs have more bits than the limits allow.
    pub fn new(inputs: &[u32], limits: Limits) -> Result<Self, CircuitError> {
        let bits = limits.total(inputs)?;
        let inputs = inputs.to_vec();
        // A program may have a million inputs of a bit: no input counts those before it again.
        let starts = inputs.iter().scan(0_u32, |next, width| {
            let start = *next;
            *next += *width;
            Some(start)
        });
        let starts = starts.collect();
        Ok(Self { inputs, starts, outputs: vec![], bits, gates: vec![], results: vec![], limits, fault: None })
    }

    /// The bits of an input.
    pub fn input(&mut self, number: usize) -> Vec<Bit> {
        let Some((start, width)) = self.starts.get(number).zip(self.inputs.get(number)) else {
            self.fail(CircuitError::Foreign);
            return vec![];
        };
        (*start..*start + *width).map(|wire| Bit(wire << 1)).collect()
    }

    /// Adds an output.
    pub fn output(&mut self, bits: &[Bit]) {
        if self.results.len() + bits.len() > self.limits.bits as usize {
            let limit = self.limits.bits.into();
            return self.fail(CircuitError::TooLarge { what: "bits of inputs or outputs", limit });
        }
        for bit in bits {
            let bit = self.own(*bit);
            self.results.push(bit);
        }
        self.outputs.push(bits.len() as u32);
    }

    /// `x ⊕ y`.
    pub fn xor(&mut self, x: Bit, y: Bit) -> Bit {
        let (x, y) = (self.own(x), self.own(y));
        let flip = x.flip() ^ y.flip();
        if x.is_constant() {
            Bit(y.0 ^ x.flip())
        } else if y.is_constant() {
            Bit(x.0 ^ y.flip())
        } else if x.wire() == y.wire() {
            Bit(Bit::ZERO.0 ^ flip)
        } else {
            Bit(self.push(Gate::xor(x.wire(), y.wire())).0 ^ flip)
        }
    }

    /// `x ∧ y`.
    pub fn and(&mut self, x: Bit, y: Bit) -> Bit {
        let (x, y) = (self.own(x), self.own(y));
        if x == Bit::ZERO || y == Bit::ZERO || x == !y {
            Bit::ZERO
        } else if x == Bit::ONE || x == y {
            y
        } else if y == Bit::ONE {
            x
        } else {
            self.push(Gate::and(Literal(x.0), Literal(y.0)))
        }
    }

    /// `x ∨ y`.
    pub fn or(&mut self, x: Bit, y: Bit) -> Bit {
        !self.and(!x, !y)
    }

    /// Keeps the first mistake.
    pub(crate) fn fail(&mut self, fault: CircuitError) {
        self.fault.get_or_insert(fault);
    }

    /// Tells whether two words are equally wide, and keeps the mistake when they are not.
    pub(crate) fn alike(&mut self, x: &[Bit], y: &[Bit]) -> bool {
        if x.len() != y.len() {
            self.fail(CircuitError::Count { what: "bits in a word", found: y.len(), due: x.len() });
        }
        x.len() == y.len()
    }

    fn own(&mut self, bit: Bit) -> Bit {
        if bit.is_constant() || bit.wire() < self.wires() {
            return bit;
        }
        self.fail(CircuitError::Foreign);
        Bit::ZERO
    }

    fn wires(&self) -> u32 {
        self.bits + self.gates.len() as u32
    }

    fn push(&mut self, gate: Gate) -> Bit {
        if self.gates.len() >= self.limits.gates as usize {
            self.fail(CircuitError::TooLarge { what: "gates", limit: self.limits.gates.into() });
        }
        if self.fault.is_some() {
            return Bit::ZERO;
        }
        let wire = self.wires();
        self.gates.push(gate);
        Bit(wire << 1)
    }

    /// The circuit, with the gates that some output needs, in the order in which they were added.
    ///
    /// # Errors
    /// [`CircuitError`] with the first mistake, or when there is no input bit or no output bit.
    pub fn finish(mut self) -> Result<Circuit, CircuitError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.bits == 0 || self.results.is_empty() {
            return Err(CircuitError::Empty);
        }
        if self.results.iter().any(|bit| bit.is_constant()) {
            // A constant comes out as a wire plus itself: garbled, a label of zeros.
            let zero = Bit(self.wires() << 1);
            self.gates.push(Gate::xor(0, 0));
            let constants = self.results.iter_mut().filter(|bit| bit.is_constant());
            constants.for_each(|bit| *bit = Bit(zero.0 | bit.flip()));
        }
        let live = self.live();
        let mut names: Vec<u32> = (0..self.bits).collect();
        names.reserve_exact(self.gates.len());
        let mut gates = Vec::new();
        for (gate, live) in self.gates.iter().zip(&live[self.bits as usize..]) {
            names.push(self.bits + gates.len() as u32);
            if *live {
                gates.push(gate.renamed(&names));
            }
        }
        let results = self.results.iter().map(|bit| Literal(bit.0).of(names[bit.wire() as usize])).collect();
        Ok(Circuit::new(self.inputs, self.outputs, self.bits, gates, results))
    }

    /// The wires that some output depends on.
    fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.wires() as usize];
        self.results.iter().for_each(|bit| live[bit.wire() as usize] = true);
        for (at, gate) in self.gates.iter().enumerate().rev() {
            if live[self.bits as usize + at] {
                live[gate.left().wire() as usize] = true;
                live[gate.right().wire() as usize] = true;
            }
        }
        live
    }
}
