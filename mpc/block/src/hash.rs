//! The tweakable correlation-robust hash that labels and transfers are hashed with.

use bytemuck::must_cast_slice;

use crate::cast::raw_mut;
use crate::cipher::Tweaks;
use crate::{Aes, Block};

/// Tweakable circular correlation-robust hash TMMO: `H(x, i) = p(p(x) ^ i) ^ p(x)`, where `p` is AES-128 under a public key
/// of the session (Guo, Katz, Wang and Yu, "Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers", S&P
/// 2020, section 7.4). Two encryptions a hash.
///
/// *What it needs*: no tweak is used twice for one correlation. The key is public; one of its own a session, such as a
/// digest of the session, keeps what was computed against other sessions from helping against this one.
pub struct Tmmo(Aes);

impl Tmmo {
    /// The hash under a public key.
    pub fn new(key: Block) -> Self {
        Self(Aes::new(key))
    }

    /// The permutation.
    pub(crate) fn aes(&self) -> &Aes {
        &self.0
    }

    /// `H(x, tweak)`. Many at once are several times faster.
    pub fn hash(&self, x: Block, tweak: u128) -> Block {
        let mut xs = [x];
        self.hash_all(&mut xs, tweak);
        xs[0]
    }

    /// `xs[j] = H(xs[j], first + j)`, the tweak modulo 2^128.
    pub fn hash_all(&self, xs: &mut [Block], first: u128) {
        self.0.hash(raw_mut(xs), Tweaks::From(first));
    }

    /// `xs[j] = H(xs[j], tweaks[j])`.
    ///
    /// # Panics
    /// When there are not as many tweaks as blocks: a block that stayed as it is could give a correlation away.
    pub fn hash_tweaked(&self, xs: &mut [Block], tweaks: &[u128]) {
        assert_eq!(xs.len(), tweaks.len(), "a tweak a block");
        self.0.hash(raw_mut(xs), Tweaks::Each(must_cast_slice(tweaks)));
    }
}
