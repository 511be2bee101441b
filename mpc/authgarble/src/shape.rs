//! What all parties of a run agree on beforehand: the circuit, whose the inputs are, and who receives which output.

use std::ops::Range;

use mpc_core::Abort;
use mpc_garble::circuit::Circuit;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::estimate::{Estimate, estimate};
use crate::plan::Plan;

/// Most parties of a run.
pub const MOST_PARTIES: usize = 8;

/// Every output of the circuit in order: its bits, the least significant first, or `None` where this party receives it not.
pub type Outputs = Vec<Option<Zeroizing<Vec<bool>>>>;

/// Why there is no shape.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShapeError {
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
    /// An owner or a receiver that is none of the parties.
    #[error("party {party} among {parties}")]
    NoParty {
        /// The number that was given.
        party: usize,
        /// How many parties there are.
        parties: usize,
    },
    /// An output that no party receives.
    #[error("output {0} has no receiver")]
    Unreceived(usize),
}

/// What all parties agree on; it is bound into the fork that the run uses.
pub struct Shape {
    pub(crate) plan: Plan,
    parties: usize,
    widths: [Vec<u32>; 2],
    owners: Vec<usize>,
    /// Of every output, bit `j` where party `j` receives it.
    receivers: Vec<u8>,
    digest: [u8; 32],
    estimate: Estimate,
}

impl Shape {
    /// A run of `circuit` by so many parties: `owners` says whose each input is, `receivers` who gets each output. Party 0
    /// evaluates, the others garble; who evaluates decides nothing about who puts in or receives.
    ///
    /// # Errors
    /// [`ShapeError::Count`] when there is not one owner an input and one entry an output, or when there are fewer than 2 or more
    /// than [`MOST_PARTIES`] parties; [`ShapeError::NoParty`] for a party that does not exist; [`ShapeError::Unreceived`] when
    /// nobody receives an output.
    pub fn new(
        circuit: &Circuit,
        parties: usize,
        owners: Vec<usize>,
        receivers: &[Vec<usize>],
    ) -> Result<Self, ShapeError> {
        let counts = [
            ("owners of inputs", owners.len(), circuit.inputs().len()),
            ("receivers of outputs", receivers.len(), circuit.outputs().len()),
            ("parties", parties, parties.clamp(2, MOST_PARTIES)),
        ];
        for (what, found, due) in counts {
            if found != due {
                return Err(ShapeError::Count { what, found, due });
            }
        }
        let mut named = owners.iter().chain(receivers.iter().flatten());
        if let Some(party) = named.find(|party| **party >= parties) {
            return Err(ShapeError::NoParty { party: *party, parties });
        }
        if let Some(output) = receivers.iter().position(Vec::is_empty) {
            return Err(ShapeError::Unreceived(output));
        }
        let mask = |who: &Vec<usize>| who.iter().fold(0, |mask, party| mask | 1 << party);
        let receivers = receivers.iter().map(mask).collect();
        let (plan, digest) = (Plan::new(circuit), circuit.digest());
        let widths = [circuit.inputs().to_vec(), circuit.outputs().to_vec()];
        let estimate = estimate(&plan, parties);
        Ok(Self { plan, parties, widths, owners, receivers, digest, estimate })
    }

    /// Parties.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// What a run costs, told before it.
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// How many bits a party puts in.
    pub fn input_bits(&self, party: usize) -> usize {
        self.owned(party).map(|range| range.len()).sum()
    }

    /// The input bits that a party owns, an input each.
    pub(crate) fn owned(&self, party: usize) -> impl Iterator<Item = Range<usize>> + Send {
        let inputs = ranges(&self.widths[0]).zip(&self.owners);
        inputs.filter(move |(_, owner)| **owner == party).map(|(range, _)| range)
    }

    /// The output bits that a party receives, an output each.
    pub(crate) fn received(&self, party: usize) -> impl Iterator<Item = Range<usize>> + Send {
        let outputs = ranges(&self.widths[1]).zip(&self.receivers);
        outputs.filter(move |(_, who)| *who >> party & 1 == 1).map(|(range, _)| range)
    }

    /// How many output bits a party receives.
    pub(crate) fn output_bits(&self, party: usize) -> usize {
        self.received(party).map(|range| range.len()).sum()
    }

    /// The bits that a party received, put where its outputs are.
    pub(crate) fn placed(&self, party: usize, bits: &[bool]) -> Outputs {
        let mut rest = bits;
        let outputs = self.widths[1].iter().zip(&self.receivers);
        let place = |(width, who): (&u32, &u8)| {
            (who >> party & 1 == 1).then(|| {
                let (own, behind) = rest.split_at(*width as usize);
                rest = behind;
                Zeroizing::new(own.to_vec())
            })
        };
        outputs.map(place).collect()
    }

    /// The canonical encoding that the run's fork binds.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { plan: _, parties, widths: _, owners, receivers, digest, estimate: _ } = self;
        let mut bound = digest.to_vec();
        bound.push(*parties as u8);
        bound.extend(owners.iter().map(|owner| *owner as u8));
        bound.extend_from_slice(receivers);
        bound
    }

    /// Refuses a session of other parties.
    pub(crate) fn check_parties(&self, parties: usize) -> Result<(), Abort> {
        if parties == self.parties {
            return Ok(());
        }
        Err(Abort::local(format!("a run of {} parties in a session of {parties}", self.parties)))
    }

    /// Refuses inputs that are not this party's.
    pub(crate) fn check_inputs(&self, party: usize, inputs: &[bool]) -> Result<(), Abort> {
        let due = self.input_bits(party);
        if inputs.len() == due {
            return Ok(());
        }
        Err(Abort::local(format!("{} input bits where {due} are due", inputs.len())))
    }
}

/// Where each of the words that follow each other lies.
fn ranges(widths: &[u32]) -> impl Iterator<Item = Range<usize>> + Send {
    widths.iter().scan(0, |start, width| {
        let range = *start..*start + *width as usize;
        *start = range.end;
        Some(range)
    })
}
