//! AES-128 under one key, of many blocks at once.

use crate::Block;
use crate::cast::{Bytes, raw_mut};
use crate::cipher::{Cipher, Mode, Tweaks};
use crate::half_gates::Table;
use crate::path::AesPath;
use crate::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::x86::{Narrow, Wide};

/// AES-128 (FIPS 197) with an expanded key, which is wiped when dropped. A block's bytes are the cipher's input bytes.
///
/// The cost is the processor's: with AVX-512 and VAES 32 blocks are under way at a time.
pub struct Aes(Inner);

enum Inner {
    Portable(Box<Portable>),
    #[cfg(target_arch = "x86_64")]
    Narrow(Narrow),
    #[cfg(target_arch = "x86_64")]
    Wide(Wide),
}

/// Does the same with whichever cipher there is.
macro_rules! with {
    ($aes:expr, $cipher:ident => $do:expr) => {
        match &$aes.0 {
            Inner::Portable($cipher) => $do,
            #[cfg(target_arch = "x86_64")]
            Inner::Narrow($cipher) => $do,
            #[cfg(target_arch = "x86_64")]
            Inner::Wide($cipher) => $do,
        }
    };
}

impl Aes {
    /// Expands a key.
    pub fn new(key: Block) -> Self {
        Self::by(AesPath::best(), key)
    }

    /// Expands a key for one way of computing.
    pub(crate) fn by(path: AesPath, key: Block) -> Self {
        Self(match path {
            AesPath::Portable => Inner::Portable(Box::new(Portable::new(key))),
            #[cfg(target_arch = "x86_64")]
            AesPath::Narrow(aes_ni) => Inner::Narrow(Narrow::new(aes_ni, key)),
            #[cfg(target_arch = "x86_64")]
            AesPath::Wide(vaes) => Inner::Wide(Wide::new(vaes, key)),
        })
    }

    /// The block's encryption.
    pub fn encrypt(&self, block: Block) -> Block {
        let mut blocks = [block];
        self.encrypt_all(&mut blocks);
        blocks[0]
    }

    /// Replaces every block by its encryption.
    pub fn encrypt_all(&self, blocks: &mut [Block]) {
        with!(self, cipher => cipher.encrypt(raw_mut(blocks)));
    }

    /// See [`Cipher::stream`].
    pub(crate) fn stream(&self, first: u128, mode: Mode, out: &mut [Bytes]) {
        with!(self, cipher => cipher.stream(first, mode, out));
    }

    /// See [`Cipher::hash`].
    pub(crate) fn hash(&self, xs: &mut [Bytes], tweaks: Tweaks<'_>) {
        with!(self, cipher => cipher.hash(xs, tweaks));
    }

    /// See [`Cipher::garble`].
    pub(crate) fn garble(
        &self,
        delta: Block,
        first: u64,
        inputs: [&[Block]; 2],
        tables: &mut [Table],
        out: &mut [Block],
    ) {
        with!(self, cipher => cipher.garble(delta, first, inputs, tables, out));
    }

    /// See [`Cipher::evaluate`].
    pub(crate) fn evaluate(&self, first: u64, inputs: [&[Block]; 2], tables: &[Table], out: &mut [Block]) {
        with!(self, cipher => cipher.evaluate(first, inputs, tables, out));
    }
}
