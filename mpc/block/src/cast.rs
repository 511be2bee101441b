//! Blocks as bytes and bytes as blocks, without copying where the alignment allows it, and sums of whole slices.

use bytemuck::{must_cast_mut, must_cast_ref, must_cast_slice, must_cast_slice_mut};

use crate::Block;
use crate::path::BitsPath;

/// A block's bytes, wherever they lie: unlike [`Block`] without alignment.
pub(crate) type Bytes = [u8; 16];

/// The blocks as bytes in little-endian order: 16 a block, without copying.
#[inline]
pub fn bytes_of(blocks: &[Block]) -> &[u8] {
    must_cast_slice(blocks)
}

/// The blocks as bytes in little-endian order, to be written: 16 a block, without copying.
#[inline]
pub fn bytes_of_mut(blocks: &mut [Block]) -> &mut [u8] {
    must_cast_slice_mut(blocks)
}

/// The blocks that the bytes encode; `None` unless their number is a multiple of 16.
pub fn blocks_of(bytes: &[u8]) -> Option<Vec<Block>> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    rest.is_empty().then(|| blocks.iter().map(|block| Block::from_bytes(*block)).collect())
}

/// Each block as its 16 bytes.
#[inline]
pub(crate) fn raw(blocks: &[Block]) -> &[Bytes] {
    must_cast_slice(blocks)
}

/// Each block as its 16 bytes, to be written.
#[inline]
pub(crate) fn raw_mut(blocks: &mut [Block]) -> &mut [Bytes] {
    must_cast_slice_mut(blocks)
}

/// `to[i] ^= from[i]`. The slices have one length; if not, the shorter decides.
pub fn xor_into(to: &mut [Block], from: &[Block]) {
    debug_assert_eq!(to.len(), from.len(), "sums of unequal lengths");
    match BitsPath::best() {
        BitsPath::Portable => xor_portable(to, from),
        #[cfg(target_arch = "x86_64")]
        BitsPath::Wide(gfni) => gfni.xor(to, from),
    }
}

/// [`xor_into`] in words, which compilers make vectors of.
pub(crate) fn xor_portable(to: &mut [Block], from: &[Block]) {
    let (to, from) = (must_cast_slice_mut::<Block, u64>(to), must_cast_slice::<Block, u64>(from));
    for (to, from) in to.iter_mut().zip(from) {
        *to ^= from;
    }
}

/// `to[i] = a[i] ^ b[i]` where `bit`, else `a[i]`; by mask. The slices have one length; if not, the shortest decides.
pub fn xor_where(bit: bool, to: &mut [Block], a: &[Block], b: &[Block]) {
    debug_assert!(to.len() == a.len() && a.len() == b.len(), "sums of unequal lengths");
    xor_where_by(BitsPath::best(), Block::ONES.masked(bit), to, a, b);
}

/// [`xor_where`] in one way of computing.
pub(crate) fn xor_where_by(path: BitsPath, mask: Block, to: &mut [Block], a: &[Block], b: &[Block]) {
    match path {
        BitsPath::Portable => {
            for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                *to = *a ^ (*b & mask);
            }
        }
        #[cfg(target_arch = "x86_64")]
        BitsPath::Wide(gfni) => gfni.xor_where(mask, to, a, b),
    }
}

/// `to = a ^ b`, in words that compilers make one vector of: what is read back as a block at once is there at once.
#[inline]
pub fn set_xor(to: &mut Block, a: &Block, b: &Block) {
    let (a, b) = (must_cast_ref::<Block, [u64; 2]>(a), must_cast_ref::<Block, [u64; 2]>(b));
    *must_cast_mut::<Block, [u64; 2]>(to) = [a[0] ^ b[0], a[1] ^ b[1]];
}

/// `blocks[to] = blocks[a] ^ blocks[b]`, as [`set_xor`]. The places are public.
///
/// # Panics
/// When there is no block at a place.
#[inline]
pub fn xor_at(blocks: &mut [Block], to: usize, a: usize, b: usize) {
    let words = must_cast_slice_mut::<Block, [u64; 2]>(blocks);
    let sum = [words[a][0] ^ words[b][0], words[a][1] ^ words[b][1]];
    words[to] = sum;
}

/// `to[i] = from[i] ^ what`. The slices have one length; if not, the shorter decides.
pub fn xor_each(to: &mut [Block], from: &[Block], what: Block) {
    debug_assert_eq!(to.len(), from.len(), "sums of unequal lengths");
    to.iter_mut().zip(from).for_each(|(to, from)| set_xor(to, from, &what));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_blocks_are_one_memory_in_one_order() {
        let mut blocks = [Block::from_u128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100), Block::ONE];
        let bytes = bytes_of(&blocks).to_vec();
        assert_eq!(bytes[..17], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1]);
        assert!(blocks_of(&bytes).is_some_and(|back| back == blocks));
        bytes_of_mut(&mut blocks)[31] = 0x80;
        assert!(blocks[1] == Block::from_u128(1 << 127 | 1));
        assert!(blocks_of(&[]).is_some_and(|none| none.is_empty()));
        for len in (0..33).filter(|len| len % 16 != 0) {
            assert!(blocks_of(&vec![0; len]).is_none(), "{len} bytes");
        }
    }

    #[test]
    fn sums_of_single_blocks_are_those_of_the_operator() {
        let given = [Block::from_u128(3 << 70 | 5), Block::from_u128(9 << 64 | 12), Block::ONES];
        let mut blocks = given;
        xor_at(&mut blocks, 2, 0, 1);
        assert!(blocks == [given[0], given[1], given[0] ^ given[1]]);
        xor_at(&mut blocks, 0, 0, 0);
        set_xor(&mut blocks[1], &given[1], &given[2]);
        assert!(blocks[..2] == [Block::ZERO, !given[1]]);
        xor_each(&mut blocks, &given, given[0]);
        assert!(blocks == given.map(|block| block ^ given[0]));
    }
}
