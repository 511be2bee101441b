//! Secrets that cannot be printed, copied or compared by accident, and are wiped when dropped.
//!
//! What a type does not implement it cannot do: there is no `Debug`, `Display`, `Clone` or `PartialEq` here, so a secret
//! reaches a log, a second copy or an early-exit comparison only through a visible `expose`.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret value; its owner wipes it.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value over.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends the value out; every call is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> ZeroizeOnDrop for Secret<T> {}

/// A person's password.
pub struct Password(Secret<String>);

impl Password {
    /// Takes the text over. Text that its caller grew piece by piece may have left copies behind that are not wiped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text.into()))
    }

    /// Lends the text out; every call is a place to review.
    pub fn expose_str(&self) -> &str {
        self.0.expose()
    }
}

impl ZeroizeOnDrop for Password {}

/// Compares in a time that depends on the lengths only. Unequal lengths are unequal.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use std::{fmt, marker::PhantomData, rc::Rc, sync::atomic::AtomicBool, sync::atomic::Ordering::SeqCst};

    use super::*;

    /// Tells whether a type implements a trait: the inherent constant exists only then and wins over the trait's.
    struct Probe<T>(PhantomData<T>);
    trait Otherwise {
        const PRINTS: bool = false;
        const COPIES: bool = false;
        const COMPARES: bool = false;
    }
    impl<T> Otherwise for Probe<T> {}
    macro_rules! probe {
        ($($name:ident: $bound:path),*) => {$(
            impl<T: $bound> Probe<T> {
                const $name: bool = true;
            }
        )*};
    }
    probe!(PRINTS: fmt::Debug, COPIES: Clone, COMPARES: PartialEq);

    #[test]
    fn secrets_do_not_print_copy_or_compare() {
        // The probe itself works on a type that does all three.
        const { assert!(Probe::<String>::PRINTS && Probe::<String>::COPIES && Probe::<String>::COMPARES) };
        const { assert!(!Probe::<Secret<Vec<u8>>>::PRINTS && !Probe::<Password>::PRINTS) };
        const { assert!(!Probe::<Secret<Vec<u8>>>::COPIES && !Probe::<Password>::COPIES) };
        const { assert!(!Probe::<Secret<Vec<u8>>>::COMPARES && !Probe::<Password>::COMPARES) };
    }

    struct Watched(Rc<AtomicBool>);
    impl Zeroize for Watched {
        fn zeroize(&mut self) {
            self.0.store(true, SeqCst);
        }
    }

    #[test]
    fn a_secret_is_wiped_when_dropped_and_not_before() {
        let wiped = Rc::new(AtomicBool::new(false));
        let secret = Secret::new(Watched(wiped.clone()));
        assert!(!secret.expose().0.load(SeqCst));
        drop(secret);
        assert!(wiped.load(SeqCst));
    }

    #[test]
    fn equality_sees_every_byte_and_the_length() {
        let text = *b"0123456789abcdef";
        assert!(equal(&text, &text) && equal(&[], &[]));
        for at in 0..text.len() {
            let mut other = text;
            other[at] ^= 1;
            assert!(!equal(&text, &other), "byte {at}");
            assert!(!equal(&text, &text[..at]), "length {at}");
        }
        assert_eq!(Password::new("口令").expose_str(), "口令");
    }
}
