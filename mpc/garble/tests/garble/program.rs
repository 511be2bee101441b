//! The two orders of a program: batches and memory.

use mpc_garble::circuit::{Bit, Circuit, WINDOW};
use mpc_garble::program::{BATCH, Program, Schedule};

use crate::common::{circuit, prg, random_circuit};

/// AES-128 of several blocks under one key each.
fn blocks(count: usize) -> Circuit {
    circuit(&vec![256; count], |b, inputs| {
        inputs.iter().flat_map(|input| b.aes128(&input[..128], &input[128..])).collect::<Vec<Bit>>()
    })
}

#[test]
fn layers_are_few_calls_and_the_circuits_order_is_little_memory() {
    let circuit = blocks(8);
    let (in_order, layered) = (Program::new(&circuit, Schedule::InOrder), Program::new(&circuit, Schedule::Layered));
    for program in [&in_order, &layered] {
        assert_eq!((program.ands(), program.xors()), (8 * 6_400, circuit.xors()));
        assert_eq!((program.input_bits(), program.output_bits()), (8 * 256, 8 * 128));
        assert_eq!((program.inputs(), program.outputs()), (circuit.inputs(), circuit.outputs()));
        assert!(program.batches() >= program.ands().div_ceil(BATCH));
    }
    // 60 layers at most in each window, each a few batches at most.
    let (full, windows) = (layered.ands() / BATCH, (circuit.ands() + circuit.xors()).div_ceil(WINDOW));
    assert!(windows > 1 && layered.batches() <= full + windows * circuit.depth() as usize, "{}", layered.batches());
    assert!(in_order.batches() > 10 * layered.batches(), "{}", in_order.batches());
    // Inputs and outputs stay; beside them one S-box's wires are alive in order, a window's in layers.
    let least = 16 * 8 * 256;
    assert!(in_order.label_bytes() < least + 16 * 8 * 128 + 16 * 1_500, "{}", in_order.label_bytes());
    assert!(in_order.label_bytes() < layered.label_bytes(), "{}", layered.label_bytes());
    assert!(layered.label_bytes() < 16 * (circuit.ands() + circuit.xors()));
}

#[test]
fn independent_gates_that_follow_each_other_are_one_batch_in_order_too() {
    let choice = circuit(&[1, 300, 300], |b, inputs| b.select(inputs[0][0], &inputs[1], &inputs[2]));
    let program = Program::new(&choice, Schedule::Layered);
    assert_eq!(program.batches(), 300_usize.div_ceil(BATCH));
    let pairs = circuit(&[100, 100], |b, inputs| {
        let pairs = inputs[0].iter().zip(&inputs[1]);
        pairs.map(|(x, y)| b.and(*x, *y)).collect()
    });
    assert_eq!(Program::new(&pairs, Schedule::InOrder).batches(), 1);
    let chain = circuit(&[100], |b, inputs| {
        let mut all = inputs[0][0];
        for bit in &inputs[0][1..] {
            all = b.and(all, *bit);
        }
        vec![all]
    });
    for schedule in [Schedule::InOrder, Schedule::Layered] {
        assert_eq!(Program::new(&chain, schedule).batches(), 99);
        assert_eq!(Program::new(&chain, schedule).label_bytes(), 16 * 100);
    }
}

#[test]
fn the_order_decides_the_digest_and_nothing_else_does() {
    let circuit = random_circuit(&mut prg(1), &[8, 8], 300);
    let digest = |schedule| Program::new(&circuit, schedule).digest();
    assert_eq!(digest(Schedule::InOrder), circuit.digest());
    assert_eq!(digest(Schedule::Layered), digest(Schedule::Layered));
    assert_ne!(digest(Schedule::InOrder), digest(Schedule::Layered));
}
