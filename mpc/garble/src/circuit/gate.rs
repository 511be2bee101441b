//! A gate in eight bytes, and the wires it reads.

/// Wires that a circuit may have: a literal and the mark of an AND gate fit 32 bits.
pub(crate) const MAX_WIRES: u64 = 1 << 30;
/// The top bit of a gate's left literal.
const AND: u32 = 1 << 31;

/// A wire as a gate reads it: twice the wire's number, plus one where the value is inverted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Literal(pub(crate) u32);

impl Literal {
    pub(crate) const fn new(wire: u32, inverted: bool) -> Self {
        Self(wire << 1 | inverted as u32)
    }

    pub(crate) const fn wire(self) -> u32 {
        self.0 >> 1
    }

    pub(crate) const fn inverted(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same reading of another wire.
    pub(crate) const fn of(self, wire: u32) -> Self {
        Self::new(wire, self.inverted())
    }
}

/// A gate; its place in the circuit is the number of its wire. An XOR gate inverts nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gate {
    left: u32,
    right: u32,
}

impl Gate {
    pub(crate) const fn and(left: Literal, right: Literal) -> Self {
        Self { left: left.0 | AND, right: right.0 }
    }

    pub(crate) const fn xor(left: u32, right: u32) -> Self {
        Self { left: left << 1, right: right << 1 }
    }

    pub(crate) const fn is_and(self) -> bool {
        self.left & AND != 0
    }

    pub(crate) const fn left(self) -> Literal {
        Literal(self.left & !AND)
    }

    pub(crate) const fn right(self) -> Literal {
        Literal(self.right)
    }

    /// The gate with its wires renamed.
    pub(crate) fn renamed(self, names: &[u32]) -> Self {
        let name = |literal: Literal| literal.of(names[literal.wire() as usize]);
        let (left, right) = (name(self.left()), name(self.right()));
        if self.is_and() { Self::and(left, right) } else { Self { left: left.0, right: right.0 } }
    }

    /// The two words that a digest covers.
    pub(crate) const fn words(self) -> [u32; 2] {
        [self.left, self.right]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_keeps_its_kind_wires_and_inversions() {
        let last = (MAX_WIRES - 1) as u32;
        let gate = Gate::and(Literal::new(last, true), Literal::new(0, false));
        assert!(gate.is_and() && gate.left().inverted() && !gate.right().inverted());
        assert_eq!((gate.left().wire(), gate.right().wire()), (last, 0));
        let gate = Gate::xor(1, last);
        assert!(!gate.is_and());
        assert_eq!((gate.left(), gate.right()), (Literal::new(1, false), Literal::new(last, false)));
        let names = [7, 9];
        let gate = Gate::and(Literal::new(1, true), Literal::new(0, false)).renamed(&names);
        assert_eq!((gate.is_and(), gate.left(), gate.right()), (true, Literal::new(9, true), Literal::new(7, false)));
    }
}
