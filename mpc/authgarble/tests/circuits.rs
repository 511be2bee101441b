//! Circuits among 2 to 8 parties against evaluation in the clear, over ideal and over real transfers.

mod common;

use std::sync::Arc;

use common::{bits_of, circuit, everybody, number, numbers, random_bits, run};
use mpc_authgarble::{Estimate, Session, Shape, ShapeError, limits};
use mpc_core::{Context, Prg, memory};
use mpc_garble::circuit::Circuit;
use mpc_ot::softspoken::Parameters;

/// The inputs of every party, from all input bits.
fn dealt(circuit: &Circuit, parties: usize, owners: &[usize], all: &[bool]) -> Vec<Vec<bool>> {
    let mut inputs = vec![Vec::new(); parties];
    let mut rest = all;
    for (width, owner) in circuit.inputs().iter().zip(owners) {
        let (own, behind) = rest.split_at(*width as usize);
        inputs[*owner].extend_from_slice(own);
        rest = behind;
    }
    inputs
}

/// Runs a circuit on random inputs over ideal transfers; all receive what it gives in the clear.
async fn check(circuit: &Circuit, parties: usize, seed: u8) {
    let owners: Vec<usize> = (0..circuit.inputs().len()).map(|input| (input + seed as usize) % parties).collect();
    let all = random_bits(&mut Prg::new(&[seed; 32]), circuit.input_bits());
    let wanted = circuit.evaluate(&all).unwrap();
    let inputs = dealt(circuit, parties, &owners, &all);
    let shape = Shape::new(circuit, parties, owners, &everybody(parties, circuit.outputs().len())).unwrap();
    let outcomes = run(vec![Arc::new(shape); parties], inputs, None).await;
    for (party, outcome) in outcomes.into_iter().enumerate() {
        let outputs = outcome.unwrap_or_else(|abort| panic!("party {party} of {parties}: {abort}"));
        let bits: Vec<bool> = outputs.iter().flat_map(|bits| bits.as_ref().unwrap().to_vec()).collect();
        assert_eq!(bits, wanted, "party {party} of {parties}, seed {seed}");
    }
}

fn arithmetic() -> Circuit {
    circuit(&[16, 16, 16], |b, inputs| {
        let (x, y, z) = (&inputs[0], &inputs[1], &inputs[2]);
        let sum = b.add(x, y);
        let difference = b.sub(&sum, z);
        let less = [b.less(x, y), !b.less_signed(y, z), b.equal(x, x)];
        let chosen = b.select(less[0], &difference, z);
        vec![sum, difference, less.to_vec(), chosen]
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_and_comparisons_are_those_in_the_clear_among_two_to_five_parties() {
    let circuit = arithmetic();
    for parties in 2..=5 {
        for seed in 1..=4 {
            check(&circuit, parties, seed).await;
        }
    }
}

/// As many as a session takes; three of them have an input.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_parties_compute_what_the_clear_gives() {
    let circuit = circuit(&[8, 8, 8], |b, inputs| {
        let sum = b.add(&inputs[0], &inputs[1]);
        let less = b.less(&sum, &inputs[2]);
        vec![sum, vec![less]]
    });
    check(&circuit, 8, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_and_ciphers_are_those_in_the_clear() {
    let product = circuit(&[32, 32], |b, inputs| vec![b.multiply(&inputs[0], &inputs[1], 64)]);
    let aes = circuit(&[128, 128], |b, inputs| vec![b.aes128(&inputs[0], &inputs[1])]);
    for parties in [2, 3] {
        check(&product, parties, 7).await;
        check(&aes, parties, 8).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn circuits_without_and_gates_constants_and_inverted_wires_work() {
    let free = circuit(&[3, 3], |b, inputs| {
        let sum = b.xor_words(&inputs[0], &inputs[1]);
        let zero = b.xor(inputs[0][0], inputs[0][0]);
        vec![sum, vec![!inputs[0][1], zero, !zero, inputs[1][2]]]
    });
    let mixed = circuit(&[2, 1], |b, inputs| {
        let (x, y, z) = (inputs[0][0], inputs[0][1], inputs[1][0]);
        let first = b.and(!x, !z);
        let second = b.and(!first, y);
        vec![vec![first, !first, second, !second], vec![b.and(first, !second)]]
    });
    for parties in 2..=4 {
        for seed in 0..8 {
            check(&free, parties, seed).await;
            check(&mixed, parties, seed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_receivers_get_an_output_and_a_party_may_put_in_nothing() {
    let circuit = circuit(&[8, 8], |b, inputs| vec![b.add(&inputs[0], &inputs[1]), b.sub(&inputs[0], &inputs[1])]);
    let shape = Shape::new(&circuit, 3, vec![2, 2], &[vec![1], vec![0, 2]]).unwrap();
    let inputs = vec![vec![], vec![], [bits_of(200, 8), bits_of(77, 8)].concat()];
    let outcomes = run(vec![Arc::new(shape); 3], inputs, None).await;
    let got: Vec<_> = outcomes.into_iter().map(|outcome| numbers(&outcome.unwrap())).collect();
    assert_eq!(got, [[None, Some(123)], [Some(21), None], [None, Some(123)]]);
}

/// Runs over real transfers: two runs in one session, and the bytes of the second.
async fn really(circuit: &Circuit, parties: usize) -> (Estimate, u64) {
    let owners: Vec<usize> = (0..circuit.inputs().len()).map(|input| input % parties).collect();
    let shape = Shape::new(circuit, parties, owners.clone(), &everybody(parties, circuit.outputs().len())).unwrap();
    let (shape, estimate) = (Arc::new(shape), limits(circuit, parties));
    assert_eq!(shape.estimate(), estimate);
    let mut prg = Prg::new(&[parties as u8; 32]);
    let all: [Vec<bool>; 2] = [0, 1].map(|_| random_bits(&mut prg, circuit.input_bits()));
    let wanted = all.each_ref().map(|all| circuit.evaluate(all).unwrap());
    let party = |mut ctx: Context| {
        let inputs = all.each_ref().map(|all| dealt(circuit, parties, &owners, all).swap_remove(ctx.me()));
        let shape = shape.clone();
        tokio::spawn(async move {
            let mut session = Session::setup(&mut ctx, Parameters::default()).await?;
            let first = session.run(&shape, &inputs[0]).await?;
            let before = ctx.bytes_sent();
            let ready = session.prepare(&shape).await?;
            let second = session.evaluate(ready, &inputs[1]).await?;
            Ok::<_, mpc_core::Abort>(([first, second], ctx.bytes_sent() - before))
        })
    };
    let contexts = memory::contexts(memory::network(parties), [44; 32]);
    let tasks: Vec<_> = contexts.into_iter().map(party).collect();
    let mut bytes = 0;
    for task in tasks {
        let (outputs, sent) = task.await.unwrap().unwrap();
        for (outputs, wanted) in outputs.iter().zip(&wanted) {
            let bits: Vec<bool> = outputs.iter().flat_map(|bits| bits.as_ref().unwrap().to_vec()).collect();
            assert_eq!(&bits, wanted);
        }
        bytes += sent;
    }
    (estimate, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aes_over_real_transfers_costs_what_was_told() {
    let aes = circuit(&[128, 128], |b, inputs| vec![b.aes128(&inputs[0], &inputs[1])]);
    for parties in [2, 3] {
        let (estimate, bytes) = really(&aes, parties).await;
        assert_eq!((estimate.and_gates, estimate.leaky_triples), (6_400, 25_600));
        let (low, high) = (bytes * 95 / 100, bytes * 105 / 100);
        assert!((low..high).contains(&estimate.bytes), "{parties} parties: {} told, {bytes} sent", estimate.bytes);
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let circuit = arithmetic();
    let all = everybody(3, 4);
    let shape = |parties, owners: &[usize], receivers: &[Vec<usize>]| {
        Shape::new(&circuit, parties, owners.to_vec(), receivers).map(|shape| shape.parties())
    };
    assert_eq!(shape(3, &[0, 1, 2], &all), Ok(3));
    assert!(matches!(shape(1, &[0, 0, 0], &everybody(1, 4)), Err(ShapeError::Count { what: "parties", .. })));
    assert!(matches!(shape(9, &[0, 1, 2], &all), Err(ShapeError::Count { what: "parties", .. })));
    assert!(matches!(shape(3, &[0, 1], &all), Err(ShapeError::Count { .. })));
    assert!(matches!(shape(3, &[0, 1, 2], &all[1..]), Err(ShapeError::Count { .. })));
    assert_eq!(shape(3, &[0, 1, 3], &all), Err(ShapeError::NoParty { party: 3, parties: 3 }));
    assert_eq!(shape(2, &[0, 1, 1], &all), Err(ShapeError::NoParty { party: 2, parties: 2 }));
    let mut nobody = all.clone();
    nobody[2].clear();
    assert_eq!(shape(3, &[0, 1, 2], &nobody), Err(ShapeError::Unreceived(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a gigabyte"]
async fn a_circuit_of_several_chunks_gives_what_it_gives_in_the_clear() {
    let side = 749;
    let wide = circuit(&[side, side], |b, inputs| {
        let row = |b: &mut mpc_garble::circuit::Builder, x| {
            let products: Vec<_> = inputs[1].iter().map(|y| b.and(x, *y)).collect();
            products.into_iter().reduce(|sum, product| b.xor(sum, product)).unwrap()
        };
        vec![inputs[0].iter().map(|x| row(b, *x)).collect()]
    });
    assert_eq!(wide.ands(), 561_001);
    check(&wide, 2, 3).await;
}

#[test]
fn numbers_and_bits_belong_together() {
    assert_eq!(number(&bits_of(0xa5, 8)), 0xa5);
}
