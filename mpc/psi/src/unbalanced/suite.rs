//! The ciphersuite ristretto255-SHA512 of RFC 9497 in its verifiable mode: hashing to points and scalars, and encodings.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::{BadMessage, Output};

/// Length of an encoded point or scalar.
pub(super) const ELEMENT_BYTES: usize = 32;
/// Length of a block of SHA-512, which `expand_message_xmd` begins with (RFC 9380, section 5.3.1).
const HASH_BLOCK: usize = 128;

// RFC 9497, section 3.1: `contextString` is "OPRFV1-", the mode (1: verifiable), "-" and the suite's identifier.
const TO_POINT: &[u8] = b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512";
const TO_SCALAR: &[u8] = b"HashToScalar-OPRFV1-\x01-ristretto255-SHA512";
const TO_KEY: &[u8] = b"DeriveKeyPairOPRFV1-\x01-ristretto255-SHA512";
/// `seedDST` of the composites (section 2.2.1).
pub(super) const TO_SEED: &[u8] = b"Seed-OPRFV1-\x01-ristretto255-SHA512";

/// The encoding of a point or a scalar.
pub(super) type Encoding = [u8; ELEMENT_BYTES];

/// The suite's hashes. It keeps the state of SHA-512 behind the block of zeros that every expansion begins with.
pub(super) struct Hasher {
    padded: Sha512,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { padded: Sha512::new_with_prefix([0_u8; HASH_BLOCK]) }
    }

    /// `expand_message_xmd` for 64 bytes, which are one output of the hash.
    fn expand(&self, message: &[&[u8]], purpose: &[u8]) -> Zeroizing<[u8; 64]> {
        let length = [purpose.len() as u8];
        let mut first = self.padded.clone();
        message.iter().for_each(|part| first.update(part));
        first.update([0_u8, 64, 0]);
        first.update(purpose);
        first.update(length);
        let mut second = Sha512::new();
        second.update(first.finalize());
        second.update([1_u8]);
        second.update(purpose);
        second.update(length);
        Zeroizing::new(second.finalize().into())
    }

    /// `HashToGroup`.
    pub(super) fn to_point(&self, input: &[u8]) -> RistrettoPoint {
        RistrettoPoint::from_uniform_bytes(&self.expand(&[input], TO_POINT))
    }

    /// `HashToScalar` of the parts one after the other.
    pub(super) fn to_scalar(&self, message: &[&[u8]]) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.expand(message, TO_SCALAR))
    }

    /// The private key of `DeriveKeyPair` (section 3.2.1); `None` when 256 hashes are zero.
    pub(super) fn to_key(&self, seed: &[u8; 32], info: &[u8]) -> Option<Zeroizing<Scalar>> {
        let length = (info.len() as u16).to_be_bytes();
        let key = |counter: u8| {
            let wide = self.expand(&[seed, &length, info, &[counter]], TO_KEY);
            Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
        };
        (0..=u8::MAX).map(key).find(|key| **key != Scalar::ZERO)
    }
}

/// The last step of `Finalize`: the output of an input and the encoding of its point under the key. An input has fewer
/// than 2^16 bytes.
pub(super) fn output(input: &[u8], point: &Encoding) -> Output {
    let mut hash = Sha512::new();
    hash.update((input.len() as u16).to_be_bytes());
    hash.update(input);
    hash.update((ELEMENT_BYTES as u16).to_be_bytes());
    hash.update(point);
    hash.update(b"Finalize");
    Zeroizing::new(hash.finalize().into())
}

/// Decodes a point of the peer's; the identity is refused (section 3.3).
pub(super) fn point(encoding: &Encoding) -> Result<RistrettoPoint, BadMessage> {
    let point = CompressedRistretto(*encoding).decompress().ok_or(BadMessage::Point)?;
    if point.is_identity() { Err(BadMessage::Point) } else { Ok(point) }
}

/// Decodes a scalar of the peer's, which is reduced.
pub(super) fn scalar(encoding: &Encoding) -> Result<Scalar, BadMessage> {
    Option::<Scalar>::from(Scalar::from_canonical_bytes(*encoding)).ok_or(BadMessage::Proof)
}

/// A uniform scalar.
pub(super) fn random_scalar(random: &mut dyn FnMut(&mut [u8])) -> Scalar {
    let mut wide = Zeroizing::new([0_u8; 64]);
    random(wide.as_mut());
    Scalar::from_bytes_mod_order_wide(&wide)
}
