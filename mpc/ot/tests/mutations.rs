//! Every frame of the transfers changed in every way: the right correlation or an abort with blame, never a wrong one.
//!
//! Each sweep includes the base transfers and the extension that it starts from. What a party may decide by what it
//! sends is no wrong result: the messages of chosen transfers are the sender's, the choices the receiver's.

mod common;

use common::{ideal_chosen, ideal_correlated};
use mpc_block::{Block, BlockPrg};
use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_ot::{bits, pcg, silent, softspoken, vole};

const DELTA: Block = Block::from_u128(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978);
/// Random transfers: a full chunk and a partial one.
const RANDOM: usize = 130;
/// All others.
const COUNT: usize = 100;
const SENDER: usize = 0;
const RECEIVER: usize = 1;

/// Vectors of a party, in the order in which the protocol gives them.
type Vectors = Vec<Vec<Block>>;

fn blocks(seed: u128, len: usize) -> Vec<Block> {
    let mut out = vec![Block::ZERO; len];
    BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
    out
}

/// The receiver's choices where it decides them.
fn choices() -> Vec<Block> {
    let every_third: Vec<bool> = (0..COUNT).map(|at| at % 3 == 0).collect();
    bits::pack(&every_third)
}

async fn swept(party: fn(usize, Context) -> Run<Vectors>, judge: fn(Option<&Change>, &[Option<Vectors>]) -> Verdict) {
    let taped = &[SENDER, RECEIVER];
    let tally = sweep(Protocol { parties: 2, party, judge, kinds: Kinds::All, taped, runs: 200 }).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
    // Nobody reads sums on the other side of a path or corrections where an element is zero, a receiver has no use for what a
    // challenge is, and the first frame is its own replay.
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// Random, correlated and chosen transfers of one set-up.
fn extension(me: usize, mut ctx: Context) -> Run<Vectors> {
    Box::pin(async move {
        let parameters = softspoken::Parameters::new(4, 128, 1).expect("parameters");
        let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
        let pairs = |bits: &[Block], keys: &[Block]| {
            first.extend_from_slice(bits);
            second.extend_from_slice(keys);
        };
        if me == SENDER {
            let mut sender = softspoken::Sender::setup(&mut ctx, RECEIVER, parameters, DELTA).await?;
            sender.random(RANDOM, pairs).await?;
            sender.correlated(COUNT, |keys| third.extend_from_slice(keys)).await?;
            let messages: Vec<[Block; 2]> =
                blocks(1, COUNT).into_iter().zip(blocks(2, COUNT)).map(|(x, y)| [x, y]).collect();
            sender.chosen(&messages).await?;
            let fourth = sender.correlated_chosen(COUNT).await?;
            return Ok(vec![first, second, third, fourth]);
        }
        let mut receiver = softspoken::Receiver::setup(&mut ctx, SENDER, parameters).await?;
        receiver.random(RANDOM, pairs).await?;
        let mut own = Vec::new();
        let take = |bits: &[Block], keys: &[Block]| {
            own.extend_from_slice(bits);
            third.extend_from_slice(keys);
        };
        receiver.correlated(COUNT, take).await?;
        let chosen = receiver.chosen(&choices(), COUNT).await?;
        let fourth = receiver.correlated_chosen(&choices(), COUNT).await?;
        Ok(vec![first, second, own, third, chosen, fourth])
    })
}

fn judge_extension(change: Option<&Change>, outputs: &[Option<Vectors>]) -> Verdict {
    let [Some(sent), Some(received)] = outputs else {
        return Verdict::Right;
    };
    let ([zeros, ones, q, q_chosen], [picks, keys, own, t, messages, t_chosen]) =
        (sent.as_slice(), received.as_slice())
    else {
        return Verdict::Wrong;
    };
    let random = ideal_chosen(zeros, ones, picks) == *keys && keys.len() == RANDOM;
    let correlated = ideal_correlated(q, DELTA, own) == *t && t.len() == COUNT;
    if !(random && correlated) {
        return Verdict::Wrong;
    }
    let chosen = ideal_chosen(&blocks(1, COUNT), &blocks(2, COUNT), &choices()) == *messages;
    let decided = ideal_correlated(q_chosen, DELTA, &choices()) == *t_chosen;
    match (chosen && decided, change.map(|change| change.party)) {
        (true, _) => Verdict::Right,
        // Other messages, or other choices, which nothing binds to those of a party that cheats.
        (false, Some(SENDER)) if decided => Verdict::Other,
        (false, Some(RECEIVER)) => Verdict::Other,
        _ => Verdict::Wrong,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn base_transfers_and_random_correlated_and_chosen_ones() {
    swept(extension, judge_extension).await;
}

fn silently(me: usize, mut ctx: Context) -> Run<Vectors> {
    Box::pin(async move {
        let mut blocks = Vec::new();
        if me == SENDER {
            let mut sender = silent::Sender::setup(&mut ctx, RECEIVER, pcg::Parameters::default(), DELTA).await?;
            sender.correlated(COUNT, |part| blocks.extend_from_slice(part)).await?;
        } else {
            let mut receiver = silent::Receiver::setup(&mut ctx, SENDER, pcg::Parameters::default()).await?;
            receiver.correlated(COUNT, |part| blocks.extend_from_slice(part)).await?;
        }
        Ok(vec![blocks])
    })
}

fn judge_silent(_: Option<&Change>, outputs: &[Option<Vectors>]) -> Verdict {
    let [Some(sent), Some(received)] = outputs else {
        return Verdict::Right;
    };
    let (c, b) = (&sent[0], &received[0]);
    let own: Vec<bool> = b.iter().map(|b| b.lsb()).collect();
    let related = ideal_correlated(c, DELTA.with_lsb(true), &bits::pack(&own)) == *b;
    if related && b.len() == COUNT { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_transfers() {
    swept(silently, judge_silent).await;
}

fn evaluated(me: usize, mut ctx: Context) -> Run<Vectors> {
    Box::pin(async move {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        if me == SENDER {
            let mut sender = vole::Sender::setup(&mut ctx, RECEIVER, pcg::Parameters::default(), DELTA).await?;
            sender.extend(COUNT, |part| first.extend_from_slice(part)).await?;
        } else {
            let mut receiver = vole::Receiver::setup(&mut ctx, SENDER, pcg::Parameters::default()).await?;
            let take = |a: &[Block], b: &[Block]| {
                first.extend_from_slice(a);
                second.extend_from_slice(b);
            };
            receiver.extend(COUNT, take).await?;
        }
        Ok(vec![first, second])
    })
}

fn judge_vole(_: Option<&Change>, outputs: &[Option<Vectors>]) -> Verdict {
    let [Some(sent), Some(received)] = outputs else {
        return Verdict::Right;
    };
    let (c, a, b) = (&sent[0], &received[0], &received[1]);
    let lengths = [c.len(), a.len(), b.len()] == [COUNT; 3];
    let related = lengths && (0..COUNT).all(|at| c[at] == a[at].gf_mul(DELTA) ^ b[at]);
    if related { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linear_evaluations() {
    swept(evaluated, judge_vole).await;
}
