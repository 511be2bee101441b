//! Every frame of a star join changed in every way: links never change the answer, and nothing makes a party panic or wait.
//!
//! Tier B: the parties follow the protocol. A party that changes what a frame holds changes shares, so the receiver's groups may
//! be others and nobody needs to notice; that alone is allowed here, and only where a frame's content changes. A frame of
//! another length, step, number or session, a double and silence end the session with blame on a peer.

use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_relational::{
    Aggregate, CarrierRow, Cell, Function, GroupResult, Input, Join, OwnerRows, Placement, Rep3, SideRow, SideShape,
    StarShape, run,
};

/// Who learns the groups: another one than the owners.
const RECEIVER: usize = 2;

/// How many rows each of two groups has, and what the amounts of their people come to.
fn shape() -> StarShape {
    let amounts = Input::Side { side: 0, value: 0, absent: None };
    StarShape {
        carrier_rows: 4,
        key_bits: 3,
        group_bits: 1,
        max_groups: 2,
        key_words: 1,
        carrier_values: 0,
        sides: vec![SideShape { rows: 3, join: Join::Inner, values: 1 }],
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

/// Two people in the first ward; one in the second, too few to be shown.
fn due() -> Vec<GroupResult> {
    let group = |word, values: [Cell; 2]| GroupResult { group_words: vec![word], values: values.to_vec() };
    vec![group(70, [Cell::Value(2), Cell::Value(260)]), group(71, [Cell::Suppressed; 2])]
}

fn joined(me: usize, mut ctx: Context) -> Run<Option<Vec<GroupResult>>> {
    Box::pin(async move {
        let place = Placement { carrier: 0, sides: vec![1], receiver: RECEIVER };
        let groups = run::<Rep3>(&mut ctx, &shape(), &place, rows_of(me), &mut |_| {}).await?;
        // They come in a shuffled order.
        Ok(groups.map(|mut groups| {
            groups.sort_by(|one, other| one.group_words.cmp(&other.group_words));
            groups
        }))
    })
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_star_join() {
    let protocol = Protocol { parties: 3, party: joined, judge, kinds: Kinds::All, taped: &[], runs: 300 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 300, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
