//! Random linear combinations over GF(2^128) of blocks and bits: what checks of many values at once compare.

use mpc_block::{Block, BlockPrg, Unreduced};

/// Coefficients that are drawn at once; they fit the first-level cache.
const PART: usize = 512;

/// The sum of `c_i·v_i` for coefficients `c` that a seed decides. Parties that add equally many values in one order combine by
/// the same coefficients. A false value passes with probability 2^-128, if the seed was drawn after the values were fixed.
pub(crate) struct Combination {
    coefficients: BlockPrg,
    part: Vec<Block>,
    blocks: Unreduced,
    bits: Block,
}

impl Combination {
    pub(crate) fn new(seed: Block) -> Self {
        let (part, blocks) = (vec![Block::ZERO; PART], Unreduced::new());
        Self { coefficients: BlockPrg::new(seed), part, blocks, bits: Block::ZERO }
    }

    /// Adds blocks.
    pub(crate) fn add(&mut self, values: &[Block]) {
        for values in values.chunks(PART) {
            let coefficients = &mut self.part[..values.len()];
            self.coefficients.fill(coefficients);
            self.blocks.add_dot(coefficients, values);
        }
    }

    /// Adds bits.
    pub(crate) fn add_bits(&mut self, values: &[u8]) {
        for values in values.chunks(PART) {
            let coefficients = &mut self.part[..values.len()];
            self.coefficients.fill(coefficients);
            for (coefficient, bit) in coefficients.iter().zip(values) {
                self.bits ^= coefficient.masked(*bit == 1);
            }
        }
    }

    /// The sum.
    pub(crate) fn finish(self) -> Block {
        let Self { coefficients: _, part: _, blocks, bits } = self;
        blocks.reduce() ^ bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_linear_and_do_not_depend_on_how_values_are_added() {
        let delta = Block::from_u128(0x1234_5678_9abc_def0_1122_3344_5566_7788);
        let mut prg = BlockPrg::new(Block::ONE);
        let mut keys = vec![Block::ZERO; 1300];
        prg.fill(&mut keys);
        let bits: Vec<u8> = keys.iter().map(|key| u8::from(key.bit(9))).collect();
        let macs: Vec<Block> = keys.iter().zip(&bits).map(|(key, bit)| *key ^ delta.masked(*bit == 1)).collect();
        let seed = Block::from_u128(77);
        let sum = |parts: [&[Block]; 2]| {
            let mut sum = Combination::new(seed);
            parts.iter().for_each(|part| sum.add(part));
            sum.finish()
        };
        let whole = sum([&keys, &[]]);
        // 512 is where a part ends.
        assert!(whole == sum([&keys[..512], &keys[512..]]));
        let mut value = Combination::new(seed);
        value.add_bits(&bits);
        assert!(sum([&macs, &[]]) == whole ^ value.finish().gf_mul(delta));
    }
}
