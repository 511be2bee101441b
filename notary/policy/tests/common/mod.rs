//! The story's plan, and the rules that suffice for it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;

use base_types::{DatasetId, OrgId, TimeMs, column::ColumnType};
use notary_policy::{Missing, check, uses};
use notary_terms::{
    Aggregate, ApprovalMode, Argument, Catalogue, CellForm, Circuit, CircuitSize, Fold, Function, GroupColumn,
    Intersect, Join, KeyPart, Label, Output, Plan, Program, Read, ReadRole, Request, Rule, RuleSet, Span, Spares, Star,
    Tier, Use, ValueOf, VectorColumn, VectorInput, VectorSize, Vectors,
    formula::{Formula, Op},
};

pub const NOW: TimeMs = 1_000;
pub const PURPOSE: &str = "health-statistics";

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

pub fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).unwrap()
}

pub fn formula(ops: &[Op]) -> Formula {
    Formula { ops: ops.to_vec() }
}

pub fn read(owner: &str, table: &str, columns: &[&str], role: ReadRole) -> Read {
    Read {
        owner: org(owner),
        dataset: dataset(&format!("{owner}/{table}")),
        alias: table.into(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        types: vec![ColumnType::Int; columns.len()],
        key: Some(0),
        filter: None,
        values: vec![],
        rows_bound: 64,
        role,
    }
}

/// The story's query: people by education, mean blood pressure, deaths; of those who are 40 or older.
pub fn plan() -> Plan {
    let groups = vec![GroupColumn { column: "education".into(), ty: ColumnType::Int, words: 2 }];
    let census = read("statistics", "census", &["person_id", "education"], ReadRole::Carrier { groups });
    let mut health = read("health", "visits", &["person_id", "sbp", "age"], ReadRole::Side { join: Join::Inner });
    health.filter = Some(formula(&[Op::Column(2), Op::Number(40), Op::Ge]));
    health.values = vec![formula(&[Op::Column(1)])];
    let mut deaths = read("civil", "deaths", &["person_id"], ReadRole::Side { join: Join::Left });
    deaths.values = vec![formula(&[Op::Column(0), Op::IsNull, Op::Number(0), Op::Number(1), Op::Case])];
    let value = |read, absent| Argument::Value { read, value: 0, absent };
    let aggregates = vec![
        Aggregate { function: Function::Count, argument: Argument::Rows },
        Aggregate { function: Function::Avg { extra_digits: 6 }, argument: value(1, None) },
        Aggregate { function: Function::Sum, argument: value(2, Some(0)) },
    ];
    let ranges = vec![vec![], vec![Span { low: 0, high: 255 }], vec![Span { low: 0, high: 1 }]];
    let star = Program::Star(Star { min_group: 5, key_bits: 15, key_base: 0, max_groups: 8, aggregates, ranges });
    let people = ValueOf::Aggregate { aggregate: 0 };
    let outputs = vec![Output { name: "people".into(), ty: ColumnType::Int, value: people }];
    planned(Tier::B, &["civil", "health", "statistics"], vec![census, health, deaths], star, outputs)
}

/// The analyst's plan of these parts, in no order and without a limit.
fn planned(tier: Tier, nodes: &[&str], reads: Vec<Read>, program: Program, outputs: Vec<Output>) -> Plan {
    Plan {
        planner: 1,
        catalogue_height: 9,
        request: request(),
        tier,
        nodes: nodes.iter().map(|name| org(name)).collect(),
        reads,
        program,
        outputs,
        order: vec![],
        limit: None,
    }
}

fn request() -> Request {
    Request {
        sql: "SELECT 1".into(),
        purpose: PURPOSE.into(),
        analyst: "statistics/analyst".parse().unwrap(),
        receiver: org("statistics"),
        expires: 9_000,
        salt: [7; 32],
        tier: None,
    }
}

/// The star join of a plan.
pub fn star(plan: &mut Plan) -> &mut Star {
    match &mut plan.program {
        Program::Star(star) => star,
        other => panic!("{other:?}"),
    }
}

fn set(owner: &str, table: &str, columns: &[&str], keys: Vec<KeyPart>) -> Read {
    Read { key: None, ..read(owner, table, columns, ReadRole::Set { keys }) }
}

/// Rows of the census that a visit matches by number and folded name: the education, and pressure of those of 40 or older.
pub fn intersection() -> Plan {
    let exact = |column| KeyPart { column, folds: vec![] };
    let folded = |column| KeyPart { column, folds: vec![Fold::Trim, Fold::Lower] };
    let mut census = set("statistics", "census", &["person_id", "name", "education"], vec![exact(0), exact(1)]);
    let mut health = set("health", "visits", &["person_id", "name", "sbp", "age"], vec![exact(0), folded(1)]);
    for read in [&mut census, &mut health] {
        read.types[1] = ColumnType::Text;
    }
    census.values = vec![formula(&[Op::Column(0)]), formula(&[Op::Column(2)])];
    health.filter = Some(formula(&[Op::Column(3), Op::Number(40), Op::Ge]));
    health.values = vec![formula(&[Op::Column(2)])];
    let cells = vec![CellForm { ty: ColumnType::Int, bytes: 8 }];
    let output = |name: &str, read, value| Output {
        name: name.into(),
        ty: ColumnType::Int,
        value: ValueOf::Cell { read, value },
    };
    let label = Label::Row { cells, rows: 1 };
    let intersect = Program::Intersect(Intersect { label, spares: Spares::Time, bucket_keys: None });
    let outputs = vec![output("person_id", 0, 0), output("education", 0, 1), output("sbp", 1, 0)];
    planned(Tier::C, &["health", "statistics"], vec![census, health], intersect, outputs)
}

/// A program over what a person of the census earns and up to three pressures of visits.
pub fn program() -> Plan {
    let input =
        |argument: &str, rows, absent| ReadRole::Input { argument: argument.into(), ty: "u16".into(), rows, absent };
    let mut census = read("statistics", "census", &["income", "person_id"], input("a", 1, None));
    census.values = vec![formula(&[Op::Column(0)])];
    census.filter = Some(formula(&[Op::Column(1), Op::Number(7), Op::Eq]));
    let mut health = read("health", "visits", &["sbp", "age", "person_id"], input("b", 3, Some(0)));
    let old = [Op::Column(1), Op::Number(40), Op::Ge, Op::Column(0), Op::Number(0), Op::Case];
    health.values = vec![formula(&old)];
    health.filter = Some(formula(&[Op::Column(2), Op::Number(7), Op::Eq]));
    for read in [&mut census, &mut health] {
        read.key = None;
    }
    let output = |name: &str, value| Output { name: name.into(), ty: ColumnType::Text, value };
    let circuit = Program::Circuit(Circuit {
        source: "pub fn main(a: u16, b: [u16; 3]) -> bool { a > b[0] }".into(),
        digest: base_types::Digest([4; 32]),
        result: "bool".into(),
        size: CircuitSize { and_gates: 100, bytes: 1_000_000, rounds: 40, memory: 1_000_000 },
    });
    let outputs = vec![output("result", ValueOf::Result { field: None }), output("stopped", ValueOf::Stopped)];
    planned(Tier::C, &["health", "statistics"], vec![census, health], circuit, outputs)
}

/// The same values as vectors of numbers, on shares among three nodes.
pub fn vectors() -> Plan {
    let mut plan = program();
    let columns = vec![VectorColumn { digits: 0, low: 0, high: 300 }];
    let vectors = Program::Vectors(Vectors {
        source: "scale 16; input a; input b[3]; return a * sum(b);".into(),
        digest: base_types::Digest([4; 32]),
        inputs: vec![VectorInput { columns: columns.clone() }, VectorInput { columns }],
        result: "value1: number[1, 1]".into(),
        size: VectorSize { products: 1, bytes: 1_000, rounds: 9, memory: 1_000 },
    });
    plan.outputs.pop();
    let nodes = ["civil", "health", "statistics"].map(org).to_vec();
    Plan { tier: Tier::B, nodes, program: vectors, ..plan }
}

/// Exactly what the program needs, one grant a use; nobody may hold shares.
pub fn sufficient_for_program() -> BTreeMap<DatasetId, RuleSet> {
    let of_health = vec![rule("sbp", Use::Program), rule("age", Use::Program), rule("person_id", Use::AfterCompare)];
    let mut rules = BTreeMap::from([
        rule_set("statistics/census", vec![rule("income", Use::Program), rule("person_id", Use::AfterCompare)]),
        rule_set("health/visits", of_health),
    ]);
    rules.values_mut().for_each(|set| set.holders.clear());
    rules
}

/// A grant to another party than the receiver.
pub fn rule_to(party: &str, column: &str, held: Use) -> Rule {
    Rule { party: org(party), ..rule(column, held) }
}

/// Exactly what the intersection needs, one grant a use; nobody may hold shares.
pub fn sufficient_for_rows() -> BTreeMap<DatasetId, RuleSet> {
    let mut rules = BTreeMap::from([
        rule_set(
            "statistics/census",
            vec![
                rule("person_id", Use::AfterJoin),
                rule("name", Use::AfterJoin),
                rule("education", Use::JoinPayload),
                rule_to("health", "person_id", Use::EncryptedOnly),
                rule_to("health", "name", Use::EncryptedOnly),
            ],
        ),
        rule_set(
            "health/visits",
            vec![
                rule("person_id", Use::AfterJoin),
                rule("name", Use::AfterJoin),
                rule("sbp", Use::JoinPayload),
                rule("age", Use::AfterCompare),
            ],
        ),
    ]);
    rules.values_mut().for_each(|set| set.holders.clear());
    rules
}

pub fn rule(column: &str, held: Use) -> Rule {
    let (party, purpose) = (org("statistics"), PURPOSE.to_owned());
    Rule { column: column.into(), party, purpose, uses: vec![held], expires: 5_000, runs: 0 }
}

pub fn rule_set(name: &str, rules: Vec<Rule>) -> (DatasetId, RuleSet) {
    let dataset = dataset(name);
    let holders = vec![org("civil"), org("health"), org("statistics")];
    (dataset.clone(), RuleSet { dataset, approval: ApprovalMode::Auto, min_group: 5, holders, rules })
}

/// Exactly what the plan needs, one grant a use.
pub fn sufficient() -> BTreeMap<DatasetId, RuleSet> {
    BTreeMap::from([
        rule_set(
            "statistics/census",
            vec![rule("person_id", Use::EncryptedOnly), rule("education", Use::AfterGroupBy)],
        ),
        rule_set(
            "health/visits",
            vec![
                rule("person_id", Use::EncryptedOnly),
                rule("sbp", Use::AfterAggregate),
                rule("age", Use::AfterCompare),
            ],
        ),
        rule_set("civil/deaths", vec![rule("person_id", Use::AfterCompare)]),
    ])
}

pub fn never_used(_: &DatasetId, _: &str) -> u32 {
    0
}

/// Everything that leaks: data set, column, use, and who learns it.
pub fn told(plan: &Plan) -> Vec<[String; 4]> {
    let found = uses(plan).unwrap();
    let words = found.iter().map(|u| [u.dataset.as_str(), u.column.as_str(), u.need.word(), u.party.as_str()]);
    words.map(|words| words.map(String::from)).collect()
}

/// Every one of these changes makes the plan a fault.
pub fn all_are_faults<T: Fn(&mut Plan)>(plan: &Plan, twists: impl IntoIterator<Item = T>) {
    for (number, twist) in twists.into_iter().enumerate() {
        let mut twisted = plan.clone();
        twist(&mut twisted);
        assert!(uses(&twisted).is_err(), "twist {number}");
    }
}

pub fn all_missing(rules: &BTreeMap<DatasetId, RuleSet>, plan: &Plan, now: TimeMs) -> Vec<Missing> {
    let catalogue = Catalogue { rules: rules.clone(), ..Catalogue::default() };
    check(&catalogue, plan, &never_used, now).unwrap()
}

pub fn change(change: impl FnOnce(&mut RuleSet)) -> BTreeMap<DatasetId, RuleSet> {
    let mut rules = sufficient();
    change(rules.get_mut(&dataset("health/visits")).unwrap());
    rules
}
