//! Rows that leave their declared range: the owner's own fault, with data set and row, and never the value.

use std::time::Duration;

use base_types::{
    column::{Column, ColumnType, Table},
    fault::{Code, Fault},
};
use notary_terms::{
    Plan, Program, ReadRole, Span,
    formula::{Formula, Op},
};
use runner::{carrier_rows, side_rows};

use crate::{
    common::{
        cluster::{Cluster, Ended},
        job::{Start, plan},
        org,
    },
    stage::{SQL, sources},
    verdict::{fault, noted},
};

/// Runs the job after a file has changed: the cell at `column` of row `row` (from 1) is now `cell`.
async fn after_change(file: &'static str, row: usize, column: usize, cell: &'static str) -> Vec<Ended> {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start(sources(folder.path()).await).await;
    let plan = plan(&cluster.sources, SQL);
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).expect("a file");
    let mut lines: Vec<Vec<String>> = text.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect();
    lines[row][column] = cell.to_owned();
    let text: Vec<String> = lines.iter().map(|line| line.join(",")).collect();
    std::fs::write(&path, text.join("\n") + "\n").expect("written");
    // Long enough for the first handshakes of five such clusters at once on a slow machine: the owner reads only behind them.
    cluster.run(&plan, Start::first(), Duration::from_secs(10)).await
}

/// The code, the owner, the data set and the row are told; the value is not.
fn told(fault: &Fault, owner: &str, dataset: &str, row: usize, value: &str) {
    assert_eq!((fault.code, fault.party.clone()), (Code::RangeOverflow, Some(org(owner))), "{fault}");
    assert!(fault.step.contains(dataset), "{fault}");
    assert!(fault.detail.contains(&format!("row {row}:")), "{fault}");
    for text in [fault.tell(false), fault.tell(true), format!("{fault:?}")] {
        assert!(!text.contains(value), "the fault tells the value: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_or_key_beyond_its_declared_range_ends_the_run_at_its_owner() {
    let cases = [
        ("health.csv", "health", "health/health", 17, 6, "98765"),
        ("health.csv", "health", "health/health", 3, 0, "987654"),
        ("deaths.csv", "civil", "civil/deaths", 5, 0, "-987654"),
        ("census.csv", "statistics", "statistics/census", 9, 1, "98765"),
        ("census.csv", "statistics", "statistics/census", 2, 0, "9876543210"),
    ];
    let runs = cases.map(|(file, _, _, row, column, cell)| tokio::spawn(after_change(file, row, column, cell)));
    for ((_, owner, dataset, row, _, cell), run) in cases.into_iter().zip(runs) {
        let ended = run.await.expect("no panic");
        for party in &ended {
            if party.org == org(owner) {
                let fault = party.result.clone().expect_err("refused");
                told(&fault, owner, dataset, row, cell);
                noted(party, &fault);
                assert_eq!(party.records.notes().len(), 1, "nothing was read, shared or delivered");
            } else {
                assert_eq!(fault(party).code, Code::PeerSilent);
            }
        }
    }
}

fn words(name: &str, values: Vec<i64>) -> Column {
    Column { name: name.to_owned(), ty: ColumnType::Int, valid: vec![true; values.len()], values, dictionary: vec![] }
}

/// A table with the columns that a read names: the key first, all others as `values`.
fn table(plan: &Plan, read: usize, keys: Vec<i64>, values: Vec<i64>) -> Table {
    let column = |(place, name): (usize, &String)| {
        words(name, if Some(place) == plan.reads[read].key.map(usize::from) { keys.clone() } else { values.clone() })
    };
    Table { columns: plan.reads[read].columns.iter().enumerate().map(column).collect(), rows: keys.len() }
}

async fn planned() -> Plan {
    let folder = tempfile::tempdir().expect("a folder");
    plan(&sources(folder.path()).await, SQL)
}

#[tokio::test]
async fn the_runner_itself_refuses_keys_outside_the_plans_bits() {
    let plan = planned().await;
    let ReadRole::Carrier { groups } = plan.reads[0].role.clone() else { panic!("no carrier") };
    let star = plan.star().expect("a star join");
    for key in [star.key_base - 987_654, star.key_base + (1 << star.key_bits), i64::MIN, i64::MAX] {
        let carrier = table(&plan, 0, vec![7, key], vec![1, 2]);
        let fault = carrier_rows(&plan, &plan.reads[0], &groups, &carrier).err().expect("refused");
        told(&fault, "statistics", "statistics/census", 2, &key.to_string());
        let side = table(&plan, 1, vec![7, 8, key], vec![star.ranges[1][0].low.max(40); 3]);
        let fault = side_rows(&plan, &plan.reads[1], &side).err().expect("refused");
        told(&fault, "health", "health/health", 3, &key.to_string());
    }
}

#[tokio::test]
async fn the_runner_itself_refuses_values_outside_the_plans_ranges() {
    let mut plan = planned().await;
    // All columns but the key hold one number, which the filter takes for an age.
    let Span { low, high } = plan.star().expect("a star join").ranges[1][0];
    let side = |plan: &Plan, value| side_rows(plan, &plan.reads[1], &table(plan, 1, vec![7, 8], vec![high, value]));
    assert_eq!(side(&plan, low.max(40)).map(|rows| rows.len()), Ok(2));
    for value in [high + 98_765, i64::MAX] {
        told(&side(&plan, value).err().expect("refused"), "health", "health/health", 2, &value.to_string());
    }
    let Program::Star(star) = &mut plan.program else { panic!("no star join") };
    star.ranges[1].clear();
    assert_eq!(
        side(&plan, high).map(|_| ()).map_err(|fault| fault.code),
        Err(Code::Internal),
        "a value without a range"
    );
}

#[tokio::test]
async fn a_sum_or_an_expression_that_overflows_is_refused() {
    let mut plan = planned().await;
    // A plan that held values to nothing.
    let Program::Star(star) = &mut plan.program else { panic!("no star join") };
    star.ranges[1].fill(Span { low: i64::MIN, high: i64::MAX });
    let huge = i64::MAX - 123_456;
    let sums = table(&plan, 1, vec![7, 8, 7], vec![huge; 3]);
    let fault = side_rows(&plan, &plan.reads[1], &sums).err().expect("refused");
    told(&fault, "health", "health/health", 3, &huge.to_string());
    let apart = table(&plan, 1, vec![7, 8, 9], vec![huge; 3]);
    assert_eq!(side_rows(&plan, &plan.reads[1], &apart).map(|rows| rows.len()), Ok(3));
    let column = plan.reads[1].values[0].columns()[0] as u16;
    plan.reads[1].values[0] = Formula { ops: vec![Op::Column(column), Op::Number(987_654), Op::Mul] };
    let fault = side_rows(&plan, &plan.reads[1], &apart).err().expect("refused");
    told(&fault, "health", "health/health", 1, &huge.to_string());
}
