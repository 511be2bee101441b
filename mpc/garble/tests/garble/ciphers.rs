//! Ciphers and hashes against plain implementations, on the standards' vectors and random ones, and what they cost.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use mpc_garble::circuit::{Bit, Builder, Circuit};
use sha2::Digest as _;

use crate::common::{bit_bytes, byte_bits, circuit, lane, lanes, prg};

/// Checks 64 random inputs of `len` bytes at once.
fn check(circuit: &Circuit, len: usize, seed: u8, wanted: impl Fn(&[u8]) -> Vec<u8>) {
    let mut prg = prg(seed);
    let mut draw = || {
        let mut bytes = vec![0; len];
        prg.fill(&mut bytes);
        bytes
    };
    let inputs: Vec<Vec<u8>> = (0..64).map(|_| draw()).collect();
    let cases: Vec<Vec<bool>> = inputs.iter().map(|bytes| byte_bits(bytes)).collect();
    let out = circuit.evaluate_lanes(&lanes(&cases)).unwrap();
    for (at, bytes) in inputs.iter().enumerate() {
        assert_eq!(bit_bytes(&lane(&out, at)), wanted(bytes), "{len} bytes, case {at}");
    }
}

fn evaluate(circuit: &Circuit, bytes: &[u8]) -> Vec<u8> {
    bit_bytes(&circuit.evaluate(&byte_bits(bytes)).unwrap())
}

fn cipher(build: impl FnOnce(&mut Builder, &[Bit], &[Bit]) -> Vec<Bit>) -> Circuit {
    circuit(&[128, 128], |b, inputs| build(b, &inputs[0], &inputs[1]))
}

/// A key and the block behind it.
fn halves(bytes: &[u8]) -> [[u8; 16]; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [halves[0], halves[1]]
}

fn under_aes(bytes: &[u8]) -> Vec<u8> {
    let [key, block] = halves(bytes);
    let mut block = block.into();
    aes::Aes128::new(&key.into()).encrypt_block(&mut block);
    block.to_vec()
}

fn under_sm4(bytes: &[u8]) -> Vec<u8> {
    let [key, block] = halves(bytes);
    let mut block = block.into();
    sm4::Sm4::new(&key.into()).encrypt_block(&mut block);
    block.to_vec()
}

#[test]
fn aes_128() {
    let circuit = cipher(|b, key, block| b.aes128(key, block));
    assert_eq!((circuit.ands(), circuit.depth()), (6_400, 60));
    // FIPS 197, appendix C.1.
    let key = std::array::from_fn::<u8, 16, _>(|at| at as u8);
    let block = std::array::from_fn::<u8, 16, _>(|at| at as u8 * 0x11);
    let sealed = 0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128.to_be_bytes();
    assert_eq!(evaluate(&circuit, &[key, block].concat()), sealed);
    check(&circuit, 32, 1, under_aes);
}

#[test]
fn sm4() {
    let circuit = cipher(|b, key, block| b.sm4(key, block));
    assert_eq!((circuit.ands(), circuit.depth()), (8_192, 198));
    // GB/T 32907-2016, A.1.
    let key = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes();
    let sealed = 0x681e_df34_d206_965e_86b3_e94f_536e_4246_u128.to_be_bytes();
    assert_eq!(evaluate(&circuit, &[key, key].concat()), sealed);
    check(&circuit, 32, 2, under_sm4);
}

/// One block after a state, both of big-endian words.
fn compression(build: impl FnOnce(&mut Builder, &[Bit], &[Bit]) -> Vec<Bit>) -> Circuit {
    circuit(&[256, 512], |b, inputs| build(b, &inputs[0], &inputs[1]))
}

/// The state before the first block, then a message of one block, padded.
fn first_block(start: [u32; 8], message: &[u8]) -> Vec<u8> {
    let mut bytes = start.map(u32::to_be_bytes).concat();
    bytes.extend_from_slice(message);
    bytes.push(0x80);
    bytes.resize(32 + 56, 0);
    bytes.extend_from_slice(&(8 * message.len() as u64).to_be_bytes());
    bytes
}

/// Message lengths around the places where padding takes another block.
const LENGTHS: [usize; 8] = [1, 3, 55, 56, 63, 64, 119, 120];

#[test]
fn sha_256() {
    let wanted = |bytes: &[u8]| sha2::Sha256::digest(bytes).to_vec();
    let block = compression(|b, state, block| b.sha256_compress(state, block));
    assert_eq!((block.ands(), block.depth()), (22_573, 1_607));
    let start =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    for message in [&b"abc"[..], b"", &[7; 55]] {
        assert_eq!(evaluate(&block, &first_block(start, message)), wanted(message));
    }
    for len in LENGTHS {
        let circuit = circuit(&[8 * len as u32], |b, inputs| b.sha256(&inputs[0]));
        check(&circuit, len, len as u8, wanted);
    }
}

#[test]
fn sm3() {
    let wanted = |bytes: &[u8]| base_gm::sm3::sm3(bytes).0.to_vec();
    let block = compression(|b, state, block| b.sm3_compress(state, block));
    assert_eq!((block.ands(), block.depth()), (18_835, 3_080));
    let start =
        [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];
    for message in [&b"abc"[..], b"", &[7; 55]] {
        assert_eq!(evaluate(&block, &first_block(start, message)), wanted(message));
    }
    for len in LENGTHS {
        let circuit = circuit(&[8 * len as u32], |b, inputs| b.sm3(&inputs[0]));
        check(&circuit, len, len as u8, wanted);
    }
}

#[test]
fn byte_strings_of_another_length_are_refused() {
    let fault = |build: fn(&mut Builder, &[Bit]) -> Vec<Bit>| {
        let mut b = Builder::new(&[127], mpc_garble::circuit::Limits::default()).unwrap();
        let input = b.input(0);
        let out = build(&mut b, &input);
        b.output(&out);
        b.finish().is_err()
    };
    assert!(fault(|b, x| b.aes128(x, x)));
    assert!(fault(|b, x| b.sm4(x, x)));
    assert!(fault(|b, x| b.sha256(x)));
    assert!(fault(|b, x| b.sm3(x)));
    assert!(fault(|b, x| b.sha256_compress(x, x)));
    assert!(fault(|b, x| b.sm3_compress(x, x)));
}
