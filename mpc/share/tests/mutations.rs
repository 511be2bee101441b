//! Every frame of a three-party session changed in every way: links never change a result, and nothing makes a party panic or wait.
//!
//! Tier B: the parties follow the protocol. A party that changes what a frame holds changes shares, so the result may be
//! another one and nobody needs to notice; that alone is allowed here, and only where a frame's content changes. Lengths,
//! other steps and sessions, doubles and silence end the session.

mod common;

use common::{FRAC, input};
use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_share::fixed::Functions;
use mpc_share::interval::Range;
use mpc_share::{Arith, Carried, Rep3, Replicated, Words};

const ROWS: usize = 12;
/// The shape of the matrix product.
const SHAPE: [usize; 3] = [3, 4, 3];

/// What a party sees: what is opened, column after column, and what is revealed to party 1.
type Seen = (Vec<Vec<u64>>, Option<Vec<u64>>);

/// The two columns of party 0; the first one's values are distinct and below 64.
fn columns() -> [Vec<u64>; 2] {
    let rows = 0..ROWS as u64;
    [rows.clone().map(|row| row * 37 % 50).collect(), rows.map(|row| 20 + row).collect()]
}

fn same() -> Vec<u64> {
    (0..ROWS).map(|row| u64::from(row % 4 != 0)).collect()
}

fn valid() -> Vec<u64> {
    (0..ROWS).map(|row| row as u64 % 2).collect()
}

/// A bit of everything: set-up, inputs, comparison, choice, division, sort, scan, compaction, integers of 128 bits, matrices.
fn everything(me: usize, mut ctx: Context) -> Run<Seen> {
    Box::pin(async move {
        let mut party = Rep3::setup(&mut ctx).await?;
        let [x, y] = columns();
        let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
        let key: Words = party.to_bits(a.view()).await?;
        let less = party.less_than(&a, &b).await?;
        let chosen = party.choose(&less, &a, &b).await?;
        let cut = party.truncate(&chosen.scale(1 << 20), 20).await?;
        let sorted = party.sort_by_words(vec![cut], &[(&key, 6)]).await?;
        let same: Arith = party.public(&same());
        let scanned = party.scan(Carried::Sum, &same, &b).await?;
        let valid: Arith = party.public(&valid());
        let compact = party.compact(vec![a.clone()], &valid).await?;
        let numbers: Vec<u128> = (1..=ROWS as u128).collect();
        let mine = if me == 2 { numbers.as_slice() } else { &[] };
        let [_, _, wide] = party.input_wide([0, 0, ROWS], mine).await?;
        let squares = party.dot_wide(&[(&wide, &wide)]).await?;
        let grown = party.less_wide(&wide, &squares).await?;
        let product = party.matmul(&a, &b, SHAPE).await?;
        let mut opened = Vec::new();
        for column in [&sorted[0], &scanned, &compact[0]] {
            opened.push(party.open(column).await?);
        }
        opened.push(party.open_bits(&grown).await?);
        Ok((opened, party.reveal(&product, 1).await?))
    })
}

/// What is opened, but for a unit in the first column, and what is revealed.
fn due() -> Seen {
    let [x, y] = columns();
    let mut rows: Vec<usize> = (0..ROWS).collect();
    rows.sort_by_key(|row| x[*row]);
    let sorted = rows.iter().map(|row| x[*row].min(y[*row])).collect();
    let scanned = (0..ROWS).map(|row| y[row / 4 * 4..=row].iter().sum::<u64>()).collect();
    let compact = (1..ROWS).step_by(2).chain((0..ROWS).step_by(2)).map(|row| x[row]).collect();
    let grown = (0..ROWS).map(|row| u64::from(row > 0)).collect();
    let [_, inner, width] = SHAPE;
    let entry = |at: usize| {
        let term = |place: usize| x[at / width * inner + place] * y[place * width + at % width];
        (0..inner).map(term).sum::<u64>()
    };
    (vec![sorted, scanned, compact, grown], Some((0..9).map(entry).collect()))
}

fn is_due(me: usize, (opened, revealed): &Seen) -> bool {
    let (mut columns, product) = due();
    // A division by 2^20 is right to one unit.
    if let (Some(seen), Some(cut)) = (opened.first(), columns.first_mut()) {
        cut.iter_mut().zip(seen).for_each(|(cut, seen)| *cut += u64::from(*seen == *cut + 1));
    }
    *opened == columns && *revealed == product.filter(|_| me == 1)
}

fn judge(_: Option<&Change>, outputs: &[Option<Seen>]) -> Verdict {
    let right = |(me, output): (usize, &Option<Seen>)| output.as_ref().is_none_or(|seen| is_due(me, seen));
    if outputs.iter().enumerate().all(right) { Verdict::Right } else { Verdict::Other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_of_everything() {
    let protocol = Protocol { parties: 3, party: everything, judge, kinds: Kinds::All, taped: &[], runs: 600 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 600, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// Numbers of party 0, in fixed point, and their logistic function, rounded down.
const NUMBERS: [i64; 4] = [0, 1 << FRAC, -(1 << FRAC), 3 << FRAC];
const LOGISTIC: [i64; 4] = [524_288, 766_570, 282_005, 998_846];

/// The logistic function, which takes comparisons, polynomials, a power of two and a reciprocal.
fn logistic(me: usize, mut ctx: Context) -> Run<Option<Vec<i64>>> {
    Box::pin(async move {
        let mut party = Rep3::setup(&mut ctx).await?;
        let range = Range::new(-(8 << FRAC), 8 << FRAC).expect("a range");
        let mine: &[i64] = if me == 0 { &NUMBERS } else { &[] };
        let [x, _, _] = party.input_fixed([NUMBERS.len(), 0, 0], mine, FRAC, [range; 3]).await?;
        let result = party.fixed_sigmoid(&x).await?;
        party.reveal_fixed(&result, 1).await
    })
}

/// The receiver's numbers are due to two units, and the reference is a unit too low at most.
fn judge_logistic(_: Option<&Change>, outputs: &[Option<Option<Vec<i64>>>]) -> Verdict {
    let mut verdict = Verdict::Right;
    for (me, output) in outputs.iter().enumerate() {
        match output {
            None => {}
            Some(None) if me != 1 => {}
            Some(Some(seen)) if me == 1 && seen.len() == LOGISTIC.len() => {
                if !seen.iter().zip(LOGISTIC).all(|(seen, due)| (due - 2..=due + 3).contains(seen)) {
                    verdict = Verdict::Other;
                }
            }
            Some(_) => return Verdict::Wrong,
        }
    }
    verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_point_function() {
    let (party, judge) = (logistic, judge_logistic);
    let tally = sweep(Protocol { parties: 3, party, judge, kinds: Kinds::All, taped: &[], runs: 600 }).await.unwrap();
    assert!(tally.runs >= 600, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
