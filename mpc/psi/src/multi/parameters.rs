//! Parameters of a run: one value, hashed into the session, so that the parties cannot disagree.

use std::ops::RangeInclusive;

use crate::Mode;
use crate::okvs::MAX_KEYS;

/// How many parties may take part.
const PARTIES: RangeInclusive<usize> = 3..=8;

/// Who learns the intersection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outputs {
    /// This party alone.
    One(usize),
    /// Every party; as many runs as parties.
    All,
}

/// Sizes, receivers and what the run spares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    sizes: Vec<usize>,
    outputs: Outputs,
    mode: Mode,
}

impl Parameters {
    /// `sizes[i]` is the most elements of party `i`, which its set is padded to. `None` unless there are 3 to 8 parties with at most
    /// [`MAX_KEYS`] elements each, and the receiver is one of them.
    pub fn new(sizes: Vec<usize>, outputs: Outputs, mode: Mode) -> Option<Self> {
        let parties = PARTIES.contains(&sizes.len()) && sizes.iter().all(|size| *size <= MAX_KEYS);
        let receiver = match outputs {
            Outputs::One(receiver) => receiver < sizes.len(),
            Outputs::All => true,
        };
        (parties && receiver).then_some(Self { sizes, outputs, mode })
    }

    /// The agreed sizes, one a party.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Who learns the intersection.
    pub fn outputs(&self) -> Outputs {
        self.outputs
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// The receivers, in the order of their runs.
    pub(super) fn receivers(&self) -> std::ops::Range<usize> {
        match self.outputs {
            Outputs::One(receiver) => receiver..receiver + 1,
            Outputs::All => 0..self.sizes.len(),
        }
    }

    /// The canonical encoding that the fork's identifier binds.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { sizes, outputs, mode } = self;
        let mut out = vec![mode.encode()];
        match outputs {
            Outputs::One(receiver) => out.extend([1, *receiver as u8]),
            Outputs::All => out.push(2),
        }
        sizes.iter().for_each(|size| out.extend_from_slice(&(*size as u64).to_be_bytes()));
        out
    }
}
