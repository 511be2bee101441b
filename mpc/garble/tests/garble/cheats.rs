//! What ends without a result: a party that lies in a frame, one that replays, parties that disagree, wrong inputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mpc_core::{Abort, Blame, Transport};
use mpc_garble::program::{Program, Schedule};
use mpc_garble::semi_honest::{Outputs, Receivers, Role, Shape};

use crate::common::{Lie, bits, circuit, kept, links, number, run};

const BOTH: Receivers = Receivers { garbler: true, evaluator: true };
const WANTED: u64 = 0xa7 * 0x6b;
/// Bytes before a frame's payload.
const HEADER: usize = 8;

/// The product of a byte of each.
fn product(schedule: Schedule, owners: [Role; 2], receivers: Receivers) -> Arc<Shape> {
    let circuit = circuit(&[8, 8], |b, inputs| b.multiply(&inputs[0], &inputs[1], 16));
    let program = Arc::new(Program::new(&circuit, schedule));
    Arc::new(Shape::new(program, owners.to_vec(), vec![receivers]).unwrap())
}

fn usual() -> Arc<Shape> {
    product(Schedule::Layered, [Role::Garbler, Role::Evaluator], BOTH)
}

fn inputs() -> [Vec<bool>; 2] {
    [bits(0xa7, 8), bits(0x6b, 8)]
}

/// The value that both receive.
fn value(out: Outputs) -> u64 {
    number(out[0].as_ref().expect("both receive"))
}

/// Runs with one lie.
async fn lied(shape: &Arc<Shape>, liar: usize, lie: (Lie, usize)) -> [Result<u64, Abort>; 2] {
    let (links, _) = links(liar, Some(lie));
    run([shape.clone(), shape.clone()], inputs(), links, 5).await.map(|out| out.map(value))
}

/// Frames that each party sends in an honest run.
async fn honest(shape: &Arc<Shape>, seed: u8) -> [Vec<Vec<u8>>; 2] {
    let (links, frames) = links(0, None);
    let ended = run([shape.clone(), shape.clone()], inputs(), links, seed).await;
    assert_eq!(ended.map(|out| out.map(value)), [Ok(WANTED), Ok(WANTED)]);
    frames.each_ref().map(kept)
}

/// About 90 bits of a frame: some of its header's, the others all over the payload.
fn some_bits(frame: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let (header, all) = (8 * HEADER, 8 * frame.len());
    (0..header).step_by(7).chain((header..all).step_by(((all - header) / 80) | 1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_that_the_garbler_flips_gives_the_right_result_or_none() {
    let shape = usual();
    let (mut runs, mut noticed) = (0, 0);
    for (at, frame) in honest(&shape, 5).await[0].iter().enumerate() {
        for bit in some_bits(frame) {
            let [garbler, evaluator] = lied(&shape, 0, (Lie::Flip(bit), at)).await;
            runs += 1;
            match evaluator {
                Ok(value) => {
                    assert!(bit >= 8 * HEADER, "{at} {bit}");
                    assert_eq!((value, garbler), (WANTED, Ok(WANTED)), "{at} {bit}");
                }
                Err(abort) => {
                    noticed += 1;
                    assert_eq!(abort.blame, Blame::Peer(0), "{at} {bit}: {abort}");
                    assert!(abort.step.starts_with("garbled: "), "{abort}");
                    assert_eq!(garbler.map_err(|abort| abort.blame), Err(Blame::Network(1)), "{at} {bit}");
                }
            }
        }
    }
    // Labels always matter, tables and hashes about every other time.
    assert!(runs >= 240 && noticed >= runs / 3 && noticed < runs, "{noticed} of {runs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_that_the_evaluator_flips_never_gives_the_garbler_a_result() {
    let shape = usual();
    let mut runs = 0;
    for (at, frame) in honest(&shape, 5).await[1].iter().enumerate() {
        for bit in some_bits(frame) {
            let [garbler, evaluator] = lied(&shape, 1, (Lie::Flip(bit), at)).await;
            runs += 1;
            assert_eq!(garbler.map_err(|abort| abort.blame), Err(Blame::Peer(1)), "{at} {bit}");
            assert_eq!(evaluator, Ok(WANTED));
        }
    }
    assert!(runs >= 80, "{runs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_another_length_or_number_is_blamed_on_its_sender() {
    for schedule in [Schedule::InOrder, Schedule::Layered] {
        let shape = product(schedule, [Role::Garbler, Role::Evaluator], BOTH);
        for (liar, frames) in honest(&shape, 5).await.into_iter().enumerate() {
            for at in 0..frames.len() {
                for lie in [Lie::Truncate, Lie::Extend, Lie::Repeat] {
                    let ended = lied(&shape, liar, (lie, at)).await;
                    let abort = ended[1 - liar].as_ref().expect_err("the victim notices");
                    assert_eq!(abort.blame, Blame::Peer(liar), "{lie:?} {liar} {at}: {abort}");
                }
            }
        }
    }
}

/// Links that send what was sent in another session, with this session's headers or with that one's.
struct Replaying {
    inner: Arc<dyn Transport>,
    frames: Vec<Vec<u8>>,
    sent: AtomicUsize,
    headers: bool,
}

#[async_trait]
impl Transport for Replaying {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let mut old = self.frames[self.sent.fetch_add(1, Ordering::Relaxed)].clone();
        if self.headers {
            old[..HEADER].copy_from_slice(&frame[..HEADER]);
        }
        self.inner.send(to, old).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        self.inner.recv(from, max_len).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_in_another_session_gives_no_result() {
    let shape = usual();
    let old = honest(&shape, 6).await;
    for headers in [false, true] {
        for (liar, frames) in old.iter().enumerate() {
            let (mut links, _) = links(0, None);
            let (inner, frames) = (links[liar].clone(), frames.clone());
            links[liar] = Arc::new(Replaying { inner, frames, sent: AtomicUsize::new(0), headers });
            let ended = run([shape.clone(), shape.clone()], inputs(), links, 7).await;
            let abort = ended[1 - liar].as_ref().expect_err("the victim notices");
            assert_eq!(abort.blame, Blame::Peer(liar), "{headers} {liar}: {abort}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_that_disagree_about_the_shape_get_no_result() {
    let owners = [Role::Garbler, Role::Evaluator];
    let others = [
        product(Schedule::InOrder, owners, BOTH),
        product(Schedule::Layered, [Role::Evaluator, Role::Garbler], BOTH),
        product(Schedule::Layered, owners, Receivers { garbler: false, evaluator: true }),
    ];
    for (number, other) in others.into_iter().enumerate() {
        let (links, _) = links(0, None);
        let ended = run([usual(), other], inputs(), links, 8).await;
        let abort = ended[1].as_ref().expect_err("the evaluator notices");
        assert_eq!(abort.blame, Blame::Peer(0), "{number}: {abort}");
        assert!(abort.why.contains("shape"), "{abort}");
        assert!(ended[0].is_err(), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inputs_that_do_not_fit_are_this_partys_own_fault() {
    for me in [0, 1] {
        for len in [0, 7, 9] {
            let mut inputs = inputs();
            inputs[me] = vec![true; len];
            let (links, _) = links(0, None);
            let ended = run([usual(), usual()], inputs, links, 9).await;
            assert_eq!(ended[me].as_ref().err().map(|abort| abort.blame), Some(Blame::Local), "{me} {len}");
            assert!(ended[1 - me].is_err());
        }
    }
}
