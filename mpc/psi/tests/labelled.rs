//! Labelled intersection: the payloads of the matches, of no others, and none that was changed.

mod common;

use common::{HONEST, pair, sets};
use mpc_block::{Block, BlockPrg};
use mpc_core::{Blame, Context};
use mpc_psi::Mode;
use mpc_psi::labelled::{self, MAX_PAYLOAD, Parameters};
use mpc_psi::two::{self, Outputs};

fn parameters(sizes: [usize; 2], payload: usize, outputs: Outputs) -> Parameters {
    let [sender_elements, receiver_elements] = sizes;
    let mode = Mode::Fast;
    let two = two::Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode };
    Parameters { two, payload }
}

fn payloads(count: usize, payload: usize) -> Vec<u8> {
    let mut out = vec![0; count * payload];
    BlockPrg::new(Block::from_u128(99)).fill_bytes(&mut out);
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_gets_the_payloads_of_its_matches_in_its_own_order() {
    for (sizes, common, payload, outputs) in [
        ([0, 3], 0, 8, Outputs::Receiver),
        ([1, 1], 1, 1, Outputs::Both),
        ([300, 200], 77, 33, Outputs::Receiver),
        ([300, 200], 200, 16, Outputs::Both),
        ([3000, 4000], 1500, 1000, Outputs::Receiver),
    ] {
        let (elements, [at_sender, at_receiver]) = sets(sizes, common);
        let [left, right] = elements.clone();
        let parameters = parameters(sizes, payload, outputs);
        let labels = payloads(sizes[0], payload);
        let given = labels.clone();
        let zero = |mut ctx| async move { labelled::send(&mut ctx, &parameters, &left, &given).await };
        let one = |mut ctx| async move { labelled::receive(&mut ctx, &parameters, &right).await };
        let (sent, received, _) = pair(HONEST, zero, one).await;
        assert_eq!(sent, Ok((outputs == Outputs::Both).then_some(at_sender)));
        let Ok(matches) = received else { panic!("no matches for {sizes:?}") };
        assert_eq!(matches.elements(), at_receiver);
        for (at, own) in at_receiver.iter().enumerate() {
            let theirs = elements[0].iter().position(|block| *block == elements[1][*own]).unwrap();
            assert_eq!(matches.payload(at), Some(&labels[theirs * payload..][..payload]), "{sizes:?}");
        }
        assert_eq!(matches.payload(at_receiver.len()), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused_before_a_message() {
    let (elements, _) = sets([5, 5], 2);
    for (payload, bytes) in [(0, 0), (MAX_PAYLOAD + 1, 0), (8, 39), (8, 41)] {
        let left = elements[0].clone();
        let wrong = parameters([5, 5], payload, Outputs::Receiver);
        let zero = |mut ctx: Context| async move {
            let outcome = labelled::send(&mut ctx, &wrong, &left, &vec![0; bytes]).await;
            (outcome, ctx.bytes_sent())
        };
        let ((outcome, sent), (), _) = pair(HONEST, zero, |_| async {}).await;
        assert!(outcome.is_err_and(|abort| abort.blame == Blame::Local) && sent == 0, "{payload}, {bytes}");
    }
    let right = elements[1].clone();
    let own = parameters([5, 5], 8, Outputs::Receiver);
    let zero = |mut ctx: Context| async move { labelled::receive(&mut ctx, &own, &right).await.is_err() };
    assert!(pair(HONEST, zero, |_| async {}).await.0);
}
