//! Every frame of a two-party run with its transfers changed in every way: the right result or an abort with blame.
//!
//! Tier A lets a garbler garble what it likes. No change of one frame amounts to that but one: hashes of an output bit in
//! exchanged places, which the last test makes.

use std::sync::Arc;

use mpc_block::Block;
use mpc_core::mutate::{self, Change, HEADER, Mutation, Tape};
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_core::{Abort, Context, memory};
use mpc_garble::program::{Program, Schedule};
use mpc_garble::semi_honest::{Receivers, Role, Shape, evaluate, garble};
use mpc_ot::softspoken::{Parameters, Receiver, Sender};

use crate::common::{bits, circuit, number};

/// Each party's input.
const INPUTS: [u64; 2] = [0xa7, 0x6b];
const WANTED: u64 = INPUTS[0] * INPUTS[1];

/// The product of a byte of each, for both.
fn shape() -> Shape {
    let circuit = circuit(&[8, 8], |b, inputs| b.multiply(&inputs[0], &inputs[1], 16));
    let program = Arc::new(Program::new(&circuit, Schedule::Layered));
    let both = Receivers { garbler: true, evaluator: true };
    Shape::new(program, vec![Role::Garbler, Role::Evaluator], vec![both]).expect("a shape")
}

/// Party 0 garbles, party 1 evaluates; the labels come by the transfers of `mpc-ot`.
fn product(me: usize, mut ctx: Context) -> Run<u64> {
    Box::pin(async move {
        let (shape, own) = (shape(), bits(INPUTS[me], 8));
        let parameters = Parameters::new(4, 128, 1).expect("parameters");
        let out = if me == 0 {
            let delta = Block::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
            let mut sender = Sender::setup(&mut ctx, 1, parameters, delta).await?;
            garble(&mut ctx, &shape, 1, &own, &mut sender).await?
        } else {
            let mut receiver = Receiver::setup(&mut ctx, 0, parameters).await?;
            evaluate(&mut ctx, &shape, 0, &own, &mut receiver).await?
        };
        Ok(number(out[0].as_ref().expect("both receive")))
    })
}

fn judge(_: Option<&Change>, outputs: &[Option<u64>]) -> Verdict {
    if outputs.iter().flatten().all(|value| *value == WANTED) { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_of_two_parties() {
    let protocol = Protocol { parties: 2, party: product, judge, kinds: Kinds::All, taped: &[0, 1], runs: 220 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 220, "{tally:?}");
    // Tables and seals on the side that is not taken do not matter, nor do a challenge and what is beside the path of a tree.
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// Both parties' results after a change, and what they sent.
async fn run(change: Option<Change>) -> (Vec<Result<u64, Abort>>, Tape) {
    let (links, tape) = mutate::links(memory::network(2), change);
    let contexts = memory::contexts(links, [6; 32]).into_iter().enumerate();
    let parties: Vec<_> = contexts.map(|(me, ctx)| tokio::spawn(product(me, ctx))).collect();
    let mut out = Vec::new();
    for party in parties {
        out.push(party.await.expect("no panic"));
    }
    (out, tape)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_garbler_that_exchanges_the_hashes_of_an_output_bit_inverts_it_for_the_evaluator() {
    let (honest, tape) = run(None).await;
    assert_eq!(honest, [Ok(WANTED), Ok(WANTED)]);
    let sent = tape.frames(0);
    let hashes = &sent.last().expect("the hashes come last").1;
    for bit in [0, 7, 15] {
        let mut exchanged = hashes.clone();
        exchanged[HEADER + 32 * bit..][..32].rotate_left(16);
        let change = Change { party: 0, frame: sent.len() - 1, mutation: Mutation::Transplant(exchanged) };
        let (out, _) = run(Some(change)).await;
        assert_eq!(out, [Ok(WANTED), Ok(WANTED ^ 1 << bit)], "bit {bit}");
    }
}
