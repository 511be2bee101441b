//! What both parties of a run agree on beforehand: the program, whose the inputs are, and who receives which output.

use std::ops::Range;
use std::sync::Arc;

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::circuit::{Circuit, CircuitError};
use crate::half_gates::{HASHES_BYTES, LABEL_BYTES, TABLE_BYTES};
use crate::program::Program;

/// Bytes of labels above which memory counts for more than batches of hashes.
const LABELS: usize = 64 << 20;

/// A party's part in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Garbles the circuit.
    Garbler,
    /// Evaluates it.
    Evaluator,
}

/// Who receives an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receivers {
    /// Whether the garbler does.
    pub garbler: bool,
    /// Whether the evaluator does.
    pub evaluator: bool,
}

/// Every output of the circuit in order: its bits, the least significant first, or `None` where this party receives it
/// not.
pub type Outputs = Vec<Option<Zeroizing<Vec<bool>>>>;

/// What a run costs; known before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// AND gates, one table each.
    pub and: u64,
    /// XOR gates.
    pub xor: u64,
    /// Bytes of all messages of both parties, without the oblivious transfers.
    pub bytes: u64,
    /// Pairs that go through oblivious transfer: the evaluator's input bits.
    pub transfers: u64,
    /// Times that the direction of the messages changes, plus one, without the oblivious transfers.
    pub rounds: u64,
}

/// What both parties agree on; it is bound into the fork that the run uses.
pub struct Shape {
    program: Arc<Program>,
    owners: Vec<Role>,
    receivers: Vec<Receivers>,
}

impl Shape {
    /// A run of `program`: `owners` says whose each input is, `receivers` who gets each output.
    ///
    /// # Errors
    /// [`CircuitError::Count`] when there is not one owner an input and one entry an output;
    /// [`CircuitError::Unreceived`] when nobody receives an output.
    pub fn new(program: Arc<Program>, owners: Vec<Role>, receivers: Vec<Receivers>) -> Result<Self, CircuitError> {
        let counts = [
            ("owners of inputs", owners.len(), program.inputs().len()),
            ("receivers of outputs", receivers.len(), program.outputs().len()),
        ];
        for (what, found, due) in counts {
            if found != due {
                return Err(CircuitError::Count { what, found, due });
            }
        }
        match receivers.iter().position(|who| !who.garbler && !who.evaluator) {
            Some(output) => Err(CircuitError::Unreceived(output)),
            None => Ok(Self { program, owners, receivers }),
        }
    }

    /// A run of a circuit whose outputs the evaluator alone receives, in layers unless their labels take more than 64 MiB at each
    /// party. So the garbler hears nothing after the transfers, and what the evaluator sends decides nothing but its own result.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn told_to_evaluator(circuit: &Circuit, owners: Vec<Role>) -> Result<Self, CircuitError> {
        let receivers = vec![Receivers { garbler: false, evaluator: true }; circuit.outputs().len()];
        Self::new(Arc::new(Program::within(circuit, LABELS)), owners, receivers)
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What a run costs.
    pub fn cost(&self) -> Cost {
        let total = |ranges: Vec<Range<usize>>| ranges.iter().map(|range| range.len()).sum::<usize>() as u64;
        let and = self.program.ands() as u64;
        let back = total(self.received(Role::Garbler));
        let forth = TABLE_BYTES as u64 * and
            + LABEL_BYTES as u64 * total(self.owned(Role::Garbler))
            + HASHES_BYTES as u64 * total(self.received(Role::Evaluator));
        Cost {
            and,
            xor: self.program.xors() as u64,
            bytes: forth + LABEL_BYTES as u64 * back,
            transfers: total(self.owned(Role::Evaluator)),
            rounds: u64::from(forth > 0) + u64::from(back > 0),
        }
    }

    /// How many bits a party puts in.
    pub fn input_bits(&self, role: Role) -> usize {
        self.owned(role).iter().map(|range| range.len()).sum()
    }

    /// The input bits that a party owns, an input each.
    pub(super) fn owned(&self, role: Role) -> Vec<Range<usize>> {
        let inputs = ranges(self.program.inputs()).zip(&self.owners);
        inputs.filter(|(_, owner)| **owner == role).map(|(range, _)| range).collect()
    }

    /// The output bits that a party receives, an output each.
    pub(super) fn received(&self, role: Role) -> Vec<Range<usize>> {
        let outputs = ranges(self.program.outputs()).zip(&self.receivers);
        outputs.filter(|(_, who)| who.is(role)).map(|(range, _)| range).collect()
    }

    /// The values that a party received, put where its outputs are.
    pub(super) fn placed(&self, role: Role, values: Vec<Zeroizing<Vec<bool>>>) -> Outputs {
        let mut values = values.into_iter();
        let place = |who: &Receivers| if who.is(role) { values.next() } else { None };
        self.receivers.iter().map(place).collect()
    }

    /// The fork that a run uses. Its identifier binds program, owners, receivers and roles, so parties that disagree on
    /// any abort at the first frame.
    pub(super) fn fork(&self, ctx: &mut Context, garbler: usize, evaluator: usize) -> Context {
        let mut bound = self.program.digest().to_vec();
        bound.extend(self.owners.iter().map(|owner| u8::from(*owner == Role::Garbler)));
        bound.extend(self.receivers.iter().map(|who| u8::from(who.garbler) | u8::from(who.evaluator) << 1));
        for party in [garbler, evaluator] {
            bound.extend_from_slice(&(party as u64).to_be_bytes());
        }
        ctx.fork_bound("garbled", &bound)
    }

    /// Refuses inputs that are not this party's.
    pub(super) fn check_inputs(&self, role: Role, inputs: &[bool]) -> Result<(), Abort> {
        let due = self.input_bits(role);
        if inputs.len() == due {
            return Ok(());
        }
        Err(Abort::local(format!("{} input bits where {due} are due", inputs.len())))
    }
}

impl Receivers {
    fn is(self, role: Role) -> bool {
        match role {
            Role::Garbler => self.garbler,
            Role::Evaluator => self.evaluator,
        }
    }
}

/// The public key of the hash: the run's fork decides it.
pub(super) fn hash_key(ctx: &Context) -> Block {
    let digest = ctx.digest("heqi/mpc/garble/hash-key/1", &[]);
    let (halves, _) = digest.as_chunks::<16>();
    Block::from_bytes(halves[0])
}

/// Where each of the words that follow each other lies.
fn ranges(widths: &[u32]) -> impl Iterator<Item = Range<usize>> {
    widths.iter().scan(0, |start, width| {
        let range = *start..*start + *width as usize;
        *start = range.end;
        Some(range)
    })
}
