//! How large a circuit may be, and what is wrong with one.

use thiserror::Error;

use super::gate::MAX_WIRES;

/// Bounds that are checked before memory is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Gates that a circuit may have.
    pub gates: u32,
    /// Bits that its inputs may have together, and so its outputs.
    pub bits: u32,
    /// Bytes that its text may have.
    pub text: usize,
}

impl Default for Limits {
    /// 2^26 gates (half a gigabyte while it is built), 2^22 bits, 2 GiB of text.
    fn default() -> Self {
        Self { gates: 1 << 26, bits: 1 << 22, text: 1 << 31 }
    }
}

impl Limits {
    /// Bits of the widths together.
    pub(crate) fn total(&self, widths: &[u32]) -> Result<u32, CircuitError> {
        // One more gate than the limit may be needed for a constant output.
        if u64::from(self.gates) + u64::from(self.bits) >= MAX_WIRES {
            return Err(CircuitError::TooLarge { what: "wires", limit: MAX_WIRES });
        }
        let total: u64 = widths.iter().map(|width| u64::from(*width)).sum();
        match u32::try_from(total) {
            Ok(total) if total <= self.bits => Ok(total),
            _ => Err(CircuitError::TooLarge { what: "bits of inputs or outputs", limit: self.bits.into() }),
        }
    }
}

/// Why there is no circuit, or why it does not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CircuitError {
    /// A bound of [`Limits`] is exceeded.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// A line of Bristol-fashion text is wrong; lines are counted from 1.
    #[error("line {line}: {why}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another number of things than is due.
    #[error("{found} {what} where {due} are due")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        due: usize,
    },
    /// A bit or an input that the circuit does not have.
    #[error("a bit or an input that this circuit does not have")]
    Foreign,
    /// A circuit without an input bit or without an output bit.
    #[error("a circuit without input bits or without output bits")]
    Empty,
    /// An output that no party receives.
    #[error("output {0} has no receiver")]
    Unreceived(usize),
}
