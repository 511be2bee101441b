//! Parties that lie below the frames, disagree, or misuse a session: the right result or none, never a wrong one.

mod common;

use std::sync::Arc;

use common::{Cheat, bits_of, circuit, everybody, ideal, numbers, run};
use mpc_authgarble::{Session, Shape};
use mpc_core::{Blame, memory};
use mpc_garble::circuit::Circuit;

const X: u64 = 0xa7;
const Y: u64 = 0x6b;

/// The sum of two bytes, and which is less.
fn small() -> Circuit {
    circuit(&[8, 8], |b, inputs| {
        let less = b.less(&inputs[0], &inputs[1]);
        vec![b.add(&inputs[0], &inputs[1]), vec![less]]
    })
}

fn shape(parties: usize) -> Arc<Shape> {
    Arc::new(Shape::new(&small(), parties, vec![0, parties - 1], &everybody(parties, 2)).unwrap())
}

fn inputs(parties: usize) -> Vec<Vec<bool>> {
    let mut inputs = vec![Vec::new(); parties];
    inputs[0] = bits_of(X, 8);
    inputs[parties - 1] = bits_of(Y, 8);
    inputs
}

/// Runs where a party cheats below the messages. Whoever else ends with a result has the right one; whether all of them did.
async fn never_wrong(parties: usize, cheat: (usize, Cheat)) -> bool {
    let ended = run(vec![shape(parties); parties], inputs(parties), Some(cheat)).await;
    let honest = ended.iter().enumerate().filter(|(party, _)| *party != cheat.0);
    let mut finished = true;
    for (party, outcome) in honest {
        match outcome {
            Ok(outputs) => assert_eq!(numbers(outputs), [Some((X + Y) & 0xff), Some(0)], "party {party}: {cheat:?}"),
            Err(_) => finished = false,
        }
    }
    finished
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_delta_or_another_bit_with_one_peer_is_noticed() {
    for liar in 0..3 {
        for peer in (0..3).filter(|peer| *peer != liar) {
            // Bits of x, of y, of r, of an AND gate's mask, of an input's mask, and of what masks the check.
            let places = [0, 777, 1_600, 3_199, 3_200, 4_799, 4_800, 4_816, 4_900];
            for cheat in places.map(|at| Cheat::Bit(peer, at)).into_iter().chain([Cheat::Delta(peer)]) {
                assert!(!never_wrong(3, (liar, cheat)).await, "{cheat:?} of party {liar}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_that_disagree_about_the_shape_get_no_result() {
    let others = [
        Shape::new(&small(), 2, vec![1, 0], &everybody(2, 2)).unwrap(),
        Shape::new(&small(), 2, vec![0, 1], &[vec![0], vec![0, 1]]).unwrap(),
        Shape::new(&circuit(&[8, 8], |b, i| vec![b.sub(&i[0], &i[1]), vec![i[0][0]]]), 2, vec![0, 1], &everybody(2, 2))
            .unwrap(),
    ];
    for other in others {
        let outcomes = run(vec![shape(2), Arc::new(other)], inputs(2), None).await;
        assert!(outcomes.iter().all(|outcome| outcome.is_err()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inputs_or_parties_that_do_not_fit_are_this_partys_own_fault_and_end_the_session() {
    for len in [0, 7, 9] {
        let outcomes = run(vec![shape(2); 2], vec![vec![true; len], bits_of(Y, 8)], None).await;
        assert!(outcomes[0].as_ref().is_err_and(|abort| abort.blame == Blame::Local));
        assert!(outcomes[1].as_ref().is_err_and(|abort| abort.blame == Blame::Network(0)));
    }
    let mut ctx = memory::contexts(memory::network(2), [5; 32]).swap_remove(0);
    let (delta, ends) = ideal(2, None).swap_remove(0);
    let mut session = Session::over(&mut ctx, delta, ends).unwrap();
    let first = session.run(&shape(3), &[]).await;
    assert!(first.is_err_and(|abort| abort.why.contains("3 parties in a session of 2")));
    let second = session.run(&shape(2), &bits_of(X, 8)).await;
    assert!(second.is_err_and(|abort| abort.blame == Blame::Local && abort.why.contains("ended")));
}

#[tokio::test]
async fn transfers_of_other_parties_make_no_session() {
    let mut ctx = memory::contexts(memory::network(2), [5; 32]).swap_remove(0);
    let (delta, ends) = ideal(2, None).swap_remove(1);
    assert!(Session::over(&mut ctx, delta, ends).is_err());
    let (delta, _) = ideal(2, None).swap_remove(0);
    assert!(Session::over(&mut ctx, delta, vec![None, None]).is_err());
}
