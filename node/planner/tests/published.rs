//! When rows are matched against published keys: by the query's words alone, what is refused, and what is told.

mod common;

use base_types::{
    column::ColumnType,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use common::{dataset, nodes, org, plain, plan, request};
use notary_terms::{CellForm, Label, Plan, Program, Published};
use planner::explain;

const ROWS: &str = "SELECT c.income, h.sex FROM census c JOIN health h ON h.person_id = c.person_id ORDER BY 1";

/// The query over data sets of these bounds.
fn sized(sql: &str, own: u32, other: u32) -> Result<Plan, Fault> {
    let mut catalogue = plain();
    for (name, bound) in [("statistics/census", own), ("health/health", other)] {
        catalogue.sources.get_mut(&dataset(name)).unwrap().rows_bound = bound;
    }
    planner::plan(&request(sql), &catalogue, &nodes())
}

fn is_published(plan: &Plan) -> bool {
    matches!(plan.program, Program::Published(_))
}

#[test]
fn the_words_change_the_program_and_nothing_else() {
    let label = Label::Row { cells: vec![CellForm { ty: ColumnType::Text, bytes: 8 }], rows: 1 };
    for words in ["AGAINST PUBLISHED KEYS", "-- few against many\nagainst Published keys ;"] {
        let sql = format!("{ROWS} {words}");
        let program = Program::Published(Published { label: label.clone() });
        let expected = Plan { request: request(&sql), program, ..plan(ROWS).unwrap() };
        assert_eq!(plan(&sql).unwrap(), expected);
        assert_eq!(Plan::from_wire(&expected.to_wire()).unwrap(), expected);
        assert_eq!((expected.min_group(), expected.aggregates().len(), expected.star()), (None, 0, None));
    }
    assert!(!is_published(&plan(ROWS).unwrap()));
}

#[test]
fn no_table_is_published_because_of_sizes() {
    for (own, other) in [(1, 1 << 16), (1024, 1 << 22)] {
        assert!(!is_published(&sized(ROWS, own, other).unwrap()), "{own} {other}");
        assert!(is_published(&sized(&format!("{ROWS} AGAINST PUBLISHED KEYS"), own, other).unwrap()), "{own} {other}");
    }
}

#[test]
fn what_no_table_can_answer_is_refused_where_it_is_asked_for() {
    let words = "AGAINST PUBLISHED KEYS";
    let check = |fault: Fault, sql: &str, advice: &str| {
        let place = format!("1:{}: ", sql.rfind(words).unwrap() + 1);
        assert_eq!(fault.code, Code::QueryUnsupported);
        assert!(fault.detail.starts_with(&place) && fault.detail.contains(advice), "{sql}\n{fault}");
    };
    let sql = format!("SELECT COUNT(*) AS n FROM census c JOIN health h ON h.person_id = c.person_id {words}");
    check(plan(&sql).unwrap_err(), &sql, "leave AGAINST PUBLISHED KEYS out");
    let sql = format!(
        "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id \
         JOIN deaths d ON d.person_id = c.person_id {words}"
    );
    check(plan(&sql).unwrap_err(), &sql, "leave AGAINST PUBLISHED KEYS out");
    let sql = format!("{ROWS} {words}");
    check(sized(&sql, (1 << 20) + 1, 1 << 22).unwrap_err(), &sql, "statistics/census");
}

#[test]
fn the_explanation_says_what_stays_and_what_repeats() {
    let told = explain(&plan(&format!("{ROWS} AGAINST PUBLISHED KEYS")).unwrap(), &plain());
    assert_eq!((told.tier.as_str(), told.pairs.len(), told.min_group), ("C", 0, None));
    let learns = |party: &str| {
        let of: Vec<_> = told.learns.iter().filter(|l| l.party == org(party)).map(|l| l.what.en.as_str()).collect();
        of.join("; ")
    };
    let (receiver, owner) = (learns("statistics"), learns("health"));
    assert!(receiver.contains("the same state as in an earlier job") && receiver.contains("h.sex"), "{receiver}");
    assert!(owner.contains("that 1664 keys are asked for") && owner.contains("has the table already"), "{owner}");
    assert!(told.learns.iter().all(|l| !l.what.zh.is_ascii()));
    assert!(told.bytes > 0 && told.rounds > 0 && told.millis > 0);
    let compared = &told.steps.inputs[0];
    assert_eq!((compared.kind.as_str(), compared.inputs.len()), ("intersect", 2));
    assert!(compared.inputs[1].title.en.contains("publish") && !compared.inputs[1].title.zh.is_ascii());
}
