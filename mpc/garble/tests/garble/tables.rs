//! Tables, labels and hashes that were changed on the way: the right result or none, never a wrong one.

use std::sync::Arc;

use mpc_block::Block;
use mpc_garble::half_gates::{Evaluator, GarbleError, Garbler, LABEL_BYTES, TABLE_BYTES};
use mpc_garble::program::{Program, Schedule};

use crate::common::{bits, circuit};

const KEY: Block = Block::from_u128(77);

/// One garbling of a sum of two bytes, with what the garbler sends and what comes out.
struct Garbled {
    program: Arc<Program>,
    active: Vec<Block>,
    tables: Vec<u8>,
    hashes: Vec<u8>,
    labels: Vec<u8>,
    sum: Vec<bool>,
}

fn sum(seed: u128, schedule: Schedule) -> (Garbled, mpc_garble::half_gates::Decoding) {
    let circuit = circuit(&[8, 8], |b, inputs| b.add(&inputs[0], &inputs[1]));
    let program = Arc::new(Program::new(&circuit, schedule));
    let (labels, mut garbler) = Garbler::start(program.clone(), KEY, Block::from_u128(seed));
    let active = labels.active(0, &[bits(0xb7, 8), bits(0x5d, 8)].concat());
    let mut tables = vec![0; TABLE_BYTES * 7];
    garbler.fill(&mut tables);
    let decoding = garbler.finish().unwrap();
    let hashes = decoding.hashes(0..8);
    let mut evaluator = Evaluator::start(program.clone(), KEY, &active).unwrap();
    evaluator.feed(&tables).unwrap();
    let labels = evaluator.finish().unwrap().bytes(0..8);
    let sum = bits(0xb7_u64.wrapping_add(0x5d) & 0xff, 8);
    (Garbled { program, active, tables, hashes, labels, sum }, decoding)
}

/// What the evaluator decodes.
fn decoded(of: &Garbled, active: &[Block], tables: &[u8], hashes: &[u8]) -> Result<Vec<bool>, GarbleError> {
    let mut evaluator = Evaluator::start(of.program.clone(), KEY, active)?;
    evaluator.feed(tables)?;
    Ok(evaluator.finish()?.decode(0, hashes)?.to_vec())
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn every_flipped_bit_of_the_tables_is_harmless_or_noticed() {
    for (seed, schedule) in [(1, Schedule::InOrder), (2, Schedule::Layered), (3, Schedule::Layered)] {
        let (of, _) = sum(seed, schedule);
        let total = 8 * of.tables.len();
        let mut noticed = 0;
        for bit in 0..total {
            match decoded(&of, &of.active, &flipped(&of.tables, bit), &of.hashes) {
                Ok(out) => assert_eq!(out, of.sum, "{bit}"),
                Err(GarbleError::Undecodable(_)) => noticed += 1,
                Err(other) => panic!("{bit}: {other}"),
            }
        }
        // A half of a table matters when the label's lowest bit says so: all of its bits or none.
        assert!(noticed % 128 == 0 && noticed > 0 && noticed < total, "{noticed}");
    }
}

#[test]
fn every_flipped_bit_of_an_input_label_is_noticed() {
    let (of, _) = sum(4, Schedule::Layered);
    for at in 0..of.active.len() {
        for bit in 0..128 {
            let mut active = of.active.clone();
            active[at] ^= Block::from_u128(1 << bit);
            let out = decoded(&of, &active, &of.tables, &of.hashes);
            assert!(matches!(out, Err(GarbleError::Undecodable(_))), "{at} {bit}");
        }
    }
}

#[test]
fn every_flipped_bit_of_the_hashes_is_harmless_or_noticed() {
    let (of, _) = sum(5, Schedule::InOrder);
    let total = 8 * of.hashes.len();
    let mut noticed = 0;
    for bit in 0..total {
        match decoded(&of, &of.active, &of.tables, &flipped(&of.hashes, bit)) {
            Ok(out) => assert_eq!(out, of.sum, "{bit}"),
            Err(GarbleError::Undecodable(at)) => {
                assert_eq!(at, bit / 256);
                noticed += 1;
            }
            Err(other) => panic!("{bit}: {other}"),
        }
    }
    // Of the two hashes of a bit one is compared with.
    assert_eq!(noticed, total / 2);
}

#[test]
fn every_flipped_bit_of_an_output_label_is_noticed_by_the_garbler() {
    let (of, decoding) = sum(6, Schedule::Layered);
    assert_eq!(*decoding.read(0, &of.labels).unwrap(), of.sum);
    for bit in 0..8 * of.labels.len() {
        let out = decoding.read(0, &flipped(&of.labels, bit));
        assert_eq!(out.err(), Some(GarbleError::Undecodable(bit / 128)), "{bit}");
    }
    // A label of another output bit, or the same label twice.
    let mut swapped = of.labels.clone();
    swapped.rotate_left(LABEL_BYTES);
    assert!(decoding.read(0, &swapped).is_err());
}

#[test]
fn tables_of_another_place_or_another_garbling_give_no_result() {
    let (of, _) = sum(7, Schedule::Layered);
    let (other, _) = sum(8, Schedule::Layered);
    assert_eq!(decoded(&of, &of.active, &of.tables, &of.hashes).unwrap(), of.sum);
    for (tables, hashes) in [(&other.tables, &of.hashes), (&of.tables, &other.hashes), (&other.tables, &other.hashes)] {
        assert!(decoded(&of, &of.active, tables, hashes).is_err());
    }
    let mut turned = of.tables.clone();
    turned.rotate_left(TABLE_BYTES);
    assert!(decoded(&of, &of.active, &turned, &of.hashes).is_err());
    for wrong in [&of.tables[1..], &of.tables[TABLE_BYTES..], &[&of.tables[..], &of.tables[..TABLE_BYTES]].concat()] {
        assert!(decoded(&of, &of.active, wrong, &of.hashes).is_err());
    }
    let mut key = Evaluator::start(of.program.clone(), Block::from_u128(78), &of.active).unwrap();
    key.feed(&of.tables).unwrap();
    assert!(key.finish().unwrap().decode(0, &of.hashes).is_err());
}

/// Hashes that are equal for both values would let a garbler's lie pass as either.
#[test]
fn equal_hashes_decode_to_nothing() {
    let (of, _) = sum(9, Schedule::InOrder);
    let (pairs, _) = of.hashes.as_chunks::<32>();
    for half in [0, 16] {
        let same: Vec<u8> = pairs.iter().flat_map(|pair| pair[half..half + 16].repeat(2)).collect();
        assert_eq!(decoded(&of, &of.active, &of.tables, &same), Err(GarbleError::Undecodable(0)));
    }
}
