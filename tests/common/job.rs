//! A query on its way: planned, approved by every owner, started; as each node then carries it out.

use base_gm::sm3::tagged;
use base_types::{Digest, OrgId, TimeMs};
use notary_terms::{ApprovalFact, Plan, Request, verify};
use runner::Run;

use super::{nodes, org, sources::Sources};

pub const EXPIRES: TimeMs = 9_000;
pub const APPROVED: TimeMs = 1_000;
pub const STARTED: TimeMs = 2_000;

/// The ledger's Start entry: its transaction and the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub transaction: Digest,
    pub attempt: u32,
}

impl Start {
    pub fn first() -> Self {
        Self::numbered(0)
    }

    /// The first attempt of a job of that number, so that many jobs can run side by side.
    pub fn numbered(number: u64) -> Self {
        Self { transaction: tagged("test/start", &[&number.to_be_bytes()]), attempt: 1 }
    }
}

pub fn request(sql: &str) -> Request {
    Request {
        sql: sql.to_owned(),
        purpose: "health-statistics".to_owned(),
        analyst: "statistics/analyst".parse().expect("a name"),
        receiver: org("statistics"),
        expires: EXPIRES,
        salt: [7; 32],
        tier: None,
    }
}

pub fn plan(sources: &Sources, sql: &str) -> Plan {
    planner::plan(&request(sql), &sources.catalogue, &nodes()).unwrap_or_else(|fault| panic!("{sql}\n{fault}"))
}

/// What the ledger says once every owner has approved.
pub fn approvals(plan: &Plan) -> Vec<ApprovalFact> {
    let fact = |owner: OrgId| ApprovalFact {
        transaction: tagged("test/approval", &[owner.as_str().as_bytes()]),
        org: owner,
        job: plan.digest(),
        time: APPROVED,
    };
    plan.approvers().into_iter().map(fact).collect()
}

/// The run of one node.
pub fn run_of(plan: &Plan, start: Start, me: &OrgId) -> Run {
    let facts = approvals(plan);
    let reads = verify(plan, &facts, (start.attempt, STARTED), start.attempt, me).expect("approved and started");
    let mut approvals: Vec<Digest> = facts.iter().map(|fact| fact.transaction).collect();
    approvals.sort();
    Run {
        plan: plan.clone(),
        reads,
        chain: Digest([3; 32]),
        approvals,
        start: start.transaction,
        attempt: start.attempt,
        memory: planner::memory(plan, me),
        halt: Default::default(),
    }
}
