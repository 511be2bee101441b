//! The extension over the in-memory network against the ideal functionality: every kind, length, field and batch.

mod common;

use common::{HONEST, ideal_chosen, ideal_correlated, pair};
use mpc_block::{Block, BlockPrg};
use mpc_core::{Abort, Blame, Context};
use mpc_ot::bits;
use mpc_ot::softspoken::{Parameters, Receiver, Sender};

const DELTA: Block = Block::from_u128(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978);
const LENGTHS: [usize; 6] = [1, 127, 128, 129, 10_000, 3];

fn small(field_bits: usize) -> Parameters {
    Parameters::new(field_bits, 1024, 2).unwrap()
}

fn blocks(seed: u128, len: usize) -> Vec<Block> {
    let mut out = vec![Block::ZERO; len];
    BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_transfers_are_the_ideal_ones_in_every_batch_and_field() {
    for field_bits in [1, 2, 4, 8] {
        let parameters = small(field_bits);
        let sender = |mut ctx: Context| async move {
            let mut sender = Sender::setup(&mut ctx, 1, parameters, DELTA).await?;
            let (mut zeros, mut ones) = (Vec::new(), Vec::new());
            for count in LENGTHS {
                let take = |zero: &[Block], one: &[Block]| {
                    zeros.extend_from_slice(zero);
                    ones.extend_from_slice(one);
                };
                sender.random(count, take).await?;
            }
            Ok::<_, Abort>((zeros, ones))
        };
        let receiver = |mut ctx: Context| async move {
            let mut receiver = Receiver::setup(&mut ctx, 0, parameters).await?;
            let mut batches = Vec::new();
            for count in LENGTHS {
                let (mut choices, mut keys) = (Vec::new(), Vec::new());
                let take = |bits: &[Block], part: &[Block]| {
                    choices.extend_from_slice(bits);
                    keys.extend_from_slice(part);
                };
                receiver.random(count, take).await?;
                batches.push((choices, keys));
            }
            Ok::<_, Abort>(batches)
        };
        let (sent, received, _) = pair(HONEST, sender, receiver).await;
        let ((zeros, ones), batches) = (sent.unwrap(), received.unwrap());
        let mut from = 0;
        for (count, (choices, keys)) in LENGTHS.into_iter().zip(batches) {
            let range = from..from + count;
            assert_eq!(keys.len(), count);
            assert!(ideal_chosen(&zeros[range.clone()], &ones[range], &choices) == keys, "k {field_bits}, {count}");
            from += count;
            if count > 1000 {
                let ones = (0..count).filter(|at| bits::get(&choices, *at)).count();
                assert!((count * 2 / 5..count * 3 / 5).contains(&ones), "{ones} of {count} choices are 1");
            }
        }
        let mut all: Vec<u128> = zeros.iter().chain(&ones).map(|key| key.to_u128()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2 * from, "all keys differ");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn correlated_transfers_are_the_ideal_ones_and_mix_with_the_others() {
    let parameters = small(4);
    let sender = |mut ctx: Context| async move {
        let mut sender = Sender::setup(&mut ctx, 1, parameters, DELTA).await?;
        let mut q = Vec::new();
        sender.correlated(3000, |part| q.extend_from_slice(part)).await?;
        sender.random(5, |_, _| ()).await?;
        sender.correlated(0, |_| panic!("nothing is delivered")).await?;
        sender.correlated(130, |part| q.extend_from_slice(part)).await?;
        let chosen = sender.correlated_chosen(1500).await?;
        assert!(sender.delta() == DELTA);
        Ok::<_, Abort>((q, chosen))
    };
    let choices = blocks(3, bits::blocks(1500));
    let given = choices.clone();
    let receiver = |mut ctx: Context| async move {
        let mut receiver = Receiver::setup(&mut ctx, 0, parameters).await?;
        let mut batches = Vec::new();
        for count in [3000, 130] {
            let (mut choices, mut t) = (Vec::new(), Vec::new());
            let take = |bits: &[Block], part: &[Block]| {
                choices.extend_from_slice(bits);
                t.extend_from_slice(part);
            };
            receiver.correlated(count, take).await?;
            batches.push((choices, t));
            if count == 3000 {
                receiver.random(5, |_, _| ()).await?;
                receiver.correlated(0, |_, _| panic!("nothing is delivered")).await?;
            }
        }
        let chosen = receiver.correlated_chosen(&given, 1500).await?;
        Ok::<_, Abort>((batches, chosen))
    };
    let (sent, received, _) = pair(HONEST, sender, receiver).await;
    let ((q, q_chosen), (batches, t_chosen)) = (sent.unwrap(), received.unwrap());
    let (first, second) = q.split_at(3000);
    for (q, (choices, t)) in [first, second].into_iter().zip(batches) {
        assert!(ideal_correlated(q, DELTA, &choices) == t);
    }
    assert!(ideal_correlated(&q_chosen, DELTA, &choices) == t_chosen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chosen_messages_arrive_by_choice() {
    for count in [1, 127, 128, 129, 10_000] {
        let parameters = small(2);
        let (zeros, ones) = (blocks(1, count), blocks(2, count));
        let choices = blocks(3, bits::blocks(count));
        let pairs: Vec<[Block; 2]> = zeros.iter().zip(&ones).map(|(zero, one)| [*zero, *one]).collect();
        let given = choices.clone();
        let sender = |mut ctx: Context| async move {
            let mut sender = Sender::setup(&mut ctx, 1, parameters, DELTA).await?;
            sender.chosen(&pairs).await?;
            sender.chosen(&[]).await
        };
        let receiver = |mut ctx: Context| async move {
            let mut receiver = Receiver::setup(&mut ctx, 0, parameters).await?;
            let got = receiver.chosen(&given, count).await?;
            assert!(receiver.chosen(&[], 0).await?.is_empty());
            Ok::<_, Abort>(got)
        };
        let (sent, got, _) = pair(HONEST, sender, receiver).await;
        assert_eq!(sent, Ok(()));
        assert!(ideal_chosen(&zeros, &ones, &choices) == got.unwrap(), "{count}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn choices_of_another_length_are_this_partys_own_fault() {
    let sender = |mut ctx: Context| async move { Sender::setup(&mut ctx, 1, small(4), DELTA).await.map(|_| ()) };
    let receiver = |mut ctx: Context| async move {
        let mut receiver = Receiver::setup(&mut ctx, 0, small(4)).await?;
        receiver.chosen(&[Block::ZERO; 2], 128).await
    };
    let (sent, got, _) = pair(HONEST, sender, receiver).await;
    assert_eq!(sent, Ok(()));
    assert!(got.is_err_and(|abort| abort.blame == Blame::Local));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_costs_what_the_parameters_say() {
    let parameters = Parameters::new(4, 1 << 14, 2).unwrap();
    let sender = |mut ctx: Context| async move {
        let mut sender = Sender::setup(&mut ctx, 1, parameters, DELTA).await?;
        sender.random(3 << 14, |_, _| ()).await
    };
    let receiver = |mut ctx: Context| async move {
        let mut receiver = Receiver::setup(&mut ctx, 0, parameters).await?;
        receiver.random(3 << 14, |_, _| ()).await
    };
    let (sent, got, [from_sender, from_receiver]) = pair(HONEST, sender, receiver).await;
    assert_eq!((sent, got), (Ok(()), Ok(())));
    // Points for 128 base transfers; then a challenge a chunk.
    assert_eq!(from_sender, [8 + 8192, 8 + 16, 8 + 16, 8 + 16]);
    // Points, sums and proof; then 31 corrections a transfer bit, with 128 transfers for the mask, and an answer two steps later.
    let corrections = 31 * 16 * (128 + 1);
    let steps = [corrections, corrections, corrections + 48, 48, 48].map(|len| len + 8);
    assert_eq!(from_receiver[0], 8 + 4096 + 4096 + 33 * 32);
    assert_eq!(from_receiver[1..], steps);
}
