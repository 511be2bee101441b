//! Choice bits packed into blocks: choice `j` is bit `j % 128` of block `j / 128`.

use mpc_block::Block;

/// Bits in one block.
pub const BLOCK_BITS: usize = 128;

/// Blocks that `count` packed bits take.
pub const fn blocks(count: usize) -> usize {
    count.div_ceil(BLOCK_BITS)
}

/// Bit `at` of packed bits; false behind their end.
pub fn get(bits: &[Block], at: usize) -> bool {
    bits.get(at / BLOCK_BITS).is_some_and(|block| block.bit((at % BLOCK_BITS) as u32))
}

/// Packs bits; the rest of the last block is zero.
pub fn pack(bits: &[bool]) -> Vec<Block> {
    let block = |chunk: &[bool]| {
        let word = chunk.iter().enumerate().fold(0, |word, (at, bit)| word | u128::from(*bit) << at);
        Block::from_u128(word)
    };
    bits.chunks(BLOCK_BITS).map(block).collect()
}

/// Sets every bit from `count` on to zero.
pub(crate) fn clear_from(bits: &mut [Block], count: usize) {
    let (full, rest) = (count / BLOCK_BITS, count % BLOCK_BITS);
    for (at, block) in bits.iter_mut().enumerate().skip(full) {
        let keep = if at == full { (1_u128 << rest) - 1 } else { 0 };
        *block = *block & Block::from_u128(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_and_the_rest_is_cleared() {
        for count in [0, 1, 127, 128, 129, 300] {
            let given: Vec<bool> = (0..count).map(|at| at % 3 == 0 || at % 7 == 2).collect();
            let packed = pack(&given);
            assert_eq!(packed.len(), blocks(count));
            assert!(given.iter().enumerate().all(|(at, bit)| get(&packed, at) == *bit));
            assert!(!get(&packed, count));
            let mut ones = vec![Block::ONES; 4];
            clear_from(&mut ones, count);
            assert!((0..512).all(|at| get(&ones, at) == (at < count)), "{count}");
        }
    }
}
