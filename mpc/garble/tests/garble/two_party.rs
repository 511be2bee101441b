//! Two parties: owners and receivers of all kinds, what it costs, and the oblivious transfers of `mpc-ot`.

use std::sync::Arc;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use mpc_block::Block;
use mpc_core::memory;
use mpc_garble::circuit::{Circuit, CircuitError};
use mpc_garble::program::{Program, Schedule};
use mpc_garble::semi_honest::{FRAME_TABLES, Receivers, Role, Shape, evaluate, garble};
use mpc_ot::softspoken::{Parameters, Receiver, Sender};

use crate::common::{bit_bytes, byte_bits, circuit, kept, links, prg, random_bits, random_circuit, run};

const BOTH: Receivers = Receivers { garbler: true, evaluator: true };
const GARBLER: Receivers = Receivers { garbler: true, evaluator: false };
const EVALUATOR: Receivers = Receivers { garbler: false, evaluator: true };

fn shape(circuit: &Circuit, schedule: Schedule, owners: &[Role], receivers: &[Receivers]) -> Arc<Shape> {
    let program = Arc::new(Program::new(circuit, schedule));
    Arc::new(Shape::new(program, owners.to_vec(), receivers.to_vec()).unwrap())
}

/// The bits that a party owns.
fn owned(circuit: &Circuit, owners: &[Role], all: &[bool], role: Role) -> Vec<bool> {
    let mut rest = all;
    let mut own = Vec::new();
    for (width, owner) in circuit.inputs().iter().zip(owners) {
        let (word, behind) = rest.split_at(*width as usize);
        rest = behind;
        if *owner == role {
            own.extend_from_slice(word);
        }
    }
    own
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_owner_and_receiver_gets_what_the_circuit_says_and_the_cost_is_as_told() {
    let mut prg = prg(1);
    let cases = [
        ([Role::Garbler, Role::Evaluator, Role::Garbler], [BOTH, EVALUATOR]),
        ([Role::Evaluator, Role::Garbler, Role::Evaluator], [GARBLER, EVALUATOR]),
        ([Role::Garbler; 3], [GARBLER, GARBLER]),
        ([Role::Evaluator; 3], [EVALUATOR, BOTH]),
    ];
    for (seed, (owners, receivers)) in cases.into_iter().enumerate() {
        for schedule in [Schedule::InOrder, Schedule::Layered] {
            let circuit = random_circuit(&mut prg, &[9, 70, 4], 400);
            let shape = shape(&circuit, schedule, &owners, &receivers);
            let inputs = random_bits(&mut prg, circuit.input_bits());
            let wanted = circuit.evaluate(&inputs).unwrap();
            let (first, second) = wanted.split_at(8);
            let own = [Role::Garbler, Role::Evaluator].map(|role| owned(&circuit, &owners, &inputs, role));
            let cost = shape.cost();
            assert_eq!(cost.transfers as usize, own[1].len());
            let (links, frames) = links(0, None);
            let ended = run([shape.clone(), shape], own, links, seed as u8).await;
            let gets: [fn(Receivers) -> bool; 2] = [|who| who.garbler, |who| who.evaluator];
            for (out, gets) in ended.into_iter().zip(gets) {
                let out = out.unwrap();
                assert_eq!(out.len(), 2);
                for ((got, who), wanted) in out.iter().zip(receivers).zip([first, second]) {
                    assert_eq!(got.as_ref().map(|word| word.as_slice()), gets(who).then_some(wanted));
                }
            }
            let sent = frames.iter().flat_map(kept).map(|frame| frame.len() as u64 - 8).sum::<u64>();
            assert_eq!(sent, cost.bytes);
            assert_eq!((cost.and, cost.xor), (circuit.ands() as u64, circuit.xors() as u64));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_travel_in_frames_of_bounded_size() {
    // Wide enough for several frames, and inputs for several parts.
    let wide = FRAME_TABLES * 2 + 5;
    let circuit = circuit(&[70_000, 70_000], |b, inputs| {
        let pairs = inputs[0].iter().zip(&inputs[1]).take(wide);
        pairs.map(|(x, y)| b.and(*x, !*y)).collect()
    });
    let shape = shape(&circuit, Schedule::Layered, &[Role::Garbler, Role::Evaluator], &[BOTH]);
    let mut prg = prg(2);
    let inputs = [random_bits(&mut prg, 70_000), random_bits(&mut prg, 70_000)];
    let wanted: Vec<bool> = inputs[0].iter().zip(&inputs[1]).take(wide).map(|(x, y)| x & !y).collect();
    let (links, frames) = links(0, None);
    for out in run([shape.clone(), shape], inputs, links, 3).await {
        assert_eq!(out.unwrap()[0].as_ref().unwrap()[..], wanted);
    }
    let longest = frames.iter().flat_map(kept).map(|frame| frame.len()).max();
    assert!(longest.unwrap() <= 8 + (16 << 16), "{longest:?}");
    let full = frames.iter().flat_map(kept).filter(|frame| frame.len() == 8 + 32 * FRAME_TABLES).count();
    assert!(full >= 2);
}

/// AES-128 of the evaluator's blocks under the garbler's key, twice in one session with one set-up of the transfers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_come_by_the_transfers_of_softspoken() {
    let circuit = circuit(&[128, 128], |b, inputs| b.aes128(&inputs[0], &inputs[1]));
    let shape = shape(&circuit, Schedule::Layered, &[Role::Garbler, Role::Evaluator], &[EVALUATOR]);
    let (key, texts) = ([0x5a_u8; 16], [[1_u8; 16], [2; 16]]);
    let mut contexts = memory::contexts(memory::network(2), [9; 32]).into_iter();
    let (mut zero, mut one) = (contexts.next().unwrap(), contexts.next().unwrap());
    let at_garbler = shape.clone();
    let garbler = tokio::spawn(async move {
        let delta = Block::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
        let mut sender = Sender::setup(&mut zero, 1, Parameters::default(), delta).await?;
        for _ in texts {
            garble(&mut zero, &at_garbler, 1, &byte_bits(&key), &mut sender).await?;
        }
        Ok::<(), mpc_core::Abort>(())
    });
    let mut receiver = Receiver::setup(&mut one, 0, Parameters::default()).await.unwrap();
    for text in texts {
        let out = evaluate(&mut one, &shape, 0, &byte_bits(&text), &mut receiver).await.unwrap();
        let mut wanted = text.into();
        aes::Aes128::new(&key.into()).encrypt_block(&mut wanted);
        assert_eq!(bit_bytes(out[0].as_ref().unwrap()), wanted.to_vec());
    }
    garbler.await.unwrap().unwrap();
}

/// AES-128 by a whole run; whoever evaluates is told, and what both send is what was estimated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evaluator_alone_is_told_whichever_party_it_is() {
    let circuit = circuit(&[128, 128], |b, inputs| b.aes128(&inputs[0], &inputs[1]));
    let (key, block) = ([0x5a_u8; 16], [3_u8; 16]);
    let mut wanted = block.into();
    aes::Aes128::new(&key.into()).encrypt_block(&mut wanted);
    for evaluator in [0, 1] {
        let owner = |party: usize| if party == evaluator { Role::Evaluator } else { Role::Garbler };
        let shape = Arc::new(Shape::told_to_evaluator(&circuit, vec![owner(0), owner(1)]).unwrap());
        let contexts = memory::contexts(memory::network(2), [evaluator as u8; 32]).into_iter().zip([key, block]);
        let party = |(mut ctx, own): (mpc_core::Context, [u8; 16])| {
            let shape = shape.clone();
            tokio::spawn(async move {
                let outputs = mpc_garble::semi_honest::run(&mut ctx, &shape, evaluator, &byte_bits(&own)).await;
                (outputs, ctx.bytes_sent())
            })
        };
        let parties: Vec<_> = contexts.map(party).collect();
        let mut sent = 0;
        for (me, party) in parties.into_iter().enumerate() {
            let (outputs, bytes) = party.await.unwrap();
            let told = outputs.unwrap()[0].as_ref().map(|bits| bit_bytes(bits));
            assert_eq!(told, (me == evaluator).then(|| wanted.to_vec()));
            sent += bytes;
        }
        let told = shape.estimate();
        // The set-up of the transfers comes on top.
        assert!((told.bytes * 9 / 10..told.bytes * 5 / 4).contains(&sent), "{told:?}: {sent}");
        assert!(told.memory < 4 << 20 && told.rounds < 20, "{told:?}");
    }
    let mut three = memory::contexts(memory::network(3), [1; 32]).swap_remove(0);
    let shape = Shape::told_to_evaluator(&circuit, vec![Role::Garbler, Role::Evaluator]).unwrap();
    let refused = mpc_garble::semi_honest::run(&mut three, &shape, 1, &byte_bits(&key)).await;
    assert!(refused.is_err_and(|abort| abort.blame == mpc_core::Blame::Local));
}

#[test]
fn labels_that_take_too_much_in_layers_are_garbled_in_the_circuit_s_order() {
    let circuit = circuit(&[32, 32], |b, inputs| b.multiply(&inputs[0], &inputs[1], 64));
    let [in_order, layered] = [Schedule::InOrder, Schedule::Layered].map(|order| Program::new(&circuit, order));
    assert!(in_order.label_bytes() < layered.label_bytes() && in_order.digest() != layered.digest());
    let within = |bytes| Program::within(&circuit, bytes).digest();
    assert_eq!(within(layered.label_bytes()), layered.digest());
    assert_eq!(within(layered.label_bytes() - 1), in_order.digest());
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let circuit = circuit(&[4, 4], |b, inputs| b.add(&inputs[0], &inputs[1]));
    let program = Arc::new(Program::new(&circuit, Schedule::InOrder));
    let fault = |owners: &[Role], receivers: &[Receivers]| {
        Shape::new(program.clone(), owners.to_vec(), receivers.to_vec()).err()
    };
    assert!(matches!(fault(&[Role::Garbler], &[BOTH]), Some(CircuitError::Count { found: 1, due: 2, .. })));
    assert!(matches!(fault(&[Role::Garbler; 2], &[BOTH; 2]), Some(CircuitError::Count { found: 2, due: 1, .. })));
    let nobody = Receivers { garbler: false, evaluator: false };
    assert_eq!(fault(&[Role::Garbler; 2], &[nobody]), Some(CircuitError::Unreceived(0)));
    let shape = shape(&circuit, Schedule::InOrder, &[Role::Garbler, Role::Evaluator], &[BOTH]);
    let cost = shape.cost();
    assert_eq!((cost.and, cost.bytes, cost.transfers, cost.rounds), (3, 3 * 32 + 4 * 16 + 4 * 32 + 4 * 16, 4, 2));
}
