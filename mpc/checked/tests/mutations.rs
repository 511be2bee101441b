//! Every frame of a checked session changed in every way: the right result or an abort, for both who are honest.
//!
//! The party whose frame changes is the corrupt one. What it sends is its input, whatever word that is; so the results are
//! right when they follow from the inputs that are opened, and both honest parties see the same.

mod common;

use common::input_of;
use mpc_checked::Checked;
use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_share::{Arith, Words};

/// Inputs of parties 0 and 2.
const X: [u64; 6] = [5, u64::MAX, 1 << 40, 7, 9, 11];
const Y: [u64; 6] = [6, 3, 1 << 41, 7, 8, 1 << 63];

/// What a party sees: both inputs, product, matrix product, equality, bits and a shuffled column's squares, opened; then what is
/// revealed to party 1.
type Seen = ([Vec<u64>; 7], Option<Vec<u64>>);

/// Everything once: inputs of two parties, products, matrices, comparison, bits, shuffle, openings, and a reveal.
fn everything(_: usize, mut ctx: Context) -> Run<Seen> {
    Box::pin(async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let x: Arith = input_of(&mut party, 0, &X).await?;
        let y: Arith = input_of(&mut party, 2, &Y).await?;
        let product = party.mul(&x, &y).await?;
        let matrix = party.mat_mul(&x, &y, [2, 3, 2]).await?;
        let equal = party.equal(&x, &y).await?;
        let bits: Words = party.to_bits(&x).await?;
        let moved = party.shuffle(vec![x.clone(), product.clone()]).await?;
        let squares = party.mul(&moved[0], &moved[0]).await?;
        let revealed = party.reveal(&product, 1).await?;
        let opened = [
            party.open(&x).await?,
            party.open(&y).await?,
            party.open(&product).await?,
            party.open(&matrix).await?,
            party.open(&equal).await?,
            party.open(&bits).await?,
            party.open(&squares).await?,
        ];
        Ok((opened, revealed))
    })
}

/// Whether what a party saw follows from the inputs that it saw.
fn fits(me: usize, (opened, revealed): &Seen) -> bool {
    let [x, y, product, matrix, equal, bits, squares] = opened;
    let both = || x.iter().zip(y);
    let entry = |at: usize| {
        (0..3).fold(0_u64, |sum, place| sum.wrapping_add(x[at / 2 * 3 + place].wrapping_mul(y[2 * place + at % 2])))
    };
    let sorted = |mut words: Vec<u64>| {
        words.sort_unstable();
        words
    };
    opened.iter().map(Vec::len).eq([6, 6, 6, 4, 6, 6, 6])
        && *product == both().map(|(x, y)| x.wrapping_mul(*y)).collect::<Vec<_>>()
        && *matrix == (0..4).map(entry).collect::<Vec<_>>()
        && *equal == both().map(|(x, y)| u64::from(x == y)).collect::<Vec<_>>()
        && bits == x
        && sorted(squares.clone()) == sorted(x.iter().map(|x| x.wrapping_mul(*x)).collect())
        && revealed.as_ref() == (me == 1).then_some(product)
}

fn judge(change: Option<&Change>, outputs: &[Option<Seen>]) -> Verdict {
    let culprit = change.map(|change| change.party);
    let honest = outputs.iter().enumerate().filter(|(me, _)| Some(*me) != culprit);
    let seen: Vec<(usize, &Seen)> = honest.filter_map(|(me, output)| Some((me, output.as_ref()?))).collect();
    let alike = seen.windows(2).all(|pair| pair[0].1.0 == pair[1].1.0);
    if !alike || !seen.iter().all(|(me, seen)| fits(*me, seen)) {
        return Verdict::Wrong;
    }
    let agreed = seen.iter().all(|(_, (opened, _))| opened[0] == X && opened[1] == Y);
    if agreed { Verdict::Right } else { Verdict::Other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_once() {
    let protocol = Protocol { parties: 3, party: everything, judge, kinds: Kinds::All, taped: &[], runs: 500 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 500, "{tally:?}");
    // What nobody waits for any more, and frames that are their own replay.
    assert!(tally.unnoticed * 4 < tally.runs, "{tally:?}");
}
