//! Changed, missing, repeated and foreign frames: what was delivered until the end is right, and the end is for good.

mod common;

use common::{Change, HONEST, Lengths, ideal_chosen, ideal_correlated, is_blamed, pair, spread};
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context, memory};
use mpc_ot::softspoken::{Parameters, Receiver, Sender};

const DELTA: Block = Block::from_u128(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978);
const COUNT: usize = 700;

/// Several chunks, one of them partial.
fn parameters() -> Parameters {
    Parameters::new(4, 256, 2).unwrap()
}

/// What a party ended with, and what had been delivered to it until then.
type Outcome = (Result<(), Abort>, Vec<Block>, Vec<Block>);

async fn sender(mut ctx: Context, random: bool) -> Outcome {
    let (mut zeros, mut ones) = (Vec::new(), Vec::new());
    let run = async {
        let mut sender = Sender::setup(&mut ctx, 1, parameters(), DELTA).await?;
        if random {
            let take = |zero: &[Block], one: &[Block]| {
                zeros.extend_from_slice(zero);
                ones.extend_from_slice(one);
            };
            sender.random(COUNT, take).await
        } else {
            sender.correlated(COUNT, |q| zeros.extend_from_slice(q)).await
        }
    };
    let outcome = run.await;
    (outcome, zeros, ones)
}

async fn receiver(mut ctx: Context, random: bool) -> Outcome {
    let (mut choices, mut keys) = (Vec::new(), Vec::new());
    let run = async {
        let mut receiver = Receiver::setup(&mut ctx, 0, parameters()).await?;
        let take = |bits: &[Block], part: &[Block]| {
            choices.extend_from_slice(bits);
            keys.extend_from_slice(part);
        };
        if random { receiver.random(COUNT, take).await } else { receiver.correlated(COUNT, take).await }
    };
    let outcome = run.await;
    (outcome, choices, keys)
}

/// Runs both with one frame changed. Whatever was delivered to both is right; whoever did not finish blames a peer.
async fn never_wrong(random: bool, at: (usize, usize, Change)) -> (bool, Lengths) {
    let (sent, received, lengths) = pair(at, |ctx| sender(ctx, random), |ctx| receiver(ctx, random)).await;
    let ((outcome_sender, zeros, ones), (outcome_receiver, choices, keys)) = (sent, received);
    let both = zeros.len().min(keys.len());
    let due = if random {
        ideal_chosen(&zeros[..both], &ones[..both], &choices)
    } else {
        ideal_correlated(&zeros[..both], DELTA, &choices)
    };
    assert!(due == keys[..both], "{at:?} gave a wrong result");
    for outcome in [&outcome_sender, &outcome_receiver] {
        assert!(outcome.is_ok() || is_blamed(outcome), "{at:?}: {outcome:?}");
    }
    let finished = outcome_sender.is_ok() && outcome_receiver.is_ok();
    assert!(!finished || (zeros.len(), keys.len()) == (COUNT, COUNT), "{at:?}");
    (finished, lengths)
}

/// Flips bits spread over every frame of both parties; returns how many runs there were and how many finished.
async fn flip_everywhere(random: bool) -> (usize, usize) {
    let (finished, lengths) = never_wrong(random, HONEST).await;
    assert!(finished);
    let (mut runs, mut harmless) = (0, 0);
    for (culprit, frames) in lengths.iter().enumerate() {
        for (frame, len) in frames.iter().enumerate() {
            for bit in spread(*len, 6) {
                let (finished, _) = never_wrong(random, (culprit, frame, Change::Flip(bit))).await;
                runs += 1;
                harmless += usize::from(finished);
            }
        }
    }
    (runs, harmless)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_in_any_frame_never_gives_a_wrong_random_transfer() {
    let (runs, harmless) = flip_everywhere(true).await;
    assert!(runs >= 60, "{runs} runs");
    // What the sender does not read: sums of the other side, corrections where its element is zero.
    assert!(harmless * 4 < runs, "{harmless} of {runs} were not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_in_any_frame_never_gives_a_wrong_correlated_transfer() {
    let (runs, harmless) = flip_everywhere(false).await;
    assert!(runs >= 60, "{runs} runs");
    assert!(harmless * 4 < runs, "{harmless} of {runs} were not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_extended_repeated_and_replayed_frames_end_the_session() {
    let (_, lengths) = never_wrong(true, HONEST).await;
    for (culprit, frames) in lengths.iter().enumerate() {
        for frame in 0..frames.len() {
            for change in [Change::Truncate, Change::Extend, Change::Repeat, Change::Replay] {
                let (finished, _) = never_wrong(true, (culprit, frame, change)).await;
                // A last frame that comes twice is not waited for any more; it may find the other end gone.
                let unread = change == Change::Repeat && frame + 1 == frames.len();
                assert!(!finished || unread, "party {culprit}, frame {frame}, {change:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_the_state_for_good() {
    // The first challenge is lost to a flipped header, so the receiver aborts; then nothing works any more.
    let zero = |ctx: Context| async move { sender(ctx, true).await.0 };
    let one = |mut ctx: Context| async move {
        let mut receiver = Receiver::setup(&mut ctx, 0, parameters()).await?;
        let first = receiver.random(COUNT, |_, _| ()).await;
        assert!(is_blamed(&first), "{first:?}");
        receiver.random(1, |_, _| panic!("nothing is delivered")).await
    };
    let (sent, received, _) = pair((0, 1, Change::Flip(0)), zero, one).await;
    assert!(is_blamed(&sent));
    assert!(received.is_err_and(|abort| abort.blame == Blame::Local && abort.why.contains("ended")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_of_other_sessions_parameters_or_roles_do_not_meet() {
    // Other parameters at the receiver.
    let other = Parameters::new(2, 256, 2).unwrap();
    let one = |mut ctx: Context| async move { Receiver::setup(&mut ctx, 0, other).await.map(|_| ()) };
    let (sent, received, _) = pair(HONEST, |ctx| sender(ctx, true), one).await;
    assert!(is_blamed(&sent.0) && is_blamed(&received));
    // Both want to send, both want to receive.
    let zero = |mut ctx: Context| async move { Sender::setup(&mut ctx, 1, parameters(), DELTA).await.map(|_| ()) };
    let one = |mut ctx: Context| async move { Sender::setup(&mut ctx, 0, parameters(), DELTA).await.map(|_| ()) };
    let (sent, received, _) = pair(HONEST, zero, one).await;
    assert!(is_blamed(&sent) && is_blamed(&received));
    // Another session at the receiver.
    let mut ends = memory::network(2).into_iter();
    let (left, right) = (ends.next().unwrap(), ends.next().unwrap());
    let entropy = || Box::new(|out: &mut [u8]| out.fill(7));
    let mut zero = Context::new([1; 32], 0, 2, left, entropy());
    let mut one = Context::new([2; 32], 1, 2, right, entropy());
    let zero = tokio::spawn(async move { Sender::setup(&mut zero, 1, parameters(), DELTA).await.map(|_| ()) });
    let one = tokio::spawn(async move { Receiver::setup(&mut one, 0, parameters()).await.map(|_| ()) });
    let (sent, received) = (zero.await.unwrap(), one.await.unwrap());
    assert!(is_blamed(&sent) && received.is_err_and(|abort| abort.blame == Blame::Peer(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_with_a_third_party_do_not_serve_for_another() {
    // Party 1 expects party 0, which sets up with party 2 under the same session.
    let mut contexts = memory::contexts(memory::network(3), [9; 32]).into_iter();
    let (mut zero, mut one, two) = (contexts.next().unwrap(), contexts.next().unwrap(), contexts.next().unwrap());
    let zero = tokio::spawn(async move { Sender::setup(&mut zero, 2, parameters(), DELTA).await.map(|_| ()) });
    drop(two);
    assert!(is_blamed(&zero.await.unwrap()));
    let one = tokio::spawn(async move { Receiver::setup(&mut one, 0, parameters()).await.map(|_| ()) });
    assert!(is_blamed(&one.await.unwrap()));
}
