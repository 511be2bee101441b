//! Tier B+: whatever frame of the star a party changes, the honest ones abort or the receiver has the right result.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Case, Fill, case};
use mpc_core::memory;
use mpc_core::mutate::{Change, HEADER, Mutation, links};
use mpc_core::{Abort, Blame};
use mpc_relational::{Aggregate, Cell, Checked, Function, GroupResult, Input, Join, plain};

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

/// The groups in an order of their own: the engine shuffles them.
fn sorted(groups: &[GroupResult]) -> BTreeSet<String> {
    groups.iter().map(|group| format!("{group:?}")).collect()
}

type Outcomes = Vec<Result<Option<Vec<GroupResult>>, Abort>>;

/// Runs the star with a change; the outcomes, and how many frames each party sent.
async fn changed(case: &Case, change: Option<Change>) -> (Outcomes, [usize; 3]) {
    let (ends, tape) = links(memory::network(3), change.clone());
    let run = tokio::time::timeout(Duration::from_secs(30), case.run_on::<Checked>(ends)).await;
    let out = run.unwrap_or_else(|_| panic!("{change:?}: a party waits for ever"));
    (out, [0, 1, 2].map(|party| tape.frames(party).len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_frame_never_gives_a_wrong_result() {
    let case = small();
    let due = sorted(&plain(&case.shape, &case.carrier, &case.sides));
    let (honest, frames) = changed(&case, None).await;
    assert!(honest.iter().all(Result::is_ok));
    let kinds = [
        Mutation::Flip(8 * HEADER),
        Mutation::Flip(8 * HEADER + 63),
        Mutation::Zero,
        Mutation::Ones,
        Mutation::Replay,
        Mutation::Truncate,
    ];
    let (mut runs, mut noticed) = (0, 0);
    for (party, count) in frames.into_iter().enumerate() {
        assert!(count > 50, "{frames:?}");
        // The last frame of all is a share that is revealed, or its tag.
        let places = (0..13).map(|run| run * count / 13).chain([count - 1]).filter(|frame| *frame != ROWS);
        for (run, frame) in places.enumerate() {
            let change = Change { party, frame, mutation: kinds[(run + party) % kinds.len()].clone() };
            let (out, _) = changed(&case, Some(change.clone())).await;
            for (me, outcome) in out.iter().enumerate().filter(|(me, _)| *me != party) {
                match outcome {
                    Ok(Some(groups)) => assert_eq!(sorted(groups), due, "{change:?} gave a wrong result"),
                    Ok(None) => assert_ne!(me, case.place.receiver, "{change:?}"),
                    Err(abort) => assert_ne!(abort.blame, Blame::Local, "{change:?}: {abort}"),
                }
            }
            noticed += usize::from(out.iter().any(Result::is_err));
            runs += 1;
        }
    }
    // Zeros in place of zeros, and a replay of the same words, change nothing.
    assert!(runs >= 40 && noticed * 4 >= runs * 3, "{noticed} of {runs} were noticed");
}

/// A share of its rows that an owner sends is not the one that it keeps: its products do not hold, and nobody else has to answer for it.
/// Owners whose rows keep to no shape are named; their tests stand beside the rules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_shared_in_two_ways_end_the_run() {
    let case = small();
    for party in [0, 1] {
        // The first word is a flag of the first row.
        let change = Change { party, frame: ROWS, mutation: Mutation::Flip(8 * HEADER + 5) };
        let (out, _) = changed(&case, Some(change)).await;
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
    let (honest, _) = changed(&case, None).await;
    assert!(honest.iter().all(Result::is_ok));
    case.carrier[1].lead = true;
    let (out, _) = changed(&case, None).await;
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
    assert_eq!(groups(&changed(&case, None).await.0), [Cell::Suppressed]);
}
