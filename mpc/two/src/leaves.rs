//! Digits of 4 bits compared by one of 16 transfers each, every one of them from 4 random transfers.
//!
//! Party 0 has a digit `a`, party 1 a digit `b`. Party 0 offers the answers for all 16 values of `b`, under masks of
//! its own, as a table of one or two bits a value; party 1 takes the entry at `b` (Rathee et al., CrypTFlow2, CCS 2020,
//! Algorithm 1). The pad of entry `v` is the sum of 4 keys, one a bit of `v` (Naor and Pinkas, STOC
//! 1999), of each of which it takes a part that no other entry takes; so the pads of the other entries stay unknown,
//! also together.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::cot::mask;
use crate::line::Line;
use crate::party::{Party, Role};
use crate::shares::WORD;
use crate::transfers::Pair;

/// Bits of a digit, and transfers of a leaf.
pub(crate) const DIGIT: usize = 4;
/// Transfers of the leaves of a word: a digit of 64 elements.
pub(crate) const TRANSFERS: usize = DIGIT * WORD;

/// What is asked of two digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether they are equal.
    Equal,
    /// Whether the first is smaller, and whether they are equal.
    Less,
}

/// Shares of the answers: a plane of bits for each digit, the lowest digit first, each `len.div_ceil(64)` words.
pub(crate) struct Answers {
    /// Whether the first digit is smaller; empty where that was not asked.
    pub(crate) less: Zeroizing<Vec<u64>>,
    /// Whether the digits are equal.
    pub(crate) equal: Zeroizing<Vec<u64>>,
}

impl Question {
    /// Bytes of a leaf's table.
    const fn bytes(self) -> usize {
        match self {
            Self::Equal => 2,
            Self::Less => 4,
        }
    }

    /// The part of a table whose entries have bit `bit` of their number set.
    const fn part(self, bit: usize) -> u64 {
        match (self, bit) {
            (Self::Equal, 0) => 0xaaaa,
            (Self::Equal, 1) => 0xcccc,
            (Self::Equal, 2) => 0xf0f0,
            (Self::Equal, _) => 0xff00,
            (Self::Less, 0) => 0xcccc_cccc,
            (Self::Less, 1) => 0xf0f0_f0f0,
            (Self::Less, 2) => 0xff00_ff00,
            (Self::Less, _) => 0xffff_0000,
        }
    }

    /// The table of digit `a` under the masks `less` and `equal`, of which the lowest bits count: entry `v` has the
    /// bits `a < v` and `a = v`, or the latter alone.
    const fn table(self, a: u64, less: u64, equal: u64) -> u64 {
        match self {
            Self::Equal => (1 << a) ^ mask(equal),
            Self::Less => {
                let (even, odd) = (0x5555_5555_u64, 0xaaaa_aaaa_u64);
                (even << (2 * a + 2)) ^ (2 << (2 * a)) ^ (even & mask(less)) ^ (odd & mask(equal))
            }
        }
    }

    /// The bits `less` and `equal` of entry `v`.
    const fn entry(self, table: u64, v: u64) -> [u64; 2] {
        match self {
            Self::Equal => [0, table >> v & 1],
            Self::Less => [table >> (2 * v) & 1, table >> (2 * v + 1) & 1],
        }
    }

    /// The pad of a leaf's table: for each bit of the entry's number the key for its value, exchanged where the flip
    /// says so.
    fn pad(self, keys: &[Pair], flips: u64) -> u64 {
        let of = |(bit, [zero, one]): (usize, &Pair)| zero ^ ((zero ^ one) & (mask(flips >> bit) ^ self.part(bit)));
        keys.iter().enumerate().map(of).fold(0, |pad, part| pad ^ part)
    }
}

/// A number that is compared digit by digit.
pub(crate) trait Number: Copy + Default + Send + Sync {
    /// Digit `place`, the lowest first.
    fn digit(self, place: usize) -> u64;
}

impl Number for u64 {
    #[inline]
    fn digit(self, place: usize) -> u64 {
        self >> (DIGIT * place) & 15
    }
}

impl Number for u128 {
    #[inline]
    fn digit(self, place: usize) -> u64 {
        (self >> (DIGIT * place)) as u64 & 15
    }
}

/// Compares the digits of party 0's values with those of party 1's at the same places; `digits` from 1 to 16 (of long
/// numbers: 32), the lowest first.
pub(crate) async fn leaves<N: Number>(
    party: &mut Party,
    line: &mut Line,
    mine: &[N],
    digits: usize,
    question: Question,
) -> Result<Answers, Abort> {
    line.enter("digits");
    let words = mine.len().div_ceil(WORD);
    let transfers = TRANSFERS * words * digits;
    party.reserve(transfers, 0).await?;
    match party.role {
        Role::Zero => {
            let flips = line.words(&[], DIGIT * words * digits).await?;
            let (tables, answers) = offer(party, mine, digits, question, &flips);
            line.round(tables, 0).await?;
            Ok(answers)
        }
        Role::One => {
            let (keys, choices) = party.receiver.take(transfers);
            let flips = choose(choices, mine, digits);
            line.words(&flips, 0).await?;
            let tables = line.round(Vec::new(), question.bytes() * WORD * words * digits).await?;
            Ok(take(keys, mine, digits, question, &tables))
        }
    }
}

/// Party 0: all tables, and its shares of the answers, which are the masks.
fn offer<N: Number>(
    party: &mut Party,
    mine: &[N],
    digits: usize,
    question: Question,
    flips: &[u64],
) -> (Vec<u8>, Answers) {
    let planes = mine.len().div_ceil(WORD) * digits;
    let equal = Zeroizing::new(party.prg.words(planes));
    let less = Zeroizing::new(if question == Question::Less { party.prg.words(planes) } else { Vec::new() });
    let keys = party.sender.take(TRANSFERS * planes);
    let mut tables = Vec::with_capacity(question.bytes() * WORD * planes);
    let mut leaf = 0;
    for digit in 0..digits {
        for values in mine.chunks(WORD) {
            let (less, equal) = (less.get(leaf / WORD).copied().unwrap_or_default(), equal[leaf / WORD]);
            for lane in 0..WORD {
                let value = values.get(lane).copied().unwrap_or_default();
                let flips = flips[leaf / 16] >> (DIGIT * (leaf % 16));
                let pad = question.pad(&keys[DIGIT * leaf..][..DIGIT], flips);
                let table = question.table(value.digit(digit), less >> lane, equal >> lane) ^ pad;
                tables.extend_from_slice(&table.to_le_bytes()[..question.bytes()]);
                leaf += 1;
            }
        }
    }
    (tables, Answers { less, equal })
}

/// Party 1: by which bits its digits differ from the random choices, 16 digits a word.
fn choose<N: Number>(choices: &[u64], mine: &[N], digits: usize) -> Vec<u64> {
    let mut flips = choices.to_vec();
    let mut at = 0;
    for digit in 0..digits {
        for values in mine.chunks(WORD) {
            for (lane, value) in values.iter().enumerate() {
                flips[at + lane / 16] ^= value.digit(digit) << (DIGIT * (lane % 16));
            }
            at += DIGIT;
        }
    }
    flips
}

/// Party 1: the entries of the tables at its digits.
fn take<N: Number>(keys: &[u64], mine: &[N], digits: usize, question: Question, tables: &[u8]) -> Answers {
    let planes = mine.len().div_ceil(WORD) * digits;
    let mut less = Zeroizing::new(Vec::<u64>::with_capacity(planes));
    let mut equal = Zeroizing::new(Vec::<u64>::with_capacity(planes));
    let mut leaves = keys.chunks_exact(DIGIT).zip(tables.chunks_exact(question.bytes()));
    for digit in 0..digits {
        for values in mine.chunks(WORD) {
            let mut words = [0_u64, 0];
            for (lane, (keys, table)) in leaves.by_ref().take(WORD).enumerate() {
                let value = values.get(lane).copied().unwrap_or_default();
                let sealed = table.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
                let open = keys.iter().fold(sealed, |open, key| open ^ key);
                let bits = question.entry(open, value.digit(digit));
                words = [words[0] | bits[0] << lane, words[1] | bits[1] << lane];
            }
            if question == Question::Less {
                less.push(words[0]);
            }
            equal.push(words[1]);
        }
    }
    Answers { less, equal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_every_table_opens_to_its_answer() {
        let keys: [Pair; DIGIT] = [[0x1234_5678, 0x9abc_def0], [0x0f1e_2d3c, 0x4b5a_6978], [77, 99], [u64::MAX, 3]];
        for question in [Question::Equal, Question::Less] {
            for (a, v, choice, masks) in
                (0..1 << 14).map(|all: u64| (all & 15, all >> 4 & 15, all >> 8 & 15, all >> 12))
            {
                let sealed = question.table(a, masks & 1, masks >> 1) ^ question.pad(&keys, choice ^ v);
                let sealed = sealed & ((1 << (8 * question.bytes())) - 1);
                let open = (0..DIGIT).fold(sealed, |open, bit| open ^ keys[bit][(choice >> bit & 1) as usize]);
                let [less, equal] = question.entry(open, v);
                assert_eq!(equal ^ (masks >> 1), u64::from(a == v), "{a} {v}");
                if question == Question::Less {
                    assert_eq!(less ^ (masks & 1), u64::from(a < v), "{a} {v}");
                }
            }
        }
    }
}
