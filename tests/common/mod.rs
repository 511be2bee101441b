//! Three departments in one process, for the tests of whole runs: sources, approvals, nodes with links, and their records.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod cluster;
pub mod cut;
pub mod expect;
pub mod job;
pub mod memory;
pub mod sources;

use base_types::{DatasetId, OrgId};

/// The three nodes, in the plan's order.
pub const NODES: [&str; 3] = ["civil", "health", "statistics"];

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("a name")
}

pub fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).expect("a name")
}

pub fn nodes() -> Vec<OrgId> {
    NODES.map(org).to_vec()
}
