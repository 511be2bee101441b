//! Signing and verification against RustCrypto, libsm and OpenSSL on seeded random cases, of which half are changed.

use std::{env, ops::Range, thread};

use ::sm2::dsa::{
    SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use base_gm::{
    sm2::{self, IDENTITY, KeyTables, PublicKey, SecretKey, Signature},
    sm3,
};
use libsm::sm2::signature::{SigCtx, Signature as LibSignature};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcPoint},
    error::ErrorStack,
    hash::{MessageDigest, hash},
    nid::Nid,
};

const PRIME: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";
const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
/// a, b and the generator, as they stand before the key in what is hashed.
const CURVE: &str = "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc\
                     28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93\
                     32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
                     bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0";

/// The quick number of cases, or the long one where the environment asks for it.
fn count(quick: u64, long: u64) -> u64 {
    if env::var_os("HEQI_LONG").is_some() { long } else { quick }
}

fn integer(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// a - b for 32-byte integers with a ≥ b.
fn minus(a: [u8; 32], b: &[u8]) -> [u8; 32] {
    let mut out = a;
    let mut borrow = 0;
    for (digit, less) in out.iter_mut().zip(b).rev() {
        let difference = i16::from(*digit) - i16::from(*less) - borrow;
        borrow = i16::from(difference < 0);
        *digit = difference.rem_euclid(256) as u8;
    }
    out
}

/// A key, a message and a signature, as bytes that may be no key and no signature.
struct Case {
    public: [u8; 64],
    msg: Vec<u8>,
    signature: [u8; 64],
    changed: bool,
}

impl Case {
    /// The n-th case, the same at every run; every second one is changed after it was signed.
    fn new(label: &str, number: u64, keys: &[SecretKey]) -> Self {
        let random = sm3::tagged(label, &[&number.to_be_bytes()]).0;
        let msg = random.repeat(8)[..usize::from(random[0])].to_vec();
        // One key in eight is seen once only.
        let fresh = random[1].is_multiple_of(8).then(|| SecretKey::from_seed(&random));
        let known = &keys[usize::from(random[2]) % keys.len()];
        let key = fresh.as_ref().unwrap_or(known);
        let (public, signature) = (key.public().to_bytes(), key.sign(&msg).to_bytes());
        let mut case = Self { public, msg, signature, changed: number % 2 == 1 };
        if case.changed {
            let other = keys[usize::from(random[3]) % keys.len()].public();
            case.change(random[4] % 9, usize::from(random[5]), &other);
        }
        case
    }

    fn change(&mut self, how: u8, bit: usize, other: &PublicKey) {
        let flip = |bytes: &mut [u8]| bytes[bit / 8] ^= 1 << (bit % 8);
        match how {
            0 => flip(&mut self.signature[..32]),
            1 => flip(&mut self.signature[32..]),
            2 => self.msg.push(0),
            3 if self.msg.len() >= 32 => flip(&mut self.msg[..32]),
            3 => self.msg.push(1),
            4 => self.public = other.to_bytes(),
            // The opposite point: on the curve, with the same x.
            5 => {
                let y = minus(integer(PRIME), &self.public[32..]);
                self.public[32..].copy_from_slice(&y);
            }
            // Most likely off the curve.
            6 => flip(&mut self.public[32 * (bit % 2)..][..32]),
            7 => self.signature.rotate_left(32),
            // r + s = n.
            _ => {
                let s = minus(integer(ORDER), &self.signature[..32]);
                self.signature[32..].copy_from_slice(&s);
            }
        }
    }

    fn sec1(&self) -> Vec<u8> {
        [&[4][..], &self.public].concat()
    }

    /// Our judgement, the same with the process's tables, with few tables that come and go, and without any.
    fn ours(&self, few: &KeyTables, none: &KeyTables) -> bool {
        let (Ok(key), Ok(signature)) = (PublicKey::from_bytes(&self.public), Signature::from_bytes(&self.signature))
        else {
            return false;
        };
        let right = sm2::verify(&key, &self.msg, &signature).is_ok();
        assert_eq!(few.verify(&key, &self.msg, &signature).is_ok(), right);
        assert_eq!(none.verify(&key, &self.msg, &signature).is_ok(), right);
        right
    }
}

/// Judges every case by ours and by the reference, on two threads.
fn compare<R: FnMut(&Case) -> bool>(label: &str, reference: impl Fn() -> R + Sync) {
    let cases = count(7_200, 340_000);
    let keys: Vec<SecretKey> = (0..40u8).map(|seed| SecretKey::from_seed(&[seed])).collect();
    let (few, none) = (KeyTables::new(16 * 152_000), KeyTables::new(0));
    let run = |numbers: Range<u64>| {
        let mut judge = reference();
        let mut right = 0;
        for number in numbers {
            let case = Case::new(label, number, &keys);
            let expected = judge(&case);
            assert_eq!(case.ours(&few, &none), expected, "{label}, case {number}");
            assert!(expected || case.changed, "{label}, case {number}");
            right += u64::from(expected);
        }
        right
    };
    let right = thread::scope(|scope| {
        let half = scope.spawn(|| run(0..cases / 2));
        let rest = run(cases / 2..cases);
        rest + half.join().unwrap()
    });
    assert!((cases / 2..cases * 6 / 10).contains(&right), "{right} of {cases}");
    assert!((1..=16).contains(&few.len()) && few.bytes() <= 16 * 152_000 && none.is_empty());
}

fn rust_crypto(case: &Case) -> bool {
    let key = VerifyingKey::from_sec1_bytes(IDENTITY, &case.sec1());
    let signature = ::sm2::dsa::Signature::from_slice(&case.signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify(&case.msg, &signature).is_ok(),
        _ => false,
    }
}

#[test]
fn verification_agrees_with_rustcrypto() {
    compare("rustcrypto", || rust_crypto);
}

#[test]
fn verification_agrees_with_libsm() {
    compare("libsm", || {
        let lib = SigCtx::new();
        move |case: &Case| {
            let signature = LibSignature::new(&case.signature[..32], &case.signature[32..]);
            let key = lib.load_pubkey(&case.sec1());
            key.is_ok_and(|key| lib.verify(&case.msg, &key, &signature).unwrap_or(false))
        }
    });
}

#[test]
fn verification_agrees_with_openssl() {
    compare("openssl", || {
        let mut lib = OpenSsl::new().unwrap();
        move |case: &Case| lib.judge(case).unwrap_or(false)
    });
}

/// The verification of GB/T 32918.2 on OpenSSL's integers, points and digest.
struct OpenSsl {
    group: EcGroup,
    order: BigNum,
    context: BigNumContext,
}

impl OpenSsl {
    fn new() -> Result<Self, ErrorStack> {
        let (group, mut order, mut context) =
            (EcGroup::from_curve_name(Nid::SM2)?, BigNum::new()?, BigNumContext::new()?);
        group.order(&mut order, &mut context)?;
        Ok(Self { group, order, context })
    }

    fn digest(&self, case: &Case) -> Result<BigNum, ErrorStack> {
        let bits = (IDENTITY.len() as u16 * 8).to_be_bytes();
        let curve = hex::decode(CURVE).unwrap();
        let before = [&bits[..], IDENTITY.as_bytes(), &curve, &case.public].concat();
        let identity = hash(MessageDigest::sm3(), &before)?;
        let digest = hash(MessageDigest::sm3(), &[&identity[..], &case.msg].concat())?;
        BigNum::from_slice(&digest)
    }

    /// An error where the key is no point of the curve.
    fn judge(&mut self, case: &Case) -> Result<bool, ErrorStack> {
        let key = EcPoint::from_bytes(&self.group, &case.sec1(), &mut self.context)?;
        let (r, s) = (BigNum::from_slice(&case.signature[..32])?, BigNum::from_slice(&case.signature[32..])?);
        let zero = BigNum::new()?;
        if r == zero || s == zero || r >= self.order || s >= self.order {
            return Ok(false);
        }
        let mut t = BigNum::new()?;
        t.mod_add(&r, &s, &self.order, &mut self.context)?;
        if t == zero {
            return Ok(false);
        }
        let mut sum = EcPoint::new(&self.group)?;
        sum.mul_full(&self.group, &s, &key, &t, &mut self.context)?;
        if sum.is_infinity(&self.group) {
            return Ok(false);
        }
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        sum.affine_coordinates(&self.group, &mut x, &mut y, &mut self.context)?;
        let mut right = BigNum::new()?;
        let digest = self.digest(case)?;
        right.mod_add(&digest, &x, &self.order, &mut self.context)?;
        Ok(right == r)
    }
}

#[test]
fn signatures_and_public_keys_are_rustcryptos_byte_for_byte() {
    for number in 0..count(2_000, 200_000) {
        let random = sm3::tagged("signing", &[&number.to_be_bytes()]).0;
        let msg = random.repeat(8)[..usize::from(random[31])].to_vec();
        let key = SecretKey::from_seed(&random);
        let library = SigningKey::from_slice(IDENTITY, key.to_bytes().as_slice()).unwrap();
        let expected: ::sm2::dsa::Signature = library.try_sign(&msg).unwrap();
        assert_eq!(key.sign(&msg).to_bytes()[..], expected.to_bytes()[..], "{number}");
        assert_eq!(key.public().to_sec1()[..], library.verifying_key().to_sec1_bytes()[..], "{number}");
    }
}
