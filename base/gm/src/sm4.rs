//! SM4 in Galois/counter mode (GB/T 32907, RFC 8998): sealed bytes end with a 16-byte tag.

use ::sm4::Sm4;
use aes_gcm::{
    AesGcm, KeyInit,
    aead::{Aead, Payload, consts::U12},
};
use zeroize::Zeroizing;

use crate::GmError;

/// RustCrypto's GCM is generic over the block cipher; "AES" is only its name.
type Sm4Gcm = AesGcm<Sm4, U12>;

/// Bytes that sealing adds.
pub const TAG_BYTES: usize = 16;

/// Encrypts `plain` and authenticates it together with `aad`. A nonce must not be used twice with one key.
///
/// # Errors
/// [`GmError::Encrypt`] when the text is longer than the mode allows (64 GiB).
pub fn seal(key: &[u8; 16], nonce: &[u8; 12], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, GmError> {
    Sm4Gcm::new(key.into()).encrypt(nonce.into(), Payload { msg: plain, aad }).map_err(|_| GmError::Encrypt)
}

/// Checks the tag and decrypts.
///
/// # Errors
/// [`GmError::Decrypt`] when key, nonce, `aad` or any bit of `cipher` is not what was sealed.
pub fn open(key: &[u8; 16], nonce: &[u8; 12], aad: &[u8], cipher: &[u8]) -> Result<Zeroizing<Vec<u8>>, GmError> {
    let plain = Sm4Gcm::new(key.into()).decrypt(nonce.into(), Payload { msg: cipher, aad });
    plain.map(Zeroizing::new).map_err(|_| GmError::Decrypt)
}

#[cfg(test)]
mod tests {
    use ::sm4::cipher::{BlockCipherEncrypt, KeyInit};

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_standards_block_vectors() {
        // GB/T 32907-2016, A.1 and A.2 (a million encryptions).
        let start: [u8; 16] = bytes("0123456789abcdeffedcba9876543210");
        let cipher = Sm4::new(&start.into());
        let mut block = start.into();
        cipher.encrypt_block(&mut block);
        assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
        for _ in 1..1_000_000 {
            cipher.encrypt_block(&mut block);
        }
        assert_eq!(hex::encode(block), "595298c7c6fd271f0402f804c33d3f66");
    }

    fn rfc_8998() -> ([u8; 16], [u8; 12], Vec<u8>, Vec<u8>, String) {
        let words = ["aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa"];
        let plain = words.iter().map(|w| w.repeat(8)).collect::<String>();
        let cipher = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                      d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                      83de3541e4c2b58177e065a9bf7b62ec";
        let aad = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let (key, nonce) = (bytes("0123456789abcdeffedcba9876543210"), bytes("00001234567800000000abcd"));
        (key, nonce, aad, hex::decode(plain).unwrap(), cipher.into())
    }

    #[test]
    fn the_vector_of_rfc_8998() {
        let (key, nonce, aad, plain, cipher) = rfc_8998();
        let sealed = seal(&key, &nonce, &aad, &plain).unwrap();
        assert_eq!(hex::encode(&sealed), cipher);
        assert_eq!(*open(&key, &nonce, &aad, &sealed).unwrap(), plain);
    }

    #[test]
    fn every_change_and_every_cut_is_refused() {
        let (key, nonce, aad, plain, _) = rfc_8998();
        let sealed = seal(&key, &nonce, &aad, &plain).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, &nonce, &aad, &bad), Err(GmError::Decrypt), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(open(&key, &nonce, &aad, &sealed[..cut]).is_err(), "cut at {cut}");
        }
        let (mut key2, mut nonce2) = (key, nonce);
        key2[0] ^= 1;
        nonce2[11] ^= 1;
        assert!(open(&key2, &nonce, &aad, &sealed).is_err());
        assert!(open(&key, &nonce2, &aad, &sealed).is_err());
        assert!(open(&key, &nonce, &aad[1..], &sealed).is_err());
        assert!(seal(&key, &nonce, &[], &[]).is_ok_and(|tag| tag.len() == TAG_BYTES));
    }
}
