//! Every frame of a vector program changed in every way: never another result that the scheme excludes, no panic, no wait without end.
//!
//! Where all parties follow the protocol, what a frame holds may be changed only by one that departs from it, which those tiers do not
//! withstand: there frames are changed in the ways of a link. On checked shares they are changed in every way.

mod common;

use common::{check, check_for, part, whole};
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_core::{Blame, Context};
use mpc_vector::{Placement, Program, Scheme, Told};

type Seen = Option<Vec<Told>>;

/// The receiver of all programs.
const RECEIVER: usize = 1;

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
    Box::pin(part(me, ctx, program(), Placement { owners: vec![0, 2], receiver: RECEIVER }, inputs()))
}

/// Whole numbers as those that represent them.
fn raised<const N: usize>(scale: u32, numbers: [i128; N]) -> Told {
    numbers.map(|number| number << scale).to_vec()
}

/// Whether the receiver alone is told, and what is due.
fn are_due(outputs: &[Option<Seen>], due: &[Told]) -> Verdict {
    let right = |(me, output): (usize, &Option<Seen>)| match output {
        None => true,
        Some(seen) => seen.as_deref() == (me == RECEIVER).then_some(due),
    };
    if outputs.iter().enumerate().all(right) { Verdict::Right } else { Verdict::Wrong }
}

fn judge(_: Option<&Change>, outputs: &[Option<Seen>]) -> Verdict {
    let of = |numbers| raised(8, numbers);
    are_due(outputs, &[of([5, 9, 7, 4, 2, 0]), of([5, 9, 7, 4, 0, 0]), of([5, 9, 9, 9, 2, 0]), of([0; 6])])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_change_frames_never_change_a_result() {
    let protocol = Protocol { parties: 3, party, judge, kinds: Kinds::Links, taped: &[], runs: 240 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
}

/// Two parties: numbers of both, multiplied, compared, put in front and added up, and a matrix.
fn of_two(me: usize, ctx: Context) -> Run<Seen> {
    let text = "scale 4; input x[4]; input y[4];
        return x * y, compact(y, x < y), scan_sum(x, x == y), matmul(matmul(x, transpose(y)), x);";
    let program = check_for(Scheme::Two, text, &[whole(1, -5, 7), whole(1, -5, 7)]).unwrap();
    let inputs = vec![vec![2, -5, 3, 7], vec![4, -5, 3, 1]];
    Box::pin(part(me, ctx, program, Placement { owners: vec![0, 1], receiver: RECEIVER }, inputs))
}

fn judge_two(_: Option<&Change>, outputs: &[Option<Seen>]) -> Verdict {
    let of = |numbers| raised(4, numbers);
    // What products cut off is 0 here, and a cut may add a unit; in the last result some of them count up to seven times.
    let near = |told: &[Told]| {
        let due = [of([8, 25, 9, 7]), of([4, 0, 0, 0]), of([2, -3, 0, 7]), of([98, -245, 147, 343])];
        let of_one = |(told, due): (&Told, &Told)| {
            told.len() == due.len() && told.iter().zip(due).all(|(told, due)| (-8..=20).contains(&(told - due)))
        };
        told.len() == due.len() && told.iter().zip(&due).all(of_one)
    };
    let right = |(me, output): (usize, &Option<Seen>)| match output {
        None => true,
        Some(None) => me != RECEIVER,
        Some(Some(told)) => me == RECEIVER && near(told),
    };
    if outputs.iter().enumerate().all(right) { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_between_two_parties_never_change_a_result() {
    let (party, judge) = (of_two, judge_two);
    let protocol = Protocol { parties: 2, party, judge, kinds: Kinds::Links, taped: &[0, 1], runs: 220 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
}

/// How a party on checked shares ends where it does not abort, or where it does since others have found its own numbers outside
/// their ranges.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ended {
    Told(Vec<Told>),
    Nothing,
    Refused,
}

const SCALE: u32 = 1;
/// The numbers of parties 0 and 2, which lie from 0 to the most.
const X: [i64; 3] = [5, 0, 3];
const Y: [i64; 3] = [2, 6, 3];
const MOST: i64 = 7;

/// Three parties, one of which may deviate: the inputs, their products, and those rows first where one is larger.
fn checked(me: usize, ctx: Context) -> Run<Ended> {
    let text = "scale 1; input x[3]; input y[3]; return x, y, x * y, compact(x, x > y);";
    let columns = [whole(1, 0, MOST), whole(1, 0, MOST)];
    let program = check_for(Scheme::Checked, text, &columns).unwrap();
    let place = Placement { owners: vec![0, 2], receiver: RECEIVER };
    Box::pin(async move {
        match part(me, ctx, program, place, vec![X.to_vec(), Y.to_vec()]).await {
            Ok(told) => Ok(told.map_or(Ended::Nothing, Ended::Told)),
            Err(abort) if abort.blame == Blame::Local && abort.step.contains("check inputs") => Ok(Ended::Refused),
            Err(abort) => Err(abort),
        }
    })
}

/// Whether results follow from the inputs that are told with them, and these are numbers that an owner may put in: those of the
/// parties that follow the protocol, and any of their range of one that does not.
fn follow(told: &[Told], culprit: Option<usize>) -> bool {
    let [x, y, products, kept] = told else { return false };
    let own = |seen: &Told, due: &[i64; 3], owner: usize| {
        let in_range = seen.len() == 3 && seen.iter().all(|raw| (0..=i128::from(MOST) << SCALE).contains(raw));
        in_range && (culprit == Some(owner) || seen.iter().eq(&due.map(|number| i128::from(number) << SCALE)))
    };
    let product: Told = x.iter().zip(y).map(|(x, y)| (x * y) >> SCALE).collect();
    let mut larger: Told = x.iter().zip(y).filter(|(x, y)| x > y).map(|(x, _)| *x).collect();
    larger.resize(3, 0);
    own(x, &X, 0) && own(y, &Y, 2) && *products == product && *kept == larger
}

fn judge_checked(change: Option<&Change>, outputs: &[Option<Ended>]) -> Verdict {
    let culprit = change.map(|change| change.party);
    let mut verdict = Verdict::Right;
    for (me, output) in outputs.iter().enumerate() {
        match output {
            None => {}
            // What a cheat makes of what it is told is its own affair.
            Some(_) if culprit == Some(me) => {}
            Some(Ended::Nothing) if me != RECEIVER => {}
            Some(Ended::Told(told)) if me == RECEIVER && follow(told, None) => {}
            Some(Ended::Told(told)) if me == RECEIVER && follow(told, culprit) => verdict = Verdict::Other,
            Some(_) => return Verdict::Wrong,
        }
    }
    verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_party_on_checked_shares_changes_more_than_its_inputs_within_their_ranges() {
    let (party, judge) = (checked, judge_checked);
    let protocol = Protocol { parties: 3, party, judge, kinds: Kinds::All, taped: &[], runs: 220 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
