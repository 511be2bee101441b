//! Every algorithm against libsm, an independent implementation, on seeded random cases.

use base_gm::{
    keyfile,
    sm2::{self, PublicKey, SecretKey, Signature},
    sm3, sm4,
};
use base_secret::Password;
use libsm::{
    sm2::{
        encrypt::{DecryptCtx, EncryptCtx},
        signature::{SigCtx, Signature as LibSignature},
    },
    sm3::hash::Sm3Hash,
    sm4::cipher::Sm4Cipher,
};

/// The n-th case's bytes, the same at every run.
fn bytes(label: &str, case: usize, len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut block = 0u64;
    while out.len() < len {
        out.extend_from_slice(&sm3::tagged(label, &[&(case as u64).to_be_bytes(), &block.to_be_bytes()]).0);
        block += 1;
    }
    out.truncate(len);
    out
}

fn array<const N: usize>(label: &str, case: usize) -> [u8; N] {
    bytes(label, case, N).try_into().unwrap()
}

fn lib_sm3(bytes: &[u8]) -> [u8; 32] {
    Sm3Hash::new(bytes).get_hash()
}

#[test]
fn sm3_agrees_on_every_length_around_the_block() {
    for case in 0..300 {
        let text = bytes("sm3", case, case);
        assert_eq!(sm3::sm3(&text).0, lib_sm3(&text), "{case} bytes");
    }
}

/// HMAC as its standard writes it, on libsm's hash.
fn reference_hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    let hashed = lib_sm3(key);
    let key = if key.len() > 64 { &hashed[..] } else { key };
    block[..key.len()].copy_from_slice(key);
    let inner = lib_sm3(&[&block.map(|b| b ^ 0x36)[..], text].concat());
    lib_sm3(&[&block.map(|b| b ^ 0x5c)[..], &inner].concat())
}

#[test]
fn hmac_agrees_on_short_and_long_keys() {
    for case in 0..150 {
        let (key, text) = (bytes("hmac key", case, case), bytes("hmac text", case, 3 * case));
        assert_eq!(sm3::hmac(&key, &text).0, reference_hmac(&key, &text), "{case}");
    }
}

/// GCM as NIST SP 800-38D writes it, on libsm's block cipher; multiplication bit by bit.
fn reference_gcm(key: &[u8; 16], nonce: &[u8; 12], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = Sm4Cipher::new(key).unwrap();
    let counter = |n: u32| cipher.encrypt(&[&nonce[..], &n.to_be_bytes()].concat()).unwrap();
    let h = u128::from_be_bytes(cipher.encrypt(&[0; 16]).unwrap());
    let times_h = |x: u128| {
        let (mut z, mut v) = (0, h);
        for bit in (0..128).rev() {
            z ^= if x >> bit & 1 == 1 { v } else { 0 };
            v = (v >> 1) ^ if v & 1 == 1 { 0xe1 << 120 } else { 0 };
        }
        z
    };
    let mut out: Vec<u8> = plain
        .chunks(16)
        .zip(2..)
        .flat_map(|(chunk, n)| chunk.iter().zip(counter(n)).map(|(a, b)| a ^ b).collect::<Vec<_>>())
        .collect();
    let padded = aad.chunks(16).chain(out.chunks(16)).map(|chunk| {
        let mut block = [0; 16];
        block[..chunk.len()].copy_from_slice(chunk);
        u128::from_be_bytes(block)
    });
    let lengths = (aad.len() as u128 * 8) << 64 | out.len() as u128 * 8;
    let hash = padded.chain([lengths]).fold(0, |y, block| times_h(y ^ block));
    let tag = hash ^ u128::from_be_bytes(counter(1));
    out.extend_from_slice(&tag.to_be_bytes());
    out
}

#[test]
fn sm4_gcm_agrees_on_every_length_around_the_block() {
    for case in 0..200 {
        let (key, nonce) = (array("key", case), array("nonce", case));
        let (aad, plain) = (bytes("aad", case, case % 37), bytes("plain", case, case));
        let sealed = sm4::seal(&key, &nonce, &aad, &plain).unwrap();
        assert_eq!(sealed, reference_gcm(&key, &nonce, &aad, &plain), "{case}");
        assert_eq!(*sm4::open(&key, &nonce, &aad, &sealed).unwrap(), plain);
    }
}

fn sec1(key: &PublicKey) -> Vec<u8> {
    [&[4][..], &key.to_bytes()].concat()
}

#[test]
fn sm2_keys_and_signatures_agree_both_ways() {
    let lib = SigCtx::new();
    for case in 0..200 {
        let ours = SecretKey::from_bytes(&array("sm2", case)).unwrap();
        let theirs = lib.load_seckey(ours.to_bytes().as_slice()).unwrap();
        let their_public = lib.pk_from_sk(&theirs).unwrap();
        assert_eq!(lib.serialize_pubkey(&their_public, false).unwrap(), sec1(&ours.public()), "{case}");
        let text = bytes("message", case, case);

        let signature = ours.sign(&text).to_bytes();
        let as_theirs = LibSignature::new(&signature[..32], &signature[32..]);
        assert!(lib.verify(&text, &their_public, &as_theirs).unwrap(), "ours at theirs, {case}");

        let signature = lib.sign(&text, &theirs, &their_public).unwrap();
        let mut as_ours = [0; 64];
        for (half, integer) in [(0, signature.get_r()), (32, signature.get_s())] {
            let integer = integer.to_bytes_be();
            as_ours[half + 32 - integer.len()..half + 32].copy_from_slice(&integer);
        }
        let mut as_ours = Signature::from_bytes(&as_ours).unwrap();
        assert_eq!(sm2::verify(&ours.public(), &text, &as_ours), Ok(()), "theirs at ours, {case}");

        // Both refuse the same changed signature.
        let mut changed = as_ours.to_bytes();
        changed[case % 64] ^= 1 << (case % 8);
        let as_theirs = LibSignature::new(&changed[..32], &changed[32..]);
        assert!(!lib.verify(&text, &their_public, &as_theirs).unwrap_or(false));
        if let Ok(signature) = Signature::from_bytes(&changed) {
            as_ours = signature;
            assert!(sm2::verify(&ours.public(), &text, &as_ours).is_err(), "{case}");
        }
    }
}

#[test]
fn sm2_encryption_agrees_both_ways() {
    let lib = SigCtx::new();
    for case in 1..60 {
        let key = SecretKey::from_bytes(&array("pke", case)).unwrap();
        let secret = lib.load_seckey(key.to_bytes().as_slice()).unwrap();
        let public = lib.load_pubkey(&sec1(&key.public())).unwrap();
        let plain = bytes("plain", case, case);

        // libsm writes C1, C2, C3; we write C1, C3, C2.
        let ours = sm2::encrypt(&key.public(), &plain).unwrap();
        let theirs = [&ours[..65], &ours[97..], &ours[65..97]].concat();
        assert_eq!(DecryptCtx::new(case, secret).decrypt(&theirs).unwrap(), plain, "ours at theirs, {case}");

        let theirs = EncryptCtx::new(case, public).encrypt(&plain).unwrap();
        let ours = [&theirs[..65], &theirs[65 + case..], &theirs[65..65 + case]].concat();
        assert_eq!(*sm2::decrypt(&key, &ours).unwrap(), plain, "theirs at ours, {case}");
    }
}

/// A key file opened step by step as its description says, without the code that wrote it.
#[test]
fn a_key_file_is_what_its_description_says() {
    let key = SecretKey::from_seed(b"described");
    let json = keyfile::seal_key("statistics/analyst", &key, &Password::new("pass")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&json).unwrap();
    let field = |name: &str| hex::decode(file[name].as_str().unwrap()).unwrap();
    assert_eq!((&file["format"], &file["kdf"]), (&"heqi-key-1".into(), &"pbkdf2-hmac-sm3".into()));
    assert_eq!(file["public"].as_str().unwrap(), key.public().to_hex());

    // PBKDF2: the first block is the sum of the iterated HMACs.
    let mut u = sm3::hmac(b"pass", &[&field("salt")[..], &[0, 0, 0, 1]].concat()).0;
    let mut sum = u;
    for _ in 1..file["iterations"].as_u64().unwrap() {
        u = sm3::hmac(b"pass", &u).0;
        sum.iter_mut().zip(u).for_each(|(a, b)| *a ^= b);
    }
    let outer: [u8; 16] = sum[..16].try_into().unwrap();
    let nonce = field("nonce").try_into().unwrap();
    assert_eq!(field("cipher"), reference_gcm(&outer, &nonce, b"statistics/analyst", key.to_bytes().as_slice()));
}
