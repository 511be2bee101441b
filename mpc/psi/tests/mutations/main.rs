//! Every PSI protocol with one frame of one party changed, replayed, taken from elsewhere or withheld: never a wrong result.
//!
//! A changed frame is what a party that cheats could have sent. Such a party may always use another set than its own, so
//! an intersection may lack elements; it never has one that not all parties have, nor a label that is not the sender's. Whoever ends
//! without a result blames a peer, and nobody waits for ever. Circuit PSI is for parties that follow the protocol: links never
//! change its answer, while one that changes what a frame holds may change the answer, since that is a share or hides one.

mod buckets;
#[path = "../common/mod.rs"]
mod common;

use mpc_block::{Aes, Block, BlockPrg};
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Tally, Verdict, sweep};
use mpc_core::{Abort, Context};
use mpc_psi::circuit::{self, Answer, Bound, Function, Input, Side};
use mpc_psi::unbalanced::{self, Cache, Owner, Published, Set};
use mpc_psi::{Mode, labelled, multi, two};

/// Elements of every set.
const COUNT: usize = 24;

/// The elements of these numbers.
fn elements(numbers: impl Iterator<Item = usize>) -> Vec<Block> {
    let mut elements: Vec<Block> = numbers.map(|number| Block::from_u128(number as u128)).collect();
    Aes::new(Block::from_u128(5)).encrypt_all(&mut elements);
    elements
}

/// A party's set: numbers `8·me` to `8·me + COUNT`.
fn set_of(me: usize) -> Vec<Block> {
    elements(8 * me..8 * me + COUNT)
}

/// The indices of what parties 0 and 1 share, at party `me`: numbers 8 to 23.
fn shared(me: usize) -> Vec<usize> {
    let first = 8 * (1 - me);
    (first..first + COUNT - 8).collect()
}

/// How a party's matches compare with those that are due; fewer are those of a run where a peer left elements out.
fn compare<T: PartialEq>(got: &[T], due: &[T]) -> Verdict {
    if got == due {
        Verdict::Right
    } else if got.len() < due.len() && got.iter().all(|one| due.contains(one)) {
        Verdict::Other
    } else {
        Verdict::Wrong
    }
}

fn exactly(right: bool) -> Verdict {
    if right { Verdict::Right } else { Verdict::Wrong }
}

/// The worst of what the parties say of their own outputs.
fn judge(_: Option<&Change>, outputs: &[Option<Verdict>]) -> Verdict {
    let any = |one: Verdict| outputs.contains(&Some(one));
    match (any(Verdict::Wrong), any(Verdict::Other)) {
        (true, _) => Verdict::Wrong,
        (false, true) => Verdict::Other,
        (false, false) => Verdict::Right,
    }
}

async fn swept(
    parties: usize,
    party: fn(usize, Context) -> Run<Verdict>,
    kinds: Kinds,
    taped: &'static [usize],
    runs: usize,
) -> Tally {
    let tally = sweep(Protocol { parties, party, judge, kinds, taped, runs }).await.unwrap();
    assert!(tally.runs >= runs, "{tally:?}");
    tally
}

/// Bytes of a label.
const LABEL: usize = 5;

/// The label of element `at` of party 0.
fn label(at: usize) -> [u8; LABEL] {
    [at as u8, 1, 2, 3, 4]
}

/// Both learn the intersection, and the receiver the labels.
async fn labels_in(mode: Mode, me: usize, mut ctx: Context) -> Result<Verdict, Abort> {
    let outputs = two::Outputs::Both;
    let (sender_elements, receiver_elements) = (COUNT, COUNT);
    let two = two::Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode };
    let parameters = labelled::Parameters { two, payload: LABEL };
    if me == 0 {
        let payloads: Vec<u8> = (0..COUNT).flat_map(label).collect();
        let got = labelled::send(&mut ctx, &parameters, &set_of(me), &payloads).await?;
        return Ok(got.map_or(Verdict::Wrong, |got| compare(&got, &shared(me))));
    }
    let got = labelled::receive(&mut ctx, &parameters, &set_of(me)).await?;
    let payload = |at: usize| got.payload(at).unwrap_or_default().to_vec();
    let got: Vec<_> = got.elements().iter().enumerate().map(|(at, own)| (*own, payload(at))).collect();
    let due: Vec<_> = shared(1).into_iter().map(|own| (own, label(own + 8).to_vec())).collect();
    Ok(compare(&got, &due))
}

fn labels(me: usize, ctx: Context) -> Run<Verdict> {
    Box::pin(labels_in(Mode::Fast, me, ctx))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_parties_that_both_learn_the_intersection_and_one_the_labels() {
    let tally = swept(2, labels, Kinds::All, &[0, 1], 240).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

fn labels_for_fewer_bytes(me: usize, ctx: Context) -> Run<Verdict> {
    Box::pin(labels_in(Mode::LowCommunication, me, ctx))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_parties_that_spare_bytes() {
    let tally = swept(2, labels_for_fewer_bytes, Kinds::All, &[0, 1], 200).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

fn several(me: usize, mut ctx: Context) -> Run<Verdict> {
    Box::pin(async move {
        let parameters = multi::Parameters::new(vec![COUNT; 3], multi::Outputs::One(1), Mode::Fast).expect("three");
        let got = multi::run(&mut ctx, &parameters, &set_of(me)).await?;
        // Party 1 has numbers 8 to 31; all have 16 to 23.
        Ok(match (me, got) {
            (1, Some(got)) => compare(&got, &(8..16).collect::<Vec<_>>()),
            (_, got) => exactly(me != 1 && got.is_none()),
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_parties() {
    // Party 1 works with both others at once, in an order that the network decides, so it never faces a tape.
    let tally = swept(3, several, Kinds::All, &[1], 200).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// An owner that has published its set of even numbers, and the release, the same at every call.
fn published() -> (Owner, Published) {
    let mut owner = Owner::new(&[3; 32], 1, COUNT, 2).expect("an owner");
    let set = elements((0..COUNT).map(|number| 2 * number));
    let labels: Vec<u8> = (0..COUNT as u8).flat_map(|number| [2 * number, 7]).collect();
    let set = Set { elements: &set, labels: &labels, bound: COUNT + 4 };
    let mut filling = BlockPrg::new(Block::from_u128(9));
    let published = owner.publish(set, 1, &mut |out: &mut [u8]| filling.fill_bytes(out)).expect("a release");
    (owner, published)
}

/// Asks for numbers 10 to 29.
async fn asked(ctx: &mut Context, cache: &Cache) -> Result<Verdict, Abort> {
    let found = unbalanced::query(ctx, 0, cache, COUNT, &elements(10..30)).await?;
    let found: Vec<(usize, Vec<u8>)> = found.into_iter().map(|one| (one.element, one.label)).collect();
    let due: Vec<(usize, Vec<u8>)> = (0..20).step_by(2).map(|at| (at, vec![10 + at as u8, 7])).collect();
    Ok(exactly(found == due))
}

fn small(me: usize, mut ctx: Context) -> Run<Verdict> {
    Box::pin(async move {
        let (owner, published) = published();
        if me == 0 {
            unbalanced::send(&mut ctx, 1, &published).await?;
            unbalanced::serve(&mut ctx, 1, &owner, COUNT).await?;
            return Ok(Verdict::Right);
        }
        let level = unbalanced::receive(&mut ctx, 0, &published.digest, 1 << 20).await?;
        let cache = Cache::new(level).map_err(|why| Abort::peer(0, why.to_string()))?;
        asked(&mut ctx, &cache).await
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_query_of_a_large_set() {
    let tally = swept(2, small, Kinds::All, &[], 230).await;
    assert!(tally.unnoticed * 10 < tally.runs, "{tally:?}");
}

fn counted(me: usize, mut ctx: Context) -> Run<Verdict> {
    Box::pin(async move {
        let side = || Side { keys: COUNT, columns: vec![Bound { each: 100, total: 100 * COUNT as u64 }] };
        let functions = vec![Function::Cardinality, Function::Sender(0), Function::Product(0, 0)];
        let parameters = circuit::Parameters::new(1, side(), side(), functions, Some(3)).expect("parameters");
        let numbers: Vec<i64> = (0..COUNT).map(|at| (8 * me + at) as i64).collect();
        let input = Input::new(set_of(me), vec![numbers]).expect("an input");
        let got = circuit::run(&mut ctx, &parameters, &input).await?;
        // Numbers 8 to 23 are common.
        let squares = (8..24).map(|number: i64| number * number);
        let due = [16, (8..24).sum::<i64>(), squares.sum::<i64>()];
        Ok(match (me, got) {
            (1, Some(Answer::Values(values))) if values == due => Verdict::Right,
            // Tier A: another answer of the same form.
            (1, Some(Answer::Values(values))) if values.len() == due.len() => Verdict::Other,
            (1, Some(Answer::Below)) => Verdict::Other,
            (_, got) => exactly(me == 0 && got.is_none()),
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn circuits() {
    let tally = swept(2, counted, Kinds::All, &[0, 1], 210).await;
    // What is on the side that a transfer does not take, slots that no key reads, and frames that say nothing but that they came.
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
