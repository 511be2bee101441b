//! Vectors of 64-bit words as bytes on the wire: eight little-endian bytes a word and nothing else.

/// Words that become bytes at a time, in the first-level cache.
const STRIP: usize = 256;

/// Bytes that `count` words take.
pub const fn bytes(count: usize) -> usize {
    count * 8
}

/// The words as bytes.
pub fn encode(words: &[u64]) -> Vec<u8> {
    frame(&[], words)
}

/// The words as bytes behind a header.
pub(crate) fn frame(header: &[u8], words: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len() + bytes(words.len()));
    out.extend_from_slice(header);
    // A strip is written twice, rather than all of the memory.
    let mut strip = [[0; 8]; STRIP];
    for words in words.chunks(STRIP) {
        let strip = &mut strip[..words.len()];
        strip.iter_mut().zip(words).for_each(|(chunk, word)| *chunk = word.to_le_bytes());
        out.extend_from_slice(strip.as_flattened());
    }
    out
}

/// Reads as many words as both sides have.
pub(crate) fn read(input: &[u8], out: &mut [u64]) {
    let (chunks, _) = input.as_chunks::<8>();
    out.iter_mut().zip(chunks).for_each(|(word, chunk)| *word = u64::from_le_bytes(*chunk));
}

/// Appends the bytes' words to `out`.
pub(crate) fn append(input: &[u8], out: &mut Vec<u64>) {
    out.extend(input.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)));
}

/// The bytes as words; a rest shorter than a word is left out, since lengths are checked at the wire.
pub fn decode(input: &[u8]) -> Vec<u64> {
    let mut out = Vec::with_capacity(input.len() / 8);
    append(input, &mut out);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_come_back() {
        let words = [0, 1, u64::MAX, 0x0123_4567_89ab_cdef];
        assert_eq!(super::decode(&super::encode(&words)), words);
        assert_eq!(super::encode(&[1]), [1, 0, 0, 0, 0, 0, 0, 0]);
        let many: Vec<u64> = (0..2 * super::STRIP as u64 + 3).map(|word| word << 40 | word).collect();
        let frame = super::frame(&[7; 3], &many);
        assert_eq!((&frame[..3], super::decode(&frame[3..])), (&[7; 3][..], many));
    }
}
