//! SM2 signatures: `r‖s` with both in 1..=n-1, made deterministically, verified under the default identity.

use std::fmt;

use base_wire::{Decode, Encode, Reader, WireError};
use serde::{Deserialize, Serialize};

use super::{
    PublicKey, SecretKey,
    fast::{limbs::halves, scalar::Scalar, tables::tables},
};
use crate::GmError;

/// A signature `r‖s`. Holding one means that both are in 1..=n-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

impl Signature {
    /// Checks `r‖s`.
    ///
    /// # Errors
    /// [`GmError::SignatureForm`] when r or s is out of range.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, GmError> {
        let signature = Self(*bytes);
        signature.scalars().map(|_| signature).ok_or(GmError::SignatureForm)
    }

    /// `r‖s`.
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }

    /// Reads the hexadecimal form of `r‖s`.
    ///
    /// # Errors
    /// [`GmError::SignatureForm`].
    pub fn from_hex(text: &str) -> Result<Self, GmError> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| GmError::SignatureForm)?;
        Self::from_bytes(&bytes)
    }

    /// `r‖s` in lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// r and s, where both are in range.
    pub(super) fn scalars(&self) -> Option<(Scalar, Scalar)> {
        let (r, s) = halves(&self.0);
        Some((Scalar::from_be(&r)?, Scalar::from_be(&s)?))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl TryFrom<String> for Signature {
    type Error = GmError;
    fn try_from(text: String) -> Result<Self, GmError> {
        Self::from_hex(&text)
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> String {
        signature.to_hex()
    }
}

impl Encode for Signature {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Signature {
    const MIN_BYTES: usize = 64;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::from_bytes(&input.array("signature")?).map_err(|_| WireError::NotCanonical("signature"))
    }
}

impl SecretKey {
    /// Signs a message in constant time. The nonce is derived as in RFC 6979, so equal messages have equal signatures.
    pub fn sign(&self, msg: &[u8]) -> Signature {
        Signature(self.signer().sign(msg))
    }
}

/// Checks that `sig` is `key`'s signature over `msg`, with the tables of this process.
///
/// # Errors
/// [`GmError::BadSignature`].
pub fn verify(key: &PublicKey, msg: &[u8], sig: &Signature) -> Result<(), GmError> {
    tables().verify(key, msg, sig)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_standards_vector_on_the_recommended_curve() {
        // GM/T 0003.5-2012 (GB/T 32918.5-2017), A.2.
        let secret = bytes("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        let public = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                      ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
        let signature = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                         b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
        let key = SecretKey::from_bytes(&secret).unwrap();
        assert_eq!(key.public().to_hex(), public);
        let signature = Signature::from_hex(signature).unwrap();
        assert_eq!(verify(&key.public(), b"message digest", &signature), Ok(()));
        assert_eq!(verify(&key.public(), b"message digesT", &signature), Err(GmError::BadSignature));
    }

    #[test]
    fn r_and_s_out_of_range_are_no_signature() {
        let good = SecretKey::from_seed(b"range").sign(b"m").to_bytes();
        let n: [u8; 32] = bytes(ORDER);
        let mut above = n;
        above[31] += 1;
        for out in [[0; 32], n, above, [0xff; 32]] {
            for half in [0, 32] {
                let mut bad = good;
                bad[half..half + 32].copy_from_slice(&out);
                assert_eq!(Signature::from_bytes(&bad), Err(GmError::SignatureForm));
                assert!(Signature::from_wire(&bad).is_err() && Signature::from_hex(&hex::encode(bad)).is_err());
            }
        }
        let mut edge = good;
        edge[..32].copy_from_slice(&n);
        edge[31] -= 1;
        assert!(Signature::from_bytes(&edge).is_ok(), "n-1 is in range");
    }

    #[test]
    fn r_plus_s_equal_to_the_order_is_refused() {
        // t = 0 would take the key out of the equation (step B5).
        let mut bad = [0; 64];
        bad[31] = 1;
        bad[32..].copy_from_slice(&bytes::<32>(ORDER));
        bad[63] -= 1;
        let signature = Signature::from_bytes(&bad).unwrap();
        let key = SecretKey::from_seed(b"zero t").public();
        assert_eq!(verify(&key, b"m", &signature), Err(GmError::BadSignature));
    }

    #[test]
    fn every_changed_bit_other_key_and_other_message_is_refused() {
        let key = SecretKey::from_seed(b"mutate");
        let signature = key.sign(b"message");
        assert_eq!(signature, key.sign(b"message"));
        assert_eq!(verify(&key.public(), b"message", &signature), Ok(()));
        for bit in 0..512 {
            let mut bad = signature.to_bytes();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(bad) = Signature::from_bytes(&bad) {
                assert_eq!(verify(&key.public(), b"message", &bad), Err(GmError::BadSignature), "bit {bit}");
            }
        }
        assert!(verify(&key.public(), b"message ", &signature).is_err());
        assert!(verify(&SecretKey::from_seed(b"other").public(), b"message", &signature).is_err());
        assert_eq!(Signature::from_wire(&signature.to_wire()), Ok(signature));
    }
}
