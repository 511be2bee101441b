//! The proof that many answers were made with one key: discrete logarithms that are equal, in a batch (RFC 9497, 2.2).

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::BadMessage;
use super::suite::{ELEMENT_BYTES, Encoding, Hasher, TO_SEED, random_scalar, scalar};

/// Length of a proof: challenge and response.
pub(super) const PROOF_BYTES: usize = 2 * ELEMENT_BYTES;
/// Most answers under one proof: their number is hashed in two bytes.
pub(super) const MAX_BATCH: usize = u16::MAX as usize;
/// The length of an element, as it is hashed in front of one.
const LENGTH: [u8; 2] = (ELEMENT_BYTES as u16).to_be_bytes();

/// What is proven: every `answered[i]` is `asked[i]` times the logarithm of `public`.
pub(super) struct Statement<'a> {
    pub(super) public: &'a Encoding,
    pub(super) asked: &'a [Encoding],
    pub(super) answered: &'a [Encoding],
}

impl Statement<'_> {
    /// The weights `d_i` of the composites.
    fn weights(&self, hasher: &Hasher) -> Vec<Scalar> {
        let Self { public, asked, answered } = self;
        let mut hash = Sha512::new();
        hash.update(LENGTH);
        hash.update(public);
        hash.update((TO_SEED.len() as u16).to_be_bytes());
        hash.update(TO_SEED);
        let seed: [u8; 64] = hash.finalize().into();
        let weight = |(at, (asked, answered)): (usize, (&Encoding, &Encoding))| {
            let at = (at as u16).to_be_bytes();
            hasher.to_scalar(&[&[0, 64], &seed, &at, &LENGTH, asked, &LENGTH, answered, b"Composite"])
        };
        asked.iter().zip(answered.iter()).enumerate().map(weight).collect()
    }

    /// The challenge of the composites and the two commitments.
    fn challenge(&self, hasher: &Hasher, points: [&RistrettoPoint; 4]) -> Scalar {
        let [a, b, c, d] = points.map(|point| point.compress().to_bytes());
        let parts: [&[u8]; 11] =
            [&LENGTH, self.public, &LENGTH, &a, &LENGTH, &b, &LENGTH, &c, &LENGTH, &d, b"Challenge"];
        hasher.to_scalar(&parts)
    }
}

/// `GenerateProof`; `points` are those of `statement.asked`, `secret` is the logarithm.
pub(super) fn prove(
    hasher: &Hasher,
    statement: &Statement<'_>,
    points: &[RistrettoPoint],
    secret: &Scalar,
    random: &mut dyn FnMut(&mut [u8]),
) -> [u8; PROOF_BYTES] {
    // The weights are public, so is what they add up.
    let sum = RistrettoPoint::vartime_multiscalar_mul(statement.weights(hasher), points);
    let mask = Zeroizing::new(random_scalar(random));
    let (product, base, masked) = (sum * secret, RistrettoPoint::mul_base(&mask), sum * *mask);
    let challenge = statement.challenge(hasher, [&sum, &product, &base, &masked]);
    let response = *mask - challenge * secret;
    let mut proof = [0; PROOF_BYTES];
    proof[..ELEMENT_BYTES].copy_from_slice(&challenge.to_bytes());
    proof[ELEMENT_BYTES..].copy_from_slice(&response.to_bytes());
    proof
}

/// `VerifyProof`; the points are those of the statement.
///
/// # Errors
/// [`BadMessage::Proof`] when the proof does not hold.
pub(super) fn verify(
    hasher: &Hasher,
    statement: &Statement<'_>,
    public: &RistrettoPoint,
    points: (&[RistrettoPoint], &[RistrettoPoint]),
    proof: &[u8; PROOF_BYTES],
) -> Result<(), BadMessage> {
    let [first, second]: [Encoding; 2] = std::array::from_fn(|half| {
        let mut encoding = [0; ELEMENT_BYTES];
        encoding.copy_from_slice(&proof[half * ELEMENT_BYTES..][..ELEMENT_BYTES]);
        encoding
    });
    let (challenge, response) = (scalar(&first)?, scalar(&second)?);
    let weights = statement.weights(hasher);
    let sum = RistrettoPoint::vartime_multiscalar_mul(&weights, points.0);
    let product = RistrettoPoint::vartime_multiscalar_mul(&weights, points.1);
    let base = RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, public, &response);
    let masked = RistrettoPoint::vartime_multiscalar_mul([response, challenge], [sum, product]);
    let due = statement.challenge(hasher, [&sum, &product, &base, &masked]);
    if due == challenge { Ok(()) } else { Err(BadMessage::Proof) }
}
