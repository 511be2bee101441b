//! The instructions of x86-64 processors: proofs that they are there, and what is computed with them.
//!
//! Only [`AesNi::detect`] and its like make such a proof, so a function that takes one may enable the features that it
//! stands for.

mod aes;
mod clmul;
mod convolve;
mod half_gates;
mod sums;
mod transpose;
mod vaes;
mod wide;
mod xor;

pub(crate) use self::aes::Narrow;
pub(crate) use self::vaes::Wide;

macro_rules! proof {
    ($(#[$doc:meta])* $name:ident: $($feature:tt),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(());

        impl $name {
            /// The proof, where the processor and its operating system have all of it.
            pub(crate) fn detect() -> Option<Self> {
                let all = $(std::arch::is_x86_feature_detected!($feature))&&+;
                all.then_some(Self(()))
            }
        }
    };
}

proof! {
    /// AES on a block.
    AesNi: "aes", "sse2"
}
proof! {
    /// AES on four blocks, and on one.
    Vaes: "vaes", "avx512f", "aes", "sse2"
}
proof! {
    /// Carry-less products of two words.
    Clmul: "pclmulqdq", "sse2"
}
proof! {
    /// Carry-less products of four pairs of words, and of one.
    Vclmul: "vpclmulqdq", "avx512f", "pclmulqdq", "sse2"
}
proof! {
    /// Matrices of eight by eight bits, and bytes moved in registers of 512 bits.
    Gfni: "gfni", "avx512f", "avx512bw"
}

impl Vaes {
    /// The part of the proof that is about single blocks.
    pub(crate) fn aes_ni(self) -> AesNi {
        AesNi(())
    }
}

impl Vclmul {
    /// The part of the proof that is about single pairs.
    pub(crate) fn clmul(self) -> Clmul {
        Clmul(())
    }
}
