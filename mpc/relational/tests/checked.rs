//! Tier B+: rows that no owner may put in are blamed on their owner, and which rows count is not the carrier's owner's to say.
//!
//! What becomes of every other frame of a star is swept in `mutations.rs`.

mod common;

use std::time::Duration;

use common::{Case, Fill, case};
use mpc_core::memory;
use mpc_core::mutate::{Change, HEADER, Mutation, links};
use mpc_core::{Abort, Blame};
use mpc_relational::{Aggregate, Cell, Checked, Function, GroupResult, Input, Join};

/// The frame with a party's rows: three before it agree on seeds.
const ROWS: usize = 3;

/// A join, a sum, a mean and a threshold, small; party 2 owns nothing, and is the receiver.
fn small() -> Case {
    let mut small = case(70, &[(Join::Left, 4, 3, 1)], 7, &Fill { carrier: 6, keys: 4, groups: 2, threshold: 1 });
    (small.shape.group_bits, small.shape.max_groups) = (1, 2);
    (small.place.carrier, small.place.sides, small.place.receiver) = (0, vec![1], 2);
    let over = Input::Side { side: 0, value: 0, absent: None };
    small.shape.aggregates = vec![
        Aggregate { input: Input::Rows, function: Function::Count },
        Aggregate { input: over, function: Function::Sum },
        Aggregate { input: over, function: Function::Avg { extra_digits: 0 } },
    ];
    small
}

type Outcomes = Vec<Result<Option<Vec<GroupResult>>, Abort>>;

/// Runs the star with a change.
async fn changed(case: &Case, change: Option<Change>) -> Outcomes {
    let (ends, _) = links(memory::network(3), change.clone());
    let run = tokio::time::timeout(Duration::from_secs(30), case.run_on::<Checked>(ends)).await;
    run.unwrap_or_else(|_| panic!("{change:?}: a party waits for ever"))
}

/// A share of its rows that an owner sends is not the one that it keeps: its products do not hold, and nobody else has to answer for it.
/// Owners whose rows keep to no shape are named; their tests stand beside the rules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_shared_in_two_ways_end_the_run() {
    let case = small();
    for party in [0, 1] {
        // The first word is a flag of the first row.
        let change = Change { party, frame: ROWS, mutation: Mutation::Flip(8 * HEADER + 5) };
        let out = changed(&case, Some(change)).await;
        for me in (0..3).filter(|me| *me != party) {
            let abort = out[me].as_ref().expect_err("two ways to share a row");
            assert!(abort.blame != Blame::Local && abort.step.contains("check"), "{abort}");
        }
    }
}

/// One person with two rows in one group, of which the second has the value 5.
fn twice() -> Case {
    let mut twice = small();
    let mut first = twice.carrier[0].clone();
    (first.key, first.lead, first.values, first.value_leads) = (Some(1), true, vec![None], vec![false]);
    let mut second = first.clone();
    (second.lead, second.values, second.value_leads) = (false, vec![Some(5)], vec![true]);
    twice.carrier = vec![first, second];
    twice
}

/// What a threshold counts is not the carrier's owner's to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_that_leads_twice_in_a_group_is_blamed_on_the_carriers_owner() {
    let mut case = twice();
    let honest = changed(&case, None).await;
    assert!(honest.iter().all(Result::is_ok));
    case.carrier[1].lead = true;
    let out = changed(&case, None).await;
    for (me, outcome) in out.iter().enumerate() {
        let abort = outcome.as_ref().expect_err("one person counts for two");
        let blame = if me == case.place.carrier { Blame::Local } else { Blame::Peer(case.place.carrier) };
        assert!(abort.blame == blame && abort.step.contains("check inputs"), "{abort}");
    }
}

/// Which rows lead with a value follows from the rows: what the carrier's owner says of it changes nothing, where in tier B a
/// person would pass for two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_leads_once_whatever_the_carriers_owner_says() {
    let mut case = twice();
    (case.shape.threshold, case.shape.aggregates) =
        (2, vec![Aggregate { input: Input::Carrier(0), function: Function::Sum }]);
    case.carrier[0].values = vec![Some(7)];
    case.carrier[0].value_leads = vec![true];
    let groups = |out: &Outcomes| match &out[case.place.receiver] {
        Ok(Some(groups)) => groups[0].values.clone(),
        _ => panic!("the receiver has the groups"),
    };
    assert_eq!(groups(&case.run(memory::network(3)).await), [Cell::Value(12)], "tier B takes the owner's word");
    assert_eq!(groups(&changed(&case, None).await), [Cell::Suppressed]);
}
