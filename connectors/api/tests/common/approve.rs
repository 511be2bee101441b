//! Approved reads for tests, made the only way there is: a plan, an approval and a start.

use base_types::{Digest, OrgId, PersonId, column::ColumnType};
use notary_terms::{ApprovalFact, Approved, Plan, Program, Read, ReadRole, Request, Source, Star, Tier, verify};

/// The whole of a source's columns as a read.
pub fn whole(source: &Source) -> Read {
    let columns: Vec<&str> = source.columns.iter().map(|c| c.name.as_str()).collect();
    read(source, &columns)
}

/// A read of some columns in their registered types.
pub fn read(source: &Source, columns: &[&str]) -> Read {
    let ty = |name: &&str| source.columns.iter().find(|c| c.name == **name).map_or(ColumnType::Int, |c| c.ty);
    Read {
        owner: source.dataset.owner(),
        dataset: source.dataset.clone(),
        alias: "t".to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        types: columns.iter().map(ty).collect(),
        key: None,
        filter: None,
        values: Vec::new(),
        rows_bound: source.rows_bound,
        role: ReadRole::Carrier { groups: Vec::new() },
    }
}

/// The read, approved by its owner and started.
pub fn approved(read: Read) -> Approved<Read> {
    let org = |name: &str| OrgId::new(name).expect("a name");
    let owner = read.owner.clone();
    let plan = Plan {
        planner: 1,
        catalogue_height: 1,
        request: Request {
            sql: "SELECT COUNT(*) FROM t".to_owned(),
            purpose: "test".to_owned(),
            analyst: PersonId::new("statistics/analyst").expect("a name"),
            receiver: org("statistics"),
            expires: 2_000,
            salt: [7; 32],
            tier: None,
        },
        tier: Tier::B,
        nodes: ["health", "statistics", "civil"].map(org).to_vec(),
        reads: vec![read],
        program: Program::Star(Star {
            min_group: 5,
            key_bits: 16,
            key_base: 0,
            max_groups: 1,
            aggregates: Vec::new(),
            ranges: Vec::new(),
        }),
        outputs: Vec::new(),
        order: Vec::new(),
        limit: None,
    };
    let fact = ApprovalFact { org: owner.clone(), job: plan.digest(), transaction: Digest::default(), time: 1_000 };
    let mut steps = verify(&plan, &[fact], (1, 1_500), 1, &owner).expect("approved and started");
    steps.pop().expect("one read").1
}
