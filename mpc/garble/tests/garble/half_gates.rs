//! Garbling against evaluation in the clear: circuits from a seed and the library, both orders, tables cut anywhere.

use std::sync::Arc;

use mpc_block::{Block, Tmmo};
use mpc_garble::circuit::Circuit;
use mpc_garble::half_gates::{Evaluator, GarbleError, Garbler, LABEL_BYTES, TABLE_BYTES};
use mpc_garble::program::{Program, Schedule};

use crate::common::{circuit, prg, random_bits, random_circuit};

const KEY: Block = Block::from_u128(0x0123_4567);

/// What both parties decode, when the tables are cut into pieces of `cuts` tables in turn.
fn garbled(program: &Arc<Program>, inputs: &[bool], seed: u8, cuts: &[usize]) -> [Vec<bool>; 2] {
    let (labels, mut garbler) = Garbler::start(program.clone(), KEY, Block::from_u128(seed.into()));
    let mut evaluator = Evaluator::start(program.clone(), KEY, &labels.active(0, inputs)).unwrap();
    let mut cuts = cuts.iter().cycle();
    let mut written = 0;
    while garbler.remaining() > 0 {
        // Room for a part of a table more is not used.
        let mut bytes = vec![0; TABLE_BYTES * cuts.next().unwrap() + 31];
        let len = garbler.fill(&mut bytes);
        assert!(bytes[len..].iter().all(|byte| *byte == 0));
        written += len;
        evaluator.feed(&bytes[..len]).unwrap();
        assert_eq!(garbler.remaining(), evaluator.remaining());
    }
    assert_eq!(written, TABLE_BYTES * program.ands());
    let (decoding, outputs) = (garbler.finish().unwrap(), evaluator.finish().unwrap());
    let all = 0..program.output_bits();
    let at_evaluator = outputs.decode(0, &decoding.hashes(all.clone())).unwrap();
    let at_garbler = decoding.read(0, &outputs.bytes(all)).unwrap();
    [at_garbler.to_vec(), at_evaluator.to_vec()]
}

fn programs(circuit: &Circuit) -> [Arc<Program>; 2] {
    [Schedule::InOrder, Schedule::Layered].map(|schedule| Arc::new(Program::new(circuit, schedule)))
}

#[test]
fn random_circuits_come_out_as_in_the_clear() {
    let mut prg = prg(1);
    for seed in 0..60 {
        let circuit = random_circuit(&mut prg, &[6, 1, 5], 8 + 9 * usize::from(seed));
        for program in programs(&circuit) {
            for _ in 0..3 {
                let inputs = random_bits(&mut prg, 12);
                let wanted = circuit.evaluate(&inputs).unwrap();
                assert_eq!(garbled(&program, &inputs, seed, &[1, 2, 7, 300]), [wanted.clone(), wanted], "{seed}");
            }
        }
    }
}

#[test]
fn the_librarys_circuits_come_out_as_in_the_clear() {
    let circuits = [
        circuit(&[64, 64], |b, inputs| b.add(&inputs[0], &inputs[1])),
        circuit(&[64, 64], |b, inputs| b.multiply(&inputs[0], &inputs[1], 64)),
        circuit(&[64, 64], |b, inputs| {
            let (quotient, rest) = b.divide(&inputs[0], &inputs[1]);
            let less = b.less_signed(&inputs[0], &inputs[1]);
            let equal = b.equal(&inputs[0], &inputs[1]);
            [quotient, rest, vec![less, equal]].concat()
        }),
        circuit(&[128, 128], |b, inputs| b.aes128(&inputs[0], &inputs[1])),
        circuit(&[128, 128], |b, inputs| b.sm4(&inputs[0], &inputs[1])),
        circuit(&[256, 512], |b, inputs| b.sha256_compress(&inputs[0], &inputs[1])),
        circuit(&[256, 512], |b, inputs| b.sm3_compress(&inputs[0], &inputs[1])),
        // Layers wider than a batch.
        circuit(&[64; 40], |b, inputs| {
            let product = |pair: &[Vec<mpc_garble::circuit::Bit>]| b.multiply(&pair[0], &pair[1], 64);
            inputs.chunks(2).flat_map(product).collect()
        }),
    ];
    let mut prg = prg(2);
    for (number, circuit) in circuits.iter().enumerate() {
        let inputs = random_bits(&mut prg, circuit.input_bits());
        let wanted = circuit.evaluate(&inputs).unwrap();
        for program in programs(circuit) {
            let seed = number as u8;
            assert_eq!(garbled(&program, &inputs, seed, &[8192]), [wanted.clone(), wanted.clone()], "{number}");
            assert_eq!(garbled(&program, &inputs, seed, &[257, 3]), [wanted.clone(), wanted.clone()], "{number}");
        }
    }
}

#[test]
fn circuits_without_and_gates_need_no_table() {
    let circuit = circuit(&[2], |b, inputs| vec![b.xor(inputs[0][0], !inputs[0][1]), !inputs[0][0]]);
    for program in programs(&circuit) {
        assert_eq!(garbled(&program, &[true, true], 3, &[]), [vec![true, false], vec![true, false]]);
    }
}

/// The tables spelled out from the paper (Fig. 2), for one AND gate of an inverted and a plain input.
#[test]
fn a_table_is_what_the_paper_says() {
    let circuit = circuit(&[2], |b, inputs| vec![b.and(!inputs[0][0], inputs[0][1])]);
    let program = Arc::new(Program::new(&circuit, Schedule::InOrder));
    let hash = Tmmo::new(KEY);
    for seed in 0..32 {
        let (labels, mut garbler) = Garbler::start(program.clone(), KEY, Block::from_u128(seed));
        let pairs = labels.pairs(0, 2);
        let delta = pairs[0][0] ^ pairs[0][1];
        assert!(delta.lsb() && pairs[1][0] ^ delta == pairs[1][1]);
        // The inverted input: its label for 0 is the wire's for 1.
        let (a, b) = ([pairs[0][1], pairs[0][0]], pairs[1]);
        let hashes = |labels: [Block; 2], tweak| labels.map(|label| hash.hash(label, tweak));
        let ([a0, a1], [b0, b1]) = (hashes(a, 0), hashes(b, 1 << 64));
        let garbler_half = a0 ^ a1 ^ delta.masked(b[0].lsb());
        let evaluator_half = b0 ^ b1 ^ a[0];
        let mut bytes = [0; TABLE_BYTES];
        assert_eq!(garbler.fill(&mut bytes), TABLE_BYTES);
        assert_eq!(bytes[..16], garbler_half.to_bytes());
        assert_eq!(bytes[16..], evaluator_half.to_bytes());
        let left = a0 ^ garbler_half.masked(a[0].lsb());
        let right = b0 ^ (evaluator_half ^ a[0]).masked(b[0].lsb());
        let decoding = garbler.finish().unwrap();
        assert_eq!(*decoding.read(0, &(left ^ right).to_bytes()).unwrap(), [false]);
        assert_eq!(*decoding.read(0, &(left ^ right ^ delta).to_bytes()).unwrap(), [true]);
    }
}

#[test]
fn steps_out_of_place_are_refused() {
    let circuit = circuit(&[8, 8], |b, inputs| b.add(&inputs[0], &inputs[1]));
    let program = Arc::new(Program::new(&circuit, Schedule::Layered));
    let start = || Garbler::start(program.clone(), KEY, Block::ONE);
    assert_eq!(start().1.finish().err(), Some(GarbleError::Unfinished(7)));
    let (labels, mut garbler) = start();
    let active = labels.active(0, &[true; 16]);
    assert_eq!(Evaluator::start(program.clone(), KEY, &active[1..]).err(), Some(GarbleError::Inputs));
    assert!(labels.active(16, &[true]).is_empty() && labels.pairs(15, 9).len() == 1);
    let mut evaluator = Evaluator::start(program.clone(), KEY, &active).unwrap();
    let mut bytes = [0; TABLE_BYTES * 8];
    assert_eq!(garbler.fill(&mut bytes), TABLE_BYTES * 7);
    for wrong in [1, TABLE_BYTES - 1, TABLE_BYTES + 1, TABLE_BYTES * 8] {
        assert_eq!(evaluator.feed(&bytes[..wrong]), Err(GarbleError::Tables(wrong)));
    }
    evaluator.feed(&bytes[..TABLE_BYTES * 7]).unwrap();
    assert_eq!(evaluator.feed(&bytes[..TABLE_BYTES]), Err(GarbleError::Tables(TABLE_BYTES)));
    let (decoding, outputs) = (garbler.finish().unwrap(), evaluator.finish().unwrap());
    let hashes = decoding.hashes(0..9);
    assert_eq!(hashes.len(), TABLE_BYTES * 8);
    for wrong in [&hashes[1..], &[&hashes[..], &hashes[..]].concat()] {
        assert_eq!(outputs.decode(0, wrong).err(), Some(GarbleError::Outputs));
    }
    assert_eq!(outputs.decode(1, &hashes).err(), Some(GarbleError::Outputs));
    let labels = outputs.bytes(0..9);
    assert_eq!(labels.len(), LABEL_BYTES * 8);
    assert_eq!(decoding.read(0, &labels[1..]).err(), Some(GarbleError::Outputs));
    assert_eq!(decoding.read(1, &labels).err(), Some(GarbleError::Outputs));
    let mut evaluator = Evaluator::start(program.clone(), KEY, &active).unwrap();
    evaluator.feed(&bytes[..TABLE_BYTES]).unwrap();
    assert_eq!(evaluator.finish().err(), Some(GarbleError::Unfinished(6)));
}
