//! The oblivious pseudorandom function: both parties compute one function, and it is another in every session.

mod common;

use common::{HONEST, is_blamed, noise, pair};
use mpc_block::Block;
use mpc_core::{Blame, Context};
use mpc_psi::Mode;
use mpc_psi::oprf::{self, Sender};

/// The sender's outputs for `asked`, the receiver's for its own keys.
async fn run(keys: Vec<Block>, asked: Vec<Block>, mode: Mode) -> (Vec<Block>, Vec<Block>) {
    let count = keys.len();
    let zero = |mut ctx: Context| async move {
        let sender = Sender::setup(&mut ctx, 1, count, mode).await.unwrap();
        let mut out = vec![Block::ZERO; asked.len()];
        sender.evaluate(&asked, &mut out);
        // However the keys are cut, the function is one.
        let mut alone = vec![Block::ZERO; 1];
        for (key, out) in asked.iter().zip(&out).step_by(97) {
            sender.evaluate(&[*key], &mut alone);
            assert!(alone[0] == *out);
        }
        out
    };
    let one = |mut ctx: Context| async move { oprf::evaluate(&mut ctx, 0, mode, &keys).await.unwrap() };
    let (sent, received, _) = pair(HONEST, zero, one).await;
    (sent, received)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_compute_one_function_on_the_receivers_keys() {
    for (count, mode) in [
        (0, Mode::Fast),
        (1, Mode::Fast),
        (777, Mode::Fast),
        (777, Mode::LowCommunication),
        (40_000, Mode::Fast),
        (40_000, Mode::LowCommunication),
    ] {
        let keys = noise(5, count);
        let asked: Vec<Block> = keys.iter().rev().copied().chain(noise(6, 50)).collect();
        let (sent, received) = run(keys, asked, mode).await;
        assert_eq!(received.len(), count);
        assert!(sent.iter().take(count).eq(received.iter().rev()), "{count}, {mode:?}");
        let mut all: Vec<u128> = sent.iter().map(|block| block.to_u128()).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{count}, {mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_in_one_session_is_another_function() {
    let keys = noise(7, 100);
    let twice = keys.clone();
    let zero = |mut ctx: Context| async move {
        for _ in 0..2 {
            Sender::setup(&mut ctx, 1, 100, Mode::Fast).await.unwrap();
        }
    };
    let one = |mut ctx: Context| async move {
        let first = oprf::evaluate(&mut ctx, 0, Mode::Fast, &keys).await.unwrap();
        let second = oprf::evaluate(&mut ctx, 0, Mode::Fast, &twice).await.unwrap();
        first.iter().zip(&second).all(|(first, second)| first != second)
    };
    assert!(pair(HONEST, zero, one).await.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_counts_or_modes_do_not_meet_and_too_many_keys_are_refused() {
    for (count, mode) in [(11, Mode::Fast), (10, Mode::LowCommunication)] {
        let zero = |mut ctx: Context| async move { Sender::setup(&mut ctx, 1, count, mode).await.map(|_| ()) };
        let one = |mut ctx: Context| async move { oprf::evaluate(&mut ctx, 0, Mode::Fast, &noise(8, 10)).await };
        let (sent, received, _) = pair(HONEST, zero, one).await;
        assert!(is_blamed(&sent) && is_blamed(&received));
    }
    let zero = |mut ctx: Context| async move {
        Sender::setup(&mut ctx, 1, mpc_psi::okvs::MAX_KEYS + 1, Mode::Fast).await.map(|_| ())
    };
    let (refused, (), _) = pair(HONEST, zero, |_| async {}).await;
    assert!(refused.is_err_and(|abort| abort.blame == Blame::Local));
}
