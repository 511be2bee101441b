//! A circuit gate by gate, as other protocols than half gates read it.

use super::{Circuit, Gate, Literal};

/// A wire as a gate or an output reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wire {
    /// The wire: input bits first, then one wire a gate.
    pub number: u32,
    /// Whether its value is inverted. An XOR gate inverts nothing.
    pub inverted: bool,
}

/// A gate; its result is the wire behind those of the gates before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// An AND gate, else an XOR gate.
    pub and: bool,
    /// The first wire it reads.
    pub left: Wire,
    /// The second.
    pub right: Wire,
}

impl From<Literal> for Wire {
    fn from(literal: Literal) -> Self {
        Self { number: literal.wire(), inverted: literal.inverted() }
    }
}

impl Circuit {
    /// The gates in order; a gate reads only input wires and wires of gates before it.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = Step> + Clone + '_ {
        let step = |gate: &Gate| Step { and: gate.is_and(), left: gate.left().into(), right: gate.right().into() };
        self.gates().iter().map(step)
    }

    /// The wire of every output bit.
    pub fn output_wires(&self) -> impl ExactSizeIterator<Item = Wire> + '_ {
        self.results().iter().map(|result| Wire::from(*result))
    }
}
