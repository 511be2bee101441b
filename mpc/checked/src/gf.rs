//! GF(2^128) as a field of proofs: for relations between bits.

use bytemuck::{must_cast_slice, must_cast_slice_mut};
use mpc_block::{Block, Unreduced, gf_combine};

use crate::field::Field;
use crate::stream::Stream;

/// GF(2^128); every entry of a vector is reduced.
pub(crate) struct Gf;

/// `x·t`, where `t` is the element whose only bit is bit 1.
pub(crate) fn times_t(x: Block) -> Block {
    let bits = x.to_u128();
    let carry = (bits >> 127).wrapping_neg();
    Block::from_u128((bits << 1) ^ (carry & 0x87))
}

impl Field for Gf {
    type Element = Block;
    type Sum = Unreduced;
    const BYTES: usize = 16;

    fn one(&self) -> Block {
        Block::ONE
    }

    fn add(&self, x: Block, y: Block) -> Block {
        x ^ y
    }

    fn sub(&self, x: Block, y: Block) -> Block {
        x ^ y
    }

    fn mul(&self, x: Block, y: Block) -> Block {
        x.gf_mul(y)
    }

    fn reduced(&self, x: Block) -> Block {
        x
    }

    #[inline(always)]
    fn difference(&self, _level: u32, high: &[Block], low: &[Block], out: &mut [Block]) {
        let (high, low) = (must_cast_slice::<Block, u64>(high), must_cast_slice::<Block, u64>(low));
        let out = must_cast_slice_mut::<Block, u64>(out);
        out.iter_mut().zip(high).zip(low).for_each(|((out, high), low)| *out = high ^ low);
    }

    fn add_dot(&self, sum: &mut Unreduced, x: &[Block], y: &[Block]) {
        sum.add_dot(x, y);
    }

    fn total(&self, sum: Unreduced) -> Block {
        sum.reduce()
    }

    fn combine(&self, rows: &mut [Block], by: &[Block]) {
        gf_combine(rows, by);
    }

    fn draw(&self, stream: &mut Stream) -> Block {
        stream.block()
    }

    fn write(&self, x: Block, out: &mut Vec<u8>) {
        out.extend_from_slice(&x.to_bytes());
    }

    fn read(&self, bytes: &[u8]) -> Block {
        let mut block = [0; 16];
        block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Block::from_bytes(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_t_is_the_product_with_t() {
        let mut stream = Stream::new(&[3; 32]);
        for x in stream.blocks(50) {
            assert!(times_t(x) == x.gf_mul(Block::from_u128(2)));
        }
    }

    #[test]
    fn rows_are_combined_column_by_column() {
        let mut stream = Stream::new(&[4; 32]);
        let (rows, by) = (stream.blocks(4 * 5), stream.blocks(4));
        let mut combined = rows.clone();
        Gf.combine(&mut combined, &by);
        for (k, out) in combined[..5].iter().enumerate() {
            let column: Vec<Block> = (0..4).map(|row| rows[row * 5 + k]).collect();
            assert!(*out == Gf.inner(&by, &column));
        }
    }
}
