//! Signing in constant time (GB/T 32918.2, 6.1) with the nonce of RFC 6979 under HMAC-SM3.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing, zeroize_stack};

use super::{constant::generator_times, digest, limbs::joined, scalar::Scalar};
use crate::sm3;

/// Bytes of the stack that are wiped after secrets were computed with: more than the deepest call below uses.
const STACK_BYTES: usize = 8192;

/// A secret key with what signing needs beside it; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Signer {
    secret: [u8; 32],
    /// 2^256 / (1 + d), so that one Montgomery product divides by 1 + d.
    inverse: Scalar,
    /// ZA.
    identity: [u8; 32],
}

impl Signer {
    /// Takes a secret in 1..=n-2, and gives its public key `x‖y` beside; nothing for other integers.
    pub(crate) fn new(secret: &[u8; 32]) -> Option<(Self, [u8; 64])> {
        let made = Self::prepare(secret);
        zeroize_stack::<STACK_BYTES>();
        made
    }

    #[inline(never)]
    fn prepare(secret: &[u8; 32]) -> Option<(Self, [u8; 64])> {
        let scalar = Zeroizing::new(Scalar::from_be(secret)?);
        let next = Zeroizing::new(scalar.plus(&Scalar::ONE));
        if next.is_zero() {
            return None;
        }
        let public = generator_times(&scalar).to_bytes();
        let identity = digest::identity(&public);
        Some((Self { secret: *secret, inverse: next.inverse_times_radix(), identity }, public))
    }

    /// The secret, most significant byte first.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The signature `r‖s` over a message.
    pub(crate) fn sign(&self, msg: &[u8]) -> [u8; 64] {
        let e = Scalar::reduced(&digest::message(&self.identity, msg));
        let mut extra = [0; 32];
        let mut made = self.attempt(&e, &[]);
        let mut attempt = 0u64;
        loop {
            zeroize_stack::<STACK_BYTES>();
            if let Some(signature) = made {
                return signature;
            }
            // Steps A5 and A6 ask for another nonce, about once in 2^255 signatures; the attempt's number changes it.
            attempt = attempt.wrapping_add(1);
            extra[..8].copy_from_slice(&attempt.to_be_bytes());
            made = self.attempt(&e, &extra);
        }
    }

    /// Steps A3 to A7 for one nonce.
    #[inline(never)]
    fn attempt(&self, e: &Scalar, extra: &[u8]) -> Option<[u8; 64]> {
        let k = nonce(&self.secret, &e.to_be(), extra);
        self.with_nonce(e, &k)
    }

    fn with_nonce(&self, e: &Scalar, k: &Scalar) -> Option<[u8; 64]> {
        let r = e.plus(&Scalar::reduced(&generator_times(k).x.to_be()));
        let sum = Zeroizing::new(r.plus(k));
        // s = (k - r·d)/(1 + d) = (k + r)/(1 + d) - r.
        let s = self.inverse.times_over_radix(&sum).minus(&r);
        if r.is_zero() | sum.is_zero() | s.is_zero() {
            return None;
        }
        Some(joined(&r.to_be(), &s.to_be()))
    }
}

/// The nonce of RFC 6979, section 3.2, for a reduced digest, with the additional input of section 3.6 unless empty.
fn nonce(secret: &[u8; 32], digest: &[u8; 32], extra: &[u8]) -> Zeroizing<Scalar> {
    let mut key = Zeroizing::new([0u8; 32]);
    let mut value = Zeroizing::new([1u8; 32]);
    for round in 0..2u8 {
        // Its capacity is the greatest that is needed, so that growing leaves no copy behind.
        let mut seed = Zeroizing::new(Vec::<u8>::with_capacity(4 * 32 + 1));
        for part in [&value[..], &[round], &secret[..], &digest[..], extra] {
            seed.extend_from_slice(part);
        }
        *key = sm3::hmac(&key[..], &seed).0;
        *value = sm3::hmac(&key[..], &value[..]).0;
    }
    loop {
        *value = sm3::hmac(&key[..], &value[..]).0;
        if let Some(k) = Scalar::from_be(&value) {
            return Zeroizing::new(k);
        }
        // Not in 1..n, as one draw in 2^32.
        let mut seed = Zeroizing::new([0u8; 33]);
        seed[..32].copy_from_slice(&value[..]);
        *key = sm3::hmac(&key[..], &seed[..]).0;
        *value = sm3::hmac(&key[..], &value[..]).0;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ::sm2::{
        dsa::{
            SigningKey,
            signature::{Signer as _, hazmat::RandomizedPrehashSigner},
        },
        elliptic_curve::rand_core::{TryCryptoRng, TryRng},
    };

    use super::{
        super::{
            limbs::{reference, to_be},
            scalar::ORDER,
        },
        *,
    };
    use crate::sm2::IDENTITY;

    /// A source of the same 32 bytes again and again.
    struct Fixed([u8; 32]);

    impl TryRng for Fixed {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
            dst.copy_from_slice(&self.0[..dst.len()]);
            Ok(())
        }
    }

    impl TryCryptoRng for Fixed {}

    fn secret(case: u64) -> [u8; 32] {
        to_be(&reference::sample("signer", case + 4, &ORDER))
    }

    #[test]
    fn signatures_and_public_keys_are_the_librarys_byte_for_byte() {
        for case in 0..100 {
            let secret = secret(case);
            let library = SigningKey::from_slice(IDENTITY, &secret).unwrap();
            let (signer, public) = Signer::new(&secret).unwrap();
            assert_eq!(library.verifying_key().to_sec1_bytes()[1..], public);
            let msg = vec![case as u8; case as usize];
            let expected: ::sm2::dsa::Signature = library.try_sign(&msg).unwrap();
            assert_eq!(signer.sign(&msg)[..], expected.to_bytes()[..], "{case}");
        }
    }

    #[test]
    fn later_attempts_draw_the_nonces_that_the_library_draws() {
        let secret = secret(3);
        let library = SigningKey::from_slice(IDENTITY, &secret).unwrap();
        let (signer, _) = Signer::new(&secret).unwrap();
        for case in 0..50u8 {
            // Digests at and above the order too: they are reduced before the nonce is drawn.
            let digest = if case == 0 { to_be(&ORDER) } else { sm3::sm3(&[case]).0 };
            let digest = if case == 1 { [0xff; 32] } else { digest };
            let expected: ::sm2::dsa::Signature =
                library.sign_prehash_with_rng(&mut Fixed([case; 32]), &digest).unwrap();
            let made = signer.attempt(&Scalar::reduced(&digest), &[case; 32]).unwrap();
            assert_eq!(made[..], expected.to_bytes()[..], "{case}");
        }
    }

    #[test]
    fn nonces_with_which_the_standard_wants_another_are_refused() {
        let (signer, _) = Signer::new(&secret(9)).unwrap();
        let k = Scalar::reduced(&secret(10));
        let x = Scalar::reduced(&generator_times(&k).x.to_be());
        let zero = Scalar::default();
        // r = e + x = 0, then r + k = 0.
        assert!(signer.with_nonce(&zero.minus(&x), &k).is_none());
        assert!(signer.with_nonce(&zero.minus(&x).minus(&k), &k).is_none());
        // s = 0 where k = r·d, that is r = k/d.
        let d = Scalar::reduced(&secret(9));
        let r = d.inverse_times_radix().times_over_radix(&k);
        assert!(signer.with_nonce(&r.minus(&x), &k).is_none());
        assert!(signer.with_nonce(&r.minus(&x).plus(&Scalar::ONE), &k).is_some());
    }

    #[test]
    fn secrets_out_of_range_are_refused() {
        let last = Scalar::default().minus(&Scalar::ONE);
        for bad in [[0; 32], to_be(&ORDER), last.to_be(), [0xff; 32]] {
            assert!(Signer::new(&bad).is_none());
        }
        assert!(Signer::new(&last.minus(&Scalar::ONE).to_be()).is_some());
        assert!(Signer::new(&Scalar::ONE.to_be()).is_some());
    }
}
