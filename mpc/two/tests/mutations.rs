//! Every frame of a two-party session changed in every way: links never change a result, and nothing makes a party panic or wait.
//!
//! Tier A: both parties follow the protocol. What a frame holds is a share or hides one, so a party that changes it changes
//! the result, and the other does not notice; that alone is allowed here, and only where a frame's content changes. Lengths,
//! other operations and sessions, doubles and silence end the session. Silent transfers are checked by their own protocol, against
//! malicious peers: here it is the session above them that is swept.

mod common;

use common::{open, share};
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_core::{Abort, Context};
use mpc_share::Carried;
use mpc_share::fixed::Functions;
use mpc_share::interval::Range;
use mpc_two::{Additive, BitShares, Network, Parameters, Rounding, Two};

/// The shape of the matrix product: large enough for ring LWE.
const SHAPE: [usize; 3] = [11, 10, 11];

/// A bit of everything: set-up, input, product, comparison, choice, equality, conversion, division, matrices, reveal.
fn everything(me: usize, mut ctx: Context) -> Run<Vec<u64>> {
    Box::pin(async move {
        let mut two = Two::setup(&mut ctx).await?;
        let x = share(&mut two, &[1, 2, 3]).await?;
        let y = two.mul(&x, &x).await?;
        let bits = two.less(&x, &y).await?;
        let chosen = two.select(&bits, &y).await?;
        let equal = two.equal(&[7, 8, 9 + me as u64], 8).await?;
        let numbers = two.to_arith(&equal).await?;
        let quotient = two.truncate(&chosen.add(&numbers), 1, Rounding::Floor).await?;
        let wide = Additive::concat([&quotient; 37]).range(0..110);
        let product = two.matmul(&wide, &wide, SHAPE).await?;
        open(&mut two, &Additive::concat([&quotient, &product.sum()])).await
    })
}

/// What `everything` gives: 0, 4, 9 are chosen, the first two are equal, halves round down.
fn due() -> Vec<u64> {
    let quotient = [1_u64 / 2, 5 / 2, 9 / 2];
    let [rows, inner, columns] = SHAPE;
    let entry = |row: usize, column: usize, width: usize| quotient[(row * width + column) % 3];
    let sum = |place: usize| {
        let left: u64 = (0..rows).map(|row| entry(row, place, inner)).sum();
        let right: u64 = (0..columns).map(|column| entry(place, column, columns)).sum();
        left * right
    };
    let [first, second, third] = quotient;
    vec![first, second, third, (0..inner).map(sum).sum::<u64>()]
}

fn judge(_: Option<&Change>, outputs: &[Option<Vec<u64>>]) -> Verdict {
    let due = due();
    if outputs.iter().flatten().all(|output| *output == due) { Verdict::Right } else { Verdict::Other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_of_everything() {
    let protocol = Protocol { parties: 2, party: everything, judge, kinds: Kinds::All, taped: &[0, 1], runs: 200 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// What needs transfers of both directions: a product, a comparison and a choice, over silent transfers.
fn silently(me: usize, mut ctx: Context) -> Run<Vec<u64>> {
    Box::pin(async move {
        let mut two = Two::setup_with(&mut ctx, Parameters { network: Network::Wan }).await?;
        let x = share(&mut two, &[3, 20]).await?;
        let square = two.mul(&x, &x).await?;
        let equal = two.equal(&[7, 8 + me as u64], 8).await?;
        let chosen = two.select(&equal, &square).await?;
        open(&mut two, &chosen).await
    })
}

/// The square where the two parties' numbers are equal.
fn judge_silent(_: Option<&Change>, outputs: &[Option<Vec<u64>>]) -> Verdict {
    if outputs.iter().flatten().all(|output| *output == [9, 0]) { Verdict::Right } else { Verdict::Other }
}

/// A run makes a batch of 2^18 transfers in each direction, so every day has the frames once and fewer ways to change each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_transfers() {
    let runs = if std::env::var_os("HEQI_LONG").is_some() { 400 } else { 0 };
    let (party, judge) = (silently, judge_silent);
    let tally = sweep(Protocol { parties: 2, party, judge, kinds: Kinds::All, taped: &[0, 1], runs }).await.unwrap();
    assert!(tally.runs >= runs.max(18), "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// Rows: sorted, summed up by segments, put first where they count.
fn rows(me: usize, mut ctx: Context) -> Run<Vec<u64>> {
    Box::pin(async move {
        let mut two = Two::setup(&mut ctx).await?;
        let (key, place) = (share(&mut two, &[3, 1, 3, 2]).await?, share(&mut two, &[0, 1, 2, 3]).await?);
        let mut columns = two.sort(vec![key, place], 0, 0..=3).await?;
        let bits = |word: u64| BitShares::of(vec![if me == 0 { word } else { 0 }], 4);
        let sums = two.scan(Carried::Sum, &bits(0b1010), &columns[1]).await?;
        columns.push(sums);
        let compact = two.compact(columns, &bits(0b0110)).await?;
        open(&mut two, &Additive::concat(&compact)).await
    })
}

/// Sorted, the keys are 1, 2, 3, 3 and the places 1, 3, 0, 2, with sums of two each; the rows in the middle count.
fn judge_rows(_: Option<&Change>, outputs: &[Option<Vec<u64>>]) -> Verdict {
    let due = [2_u64, 3, 1, 3, 3, 0, 1, 2, 4, 0, 1, 2];
    if outputs.iter().flatten().all(|output| *output == due) { Verdict::Right } else { Verdict::Other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_change_no_order_of_rows() {
    let protocol =
        Protocol { parties: 2, party: rows, judge: judge_rows, kinds: Kinds::Links, taped: &[0, 1], runs: 100 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 100, "{tally:?}");
}

/// The reciprocal of three quarters.
fn reciprocal(me: usize, mut ctx: Context) -> Run<Vec<u64>> {
    Box::pin(async move {
        let mut two = Two::setup(&mut ctx).await?;
        let range = Range::new(1, 1 << 21).map_err(|overflow| Abort::local(overflow.to_string()))?;
        let mine: &[i64] = if me == 0 { &[3 << 18] } else { &[] };
        let x = two.input_fixed(0, mine, 1, 20, range).await?;
        let inverse = two.fixed_reciprocal(&x).await?;
        open(&mut two, inverse.raw()).await
    })
}

fn judge_reciprocal(_: Option<&Change>, outputs: &[Option<Vec<u64>>]) -> Verdict {
    let due = (4_u64 << 20) / 3;
    let is_due = |output: &Vec<u64>| output.len() == 1 && output.iter().all(|inverse| inverse.abs_diff(due) <= 3);
    if outputs.iter().flatten().all(is_due) { Verdict::Right } else { Verdict::Other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_change_no_function() {
    let protocol = Protocol {
        parties: 2,
        party: reciprocal,
        judge: judge_reciprocal,
        kinds: Kinds::Links,
        taped: &[0, 1],
        runs: 100,
    };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 100, "{tally:?}");
}
