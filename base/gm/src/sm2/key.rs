//! SM2 keys: a public key is a checked point, a secret key signs and is wiped.

use std::fmt;

use ::sm2::NonZeroScalar;
use base_wire::{Decode, Encode, Reader, WireError};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::fast::{point::Affine, sign::Signer};
use crate::{GmError, entropy, sm3};

/// A point of the SM2 curve other than infinity, as `x‖y`. Holding one means that it was checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 64]);

impl PublicKey {
    /// Checks `x‖y`.
    ///
    /// # Errors
    /// [`GmError::PublicKey`] when a coordinate is not reduced or the point is not on the curve.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, GmError> {
        Affine::from_bytes(bytes).map(|_| Self(*bytes)).ok_or(GmError::PublicKey)
    }

    /// `x‖y`.
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }

    /// `04‖x‖y`, the uncompressed point of SEC 1 and GB/T 32918.1.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut bytes = [4; 65];
        bytes[1..].copy_from_slice(&self.0);
        bytes
    }

    /// Reads the hexadecimal form of `x‖y`.
    ///
    /// # Errors
    /// [`GmError::PublicKey`].
    pub fn from_hex(text: &str) -> Result<Self, GmError> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| GmError::PublicKey)?;
        Self::from_bytes(&bytes)
    }

    /// `x‖y` in lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The point, for the library's arithmetic.
    pub(super) fn point(&self) -> Result<::sm2::PublicKey, GmError> {
        ::sm2::PublicKey::from_sec1_bytes(&self.to_sec1()).map_err(|_| GmError::PublicKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for PublicKey {
    type Error = GmError;
    fn try_from(text: String) -> Result<Self, GmError> {
        Self::from_hex(&text)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_hex()
    }
}

impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for PublicKey {
    const MIN_BYTES: usize = 64;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::from_bytes(&input.array("public key")?).map_err(|_| WireError::NotCanonical("public key"))
    }
}

/// A secret scalar in 1..=n-2 with its public key. Neither printed nor copied; wiped when dropped.
pub struct SecretKey {
    /// On the heap, so that moving the key leaves no copy behind.
    secret: Box<Secret>,
    public: PublicKey,
}

struct Secret {
    /// Wipes itself.
    signer: Signer,
    /// The same scalar for the library, which decrypts.
    scalar: NonZeroScalar,
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl SecretKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`GmError::Entropy`].
    pub fn generate() -> Result<Self, GmError> {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            entropy::fill(bytes.as_mut_slice())?;
            // One draw in 2^32 is at or above the order; the next one is as good.
            if let Ok(key) = Self::from_bytes(&bytes) {
                return Ok(key);
            }
        }
    }

    /// The key that a named seed stands for: tests and simulation, where the seed is no secret.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut attempt = 0u64;
        loop {
            let bytes = sm3::tagged("heqi/seed-key/1", &[seed, &attempt.to_be_bytes()]);
            if let Ok(key) = Self::from_bytes(&bytes.0) {
                return key;
            }
            attempt += 1;
        }
    }

    /// Checks and takes a big-endian scalar.
    ///
    /// # Errors
    /// [`GmError::SecretKey`] unless it is in 1..=n-2.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, GmError> {
        let (signer, public) = Signer::new(bytes).ok_or(GmError::SecretKey)?;
        let scalar = NonZeroScalar::try_from(&bytes[..]).map_err(|_| GmError::SecretKey)?;
        Ok(Self { secret: Box::new(Secret { signer, scalar }), public: PublicKey(public) })
    }

    /// The big-endian scalar.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.secret.signer.secret())
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.secret.signer
    }

    pub(super) fn scalar(&self) -> &NonZeroScalar {
        &self.secret.scalar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl PublicKey {
        /// A key that no check has seen, for a test that needs many names of keys.
        pub(in crate::sm2) fn unchecked(bytes: [u8; 64]) -> Self {
            Self(bytes)
        }
    }

    const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    const PRIME: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

    fn scalar(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn secret_keys_keep_their_range_and_come_back() {
        let mut one = [0; 32];
        assert!(SecretKey::from_bytes(&one).is_err(), "0");
        one[31] = 1;
        assert!(SecretKey::from_bytes(&one).is_ok(), "1");
        let n = scalar(ORDER);
        let mut last = n;
        last[31] -= 1;
        // For n-1 signing divides by zero.
        assert!(SecretKey::from_bytes(&n).is_err() && SecretKey::from_bytes(&last).is_err());
        assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
        last[31] -= 1;
        let key = SecretKey::from_bytes(&last).unwrap();
        assert_eq!(*key.to_bytes(), last);
        assert_ne!(SecretKey::generate().unwrap().public(), SecretKey::generate().unwrap().public());
        assert_eq!(SecretKey::from_seed(b"a").public(), SecretKey::from_seed(b"a").public());
        assert_ne!(SecretKey::from_seed(b"a").public(), SecretKey::from_seed(b"b").public());
    }

    #[test]
    fn public_keys_off_the_curve_and_infinity_are_refused_everywhere() {
        let good = SecretKey::from_seed(b"point").public();
        assert_eq!(PublicKey::from_wire(&good.to_wire()), Ok(good));
        assert_eq!(PublicKey::from_hex(&good.to_hex()), Ok(good));
        let refused = |bytes: &[u8; 64]| {
            assert_eq!(PublicKey::from_bytes(bytes), Err(GmError::PublicKey));
            assert!(PublicKey::from_wire(bytes).is_err() && PublicKey::from_hex(&hex::encode(bytes)).is_err());
        };
        // Infinity has no coordinates; the forms in which libraries write it must not pass.
        refused(&[0; 64]);
        refused(&[0xff; 64]);
        for bit in 0..512 {
            let mut bytes = good.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&bytes);
        }
        // A coordinate equal to the field's prime is 0 in another spelling.
        let mut unreduced = good.to_bytes();
        unreduced[..32].copy_from_slice(&scalar(PRIME));
        refused(&unreduced);
        assert!(PublicKey::from_hex(&good.to_hex()[2..]).is_err());
    }
}
