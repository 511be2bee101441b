//! Changed frames and lying peers: an abort with blame or the right result, never a wrong one.

mod common;

use common::{Change, HONEST, Lengths, is_blamed, noise, pair, sets};
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context};
use mpc_psi::Mode;
use mpc_psi::labelled;
use mpc_psi::oprf::Sender;
use mpc_psi::two::{Outputs, Parameters};

const SIZES: [usize; 2] = [40, 60];
const PAYLOAD: usize = 5;

fn parameters() -> labelled::Parameters {
    let [sender_elements, receiver_elements] = SIZES;
    let (outputs, mode) = (Outputs::Both, Mode::Fast);
    let two = Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode };
    labelled::Parameters { two, payload: PAYLOAD }
}

/// The payload of the sender's element `at`.
fn label(at: usize) -> Vec<u8> {
    vec![at as u8; PAYLOAD]
}

/// Runs both with one frame changed. Whoever finishes has the right result, whoever does not blames a peer.
async fn never_wrong(at: (usize, usize, Change)) -> (bool, Lengths) {
    let (elements, [at_sender, at_receiver]) = sets(SIZES, 17);
    let [left, right] = elements.clone();
    let labels: Vec<u8> = (0..SIZES[0]).flat_map(label).collect();
    let zero = |mut ctx: Context| async move { labelled::send(&mut ctx, &parameters(), &left, &labels).await };
    let one = |mut ctx: Context| async move { labelled::receive(&mut ctx, &parameters(), &right).await };
    let (sent, received, lengths) = pair(at, zero, one).await;
    assert!(sent.is_ok() || is_blamed(&sent), "{at:?}: {sent:?}");
    assert!(received.is_ok() || is_blamed(&received), "{at:?}");
    if let Ok(matched) = &sent {
        assert!(matched.as_ref() == Some(&at_sender), "{at:?} gave the sender a wrong result");
    }
    if let Ok(matches) = &received {
        assert!(matches.elements() == at_receiver, "{at:?} gave the receiver a wrong result");
        for (place, own) in at_receiver.iter().enumerate() {
            let theirs = elements[0].iter().position(|block| *block == elements[1][*own]).unwrap();
            assert_eq!(matches.payload(place), Some(&label(theirs)[..]), "{at:?}");
        }
    }
    (sent.is_ok() && received.is_ok(), lengths)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_in_any_frame_never_gives_a_wrong_result() {
    let (finished, lengths) = never_wrong(HONEST).await;
    assert!(finished);
    let (mut runs, mut harmless) = (0, 0);
    for (culprit, frames) in lengths.iter().enumerate() {
        for (frame, len) in frames.iter().enumerate() {
            for bit in [64 + frame * 7, len * 8 - 1] {
                harmless += usize::from(never_wrong((culprit, frame, Change::Flip(bit))).await.0);
                runs += 1;
            }
        }
    }
    // Some bits of the VOLE's messages are not read by the other side.
    assert!(harmless * 4 < runs, "{harmless} of {runs} were not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_extended_and_replayed_frames_end_the_run() {
    let (_, lengths) = never_wrong(HONEST).await;
    for (culprit, frames) in lengths.iter().enumerate() {
        for frame in 0..frames.len() {
            let change = [Change::Truncate, Change::Extend, Change::Replay][frame % 3];
            assert!(!never_wrong((culprit, frame, change)).await.0, "party {culprit}, frame {frame}, {change:?}");
        }
    }
}

/// An honest sender, and a peer that does something else than its part.
async fn against(count: usize, lie: Lie) -> Result<Option<Vec<usize>>, Abort> {
    let (elements, _) = sets([30, count], 10);
    let [left, right] = elements;
    let two = Parameters {
        sender: 0,
        receiver: 1,
        sender_elements: 30,
        receiver_elements: count,
        outputs: Outputs::Both,
        mode: Mode::Fast,
    };
    let zero = |mut ctx: Context| async move { mpc_psi::two::run(&mut ctx, &two, &left).await };
    let one = |mut ctx: Context| async move {
        match lie {
            Lie::Silence => drop(ctx),
            Lie::OtherProtocol => drop(Sender::setup(&mut ctx, 0, right.len(), Mode::Fast).await),
            Lie::OtherSession => {
                let mut fork = ctx.fork("elsewhere");
                drop(mpc_psi::two::run(&mut fork, &two, &right).await);
            }
        }
    };
    pair(HONEST, zero, one).await.0
}

/// What the peer does in place of its part.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Silence,
    OtherProtocol,
    OtherSession,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_silent_or_elsewhere_is_blamed() {
    for lie in [Lie::Silence, Lie::OtherProtocol, Lie::OtherSession] {
        let outcome = against(25, lie).await;
        assert!(is_blamed(&outcome), "{lie:?}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_cannot_take_a_peers_place() {
    let mut contexts = mpc_core::memory::contexts(mpc_core::memory::network(3), [9; 32]).into_iter();
    let (mut zero, mut one, mut two) = (contexts.next().unwrap(), contexts.next().unwrap(), contexts.next().unwrap());
    let parameters = Parameters {
        sender: 0,
        receiver: 1,
        sender_elements: 5,
        receiver_elements: 5,
        outputs: Outputs::Receiver,
        mode: Mode::Fast,
    };
    let elements: Vec<Block> = noise(1, 5);
    let outcome = mpc_psi::two::run(&mut two, &parameters, &elements).await;
    assert!(outcome.is_err_and(|abort| abort.blame == Blame::Local));
    drop(two);
    let (left, right) = (elements.clone(), elements);
    let zero = tokio::spawn(async move { mpc_psi::two::run(&mut zero, &parameters, &left).await });
    let one = tokio::spawn(async move { mpc_psi::two::run(&mut one, &parameters, &right).await });
    assert_eq!((zero.await.unwrap(), one.await.unwrap()), (Ok(None), Ok(Some(vec![0, 1, 2, 3, 4]))));
}
