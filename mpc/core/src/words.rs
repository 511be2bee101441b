//! Vectors of 64-bit words as bytes on the wire: eight little-endian bytes a word and nothing else.

/// Bytes that `count` words take.
pub const fn bytes(count: usize) -> usize {
    count * 8
}

/// The words as bytes.
pub fn encode(words: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes(words.len()));
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out
}

/// The bytes as words; a rest shorter than a word is left out, since lengths are checked at the wire.
pub fn decode(input: &[u8]) -> Vec<u64> {
    let (chunks, _) = input.as_chunks::<8>();
    chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_come_back() {
        let words = [0, 1, u64::MAX, 0x0123_4567_89ab_cdef];
        assert_eq!(super::decode(&super::encode(&words)), words);
        assert_eq!(super::encode(&[1]), [1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
