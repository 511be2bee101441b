//! Bits on the wire, eight a byte, and bits in memory, one a byte.

/// Bytes that `count` bits take on the wire.
pub(crate) const fn bytes(count: usize) -> usize {
    count.div_ceil(8)
}

/// Packs bits that are 0 or 1; the rest of the last byte is zero.
pub(crate) fn pack(bits: &[u8]) -> Vec<u8> {
    let byte = |chunk: &[u8]| chunk.iter().enumerate().fold(0, |byte, (at, bit)| byte | (bit & 1) << at);
    bits.chunks(8).map(byte).collect()
}

/// Adds (exclusive or) `to.len()` packed bits to bits in memory; `None` when there are fewer, or more than zeros behind them.
pub(crate) fn add_packed(to: &mut [u8], packed: &[u8]) -> Option<()> {
    let rest = to.len() % 8;
    let behind = packed.last().map_or(0, |last| if rest == 0 { 0 } else { last >> rest });
    if packed.len() != bytes(to.len()) || behind != 0 {
        return None;
    }
    to.iter_mut().enumerate().for_each(|(at, bit)| *bit ^= packed[at / 8] >> (at % 8) & 1);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_and_other_lengths_do_not() {
        for count in [0, 1, 7, 8, 9, 64, 77] {
            let bits: Vec<u8> = (0..count).map(|at| u8::from(at % 3 == 0)).collect();
            let mut packed = pack(&bits);
            let mut back = vec![0; count];
            assert!(packed.len() == bytes(count) && add_packed(&mut back, &packed).is_some() && back == bits);
            if count % 8 != 0 {
                *packed.last_mut().unwrap() |= 0x80;
                assert!(add_packed(&mut back, &packed).is_none());
            }
            packed.push(0);
            assert!(add_packed(&mut back, &packed).is_none());
        }
    }
}
