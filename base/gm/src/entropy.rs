//! Randomness from the operating system, in the form that the primitives ask for.

use ::sm2::elliptic_curve::rand_core::{TryCryptoRng, TryRng};

use crate::GmError;

/// Fills `bytes` from the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), GmError> {
    getrandom::fill(bytes).map_err(|_| GmError::Entropy)
}

/// `N` random bytes.
pub(crate) fn array<const N: usize>() -> Result<[u8; N], GmError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's generator, which reports failure instead of stopping the program.
pub(crate) struct OsEntropy;

impl TryRng for OsEntropy {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        getrandom::u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        getrandom::u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(dst)
    }
}

impl TryCryptoRng for OsEntropy {}
