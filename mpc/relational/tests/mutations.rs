//! Every frame of a star join changed in every way, in both tiers: links never change the answer, and nothing makes a party
//! panic or wait. A frame of another length, step, number or session, a double and silence end the session with blame on a peer.
//!
//! Tier B: the parties follow the protocol. A party that changes what a frame holds changes shares, so the receiver's groups may
//! be others and nobody needs to notice; that alone is allowed, and only where a frame's content changes.
//!
//! Tier B+: the party whose frame changes is the corrupt one. The one frame with its own rows may hold other rows; whatever else it
//! changes, the honest ones abort or the receiver has the right groups.

use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Tally, Verdict, sweep};
use mpc_core::{Abort, Blame, Context};
use mpc_relational::{
    Aggregate, CarrierRow, Cell, Checked, Function, GroupResult, Input, Join, OwnerRows, Placement, Rep3, Scheme,
    SideRow, SideShape, Span, StarShape, run,
};

/// Who learns the groups: another one than the owners.
const RECEIVER: usize = 2;
/// The frame with an owner's rows: three before it agree on seeds.
const ROWS: usize = 3;

/// How many rows each of two groups has, and what the amounts of their people come to.
fn shape() -> StarShape {
    let amounts = Input::Side { side: 0, value: 0, absent: None };
    StarShape {
        carrier_rows: 4,
        key_bits: 3,
        group_bits: 1,
        max_groups: 2,
        key_words: 1,
        carrier_values: vec![],
        sides: vec![SideShape { rows: 3, join: Join::Inner, values: vec![Span { low: -1000, high: 1000 }] }],
        aggregates: vec![
            Aggregate { input: Input::Rows, function: Function::Count },
            Aggregate { input: amounts, function: Function::Sum },
        ],
        threshold: 2,
    }
}

/// Party 0 has the visits of people in two wards, party 1 the amounts of some of them.
fn rows_of(me: usize) -> Vec<OwnerRows> {
    let visit = |(key, group): (u64, u32)| CarrierRow {
        key: Some(key),
        group,
        group_words: vec![70 + u64::from(group)],
        lead: true,
        values: vec![],
        value_leads: vec![],
    };
    let amount = |(key, sum): (u64, i64)| SideRow { key, rows: 1, sums: vec![sum], counts: vec![1] };
    match me {
        0 => vec![OwnerRows::Carrier([(1, 0), (2, 0), (5, 1), (6, 1)].map(visit).to_vec())],
        1 => vec![OwnerRows::Side(0, [(2, -40), (1, 300), (5, 7)].map(amount).to_vec())],
        _ => vec![],
    }
}

/// The same with a mean, which divides.
fn shape_with_mean() -> StarShape {
    let mut shape = shape();
    let amounts = shape.aggregates[1].input;
    shape.aggregates.push(Aggregate { input: amounts, function: Function::Avg { extra_digits: 0 } });
    shape
}

/// Two people in the first ward; one in the second, too few to be shown.
fn due() -> Vec<GroupResult> {
    let group = |word, values: [Cell; 2]| GroupResult { group_words: vec![word], values: values.to_vec() };
    vec![group(70, [Cell::Value(2), Cell::Value(260)]), group(71, [Cell::Suppressed; 2])]
}

fn due_with_mean() -> Vec<GroupResult> {
    let mut due = due();
    due[0].values.push(Cell::Value(130));
    due[1].values.push(Cell::Suppressed);
    due
}

/// The groups in an order of their own: they come in a shuffled one.
async fn groups<S: Scheme>(me: usize, mut ctx: Context, shape: StarShape) -> Result<Option<Vec<GroupResult>>, Abort> {
    let place = Placement { carrier: 0, sides: vec![1], receiver: RECEIVER };
    let groups = run::<S>(&mut ctx, &shape, &place, rows_of(me), &mut |_| {}).await?;
    Ok(groups.map(|mut groups| {
        groups.sort_by(|one, other| one.group_words.cmp(&other.group_words));
        groups
    }))
}

fn joined(me: usize, ctx: Context) -> Run<Option<Vec<GroupResult>>> {
    Box::pin(groups::<Rep3>(me, ctx, shape()))
}

/// Whether groups have the form that the shape gives them, whatever they hold.
fn formed(groups: &[GroupResult]) -> bool {
    groups.len() <= 2 && groups.iter().all(|group| group.group_words.len() == 1 && group.values.len() == 2)
}

fn judge(_: Option<&Change>, outputs: &[Option<Option<Vec<GroupResult>>>]) -> Verdict {
    let mut verdict = Verdict::Right;
    for (me, output) in outputs.iter().enumerate() {
        match output {
            None => {}
            Some(None) if me != RECEIVER => {}
            Some(Some(groups)) if me == RECEIVER && *groups == due() => {}
            Some(Some(groups)) if me == RECEIVER && formed(groups) => verdict = Verdict::Other,
            // No answer where one is due, one elsewhere, or one of another form.
            Some(_) => return Verdict::Wrong,
        }
    }
    verdict
}

/// How a party of tier B+ ends where it does not abort, or where it does since others have found its own rows to be none.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ended {
    Groups(Vec<GroupResult>),
    Nothing,
    Refused,
}

fn joined_checked(me: usize, ctx: Context) -> Run<Ended> {
    Box::pin(async move {
        match groups::<Checked>(me, ctx, shape_with_mean()).await {
            Ok(groups) => Ok(groups.map_or(Ended::Nothing, Ended::Groups)),
            Err(abort) if abort.blame == Blame::Local && abort.step.contains("check inputs") => Ok(Ended::Refused),
            Err(abort) => Err(abort),
        }
    })
}

/// Whether groups have the form that the shape gives them, of rows that an owner may put in.
fn formed_with_mean(groups: &[GroupResult]) -> bool {
    groups.len() <= 2 && groups.iter().all(|group| group.group_words.len() == 1 && group.values.len() == 3)
}

fn judge_checked(change: Option<&Change>, outputs: &[Option<Ended>]) -> Verdict {
    let culprit = change.map(|change| change.party);
    let other_rows = change.is_some_and(|change| change.party != RECEIVER && change.frame == ROWS);
    let mut verdict = Verdict::Right;
    for (me, output) in outputs.iter().enumerate() {
        let (cheats, receives) = (Some(me) == culprit, me == RECEIVER);
        match output {
            None => {}
            Some(Ended::Refused) if cheats && other_rows => verdict = Verdict::Other,
            Some(Ended::Refused) => return Verdict::Wrong,
            // What a cheat makes of what it is told is its own affair.
            Some(_) if cheats => {}
            Some(Ended::Nothing) if !receives => {}
            Some(Ended::Groups(groups)) if receives && *groups == due_with_mean() => {}
            Some(Ended::Groups(groups)) if receives && other_rows && formed_with_mean(groups) => {
                verdict = Verdict::Other;
            }
            Some(_) => return Verdict::Wrong,
        }
    }
    verdict
}

async fn swept<T: Clone + Send + Sync + 'static>(protocol: Protocol<T>) -> Tally {
    let runs = protocol.runs;
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= runs, "{tally:?}");
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_star_join() {
    let protocol = Protocol { parties: 3, party: joined, judge, kinds: Kinds::All, taped: &[], runs: 300 };
    let tally = swept(protocol).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_star_join_in_tier_b_plus() {
    let (party, judge) = (joined_checked, judge_checked);
    let protocol = Protocol { parties: 3, party, judge, kinds: Kinds::All, taped: &[], runs: 600 };
    let tally = swept(protocol).await;
    // Frames that are their own replay, zeros in place of zeros, and what nobody waits for any more.
    assert!(tally.unnoticed * 4 < tally.runs, "{tally:?}");
}
