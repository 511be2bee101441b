//! Which vector instructions this processor has, found out once a kind of work.

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::x86;

/// How AES is computed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AesPath {
    /// By the crate `aes`.
    Portable,
    /// With AES-NI, a block a register.
    #[cfg(target_arch = "x86_64")]
    Narrow(x86::AesNi),
    /// With VAES, four blocks a register.
    #[cfg(target_arch = "x86_64")]
    Wide(x86::Vaes),
}

/// How polynomials over GF(2) are multiplied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProductPath {
    /// With integer multiplications.
    Portable,
    /// With PCLMULQDQ.
    #[cfg(target_arch = "x86_64")]
    Narrow(x86::Clmul),
    /// With VPCLMULQDQ, four products an instruction.
    #[cfg(target_arch = "x86_64")]
    Wide(x86::Vclmul),
}

/// How bits are moved and added.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BitsPath {
    /// In words of 64 bits.
    Portable,
    /// With AVX-512 and GFNI.
    #[cfg(target_arch = "x86_64")]
    Wide(x86::Gfni),
}

impl AesPath {
    /// What this processor can do, the slowest first.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::AesNi::detect().map(Self::Narrow));
            all.extend(x86::Vaes::detect().map(Self::Wide));
        }
        all
    }

    /// The fastest.
    #[inline]
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<AesPath> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().pop().unwrap_or(Self::Portable))
    }
}

impl ProductPath {
    /// What this processor can do, the slowest first.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::Clmul::detect().map(Self::Narrow));
            all.extend(x86::Vclmul::detect().map(Self::Wide));
        }
        all
    }

    /// The fastest.
    #[inline]
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<ProductPath> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().pop().unwrap_or(Self::Portable))
    }
}

impl BitsPath {
    /// What this processor can do, the slowest first.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        all.extend(x86::Gfni::detect().map(Self::Wide));
        all
    }

    /// The fastest.
    #[inline]
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<BitsPath> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().pop().unwrap_or(Self::Portable))
    }
}
