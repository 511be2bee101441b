//! AES by the crate `aes`, which is constant-time on every processor.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, Zeroizing};

use crate::Block;
use crate::cast::{Bytes, raw_mut};
use crate::cipher::{Cipher, Mode, Tweaks};

/// Blocks that are worked on together.
const GROUP: usize = 32;

/// AES-128 under one key; the crate `aes` wipes it when dropped.
pub(crate) struct Portable(Aes128);

impl Portable {
    pub(crate) fn new(key: Block) -> Self {
        let mut bytes = key.to_bytes();
        let cipher = Aes128::new(Array::cast_from_core(&bytes));
        bytes.zeroize();
        Self(cipher)
    }
}

/// Room for a group; wiped when dropped.
fn group() -> Zeroizing<[Block; GROUP]> {
    Zeroizing::new([Block::ZERO; GROUP])
}

fn xor(to: &mut Bytes, from: &Bytes) {
    *to = (u128::from_le_bytes(*to) ^ u128::from_le_bytes(*from)).to_le_bytes();
}

fn xor_all(to: &mut [Bytes], from: &[Bytes]) {
    to.iter_mut().zip(from).for_each(|(to, from)| xor(to, from));
}

/// Writes `first`, `first + 1` and so on.
fn count(first: u128, out: &mut [Bytes]) {
    for (at, block) in out.iter_mut().enumerate() {
        *block = first.wrapping_add(at as u128).to_le_bytes();
    }
}

impl Cipher for Portable {
    fn encrypt(&self, blocks: &mut [Bytes]) {
        self.0.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }

    fn stream(&self, first: u128, mode: Mode, out: &mut [Bytes]) {
        let mut room = group();
        for (at, chunk) in out.chunks_mut(GROUP).enumerate() {
            let stream = &mut raw_mut(&mut *room)[..chunk.len()];
            count(first.wrapping_add((at * GROUP) as u128), stream);
            self.encrypt(stream);
            match mode {
                Mode::Replace => chunk.copy_from_slice(stream),
                Mode::Add => xor_all(chunk, stream),
            }
        }
    }

    fn hash(&self, xs: &mut [Bytes], tweaks: Tweaks<'_>) {
        let (mut inner, mut counted) = (group(), group());
        for (place, chunk) in xs.chunks_mut(GROUP).enumerate() {
            let at = place * GROUP;
            let inner = &mut raw_mut(&mut *inner)[..chunk.len()];
            self.encrypt(chunk);
            inner.copy_from_slice(chunk);
            match tweaks {
                Tweaks::From(first) => {
                    let counted = &mut raw_mut(&mut *counted)[..chunk.len()];
                    count(first.wrapping_add(at as u128), counted);
                    xor_all(chunk, counted);
                }
                Tweaks::Each(each) => xor_all(chunk, each.get(at..).unwrap_or_default()),
            }
            self.encrypt(chunk);
            xor_all(chunk, inner);
        }
    }

    fn expand(pair: [&Self; 2], parents: &[Bytes], children: &mut [Bytes]) {
        let mut room = group();
        for (parents, families) in parents.chunks(GROUP).zip(children.chunks_mut(2 * GROUP)) {
            for (side, cipher) in pair.iter().enumerate() {
                let images = &mut raw_mut(&mut *room)[..parents.len()];
                images.copy_from_slice(parents);
                cipher.encrypt(images);
                xor_all(images, parents);
                for (family, image) in families.as_chunks_mut::<2>().0.iter_mut().zip(images) {
                    family[side] = *image;
                }
            }
        }
    }
}
