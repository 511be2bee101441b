//! Intersection of two sets against its definition, at all sizes, outputs and modes.

mod common;

use common::{HONEST, is_blamed, pair, sets};
use mpc_block::Block;
use mpc_core::{Abort, Blame};
use mpc_psi::Mode;
use mpc_psi::two::{self, Outputs, Parameters};

fn parameters([sender_elements, receiver_elements]: [usize; 2], outputs: Outputs, mode: Mode) -> Parameters {
    Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode }
}

type Outcome = Result<Option<Vec<usize>>, Abort>;

async fn run(parameters: Parameters, [left, right]: [Vec<Block>; 2]) -> [Outcome; 2] {
    let zero = |mut ctx| async move { two::run(&mut ctx, &parameters, &left).await };
    let one = |mut ctx| async move { two::run(&mut ctx, &parameters, &right).await };
    let (sent, received, _) = pair(HONEST, zero, one).await;
    [sent, received]
}

async fn check(sizes: [usize; 2], common: usize, outputs: Outputs, mode: Mode) {
    let (elements, [at_sender, at_receiver]) = sets(sizes, common);
    let [sent, received] = run(parameters(sizes, outputs, mode), elements).await;
    assert_eq!(received, Ok(Some(at_receiver)), "{sizes:?}, {common} in common, {mode:?}");
    let due = (outputs == Outputs::Both).then_some(at_sender);
    assert_eq!(sent, Ok(due), "{sizes:?}, {common} in common, {mode:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_learns_exactly_the_common_elements() {
    for (sizes, common) in [
        ([0, 0], 0),
        ([0, 5], 0),
        ([5, 0], 0),
        ([1, 1], 0),
        ([1, 1], 1),
        ([2, 1], 1),
        ([1, 2], 1),
        ([100, 100], 0),
        ([100, 100], 100),
        ([100, 100], 37),
        ([3, 4000], 2),
        ([4000, 3], 3),
        ([1 << 14, 1 << 14], 5000),
    ] {
        check(sizes, common, Outputs::Receiver, Mode::Fast).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_learns_them_too_where_both_are_to() {
    for (sizes, common) in [([0, 5], 0), ([1, 1], 1), ([100, 80], 33), ([100, 80], 0), ([1 << 14, 1 << 13], 1 << 13)] {
        check(sizes, common, Outputs::Both, Mode::Fast).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_bins_and_the_mode_of_low_communication_give_the_same() {
    check([50_000, 70_000], 20_000, Outputs::Both, Mode::Fast).await;
    check([50_000, 70_000], 20_000, Outputs::Both, Mode::LowCommunication).await;
    check([10, 10], 4, Outputs::Receiver, Mode::LowCommunication).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn low_communication_moves_less() {
    let sizes = [1 << 17; 2];
    let mut moved = Vec::new();
    for mode in [Mode::Fast, Mode::LowCommunication] {
        let (elements, _) = sets(sizes, 10);
        let [left, right] = elements;
        let parameters = parameters(sizes, Outputs::Receiver, mode);
        let zero = |mut ctx| async move { two::run(&mut ctx, &parameters, &left).await };
        let one = |mut ctx| async move { two::run(&mut ctx, &parameters, &right).await };
        let (_, received, lengths) = pair(HONEST, zero, one).await;
        assert!(received.is_ok_and(|found| found.is_some_and(|found| found.len() == 10)));
        moved.push(lengths.iter().flatten().sum::<usize>());
    }
    // 128 bits a mask, and a table of a quarter to a third more slots than elements.
    assert!(moved[1] * 100 < moved[0] * 97, "{moved:?}");
    assert!(moved[0] < (1 << 17) * 42, "{moved:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_are_those_of_the_parameters_not_of_the_numbers() {
    let ([left, right], [at_left, _]) = sets([60, 90], 25);
    let parameters = Parameters {
        sender: 1,
        receiver: 0,
        sender_elements: 90,
        receiver_elements: 60,
        outputs: Outputs::Receiver,
        mode: Mode::Fast,
    };
    let [received, sent] = run(parameters, [left, right]).await;
    assert_eq!((sent, received), (Ok(None), Ok(Some(at_left))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_differ_do_not_meet() {
    let mine = parameters([20, 30], Outputs::Receiver, Mode::Fast);
    for theirs in [
        Parameters { outputs: Outputs::Both, ..mine },
        Parameters { mode: Mode::LowCommunication, ..mine },
        Parameters { sender_elements: 21, ..mine },
    ] {
        let ([left, right], _) = sets([20, 30], 5);
        let zero = |mut ctx| async move { two::run(&mut ctx, &mine, &left).await };
        let one = |mut ctx| async move { two::run(&mut ctx, &theirs, &right).await };
        let (sent, received, _) = pair(HONEST, zero, one).await;
        assert!(is_blamed(&sent) && is_blamed(&received), "{theirs:?}: {sent:?}, {received:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_the_parameters_is_refused_before_a_message() {
    let (elements, _) = sets([20, 30], 5);
    let mine = parameters([20, 30], Outputs::Receiver, Mode::Fast);
    for wrong in [
        Parameters { sender_elements: 19, ..mine },
        Parameters { sender: 1, receiver: 1, ..mine },
        Parameters { sender: 2, receiver: 1, ..mine },
        Parameters { receiver_elements: (1 << 26) + 1, ..mine },
    ] {
        let left = elements[0].clone();
        let zero = |mut ctx: mpc_core::Context| async move {
            let outcome = two::run(&mut ctx, &wrong, &left).await;
            (outcome, ctx.bytes_sent())
        };
        let ((outcome, sent), (), _) = pair(HONEST, zero, |_| async {}).await;
        assert!(outcome.is_err_and(|abort| abort.blame == Blame::Local) && sent == 0, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_elements_at_the_receiver_are_its_own_fault() {
    let ([left, mut right], _) = sets([20, 30], 5);
    right[7] = right[8];
    let [sent, received] = run(parameters([20, 30], Outputs::Receiver, Mode::Fast), [left, right]).await;
    assert!(received.is_err_and(|abort| abort.blame == Blame::Local));
    assert!(is_blamed(&sent));
}
