//! What a run is made of: machines, validators, faults.

use std::collections::BTreeSet;

use base_types::Height;
use ledger_light::{BFT, Epoch, RAFT, Validator};

use crate::node;

/// What happens in a run.
#[derive(Clone)]
pub struct Plan {
    pub seed: u64,
    /// The engine, as epochs number them.
    pub engine: u8,
    /// Validators of the first epoch.
    pub validators: usize,
    /// Machines; those beyond the validators follow without voting.
    pub machines: usize,
    /// Machines that are never started.
    pub silent: BTreeSet<usize>,
    /// A machine that starts only when the network is well.
    pub late: Option<usize>,
    /// A machine that is lost for good at that time.
    pub leaves: Option<usize>,
    /// When a machine that does not lead loses its disk, in milliseconds. Soon after it takes part again another one is
    /// lost for good.
    pub forgets: Option<u64>,
    /// A second machine with this validator's name and key.
    pub twin_of: Option<usize>,
    /// From this height on, validators are those from 1 to `validators`, not from 0.
    pub rotate_at: Option<Height>,
    /// Percent of messages lost and repeated until the network is well.
    pub loss: u64,
    pub repeat: u64,
    /// Longest delay until the network is well.
    pub delay: u64,
    /// Whether the network splits now and then until it is well.
    pub splits: bool,
    /// How many crashes there are until the network is well.
    pub crashes: u64,
    /// When the network becomes well, in milliseconds.
    pub well_at: u64,
    /// Heights that every honest machine must decide after that.
    pub further: u64,
    /// The run may stand still: it ends so long after the network is well, whatever has been decided.
    pub may_halt: Option<u64>,
}

impl Plan {
    /// Four validators on a good network.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            engine: BFT,
            validators: 4,
            machines: 4,
            silent: BTreeSet::new(),
            late: None,
            leaves: None,
            forgets: None,
            twin_of: None,
            rotate_at: None,
            loss: 0,
            repeat: 0,
            delay: 20,
            splits: false,
            crashes: 0,
            well_at: 0,
            further: 3,
            may_halt: None,
        }
    }
    /// Four validators on a bad network.
    pub fn rough(seed: u64) -> Self {
        Self { loss: 20, repeat: 10, delay: 400, splits: true, well_at: 5000, further: 2, ..Self::calm(seed) }
    }
    /// The same run under Raft.
    pub fn raft(self) -> Self {
        Self { engine: RAFT, ..self }
    }
}

/// An epoch of these machines' validators.
pub fn epoch(number: u64, engine: u8, first_height: Height, members: impl Iterator<Item = usize>) -> Epoch {
    let validators = members.map(|i| Validator { org: node::org(i), key: node::key(i).public() }).collect();
    Epoch { number, engine, first_height, validators, interval_ms: 100 }
}
