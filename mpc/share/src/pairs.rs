//! Vectors of 32-bit words, two a word: the first half of the vector in the low halves, the second in the high ones.

const LOW: u64 = 0xffff_ffff;

/// The low halves of the words, paired.
pub(crate) fn paired(words: &[u64]) -> Vec<u64> {
    let (first, second) = words.split_at(words.len().div_ceil(2));
    let second = second.iter().copied().chain(std::iter::once(0));
    first.iter().zip(second).map(|(low, high)| (low & LOW) | high << 32).collect()
}

/// The inverse of [`paired`] for `len` words.
pub(crate) fn parted(pairs: &[u64], len: usize) -> Vec<u64> {
    pairs.iter().map(|pair| pair & LOW).chain(pairs.iter().map(|pair| pair >> 32)).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back() {
        for len in [0, 1, 2, 5, 8] {
            let words: Vec<u64> = (1..=len as u64).collect();
            assert_eq!(parted(&paired(&words), len), words);
        }
    }
}
