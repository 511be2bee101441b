//! The suite against the standard's vectors, cheats at the leaf protocol, and the tables.

use curve25519_dalek::scalar::Scalar;
use mpc_core::Prg;

use super::fuse::{self, Geometry, NoTable};
use super::suite::{self, Hasher};
use super::value::Entry;
use super::voprf::{BadMessage, Client, Key, PublicKey};

/// Hexadecimal digits as bytes.
fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn array(digits: &str) -> [u8; 32] {
    bytes(digits).try_into().unwrap()
}

fn random(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut prg = Prg::new(&[seed; 32]);
    move |out| prg.fill(out)
}

// RFC 9497, appendix A.1.2 (ristretto255-SHA512, VOPRF mode).
const PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
const SECRET: &str = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
const BLIND_TWO: &str = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e";
const INPUTS: [&str; 2] = ["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"];
const OUTPUTS: [&str; 2] = [
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
];

/// One vector: inputs, blinds, blinded elements, evaluated elements, proof, the proof's random scalar.
type Vector = (&'static [usize], &'static [&'static str], &'static str, &'static str, &'static str, &'static str);
const VECTORS: [Vector; 3] = [
    (
        &[0],
        &[BLIND],
        "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
        "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        BLIND_TWO,
    ),
    (
        &[1],
        &[BLIND],
        "cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c",
        "60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468",
        "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
        BLIND_TWO,
    ),
    (
        &[0, 1],
        &[BLIND, BLIND_TWO],
        "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b94590a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267ecc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
        "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
    ),
];

fn key() -> Key {
    Key::derive(&[0xa3; 32], b"test key").unwrap()
}

#[test]
fn keys_are_derived_as_in_the_standard() {
    let secret = Hasher::new().to_key(&[0xa3; 32], b"test key").unwrap();
    assert_eq!(secret.to_bytes(), array(SECRET));
    assert_eq!(key().public().to_bytes(), array(PUBLIC));
}

#[test]
fn blinded_elements_answers_proofs_and_outputs_are_those_of_the_standard() {
    for (inputs, blinds, blinded, evaluated, proof, mask) in VECTORS {
        let hasher = Hasher::new();
        let blind = |(input, blind): (&usize, &&str)| {
            let scalar = Option::<Scalar>::from(Scalar::from_canonical_bytes(array(blind))).unwrap();
            (hasher.to_point(&bytes(INPUTS[*input])) * scalar).compress().to_bytes()
        };
        let request = inputs.iter().zip(blinds).map(blind).collect::<Vec<_>>().concat();
        assert_eq!(request, bytes(blinded));
        // The scalar's bytes and as many zeros, which reduce to it.
        let mut fixed = |out: &mut [u8]| out[..32].copy_from_slice(&array(mask));
        let answer = key().answer(&request, &mut fixed).unwrap();
        assert_eq!(answer, [bytes(evaluated), bytes(proof)].concat());
    }
    let inputs: Vec<Vec<u8>> = INPUTS.iter().map(|input| bytes(input)).collect();
    let owners = key().outputs(&inputs);
    let client = Client::new(key().public().clone());
    let (asked, request) = client.ask(inputs, &mut random(1));
    let clients = client.finish(asked, &key().answer(&request, &mut random(2)).unwrap()).unwrap();
    for (at, output) in OUTPUTS.iter().enumerate() {
        assert_eq!(owners[at].to_vec(), bytes(output));
        assert_eq!(clients[at].to_vec(), bytes(output));
    }
}

/// A request for five inputs and the true answer, changed.
fn changed(change: impl Fn(&mut Vec<u8>)) -> Result<(), BadMessage> {
    let client = Client::new(key().public().clone());
    let inputs: Vec<[u8; 16]> = (0..5).map(|at| [at; 16]).collect();
    let (asked, request) = client.ask(inputs, &mut random(3));
    let mut answer = key().answer(&request, &mut random(4)).unwrap();
    assert_eq!(answer.len(), asked.due());
    change(&mut answer);
    client.finish(asked, &answer).map(|_| ())
}

#[test]
fn a_changed_answer_or_proof_is_never_accepted() {
    assert_eq!(changed(|_| ()), Ok(()));
    for bit in (0..(5 * 32 + 64) * 8).step_by(37) {
        assert!(changed(|answer| answer[bit / 8] ^= 1 << (bit % 8)).is_err(), "bit {bit}");
    }
    assert_eq!(changed(|answer| answer.copy_within(0..32, 32)), Err(BadMessage::Proof));
    assert_eq!(changed(|answer| answer[..64].rotate_left(32)), Err(BadMessage::Proof));
    assert_eq!(changed(|answer| answer[160..].fill(0)), Err(BadMessage::Proof));
    assert_eq!(changed(|answer| answer[160..].fill(0xff)), Err(BadMessage::Proof));
}

#[test]
fn the_identity_and_what_is_no_point_are_refused_on_both_sides() {
    for bad in [[0; 32], [0xff; 32], std::array::from_fn(|at| u8::from(at == 0))] {
        assert_eq!(changed(|answer| answer[64..96].copy_from_slice(&bad)), Err(BadMessage::Point));
        assert_eq!(key().answer(&bad, &mut random(1)).err(), Some(BadMessage::Point));
        assert_eq!(PublicKey::parse(&bad).err(), Some(BadMessage::Point));
    }
}

#[test]
fn other_lengths_are_refused() {
    assert_eq!(changed(|answer| answer.push(0)), Err(BadMessage::Length));
    assert_eq!(changed(|answer| answer.truncate(63)), Err(BadMessage::Length));
    assert_eq!(changed(|answer| drop(answer.drain(..32))), Err(BadMessage::Length));
    for length in [0, 31, 33, 65_536 * 32] {
        assert_eq!(key().answer(&vec![0; length], &mut random(1)).err(), Some(BadMessage::Length));
    }
}

#[test]
fn another_key_and_the_answer_to_another_request_are_not_accepted() {
    let client = Client::new(key().public().clone());
    let other = Key::derive(&[0xa3; 32], b"another key").unwrap();
    let (asked, request) = client.ask(vec![[1; 16]], &mut random(1));
    let answer = other.answer(&request, &mut random(2)).unwrap();
    assert_eq!(client.finish(asked, &answer).err(), Some(BadMessage::Proof));
    let (_, before) = client.ask(vec![[1; 16]], &mut random(5));
    let (asked, _) = client.ask(vec![[1; 16]], &mut random(6));
    let answer = key().answer(&before, &mut random(2)).unwrap();
    assert_eq!(client.finish(asked, &answer).err(), Some(BadMessage::Proof));
}

#[test]
fn a_request_looks_the_same_for_any_input() {
    // With one blind, what differs is the inputs' points; with another, nothing is left in common.
    let client = Client::new(key().public().clone());
    let request = |input: [u8; 16], seed| client.ask(vec![input], &mut random(seed)).1;
    assert_eq!(request([1; 16], 1), request([1; 16], 1));
    assert_ne!(request([1; 16], 1), request([1; 16], 2));
    assert!(suite::point(&request([2; 16], 3).try_into().unwrap()).is_ok());
}

fn entries(count: usize, seed: u8) -> Vec<Entry> {
    let mut prg = Prg::new(&[seed; 32]);
    (0..count).map(|_| Entry { place: prg.word(), mark: prg.word() }).collect()
}

#[test]
fn every_key_of_a_table_sums_up_to_its_value_and_others_do_not() {
    let lookup = |count: usize, attempt: u32, slots: &[u8], key: Entry| {
        let mut sum = [0; 7];
        fuse::add_slots(Geometry::of(count as u32), attempt, key, slots, &mut sum);
        sum
    };
    for count in [0, 1, 2, 3, 4, 7, 20, 100, 1000, 30_000] {
        let keys = entries(count, 9);
        let value = |at: usize| -> [u8; 7] { std::array::from_fn(|byte| (keys[at].mark >> (8 * byte)) as u8) };
        let (attempt, slots) = fuse::build(&keys, 7, |at, out| out.copy_from_slice(&value(at))).unwrap();
        assert_eq!(slots.len(), Geometry::of(count as u32).slots() * 7);
        assert!((0..count).all(|at| lookup(count, attempt, &slots, keys[at]) == value(at)), "{count}");
        let wrong = |key: &Entry| lookup(count, attempt, &slots, *key) == key.mark.to_le_bytes()[..7];
        assert!(!entries(1000, 10).iter().any(wrong), "{count}");
    }
}

#[test]
fn a_table_does_not_show_the_order_of_its_keys() {
    let keys = entries(500, 3);
    let table =
        |keys: &[Entry]| fuse::build(keys, 8, |at, out| out.copy_from_slice(&keys[at].mark.to_le_bytes())).unwrap();
    let mut turned = keys.clone();
    turned.reverse();
    turned.swap(3, 400);
    assert!(table(&keys) == table(&turned));
}

#[test]
fn a_doubled_key_is_told() {
    let mut keys = entries(100, 3);
    keys[70] = keys[3];
    assert_eq!(fuse::build(&keys, 1, |_, _| ()).err(), Some(NoTable::Doubled));
}
