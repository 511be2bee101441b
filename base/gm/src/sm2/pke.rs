//! SM2 public-key encryption (GB/T 32918.4), for short texts such as a symmetric key.

use ::sm2::{
    Sm2,
    pke::{Cipher, DecryptingKey, EncryptingKey, Mode},
};
use ::sm3::Sm3;
use zeroize::{Zeroizing, zeroize_stack};

use super::{PublicKey, SecretKey};
use crate::{GmError, entropy::OsEntropy};

/// Bytes that encryption adds: the point C1 and the digest C3.
pub const OVERHEAD_BYTES: usize = 65 + 32;

/// Bytes of the stack that are wiped after a decryption: the library's copies of the key, the point and its multiples lie there.
const STACK_BYTES: usize = 16384;

/// Tag of an uncompressed point, the only form taken, so that a ciphertext has one spelling.
const UNCOMPRESSED: u8 = 4;

/// Encrypts a text of at least one byte to `key`: `C1‖C3‖C2`.
///
/// # Errors
/// [`GmError::Encrypt`] for an empty text or when the operating system gives no randomness.
pub fn encrypt(key: &PublicKey, plain: &[u8]) -> Result<Vec<u8>, GmError> {
    let key = EncryptingKey::new_with_mode(key.point()?, Mode::C1C3C2);
    key.encrypt(&mut OsEntropy, plain).map_err(|_| GmError::Encrypt)
}

/// Decrypts and checks `C1‖C3‖C2`.
///
/// # Errors
/// [`GmError::Decrypt`] when it was changed, cut short, or is for another key.
pub fn decrypt(key: &SecretKey, cipher: &[u8]) -> Result<Zeroizing<Vec<u8>>, GmError> {
    if cipher.len() <= OVERHEAD_BYTES || cipher.first() != Some(&UNCOMPRESSED) {
        return Err(GmError::Decrypt);
    }
    let plain = decrypt_on_stack(key, cipher);
    zeroize_stack::<STACK_BYTES>();
    plain
}

#[inline(never)]
fn decrypt_on_stack(key: &SecretKey, cipher: &[u8]) -> Result<Zeroizing<Vec<u8>>, GmError> {
    let parsed = Cipher::<Sm2, Sm3>::from_slice(cipher, Mode::C1C3C2).map_err(|_| GmError::Decrypt)?;
    let decrypting = DecryptingKey::from_nonzero_scalar(*key.scalar()).map_err(|_| GmError::Decrypt)?;
    // Our own buffer, so that what is decrypted before the check is wiped when the check fails.
    let mut plain = Zeroizing::new(vec![0; parsed.c2().len()]);
    decrypting.decrypt_cipher_with_buf(&parsed, &mut plain).map_err(|_| GmError::Decrypt)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_vector_on_the_recommended_curve() {
        // GM/T 0003.5-2012 (GB/T 32918.5-2017), C.2: "encryption standard".
        let secret = hex::decode("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8").unwrap();
        let cipher = "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73\
                      e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0\
                      59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766\
                      21886ca989ca9c7d58087307ca93092d651efa";
        let key = SecretKey::from_bytes(&secret.try_into().unwrap()).unwrap();
        assert_eq!(**decrypt(&key, &hex::decode(cipher).unwrap()).unwrap(), *b"encryption standard");
    }

    #[test]
    fn texts_come_back_and_no_two_ciphertexts_are_equal() {
        let key = SecretKey::from_seed(b"pke");
        for len in [1, 2, 16, 31, 32, 33, 200] {
            let plain = vec![7; len];
            let cipher = encrypt(&key.public(), &plain).unwrap();
            assert_eq!(cipher.len(), len + OVERHEAD_BYTES);
            assert_eq!(*decrypt(&key, &cipher).unwrap(), plain);
            assert_ne!(cipher, encrypt(&key.public(), &plain).unwrap());
        }
        assert_eq!(encrypt(&key.public(), &[]), Err(GmError::Encrypt));
    }

    #[test]
    fn every_changed_byte_every_cut_and_other_keys_are_refused() {
        let key = SecretKey::from_seed(b"pke");
        let cipher = encrypt(&key.public(), b"sixteen byte key").unwrap();
        for at in 0..cipher.len() {
            for change in [1, 2, 0x80] {
                let mut bad = cipher.clone();
                bad[at] ^= change;
                assert_eq!(decrypt(&key, &bad), Err(GmError::Decrypt), "byte {at}");
            }
            assert_eq!(decrypt(&key, &cipher[..at]), Err(GmError::Decrypt), "cut at {at}");
        }
        assert!(decrypt(&SecretKey::from_seed(b"other"), &cipher).is_err());
        // C1 = infinity, in the one-byte and in the all-zero spelling.
        assert!(decrypt(&key, &[0; 120]).is_err());
        let mut zero = cipher;
        zero[1..65].fill(0);
        assert!(decrypt(&key, &zero).is_err());
    }
}
