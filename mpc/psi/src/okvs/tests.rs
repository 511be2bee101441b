//! The store against its definition: every key decodes to its value, tables are linear, failures are rare and told.

use std::collections::BTreeSet;

use mpc_block::{Block, BlockPrg};

use super::{ATTEMPTS, EncodeFault, Encoder, Okvs, Partition};
use crate::Mode;

fn noise(seed: u128, count: usize) -> Vec<Block> {
    let mut out = vec![Block::ZERO; count];
    BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
    out
}

fn decoded(okvs: &Okvs, table: &[Block], keys: &[Block]) -> Vec<Block> {
    let mut out = vec![Block::ZERO; keys.len()];
    okvs.decode(table, keys, &mut out);
    out
}

#[test]
fn every_key_decodes_to_its_value_at_every_size() {
    for (count, mode) in [
        (0, Mode::Fast),
        (1, Mode::Fast),
        (2, Mode::LowCommunication),
        (127, Mode::Fast),
        (1000, Mode::Fast),
        (1 << 14, Mode::Fast),
        (70_000, Mode::Fast),
        (70_000, Mode::LowCommunication),
    ] {
        let (keys, values) = (noise(1, count), noise(2, count));
        let okvs = Okvs::new(count, mode, Block::from_u128(count as u128)).unwrap();
        let table = okvs.encode(&keys, &values, Block::from_u128(3)).unwrap();
        assert_eq!(table.len(), okvs.slots());
        assert!(decoded(&okvs, &table, &keys) == values, "{count}, {mode:?}");
        // The order of the keys makes no difference, nor does how many are asked for at once.
        let some: Vec<Block> = keys.iter().rev().step_by(7).copied().collect();
        let due: Vec<Block> = values.iter().rev().step_by(7).copied().collect();
        assert!(decoded(&okvs, &table, &some) == due, "{count}, {mode:?}");
    }
}

#[test]
fn thousands_of_small_stores_all_encode() {
    for round in 0..4000_u128 {
        let count = (round % 160) as usize;
        let (keys, values) = (noise(round << 64, count), noise(round << 64 | 1, count));
        let okvs = Okvs::new(count, Mode::Fast, Block::from_u128(round)).unwrap();
        let table = okvs.encode(&keys, &values, Block::ONE).expect("one in 2^40 fails");
        assert!(decoded(&okvs, &table, &keys) == values, "{round}");
    }
}

#[test]
fn fewer_keys_than_the_store_is_for_leave_the_rest_random() {
    let okvs = Okvs::new(1000, Mode::Fast, Block::ONE).unwrap();
    let (keys, zeros) = (noise(4, 10), vec![Block::ZERO; 10]);
    let table = okvs.encode(&keys, &zeros, Block::from_u128(5)).unwrap();
    let different: BTreeSet<u128> = table.iter().map(|slot| slot.to_u128()).collect();
    assert_eq!(different.len(), table.len());
    // Another filling is another table with the same values.
    let other = okvs.encode(&keys, &zeros, Block::from_u128(6)).unwrap();
    assert!(table.iter().zip(&other).all(|(one, other)| one != other));
    assert!(decoded(&okvs, &other, &keys) == zeros);
}

#[test]
fn keys_that_were_not_encoded_decode_to_values_that_tell_nothing() {
    let okvs = Okvs::new(2000, Mode::Fast, Block::ONE).unwrap();
    let table = okvs.encode(&noise(7, 2000), &noise(8, 2000), Block::from_u128(9)).unwrap();
    let others = decoded(&okvs, &table, &noise(10, 2000));
    let ones: u32 = others.iter().map(|value| value.to_u128().count_ones()).sum();
    assert!((126_000..130_000).contains(&ones), "{ones} of 256000 bits");
    let due: BTreeSet<u128> = noise(8, 2000).iter().map(|value| value.to_u128()).collect();
    assert!(others.iter().all(|value| !due.contains(&value.to_u128())));
}

#[test]
fn decoding_is_linear_over_the_field() {
    let okvs = Okvs::new(40_000, Mode::Fast, Block::from_u128(11)).unwrap();
    let (one, other) = (noise(12, okvs.slots()), noise(13, okvs.slots()));
    let factor = Block::from_u128(0x1234_5678 << 70);
    let sum: Vec<Block> = one.iter().zip(&other).map(|(one, other)| one.gf_mul(factor) ^ *other).collect();
    let keys = noise(14, 3000);
    let (one, other, sum) = (decoded(&okvs, &one, &keys), decoded(&okvs, &other, &keys), decoded(&okvs, &sum, &keys));
    assert!((0..keys.len()).all(|at| sum[at] == one[at].gf_mul(factor) ^ other[at]));
}

#[test]
fn every_attempt_has_rows_of_its_own() {
    let okvs = Okvs::new(300, Mode::Fast, Block::from_u128(15)).unwrap();
    let (keys, values) = (noise(16, 300), noise(17, 300));
    let partition = Partition::new(&okvs, &keys);
    for attempt in 0..ATTEMPTS {
        let mut table = noise(18, okvs.slots());
        Encoder::new(&okvs, &partition).unwrap().bin(0, attempt, &values, &mut table).unwrap();
        for other in 0..ATTEMPTS {
            let mut out = vec![Block::ZERO; 300];
            okvs.decode_bin(other, &table, &keys, &mut out);
            assert_eq!(out == values, attempt == other, "{attempt}, {other}");
        }
    }
}

#[test]
fn what_cannot_be_encoded_is_refused() {
    let okvs = Okvs::new(200, Mode::Fast, Block::ONE).unwrap();
    let encode = |keys: &[Block], values: &[Block]| okvs.encode(keys, values, Block::ONE).err();
    let mut twice = noise(19, 200);
    twice[150] = twice[3];
    assert_eq!(encode(&twice, &noise(20, 200)), Some(EncodeFault::Unlucky));
    assert_eq!(encode(&vec![Block::ONE; 190], &noise(20, 190)), Some(EncodeFault::Unlucky));
    assert_eq!(encode(&noise(19, 201), &noise(20, 201)), Some(EncodeFault::TooManyKeys));
    assert_eq!(encode(&noise(19, 3), &noise(20, 2)), Some(EncodeFault::Lengths));
    assert!(matches!(Okvs::new(super::MAX_KEYS + 1, Mode::Fast, Block::ONE), Err(EncodeFault::TooManyKeys)));
}
