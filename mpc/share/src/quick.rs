//! An oblivious stable sort of rows by comparisons: the rows are shuffled, then answers to comparisons are opened.
//!
//! Hamada, Kikuchi, Ikarashi, Chida and Takahashi, "Practically Efficient Multi-party Sorting Protocols from Comparison Sort
//! Algorithms" (ICISC 2012). A row's number here is its keys with the row's place behind, so all numbers differ and ties keep their
//! order. After a shuffle that no party knows the order of different numbers is a uniformly random permutation, whatever
//! they are; which rows are compared, and so how often, depends on earlier answers alone ([`crate::ranking`]). So what is opened is
//! simulated from a random permutation, and nothing is learnt.
//!
//! A comparison is the borrow out of a difference, by a tree of blocks as in [`crate::carry`]: about `9/8` bytes a place from all
//! parties together, and a row takes part in about `log2` of the number of rows and two more. The digits of [`crate::radix`]
//! take 68 bytes a row and place: for keys of more than some fifteen places comparisons are cheaper.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::{unpack, words_for};
use crate::fold::{halves, reversed, reversed_half};
use crate::pairs::paired;
use crate::ranking::Ranking;
use crate::shuffle::Columns;
use crate::{Arith, Rep3, Replicated, Words, radix};

/// Comparisons made at once: their words stay in the processor's caches.
const AT_ONCE: usize = 1 << 17;
/// Bytes that could be sent in the time of a round.
const ROUND_BYTES: u64 = 1 << 16;
const WORD: u32 = u64::BITS;
const HALF: u32 = WORD / 2;

/// The rows' numbers, ready to be compared.
struct Numbers {
    /// Words of places in reversed order, the most significant first: turned over, and as they are.
    words: Vec<[Words; 2]>,
    /// Whether the first has [`HALF`] places.
    half: bool,
}

/// Bits of a row's place.
fn place_bits(rows: usize) -> u32 {
    usize::BITS - rows.saturating_sub(1).leading_zeros()
}

/// Whether comparisons take less time than passes over the digits, as far as bytes and rounds tell.
pub(crate) fn is_cheaper(rows: usize, keys: &[(&Words, u32)]) -> bool {
    let (count, depth) = (rows as u64, u64::from(rows.max(1).ilog2()));
    let bits = keys.iter().map(|(_, bits)| *bits).sum::<u32>() + place_bits(rows);
    let (words, rest) = (u64::from(bits / WORD), bits % WORD);
    let places = u64::from(WORD) * words + u64::from(if rest > HALF { WORD } else { HALF.min(rest * HALF) });
    let passes: u64 = keys.iter().map(|(_, bits)| u64::from(bits.div_ceil(radix::DIGIT_BITS))).sum();
    let by_digits = passes * (radix::PASS_BYTES * count + radix::PASS_ROUNDS * ROUND_BYTES);
    let by_comparisons = (depth + 2) * count * places * 9 / 8 + (2 * depth + 2) * (9 + words) * ROUND_BYTES;
    by_comparisons < by_digits
}

/// Elements of a column, then zeros up to `len`; `half` words are paired.
fn picked(column: &Words, rows: impl Iterator<Item = u32> + Clone, len: usize, half: bool) -> Words {
    let of = |words: &[u64]| {
        let mut out = Vec::with_capacity(len);
        out.extend(rows.clone().map(|row| words[row as usize]));
        out.resize(len, 0);
        if half { paired(&Zeroizing::new(out)) } else { out }
    };
    Words::new(of(&column.own), of(&column.next))
}

impl Rep3 {
    /// As [`Rep3::sort_by_words`], for two rows or more.
    pub(crate) async fn sort_by_comparisons(
        &mut self,
        columns: Vec<Arith>,
        keys: &[(&Words, u32)],
    ) -> Result<Vec<Arith>, Abort> {
        let rows = keys.first().map_or(0, |(key, _)| key.len());
        assert!(keys.iter().all(|(key, bits)| key.len() == rows && *bits <= WORD), "keys have one length");
        let count = u32::try_from(rows).map_err(|_| self.ctx.name(Abort::local("more than 2^32 rows")))?;
        let (words, used) = self.numbered(keys, rows);
        let Columns { first, second } = self.shuffle_both(Columns { first: columns, second: words }).await?;
        let numbers = self.ready(&second, used <= HALF);
        drop(second);
        let mut ranking = Ranking::new(count);
        while let Some(pairs) = ranking.questions() {
            let mut answers = Vec::with_capacity(pairs.len());
            for part in pairs.chunks(AT_ONCE) {
                answers.extend(self.come_before(&numbers, part).await?);
            }
            ranking.told(answers.into_iter().map(|answer| answer == 1));
        }
        let places = ranking.places();
        Ok(first.iter().map(|column| column.permuted(&places)).collect())
    }

    /// For every row its keys with its place behind: words, the least significant first, and how many places of the last are
    /// used.
    fn numbered(&self, keys: &[(&Words, u32)], rows: usize) -> (Vec<Words>, u32) {
        let places: Words = self.public(&(0..rows as u64).collect::<Vec<_>>());
        let (mut words, mut used) = (Vec::<Words>::new(), WORD);
        for (key, bits) in std::iter::once((&places, place_bits(rows))).chain(keys.iter().rev().copied()) {
            if bits == 0 {
                continue;
            }
            let (key, free) = (key.each(|word| word & (u64::MAX >> (WORD - bits))), WORD - used);
            if let Some(last) = words.last_mut().filter(|_| free > 0) {
                *last = last.add(&key.shl(used));
            }
            if bits > free {
                words.push(key.shr(free));
                used = bits - free;
            } else {
                used += bits;
            }
        }
        (words, used)
    }

    fn ready(&self, words: &[Words], half: bool) -> Numbers {
        let top = words.len().saturating_sub(1);
        let ready = |(at, word): (usize, &Words)| {
            let word = if half && at == top { word.each(reversed_half) } else { word.each(reversed) };
            [self.complement(&word), word]
        };
        Numbers { words: words.iter().enumerate().rev().map(ready).collect(), half }
    }

    /// For each pair of rows: 1 where the first has the smaller number, else 0. Eight rounds, and one for each word but the first.
    async fn come_before(&mut self, numbers: &Numbers, pairs: &[[u32; 2]]) -> Result<Vec<u64>, Abort> {
        let len = 64 * words_for(pairs.len());
        let both = |(at, [turned, plain]): (usize, &[Words; 2])| {
            let half = numbers.half && at == 0;
            let first = picked(turned, pairs.iter().map(|pair| pair[0]), len, half);
            [first, picked(plain, pairs.iter().map(|pair| pair[1]), len, half)]
        };
        let sides: Vec<[Words; 2]> = numbers.words.iter().enumerate().map(both).collect();
        // A place generates a borrow for 0 - 1, and passes one on for equal bits.
        let factors: Vec<_> = sides.iter().map(|[first, second]| (first.view(), second.view())).collect();
        let generate = self.mul_many(&factors).await?;
        let blocks = generate.into_iter().zip(&sides).map(|(generate, [first, second])| [generate, first.add(second)]);
        let mut blocks: Vec<[Words; 2]> = blocks.collect();
        // From here on all words have fields of half a word, a row's blocks each.
        self.fold(&mut blocks[usize::from(numbers.half)..], HALF).await?;
        for width in [16, 8, 4, 2, 1] {
            self.fold(&mut blocks, width).await?;
        }
        let mut rising = blocks.into_iter().rev();
        let Some([mut before, _]) = rising.next() else {
            return Ok(Vec::new());
        };
        for [generate, pass] in rising {
            before = self.mul(&pass, &before).await?.add(&generate);
        }
        let opened = self.open(&before).await?;
        Ok(unpack(&opened, pairs.len()))
    }

    /// Makes one block of every two neighbours, in fields of `2·width` places. One round.
    async fn fold(&mut self, blocks: &mut [[Words; 2]], width: u32) -> Result<(), Abort> {
        if blocks.is_empty() {
            return Ok(());
        }
        let parts = |[generate, pass]: &[Words; 2]| (halves(generate.view(), width), halves(pass.view(), width));
        let parts: Vec<_> = blocks.iter().map(parts).collect();
        let mut factors = Vec::with_capacity(2 * parts.len());
        for ([low, _], [pass_low, pass_high]) in &parts {
            factors.extend([(pass_high.view(), low.view()), (pass_high.view(), pass_low.view())]);
        }
        let mut products = self.mul_many(&factors).await?.into_iter();
        for (block, ([_, high], _)) in blocks.iter_mut().zip(&parts) {
            // A block generates and passes on never at once, so exclusive or is or.
            if let (Some(carried), Some(pass)) = (products.next(), products.next()) {
                *block = [high.add(&carried), pass];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mpc_core::{Context, memory};

    use super::*;

    #[test]
    fn wide_keys_are_compared_and_narrow_ones_of_few_rows_go_by_digits() {
        let key = Words::zeros(0);
        let cheaper = |rows, bits: &[u32]| is_cheaper(rows, &bits.iter().map(|bits| (&key, *bits)).collect::<Vec<_>>());
        assert!(
            cheaper(100_000, &[64]) && cheaper(10_000, &[64]) && cheaper(128, &[64, 3]) && cheaper(1_000_000, &[40])
        );
        assert!(!cheaper(100_000, &[6]) && !cheaper(300, &[1, 7]) && !cheaper(12, &[6]) && !cheaper(1, &[1]));
    }

    async fn sorted(mut ctx: Context, key: &[u64], bits: u32) -> Result<Vec<u64>, Abort> {
        let mut party = Rep3::setup(&mut ctx).await?;
        let places: Arith = party.public(&(0..key.len() as u64).collect::<Vec<_>>());
        let key: Words = party.public(key);
        let columns = party.sort_by_comparisons(vec![places], &[(&key, bits)]).await?;
        party.open(&columns[0]).await
    }

    #[tokio::test]
    async fn numbers_of_every_width_come_into_order() {
        for (rows, bits) in [(2, 1), (40, 3), (100, 25), (100, 26), (33, 58), (33, 59), (70, 64)] {
            let key: Vec<u64> =
                (1..=rows).map(|row: u64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_003).collect();
            let mut all = memory::contexts(memory::network(3), [9; 32]);
            let (two, one, zero) = (all.pop().unwrap(), all.pop().unwrap(), all.pop().unwrap());
            let out = tokio::join!(sorted(zero, &key, bits), sorted(one, &key, bits), sorted(two, &key, bits));
            let mut expect: Vec<u64> = (0..rows).collect();
            expect.sort_by_key(|row| key[*row as usize] & (u64::MAX >> (WORD - bits)));
            assert_eq!(out, (Ok(expect.clone()), Ok(expect.clone()), Ok(expect)), "{rows} rows of {bits} bits");
        }
    }

    #[test]
    fn a_place_has_as_many_bits_as_the_last_row_needs() {
        assert_eq!([0, 1, 2, 3, 4, 5, 1 << 20, (1 << 20) + 1].map(place_bits), [0, 0, 1, 2, 2, 3, 20, 21]);
    }
}
