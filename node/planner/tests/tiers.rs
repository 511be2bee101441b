//! The tier that a request asks for: a program of two parties in tier A field by field and in words, and what has no such tier.

mod common;

use base_types::fault::{Code, Fault};
use base_wire::{Decode, Encode};
use common::{STORY, dataset, nodes, org, plain, request};
use notary_terms::{Circuit, Plan, Program, Request, Tier};
use planner::{explain, memory, plan};

const ASKED: &str = "COMPUTE $$ pub fn main(a: u8, b: [u8; 2]) -> bool { (a > b[0]) & (a > b[1]) } $$
    WITH a = (SELECT income FROM statistics.census WHERE person_id = 7),
         b = (SELECT age FROM health WHERE person_id = 7) ELSE 0";

fn asking(sql: &str, tier: Option<Tier>) -> Request {
    Request { tier, ..request(sql) }
}

fn planned(sql: &str, tier: Option<Tier>) -> Result<Plan, Fault> {
    plan(&asking(sql, tier), &plain(), &nodes())
}

fn circuit(plan: &Plan) -> &Circuit {
    match &plan.program {
        Program::Circuit(circuit) => circuit,
        _ => panic!("no program"),
    }
}

#[test]
fn two_parties_may_ask_for_tier_a_and_the_plan_differs_in_tier_and_size_alone() {
    let (checked, trusting) = (planned(ASKED, None).unwrap(), planned(ASKED, Some(Tier::A)).unwrap());
    assert_eq!((checked.tier, trusting.tier), (Tier::C, Tier::A));
    let size = circuit(&trusting).size;
    let expected = Plan {
        request: asking(ASKED, Some(Tier::A)),
        tier: Tier::A,
        program: Program::Circuit(Circuit { size, ..circuit(&checked).clone() }),
        ..checked.clone()
    };
    assert_eq!(trusting, expected);
    assert_eq!(Plan::from_wire(&trusting.to_wire()).unwrap(), trusting);
    assert_ne!(trusting.digest(), checked.digest());
    let strong = circuit(&checked).size;
    // Labels of 16 bits, tables, hashes of the outputs; the receiver's 8 bits go through transfers.
    assert_eq!(size.and_gates, strong.and_gates);
    assert!(size.bytes >= 32 * size.and_gates + 16 * 16 + 37 * 8, "{size:?}");
    assert!(size.bytes * 5 < strong.bytes && size.rounds * 2 < strong.rounds && size.memory < 2 << 20, "{size:?}");
    assert_eq!(planned(ASKED, Some(Tier::C)).unwrap().tier, Tier::C);
}

#[test]
fn the_explanation_of_tier_a_says_whom_each_party_trusts_and_with_what() {
    let told = |tier| explain(&planned(ASKED, tier).unwrap(), &plain());
    let (checked, trusting) = (told(None), told(Some(Tier::A)));
    assert_eq!(trusting.tier, "A");
    let words = &trusting.tier_words;
    for part in
        ["Tier A, asked for", "If health deviates, nobody notices", "learn of statistics's values", "not proven"]
    {
        assert!(words.en.contains(part), "{part}: {}", words.en);
    }
    for part in ["A 级", "health 若偏离协议则不会被发现", "statistics 若偏离协议", "没有证明"] {
        assert!(words.zh.contains(part), "{part}: {}", words.zh);
    }
    assert!(trusting.protocol.en.contains("half gates") && trusting.protocol.zh.contains("半诚实"));
    assert_eq!(trusting.learns, checked.learns, "as long as both follow the protocol");
    assert!(trusting.bytes < checked.bytes && trusting.rounds < checked.rounds && trusting.millis < checked.millis);
    let computed = &trusting.steps.inputs[0];
    assert!(computed.title.en.contains("health garbles") && computed.title.en.contains("statistics evaluates"));
    assert_ne!(computed.title, checked.steps.inputs[0].title);
    assert_eq!(computed.inputs.len(), 2);
}

#[test]
fn whatever_runs_in_another_tier_than_was_asked_for_is_refused_with_its_own() {
    let refused = |sql: &str, tier| planned(sql, Some(tier)).map(|_| ()).unwrap_err();
    for (sql, tier, own) in [
        (STORY, Tier::A, "runs in tier B"),
        (STORY, Tier::C, "runs in tier B"),
        (ASKED, Tier::B, "runs in tier C"),
        (ASKED, Tier::D, "runs in tier C"),
        (
            "SELECT c.income FROM statistics.census c JOIN health h ON h.person_id = c.person_id",
            Tier::A,
            "runs in tier C",
        ),
    ] {
        let fault = refused(sql, tier);
        assert!(fault.code == Code::BadRequest && fault.detail.contains(own), "{sql}\n{fault}");
    }
    assert_eq!(planned(STORY, Some(Tier::B)).unwrap().tier, Tier::B);
    let third = Request { receiver: org("bank"), ..asking(ASKED, Some(Tier::A)) };
    let fault = plan(&third, &plain(), &nodes()).map(|_| ()).unwrap_err();
    assert!(fault.code == Code::QueryUnsupported && fault.detail.contains("among 3 parties"), "{fault}");
}

#[test]
fn a_star_that_takes_too_much_memory_is_refused_in_tier_b_plus_with_what_to_do() {
    const MOVED: &str = "SELECT m.day, COUNT(*) AS moves, SUM(h.sbp) AS sbp
        FROM moves m JOIN health h ON h.person_id = m.person_id GROUP BY m.day";
    let with = |rows: u32, tier| {
        let mut catalogue = plain();
        catalogue.sources.get_mut(&dataset("health/health")).unwrap().rows_bound = rows;
        plan(&asking(MOVED, tier), &catalogue, &nodes())
    };
    // 71 columns: 16 bits of the key, 12 of the group's rank, two words that name it, a value and a side, and room for the sort.
    let most = (3 << 22) / 71 - 99_968;
    assert_eq!(with(most, Some(Tier::BPlus)).unwrap().tier, Tier::BPlus);
    let fault = with(most + 1, Some(Tier::BPlus)).map(|_| ()).unwrap_err();
    let cells = (99_968 + most + 1) * 71;
    assert_eq!(fault.code, Code::QueryUnsupported);
    let cells = format!("{cells} cells");
    for part in ["2:", cells.as_str(), "in tier B+, of at most 12582912", "ask for tier B", "fewer rows"] {
        assert!(fault.detail.contains(part), "{part}: {fault}");
    }
    assert_eq!(with(most + 1, None).unwrap().tier, Tier::B);
}

#[test]
fn what_a_run_takes_at_a_node_grows_with_the_tier_with_rows_and_with_what_the_node_reads() {
    const MOVED: &str = "SELECT m.day, COUNT(*) AS moves, SUM(h.sbp) AS sbp
        FROM moves m JOIN health h ON h.person_id = m.person_id GROUP BY m.day";
    let at = |plan: &Plan, node: &str| memory(plan, &org(node));
    let (usual, checked) = (planned(MOVED, None).unwrap(), planned(MOVED, Some(Tier::BPlus)).unwrap());
    assert!(at(&usual, "civil") > at(&usual, "health") && at(&usual, "health") > at(&usual, "statistics"));
    assert!(at(&checked, "statistics") > 2 * at(&usual, "statistics"));
    // 71 columns; the largest in tier B+ has another 77,000 rows.
    assert!((1 << 30..2 << 30).contains(&at(&checked, "statistics")), "{}", at(&checked, "statistics"));

    let sized = |sql: &str| {
        let mut catalogue = plain();
        catalogue.sources.get_mut(&dataset("statistics/census")).unwrap().rows_bound = 1 << 22;
        plan(&request(sql), &catalogue, &nodes()).unwrap()
    };
    let rows = "SELECT c.person_id FROM census c JOIN health h ON h.person_id = c.person_id";
    let (whole, dealt) = (sized(rows), sized(&rows.replacen("SELECT", "SELECT /*+ BUCKETS */", 1)));
    assert!(at(&whole, "statistics") > at(&whole, "health") + (60 << 20), "it reads four million rows");
    assert!(at(&whole, "health") > 1_000_000_000 && at(&dealt, "statistics") < at(&whole, "statistics") / 2);
    let program = planned(ASKED, None).unwrap();
    assert!(at(&program, "health") > circuit(&program).size.memory);
}
