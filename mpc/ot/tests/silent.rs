//! Silent transfers and VOLE over the in-memory network: right relations, and changed frames that never give a wrong one.

mod common;

use common::{Change, HONEST, Lengths, ideal_correlated, is_blamed, pair, spread};
use mpc_block::Block;
use mpc_core::{Abort, Context};
use mpc_ot::pcg::{Expander, Parameters};
use mpc_ot::{bits, silent, vole};

const DELTA: Block = Block::from_u128(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978);

/// What a party ended with, and what had been delivered to it until then.
type Outcome = (Result<(), Abort>, Vec<Block>, Vec<Block>);

async fn sender(mut ctx: Context, full: bool, counts: Vec<usize>) -> Outcome {
    let mut c = Vec::new();
    let run = async {
        if full {
            let mut sender = vole::Sender::setup(&mut ctx, 1, Parameters::default(), DELTA).await?;
            for count in counts {
                sender.extend(count, |part| c.extend_from_slice(part)).await?;
            }
        } else {
            let mut sender = silent::Sender::setup(&mut ctx, 1, Parameters::default(), DELTA).await?;
            for count in counts {
                sender.correlated(count, |part| c.extend_from_slice(part)).await?;
            }
        }
        Ok::<(), Abort>(())
    };
    let outcome = run.await;
    (outcome, c, Vec::new())
}

async fn receiver(mut ctx: Context, full: bool, counts: Vec<usize>) -> Outcome {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let run = async {
        if full {
            let mut receiver = vole::Receiver::setup(&mut ctx, 0, Parameters::default()).await?;
            for count in counts {
                let take = |x: &[Block], y: &[Block]| {
                    a.extend_from_slice(x);
                    b.extend_from_slice(y);
                };
                receiver.extend(count, take).await?;
            }
        } else {
            let mut receiver = silent::Receiver::setup(&mut ctx, 0, Parameters::default()).await?;
            for count in counts {
                receiver.correlated(count, |part| b.extend_from_slice(part)).await?;
            }
        }
        Ok::<(), Abort>(())
    };
    let outcome = run.await;
    (outcome, a, b)
}

/// True when `C = A·Δ + B` for all that both parties have.
fn related(full: bool, c: &[Block], a: &[Block], b: &[Block]) -> bool {
    let both = c.len().min(b.len());
    let (c, b) = (&c[..both], &b[..both]);
    if full {
        (0..both).all(|at| c[at] == a[at].gf_mul(DELTA) ^ b[at])
    } else {
        let choices: Vec<bool> = b.iter().map(|b| b.lsb()).collect();
        c.iter().all(|c| !c.lsb()) && ideal_correlated(c, DELTA.with_lsb(true), &bits::pack(&choices)) == b
    }
}

async fn run(full: bool, counts: &[usize], at: (usize, usize, Change)) -> (bool, usize, Lengths) {
    let (for_sender, for_receiver) = (counts.to_vec(), counts.to_vec());
    let zero = |ctx| sender(ctx, full, for_sender);
    let one = |ctx| receiver(ctx, full, for_receiver);
    let ((sent, c, _), (received, a, b), lengths) = pair(at, zero, one).await;
    assert!(related(full, &c, &a, &b), "{at:?} gave a wrong result");
    for outcome in [&sent, &received] {
        assert!(outcome.is_ok() || is_blamed(outcome), "{at:?}: {outcome:?}");
    }
    let finished = sent.is_ok() && received.is_ok();
    let delivered = c.len().min(b.len());
    assert!(!finished || delivered == counts.iter().sum::<usize>(), "{at:?}");
    (finished, delivered, lengths)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_fields_give_the_relation_over_lengths_and_batches() {
    for full in [false, true] {
        for counts in [vec![1, 127, 0], vec![129, 10_000], vec![(1 << 16) + 5, 1 << 17]] {
            let (finished, delivered, _) = run(full, &counts, HONEST).await;
            assert!(finished && delivered == counts.iter().sum::<usize>(), "{full}, {counts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_choices_are_balanced_and_no_block_comes_twice() {
    let counts = vec![3 << 16];
    let (for_sender, for_receiver) = (counts.clone(), counts);
    let zero = |ctx| sender(ctx, false, for_sender);
    let one = |ctx| receiver(ctx, false, for_receiver);
    let ((sent, mut c, _), (received, _, b), _) = pair(HONEST, zero, one).await;
    assert_eq!((sent, received), (Ok(()), Ok(())));
    let ones = b.iter().filter(|b| b.lsb()).count();
    assert!((96_000..100_600).contains(&ones), "{ones} of 196608 choices are 1");
    c.sort_unstable_by_key(|block| block.to_u128());
    assert!(c.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_moves_little() {
    let (_, _, [from_sender, from_receiver]) = run(false, &[1 << 17], HONEST).await;
    // Base transfers, two challenges of the base extension, the trees of two batches, two answers.
    let trees = 8 + 43_008;
    assert_eq!(from_sender, [8 + 8192, 24, 24, trees, trees, 8 + 32, 8 + 32]);
    let sum: usize = from_sender.iter().chain(&from_receiver).sum();
    assert!(sum < 128 * 1024, "{sum} bytes for 131072 transfers");
}

/// Flips bits spread over every frame of both parties.
async fn flip_everywhere(full: bool) {
    let (finished, _, lengths) = run(full, &[500], HONEST).await;
    assert!(finished);
    let (mut runs, mut harmless) = (0, 0);
    for (culprit, frames) in lengths.iter().enumerate() {
        for (frame, len) in frames.iter().enumerate() {
            for bit in spread(*len, 6) {
                let (finished, _, _) = run(full, &[500], (culprit, frame, Change::Flip(bit))).await;
                runs += 1;
                harmless += usize::from(finished);
            }
        }
    }
    assert!(runs >= 60, "{runs} runs");
    // What the other side does not read: sums over the side of a path, corrections where an element is zero.
    assert!(harmless * 4 < runs, "{harmless} of {runs} were not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_in_any_frame_never_gives_a_wrong_silent_transfer() {
    flip_everywhere(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_in_any_frame_never_gives_a_wrong_vole() {
    flip_everywhere(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_extended_repeated_and_replayed_frames_end_the_session() {
    let (_, _, lengths) = run(false, &[500], HONEST).await;
    for (culprit, frames) in lengths.iter().enumerate() {
        for frame in 0..frames.len() {
            for change in [Change::Truncate, Change::Extend, Change::Repeat, Change::Replay] {
                let (finished, _, _) = run(false, &[500], (culprit, frame, change)).await;
                let unread = change == Change::Repeat && frame + 1 == frames.len();
                assert!(!finished || unread, "party {culprit}, frame {frame}, {change:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_parameters_or_another_field_do_not_meet() {
    let other = Parameters::new(10, Expander::TwentyOne).unwrap();
    let one = |mut ctx: Context| async move { silent::Receiver::setup(&mut ctx, 0, other).await.map(|_| ()) };
    let (sent, received, _) = pair(HONEST, |ctx| sender(ctx, false, vec![1]), one).await;
    assert!(is_blamed(&sent.0) && is_blamed(&received));
    let one = |ctx| receiver(ctx, true, vec![1]);
    let (sent, received, _) = pair(HONEST, |ctx| sender(ctx, false, vec![1]), one).await;
    assert!(is_blamed(&sent.0) && is_blamed(&received.0));
}
