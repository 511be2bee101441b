//! Every frame of a vector program changed in every way that a link can: never another result, no panic, no wait without end.
//!
//! Tier B: what a frame holds may be changed only by a party that departs from the protocol, which the tier does not withstand.

mod common;

use common::{check, part, whole};
use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_vector::{Placement, Program, Told};

type Seen = Option<Vec<Told>>;

fn program() -> Program {
    let text = "scale 8; input x[6, 2]; input s[6] wide;
        v = column(sort(x), 2);
        return v, compact(v, v > 3), scan_max(v, v > 3), number(s * s < s);";
    check(text, &[whole(2, 0, 15), whole(1, -9, 9)]).unwrap()
}

fn inputs() -> Vec<Vec<i64>> {
    vec![vec![5, 4, 1, 9, 14, 0, 3, 7, 9, 2, 0, 5], vec![-3, 4, 0, 1, 9, -9]]
}

fn party(me: usize, ctx: Context) -> Run<Seen> {
    Box::pin(part(me, ctx, program(), Placement { owners: vec![0, 2], receiver: 1 }, inputs()))
}

fn judge(_: Option<&Change>, outputs: &[Option<Seen>]) -> Verdict {
    let unit = |numbers: [i128; 6]| numbers.map(|number| number << 8).to_vec();
    let due = vec![unit([5, 9, 7, 4, 2, 0]), unit([5, 9, 7, 4, 0, 0]), unit([5, 9, 9, 9, 2, 0]), unit([0; 6])];
    let right = |(me, output): (usize, &Option<Seen>)| match output {
        None => true,
        Some(seen) => *seen == (me == 1).then(|| due.clone()),
    };
    if outputs.iter().enumerate().all(right) { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_change_frames_never_change_a_result() {
    let protocol = Protocol { parties: 3, party, judge, kinds: Kinds::Links, taped: &[], runs: 240 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
}
