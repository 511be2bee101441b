//! What the planner understands: joins, filters, aggregates, names, order; one statement about each.

mod common;

use base_types::column::ColumnType;
use common::{STORY, org, plan, star};
use notary_terms::{
    Argument, Function, Join, Plan, ReadRole,
    formula::{Op, Value},
};
use planner::formula_text;

const JOINED: &str = "FROM census c JOIN health h ON c.person_id = h.person_id";

fn planned(sql: &str) -> Plan {
    plan(sql).unwrap_or_else(|fault| panic!("{sql}\n{fault}"))
}

fn value_text(plan: &Plan, read: usize, value: usize) -> String {
    formula_text(&plan.reads[read].values[value], &plan.reads[read])
}

fn filter_text(plan: &Plan, read: usize) -> Option<String> {
    plan.reads[read].filter.as_ref().map(|f| formula_text(f, &plan.reads[read]))
}

#[test]
fn the_grouped_table_carries_wherever_it_stands() {
    let plan = planned(
        "SELECT h.sex, COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id AND d.yrdth > 80 \
         JOIN health h ON (h.person_id = c.person_id) AND h.age < 60 AND c.urban GROUP BY h.sex",
    );
    let tables: Vec<_> = plan.reads.iter().map(|r| r.alias.as_str()).collect();
    assert_eq!(tables, ["h", "c", "d"]);
    assert!(matches!(&plan.reads[0].role, ReadRole::Carrier { groups } if groups[0].words == 3));
    assert_eq!(plan.reads[1].role, ReadRole::Side { join: Join::Inner });
    assert_eq!(plan.reads[2].role, ReadRole::Side { join: Join::Left });
    let filters = [Some("h.age < 60"), Some("c.urban"), Some("d.yrdth > 80")].map(|f| f.map(str::to_owned));
    assert_eq!([0, 1, 2].map(|read| filter_text(&plan, read)), filters);
    assert_eq!(star(&plan).max_groups, 1664);
}

#[test]
fn one_table_alone_needs_no_key() {
    let plan = planned("SELECT AVG(sbp) FROM health WHERE age BETWEEN 30 AND 39 AND sex IN ('m', 'f');");
    assert_eq!(
        (plan.reads[0].key, star(&plan).key_bits, star(&plan).key_base, star(&plan).max_groups),
        (None, 1, 0, 1)
    );
    let filter = "h.age >= 30 AND h.age <= 39 AND (h.sex = 'm' OR h.sex = 'f')".replace("h.", "health.");
    assert_eq!(filter_text(&plan, 0), Some(filter));
    assert_eq!(plan.outputs[0].name, "avg");
}

#[test]
fn keys_are_relative_to_the_lowest_and_as_wide_as_the_widest() {
    let plan = planned("SELECT COUNT(*) FROM deaths d JOIN moves m ON m.person_id = d.person_id");
    assert_eq!((star(&plan).key_base, star(&plan).key_bits), (-8, 16));
    assert_eq!(plan.reads[1].columns, ["person_id"]);
    assert_eq!(plan.approvers(), [org("civil")]);
}

#[test]
fn equal_formulas_share_one_value_and_equal_aggregates_one_place() {
    let plan = planned(&format!("SELECT COUNT(h.sbp), AVG(h.sbp), SUM(sbp), SUM(h.sbp) AS again, COUNT(1) {JOINED}"));
    assert_eq!((plan.reads[1].values.len(), star(&plan).aggregates.len()), (1, 4));
    assert_eq!(star(&plan).aggregates[3].argument, Argument::Rows);
    let names: Vec<_> = plan.outputs.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["count", "avg", "sum", "again", "count_2"]);
}

#[test]
fn decimals_are_exact_and_aligned() {
    let plan = planned(&format!("SELECT SUM(h.wt71 * 1.5 - h.age), SUM(-h.wt71 + 2), AVG(h.ht) {JOINED}"));
    let column = |place| Op::Column(place);
    let (wt71, age) = (column(1), column(2));
    let first = vec![wt71.clone(), Op::Number(15), Op::Mul, age, Op::Rescale(3), Op::Sub];
    assert_eq!(plan.reads[1].values[0].ops, first);
    assert_eq!(plan.reads[1].values[1].ops, [wt71, Op::Neg, Op::Number(200), Op::Add]);
    let types: Vec<_> = plan.outputs.iter().map(|o| o.ty.scale()).collect();
    assert_eq!(types, [3, 2, 9]);
    assert_eq!(star(&plan).aggregates[2].function, Function::Avg { extra_digits: 5 });
    // 60.00 kg at age 41: 60.00 × 1.5 − 41 = 49.000
    let row = |place| Some(Value::Number([0, 6000, 41][place]));
    assert_eq!(plan.reads[1].values[0].evaluate(&row), Ok(Value::Number(49_000)));
}

#[test]
fn counting_what_has_no_sum_counts_presence() {
    let plan = planned(&format!("SELECT COUNT(h.sex), COUNT(h.serial), COUNT(h.visit), COUNT(h.age > 4) {JOINED}"));
    let presence = |name: &str| format!("CASE WHEN h.{name} IS NULL THEN NULL ELSE 1 END");
    assert_eq!(value_text(&plan, 1, 0), presence("sex"));
    assert_eq!(value_text(&plan, 1, 1), presence("serial"));
    assert_eq!(value_text(&plan, 1, 2), "h.visit");
    assert_eq!(value_text(&plan, 1, 3), "(h.age > 4) + 0");
    assert_eq!(plan.reads[1].values[3].evaluate(&|_| Some(Value::Number(5))), Ok(Value::Number(1)));
    assert_eq!(plan.reads[1].values[3].on_nulls(), Ok(Value::Null));
}

#[test]
fn a_left_joined_argument_knows_its_value_without_partner() {
    let left = "FROM census c LEFT JOIN deaths d ON d.person_id = c.person_id";
    let plan = planned(&format!("SELECT SUM(COALESCE(d.yrdth, 99)), SUM(d.yrdth), COUNT(d.cause IS NULL) {left}"));
    let absent: Vec<_> =
        star(&plan).aggregates.iter().map(|a| matches!(a.argument, Argument::Value { absent: Some(_), .. })).collect();
    assert_eq!(absent, [true, false, true]);
    assert!(matches!(star(&plan).aggregates[0].argument, Argument::Value { read: 1, value: 0, absent: Some(99) }));
    assert_eq!(value_text(&plan, 1, 0), "CASE WHEN d.yrdth IS NOT NULL THEN d.yrdth ELSE 99 END");
    let inner = planned(&format!("SELECT SUM(COALESCE(d.yrdth, 99)) {}", left.replace("LEFT ", "")));
    assert!(matches!(star(&inner).aggregates[0].argument, Argument::Value { absent: None, .. }));
}

#[test]
fn cases_comparisons_and_dates_are_understood() {
    let sql = "SELECT SUM(CASE h.sex WHEN 'm' THEN 1.5 WHEN 'f' THEN 2 END), SUM(smokes), \
               SUM(CASE WHEN NOT (h.visit < '1971-05-31' OR h.visit >= DATE '1975-01-01') THEN h.age ELSE 0 END)";
    let plan = planned(&format!("{sql} {JOINED} WHERE h.age NOT BETWEEN 1 AND 2 AND sex NOT IN ('x') AND 1 = 1"));
    let case = "CASE WHEN h.sex = 'm' THEN 15 ELSE CASE WHEN h.sex = 'f' THEN 20 ELSE NULL END END";
    assert_eq!(value_text(&plan, 1, 0), case);
    assert_eq!(plan.outputs[0].ty, ColumnType::Decimal { scale: 1 });
    assert_eq!(value_text(&plan, 1, 1), "h.smokes");
    let dates = "CASE WHEN NOT (h.visit < '1971-05-31' OR h.visit >= '1975-01-01') THEN h.age ELSE 0 END";
    assert_eq!(value_text(&plan, 1, 2), dates);
    assert_eq!(filter_text(&plan, 0).as_deref(), Some("1 = 1"));
    assert_eq!(filter_text(&plan, 1).as_deref(), Some("NOT (h.age >= 1 AND h.age <= 2) AND NOT h.sex = 'x'"));
}

#[test]
fn order_and_limit_follow_postgresql() {
    let sql = "SELECT c.marital AS m, AVG(h.sbp) AS mean, COUNT(*) ";
    let tail = " GROUP BY c.marital ORDER BY mean DESC, 1, COUNT(*) DESC NULLS LAST, c.marital ASC NULLS FIRST LIMIT 7";
    let plan = planned(&format!("{sql}{JOINED}{tail}"));
    let order: Vec<_> = plan.order.iter().map(|o| (o.output, o.descending, o.nulls_first)).collect();
    assert_eq!(order, [(1, true, true), (0, false, false), (2, true, false), (0, false, true)]);
    assert_eq!(plan.limit, Some(7));
}

#[test]
fn groups_may_be_named_by_alias_or_number_and_are_bounded_by_their_ranges() {
    let plan = planned(&format!(
        "SELECT c.income AS money, c.urban, c.birthplace, COUNT(*) {JOINED} GROUP BY money, 2, birthplace, c.income"
    ));
    let ReadRole::Carrier { groups } = &plan.reads[0].role else { panic!("no carrier") };
    let words: Vec<_> = groups.iter().map(|g| (g.column.as_str(), g.words)).collect();
    assert_eq!(words, [("income", 2), ("urban", 2), ("birthplace", 4)]);
    assert_eq!(star(&plan).max_groups, 1664);
    let fewer = planned(&format!("SELECT COUNT(*) {JOINED} GROUP BY income, urban"));
    assert_eq!(star(&fewer).max_groups, 33 * 3);
}

#[test]
fn names_are_found_in_any_letter_case_and_in_quotes() {
    let plan = planned(&STORY.to_uppercase().replace("C.EDUCATION", "C.\"education\""));
    assert_eq!(plan.reads[0].columns, ["person_id", "education"]);
    assert_eq!(plan.outputs[1].name, "PEOPLE");
}
