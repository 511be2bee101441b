//! Users' programs: how they are planned, what is refused with what to write, and what the explanation says.

mod common;

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use common::{dataset, nodes, org, plain, plan, request};
use notary_terms::{
    Circuit, Output, Plan, Program, Read, ReadRole, Tier, ValueOf,
    formula::{Formula, Op},
};
use planner::{VERSION, check_program, explain};

const SOURCE: &str = "struct Person { age: u8, smokes: bool }
struct Answer { risk: u64, high: bool }
pub fn main(income: u8, people: [Person; 2]) -> Answer {
    let mut risk = income as u64;
    for person in people { if person.smokes { risk = risk + (person.age as u64); } }
    Answer { risk: risk, high: risk > 50u64 }
}";

fn asked() -> String {
    format!(
        "COMPUTE $$ {SOURCE} $$ WITH people = (SELECT h.smokes, h.age + 1 AS age FROM health h WHERE h.person_id < 9) ELSE 0,
         income = (SELECT income FROM statistics.census WHERE person_id = 7)"
    )
}

fn formula(ops: &[Op]) -> Formula {
    Formula { ops: ops.to_vec() }
}

fn circuit(plan: &Plan) -> &Circuit {
    match &plan.program {
        Program::Circuit(circuit) => circuit,
        _ => panic!("no program"),
    }
}

#[test]
fn a_program_is_planned_field_by_field() {
    use ColumnType::{Bool, Int, Text};
    let made = plan(&asked()).unwrap();
    let read = |owner: &str, name: &str, columns: &[(&str, ColumnType)], role: ReadRole| Read {
        owner: org(owner),
        dataset: dataset(name),
        alias: String::new(),
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        types: columns.iter().map(|(_, ty)| *ty).collect(),
        key: None,
        filter: None,
        values: vec![],
        rows_bound: 1664,
        role,
    };
    let input = |argument: &str, ty: &str, rows, absent| ReadRole::Input {
        argument: argument.into(),
        ty: ty.into(),
        rows,
        absent,
    };
    let mut census =
        read("statistics", "statistics/census", &[("income", Int), ("person_id", Int)], input("income", "u8", 1, None));
    census.alias = "census".into();
    census.values = vec![formula(&[Op::Column(0)])];
    census.filter = Some(formula(&[Op::Column(1), Op::Number(7), Op::Eq]));
    let mut health = read(
        "health",
        "health/health",
        &[("smokes", Bool), ("age", Int), ("person_id", Int)],
        input("people", "[{age: u8, smokes: bool}; 2]", 2, Some(0)),
    );
    health.alias = "h".into();
    // The fields of the struct decide the order, not the SELECT.
    health.values = vec![formula(&[Op::Column(1), Op::Number(1), Op::Add]), formula(&[Op::Column(0)])];
    health.filter = Some(formula(&[Op::Column(2), Op::Number(9), Op::Lt]));
    let output = |name: &str, ty, value| Output { name: name.into(), ty, value };
    let expected = Plan {
        planner: VERSION,
        catalogue_height: 17,
        request: request(&asked()),
        tier: Tier::C,
        nodes: vec![org("health"), org("statistics")],
        reads: vec![census, health],
        program: made.program.clone(),
        outputs: vec![
            output("high", Bool, ValueOf::Result { field: Some(0) }),
            output("risk", Text, ValueOf::Result { field: Some(1) }),
            output("stopped", Text, ValueOf::Stopped),
        ],
        order: vec![],
        limit: None,
    };
    assert_eq!(made, expected);
    assert_eq!(Plan::from_wire(&expected.to_wire()).unwrap(), expected);
    let Circuit { source, result, size, digest } = circuit(&made);
    assert_eq!((source.trim(), result.as_str()), (SOURCE, "{high: bool, risk: u64}"));
    assert!((50..10_000).contains(&size.and_gates) && size.bytes > 10_000 && size.memory > 10_000, "{size:?}");
    let told = check_program(SOURCE, 2).unwrap();
    assert_eq!((told.digest, told.size), (*digest, *size), "the author sees what the approvers see");
    assert!(told.arguments.iter().all(|argument| argument.selectable));
}

#[test]
fn the_owners_and_the_receiver_compute_whoever_else_there_is() {
    let whole = plan(&asked()).unwrap();
    for others in [&whole.nodes[..], &nodes()[..1], &[]] {
        let again = planner::plan(&request(&asked()), &plain(), others).unwrap();
        assert_eq!(again.digest(), whole.digest());
    }
    let mut third = request(&asked());
    third.receiver = org("bank");
    let third = planner::plan(&third, &plain(), &nodes()).unwrap();
    assert_eq!(third.nodes, ["bank", "health", "statistics"].map(org));
    assert_eq!((third.tier, third.approvers().len(), third.parties().len()), (Tier::D, 2, 3));
    assert!(circuit(&third).size.bytes > circuit(&whole).size.bytes);
    let bids = "compute 'pub fn main(bids: [u16; 2]) -> u16 { if bids[0] > bids[1] { bids[0] } else { bids[1] } }'
        with bids[1] = (select l.sum from loans l where l.person_id = 3), bids[0] = (select yrdth from deaths) else -0;";
    let bids = plan(bids).unwrap();
    let names: Vec<_> = bids.reads.iter().map(|read| read.dataset.as_str()).collect();
    assert_eq!((names, bids.nodes.len()), (vec!["civil/deaths", "bank/loans"], 3));
}

/// Refused with this code at the last place where `at` stands, with this advice.
fn check(sql: &str, code: Code, at: &str, advice: &str) {
    let fault: Fault = match plan(sql) {
        Err(fault) => fault,
        Ok(_) => panic!("planned: {sql}"),
    };
    let place = format!("1:{}: ", sql.rfind(at).unwrap() + 1);
    assert_eq!((fault.code, fault.step.as_str()), (code, "plan"), "{sql}\n{fault}");
    assert!(fault.detail.starts_with(&place) && fault.detail.contains(advice), "{sql}\n{place}{advice}\n{fault}");
}

#[test]
fn arguments_that_no_select_gives_are_refused_with_what_to_write() {
    use Code::{QueryOverflow as Over, QueryUnknownName as Unknown, QueryUnsupported as No};
    let health = "b = (SELECT age FROM health)";
    let cases = [
        ("a: u8, b: u8", "c = (SELECT yrdth FROM deaths)", Unknown, "c = (", "it has a, b"),
        ("a: u8, b: u8", "b = (SELECT yrdth FROM deaths)", No, "b = (SELECT age", "once"),
        ("a: u8, b: u8", "a = (SELECT h.sbp FROM health h)", No, "b = (SELECT age", "one SELECT"),
        ("a: u8, b: u8", "a = (SELECT cause FROM deaths)", No, "cause", "compare it"),
        ("a: u8, b: u8", "a = (SELECT yrdth > 3 FROM deaths)", No, "yrdth", "CASE WHEN x THEN 1"),
        ("a: bool, b: u8", "a = (SELECT yrdth FROM deaths)", No, "yrdth", "x <> 0"),
        ("a: u8, b: u8", "a = (SELECT NULL FROM deaths)", No, "NULL", "ELSE 0"),
        ("a: u8, b: u8", "a = (SELECT yrdth * 3 FROM deaths)", Over, "yrdth", "wider type"),
        ("a: u8, b: u8", "a = (SELECT yrdth - 1 FROM deaths)", Over, "yrdth", "0 to 255"),
        ("a: u8, b: u8", "a = (SELECT yrdth FROM deaths) ELSE 256", Over, "a = (", "no value of a"),
        ("a: u8, b: u8", "a = (SELECT yrdth, person_id FROM deaths)", No, "SELECT yrdth", "select 1"),
        ("a: (u8, u16), b: u8", "a = (SELECT yrdth FROM deaths)", No, "SELECT yrdth", "select 2"),
        ("a: [[u8; 2]; 2], b: u8", "a = (SELECT yrdth FROM deaths)", No, "a = (", "arrays of these"),
        ("a: u8, b: u8", "a = (SELECT yrdth FROM deaths LIMIT 1)", No, "LIMIT", "choose rows by WHERE"),
        ("a: u8, b: u8", "a = (SELECT yrdth FROM deaths ORDER BY 1)", No, "ORDER", "choose rows by WHERE"),
        (
            "a: u8, b: u8",
            "a = (SELECT d.yrdth FROM deaths d JOIN moves m ON m.person_id = d.person_id)",
            No,
            "moves",
            "one data set",
        ),
        ("a: u8, b: u8", "a = (SELECT d.yrdht FROM deaths d)", Unknown, "d.yrdht", "yrdth"),
        ("a: u8, b: u8", "a = (SELECT SUM(yrdth) FROM deaths)", No, "SUM", "aggregate"),
        ("a: u8, b: u8", "a = (SELECT /*+ BUCKETS */ yrdth FROM deaths)", No, "/*+", "leave the hint out"),
        ("a: u8, b: u8", "a = (SELECT yrdth FROM deaths) /*pg+ any */", No, "/*pg+", "leave the hint out"),
    ];
    for (arguments, input, code, at, advice) in cases {
        let sql = format!("COMPUTE $$pub fn main({arguments}) -> bool {{ true }}$$ WITH {input}, {health}");
        check(&sql, code, at, advice);
    }
    let control =
        format!("COMPUTE $$pub fn main(a: u8, b: u8) -> u8 {{ a }}$$ WITH a = (SELECT income FROM census), {health}");
    assert!(plan(&control).is_ok());
    let alone = "COMPUTE $$pub fn main(a: u8) -> u8 { a }$$ WITH a = (SELECT income FROM census)";
    check(alone, No, "pub fn", "2 to 8 owners");
    let missing = "COMPUTE $$pub fn main(a: u8, b: u8) -> bool { true }$$ WITH a = (SELECT yrdth FROM deaths)";
    check(missing, No, "pub fn", "add b = (SELECT");
}

#[test]
fn programs_that_are_none_are_refused_at_their_place() {
    let no_form = [
        "COMPUTE",
        "COMPUTE $$pub fn main(a: u8) -> u8 { a }$$",
        "COMPUTE $$x$$ WITH a",
        "COMPUTE $$x$$ WITH a = SELECT 1",
        "COMPUTE $$x$$ WITH a = (SELECT 1",
        "COMPUTE $$x$$ WITH a = ()",
        "COMPUTE $$x$$ WITH a[b] = (SELECT age FROM health)",
        "COMPUTE $$x$$ WITH a = (SELECT age FROM health) ELSE b",
        "COMPUTE $$x$$ WITH a = (SELECT age FROM health) b",
    ];
    for sql in no_form {
        let fault = plan(sql).map(|_| ()).unwrap_err();
        assert_eq!(fault.code, Code::QuerySyntax, "{sql}: {fault}");
    }
    let with = "$$ WITH a = (SELECT age FROM health), b = (SELECT yrdth FROM deaths)";
    let fault = |source: &str| plan(&format!("COMPUTE\n$$\n{source}{with}")).map(|_| ()).unwrap_err();
    let wrong = fault("pub fn main(a: u8, b: u8) -> u16 {\n    a + $\n}");
    assert!(wrong.code == Code::QuerySyntax && wrong.detail.starts_with("4:"), "line 2 of the source: {wrong}");
    let turns = "pub fn main(a: u8, b: u8) -> u32 { let mut x = 0u32; for i in 0u32..4000000000u32 { x = x ^ i; } x }";
    assert!(fault(turns).code == Code::QueryUnsupported && fault(turns).detail.contains("steps"), "{}", fault(turns));
    let parties = check_program("pub fn main(a: u8) -> u8 { a }", 9).map(|_| ()).unwrap_err();
    assert_eq!(parties.code, Code::BadRequest);
}

#[test]
fn a_circuit_by_its_name_is_planned_as_a_program_and_refused_at_its_place() {
    let from = "WITH block = (SELECT income FROM statistics.census), key = (SELECT age FROM health)";
    let made = plan(&format!("COMPUTE $$circuit sm4;$$ {from}")).unwrap();
    let names: Vec<_> = made.reads.iter().map(|read| read.dataset.as_str()).collect();
    assert_eq!((made.tier, names), (Tier::C, vec!["health/health", "statistics/census"]));
    let input = |name: &str| ReadRole::Input { argument: name.into(), ty: "[u8; 16]".into(), rows: 16, absent: None };
    assert_eq!(made.reads.iter().map(|read| read.role.clone()).collect::<Vec<_>>(), ["key", "block"].map(input));
    let Circuit { result, size, digest, .. } = circuit(&made);
    assert_eq!((result.as_str(), size.and_gates), ("[u8; 16]", 8_192));
    let told = check_program("circuit sm4;", 2).unwrap();
    assert_eq!((told.digest, told.size), (*digest, *size));
    assert!(told.arguments.iter().all(|argument| argument.selectable));
    assert!(
        check_program("circuit sha256(1024);", 8).is_ok(),
        "the longest message fits the bounds of every number of parties"
    );
    let asked = |source: &str| format!("COMPUTE $${source}$$ {from}");
    check(&asked("circuit sm5;"), Code::QuerySyntax, "sm5", "`circuit sm4;`");
    check(&asked("circuit sm4; circuit aes128;"), Code::QuerySyntax, "circuit aes128", "remove it");
    check(&asked("circuit sm3(1025);"), Code::QuerySyntax, "1025", "1 to 1024 bytes");
    check(&asked("circuit sm3(20, 12);"), Code::QueryUnknownName, "block = ", "it has part1, part2");
}

#[test]
fn the_explanation_of_a_program_says_what_it_takes_and_who_learns_it() {
    let made = plan(&asked()).unwrap();
    let told = explain(&made, &plain());
    assert_eq!((told.tier.as_str(), told.pairs.len(), told.min_group, told.max_groups), ("C", 0, None, None));
    let program = told.program.clone().expect("a program");
    assert_eq!(program.arguments, ["income: u8", "people: [{age: u8, smokes: bool}; 2]"]);
    assert_eq!((program.source.trim(), program.size), (SOURCE, circuit(&made).size));
    assert_eq!(told.reads[1].filter.as_deref(), Some("h.person_id < 9"));
    let role = &told.reads[1].role.en;
    assert!(role.contains("2 rows of h.age + 1, h.smokes") && role.contains("0 stands for NULL"), "{role}");
    assert!(told.reads[0].role.en.contains("the run ends"), "{}", told.reads[0].role.en);
    let sources: Vec<_> = told.outputs.iter().map(|o| o.source.as_str()).collect();
    assert_eq!(sources, ["main(…), field 1", "main(…), field 2", "why main(…) stopped"]);
    let first = &told.learns[0];
    assert!(first.party == org("statistics") && first.what.en.contains("what main returns"), "{}", first.what.en);
    assert!(told.learns[1..].iter().all(|l| l.what.en.contains("of others' values nothing")));
    assert!(told.suppression.en.contains("Read its source") && !told.suppression.zh.is_ascii());
    assert!(told.bytes > 0 && told.rounds > 0 && told.millis > 0);
    let computed = &told.steps.inputs[0];
    assert_eq!((told.steps.kind.as_str(), computed.kind.as_str(), computed.inputs.len()), ("deliver", "compute", 2));
    assert!(computed.inputs.iter().all(|mask| mask.kind == "mask" && mask.inputs[0].kind == "read"));
}
