//! Envelopes: one text under a fresh SM4 key, that key under each recipient's SM2 key.
//!
//! The form is plain enough for a browser: SM2 `C1‖C3‖C2` of 16 bytes, then SM4-GCM with the caller's `aad`.

use base_wire::wire_struct;
use zeroize::Zeroizing;

use crate::{
    GmError, entropy,
    sm2::{self, PublicKey, SecretKey},
    sm4,
};

/// Most keys that one envelope is for.
pub const MAX_RECIPIENTS: usize = 256;

/// A text that each recipient can open alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Each recipient and the SM4 key encrypted to it.
    pub recipients: Vec<(PublicKey, Vec<u8>)>,
    /// The nonce of the SM4 encryption.
    pub nonce: [u8; 12],
    /// The text, with its tag.
    pub cipher: Vec<u8>,
}
wire_struct!(Sealed { recipients, nonce, cipher });

/// Seals `plain` to every recipient; `aad` is authenticated with it, and opening needs the same.
///
/// # Errors
/// [`GmError::Recipients`] for no recipient, too many, or one twice; [`GmError::Entropy`]; [`GmError::Encrypt`].
pub fn seal_to(recipients: &[PublicKey], aad: &[u8], plain: &[u8]) -> Result<Sealed, GmError> {
    let repeated = recipients.iter().enumerate().any(|(i, key)| recipients.iter().take(i).any(|k| k == key));
    if repeated || !(1..=MAX_RECIPIENTS).contains(&recipients.len()) {
        return Err(GmError::Recipients);
    }
    let key: Zeroizing<[u8; 16]> = Zeroizing::new(entropy::array()?);
    let wrap = |to: &PublicKey| Ok((*to, sm2::encrypt(to, key.as_slice())?));
    let recipients = recipients.iter().map(wrap).collect::<Result<_, GmError>>()?;
    let nonce = entropy::array()?;
    Ok(Sealed { recipients, nonce, cipher: sm4::seal(&key, &nonce, aad, plain)? })
}

/// Opens an envelope with one recipient's key.
///
/// # Errors
/// [`GmError::NotRecipient`] when it names other keys only, [`GmError::Decrypt`] when it or `aad` was changed.
pub fn open(key: &SecretKey, aad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, GmError> {
    let me = key.public();
    let (_, wrapped) = sealed.recipients.iter().find(|(to, _)| *to == me).ok_or(GmError::NotRecipient)?;
    let unwrapped = sm2::decrypt(key, wrapped)?;
    let inner = Zeroizing::new(<[u8; 16]>::try_from(unwrapped.as_slice()).map_err(|_| GmError::Decrypt)?);
    sm4::open(&inner, &sealed.nonce, aad, &sealed.cipher)
}

#[cfg(test)]
mod tests {
    use base_wire::{Decode, Encode};

    use super::*;

    fn keys() -> [SecretKey; 3] {
        [b"a", b"b", b"c"].map(|seed| SecretKey::from_seed(seed))
    }

    #[test]
    fn every_recipient_opens_it_and_nobody_else() {
        let keys = keys();
        let sealed = seal_to(&[keys[0].public(), keys[1].public()], b"job 7", b"plain").unwrap();
        let sealed = Sealed::from_wire(&sealed.to_wire()).unwrap();
        for key in &keys[..2] {
            assert_eq!(**open(key, b"job 7", &sealed).unwrap(), *b"plain");
            assert_eq!(open(key, b"job 8", &sealed), Err(GmError::Decrypt));
        }
        assert_eq!(open(&keys[2], b"job 7", &sealed), Err(GmError::NotRecipient));
        let again = seal_to(&[keys[0].public(), keys[1].public()], b"job 7", b"plain").unwrap();
        assert!(again.nonce != sealed.nonce && again.cipher != sealed.cipher);
        assert!(open(&keys[0], b"", &seal_to(&[keys[0].public()], b"", b"").unwrap()).unwrap().is_empty());
    }

    #[test]
    fn any_changed_part_is_refused() {
        let keys = keys();
        let sealed = seal_to(&[keys[0].public(), keys[1].public()], b"aad", b"plain").unwrap();
        let bytes = sealed.to_wire();
        let mut opened = 0;
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            // Only the other recipient's wrapped key does not matter to the first.
            if Sealed::from_wire(&bad).is_ok_and(|bad| open(&keys[0], b"aad", &bad).is_ok()) {
                opened += 1;
            }
            assert!(Sealed::from_wire(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(opened, 16 + sm2::OVERHEAD_BYTES);
    }

    #[test]
    fn the_list_of_recipients_is_checked() {
        let key = keys()[0].public();
        assert_eq!(seal_to(&[], b"", b"x"), Err(GmError::Recipients));
        assert_eq!(seal_to(&[key, key], b"", b"x"), Err(GmError::Recipients));
        assert_eq!(seal_to(&vec![key; MAX_RECIPIENTS + 1], b"", b"x"), Err(GmError::Recipients));
    }

    #[test]
    fn a_wrapped_key_of_another_length_is_refused() {
        let key = &keys()[0];
        let mut sealed = seal_to(&[key.public()], b"", b"x").unwrap();
        sealed.recipients[0].1 = sm2::encrypt(&key.public(), &[1; 32]).unwrap();
        assert_eq!(open(key, b"", &sealed), Err(GmError::Decrypt));
    }
}
