//! Tier B+: whatever frame of the star a party changes, the honest ones abort or the receiver has the right result.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Case, Fill, case};
use mpc_core::memory;
use mpc_core::mutate::{Change, HEADER, Mutation, links};
use mpc_core::{Abort, Blame};
use mpc_relational::{Aggregate, Checked, Function, GroupResult, Input, Join, plain};

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

/// The shares that a party sends of its rows are its rows: those that keep to no shape are its fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_none_are_blamed_on_their_owner() {
    let case = small();
    for party in [0, 1] {
        // The first word is a flag of the first row.
        let change = Change { party, frame: ROWS, mutation: Mutation::Flip(8 * HEADER + 5) };
        let (out, _) = changed(&case, Some(change)).await;
        for me in (0..3).filter(|me| *me != party) {
            let abort = out[me].as_ref().expect_err("a flag that is no bit");
            assert!(abort.blame == Blame::Peer(party) && abort.step.contains("check inputs"), "{abort}");
        }
    }
}
