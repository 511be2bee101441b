//! An oblivious stable sort by several key words, digit by digit: ties of all keys keep the order of the rows' numbers.
//!
//! Asharov et al. (CCS 2022, ePrint 2022/1595) and, for several bits a pass, algorithm 11 of Chida et al. (ePrint 2019/695), as in
//! [`crate::Replicated::sort`]. Here keys are words of bits: a digit's indicators are products of packed bits, of which only the
//! results become integers; the integers count rows, so two fit one word; and what moves in a pass is the rows' numbers
//! and the key words still needed, not the table. About nine words a row, party and pass of three bits, nine rounds. Where many
//! passes would be needed, rows are compared instead ([`crate::quick`]).

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits::unpack;
use crate::pairs::{paired, parted};
use crate::ring::Pairs32;
use crate::shuffle::Columns;
use crate::{Arith, Bits, Bits64, Rep3, Shared, Words, quick};

/// Bits of one digit: 2^bits - 1 indicators become integers in each pass.
pub(crate) const DIGIT_BITS: u32 = 3;
/// Bytes of a pass from all parties together, a row.
pub(crate) const PASS_BYTES: u64 = 204;
/// Rounds of a pass.
pub(crate) const PASS_ROUNDS: u64 = 9;
const LOW: u64 = 0xffff_ffff;

type Pairs = Shared<Pairs32>;

/// Running sums of all vectors one after the other, in each of them the low numbers before the high ones; returned in
/// place.
fn running_sums(vectors: &mut [Vec<u64>]) {
    let mut sum = 0u32;
    for vector in vectors {
        for shift in [0, 32] {
            for pair in vector.iter_mut() {
                sum = sum.wrapping_add((*pair >> shift) as u32);
                *pair = (*pair & !(LOW << shift)) | u64::from(sum) << shift;
            }
        }
    }
}

impl Rep3 {
    /// Sorts the rows of equally long columns by `keys`, the most significant first: each a word of bits, read as unsigned,
    /// and how many of its low bits count. Rows with equal keys keep their order. Nothing is learnt from it.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn sort_by_words(&mut self, columns: Vec<Arith>, keys: &[(&Words, u32)]) -> Result<Vec<Arith>, Abort> {
        let rows = keys.first().map_or(0, |(key, _)| key.len());
        if rows < 2 {
            return Ok(columns);
        }
        if quick::is_cheaper(rows, keys) {
            return self.sort_by_comparisons(columns, keys).await;
        }
        let order = self.sorted_order(keys).await?;
        self.gather(columns, order).await
    }

    /// The numbers of the rows in sorted order: element `j` is the row that comes `j`-th; as [`Rep3::sort_by_words`].
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when there are more than 2^31 rows, else when a peer is gone or misbehaves.
    pub async fn sorted_order(&mut self, keys: &[(&Words, u32)]) -> Result<Arith, Abort> {
        let rows = keys.first().map_or(0, |(key, _)| key.len());
        assert!(keys.iter().all(|(key, bits)| key.len() == rows && *bits <= 64), "keys have one length");
        if rows > 1 << 31 {
            return Err(self.ctx.name(Abort::local("more than 2^31 rows")));
        }
        if rows > 1 && quick::is_cheaper(rows, keys) {
            let numbers: Arith = self.public(&(0..rows as u64).collect::<Vec<_>>());
            let mut sorted = self.sort_by_comparisons(vec![numbers], keys).await?;
            return Ok(sorted.pop().unwrap_or_else(|| Arith::zeros(0)));
        }
        // A row's number travels in the high half of a word, its destination in the low one.
        let numbers: Pairs = self.public(&(0..rows as u64).map(|row| row << 32).collect::<Vec<_>>());
        let words = keys.iter().map(|(key, _)| (*key).clone()).collect();
        let mut table = Columns { first: vec![numbers], second: words };
        for (key, (_, bits)) in keys.iter().enumerate().rev() {
            table.second.truncate(key + 1);
            for low in (0..*bits).step_by(DIGIT_BITS as usize) {
                let width = DIGIT_BITS.min(bits - low);
                table = self.sort_pass(table, low, width).await?;
            }
        }
        let numbers = table.first.pop().unwrap_or_else(|| Pairs::zeros(0));
        self.widened(&numbers.each(|word| word >> 32)).await
    }

    /// One pass: rows move by the digit of `width` bits from bit `low` on of the last key.
    async fn sort_pass(
        &mut self,
        mut table: Columns<Pairs32, Bits64>,
        low: u32,
        width: u32,
    ) -> Result<Columns<Pairs32, Bits64>, Abort> {
        let Some(key) = table.second.last() else {
            return Ok(table);
        };
        let digit: Vec<Bits> = (low..low + width).map(|bit| Bits::of_words(key, bit)).collect();
        let rows = key.len();
        let to = self.destinations(&digit, rows).await?;
        let part = |to: &[u64]| parted(to, rows);
        let to = Pairs::new(part(&to.own), part(&to.next));
        table.first = table.first.iter().map(|numbers| numbers.both(&to, |word, to| (word & !LOW) | to)).collect();
        let moved = self.shuffle_both(table).await?;
        let opened = match moved.first.first() {
            Some(numbers) => {
                let to = Pairs::new(paired(&numbers.own), paired(&numbers.next));
                parted(&self.open_once(&to).await?, rows)
            }
            None => Vec::new(),
        };
        let to = self.checked_permutation(&opened)?;
        Ok(Columns {
            first: moved.first.iter().map(|column| column.permuted(&to)).collect(),
            second: moved.second.iter().map(|column| column.permuted(&to)).collect(),
        })
    }

    /// For each row, paired: how many rows come before it when sorted stably by a digit, lowest bit first.
    async fn destinations(&mut self, digit: &[Bits], rows: usize) -> Result<Pairs, Abort> {
        let is = self.values_of_digit(digit).await?;
        let half = rows.div_ceil(2);
        let mut known = Zeroizing::new(Vec::<u64>::with_capacity((is.len() - 1) * half));
        for bits in &is[1..] {
            let words = Zeroizing::new(unpack(&self.known_half(bits.view()), rows));
            known.extend_from_slice(&Zeroizing::new(paired(&words)));
        }
        let others: Pairs = self.integers_of_bits(known).await?;
        let others = others.pieces(half);
        // Every row has one digit; where the last word has one row, its second place has none.
        let mut ones = vec![1 | 1 << 32; half];
        if rows % 2 == 1 {
            ones[half - 1] = 1;
        }
        let ones: Pairs = self.public(&ones);
        let mut is = vec![others.iter().fold(ones.clone(), |rest, other| rest.sub(other))];
        is.extend(others);
        let mut own: Vec<Vec<u64>> = is.iter().map(|is| is.own.clone()).collect();
        let mut next: Vec<Vec<u64>> = is.iter().map(|is| is.next.clone()).collect();
        running_sums(&mut own);
        running_sums(&mut next);
        let sums: Vec<Pairs> = own.into_iter().zip(next).map(|(own, next)| Pairs::new(own, next)).collect();
        let pairs: Vec<_> = is.iter().zip(&sums).map(|(is, sum)| (is.view(), sum.view())).collect();
        let out = self.dot_many(&[&pairs]).await?;
        Ok(out.first().map_or_else(|| Pairs::zeros(half), |places| places.sub(&ones)))
    }

    /// For each value of a digit, lowest first: whether a row's digit is that value. A round for each bit but the first.
    async fn values_of_digit(&mut self, digit: &[Bits]) -> Result<Vec<Bits>, Abort> {
        let Some((first, rest)) = digit.split_first() else {
            return Ok(Vec::new());
        };
        let mut is = vec![self.not_bits(first), first.clone()];
        for bit in rest {
            let with = self.and_bits(&is.iter().map(|is| (is, bit)).collect::<Vec<_>>()).await?;
            is = is.iter().zip(&with).map(|(is, with)| is.xor(with)).collect();
            is.extend(with);
        }
        Ok(is)
    }

    /// Numbers modulo 2^32, in the low halves of words, as integers modulo 2^64; they are below 2^31.
    ///
    /// With party 0's number `u` and the others' `v`, both below 2^32, `u + v` exceeds the sum by 2^32 where either has its top
    /// bit, since the sum has none. Two rounds.
    async fn widened(&mut self, numbers: &Pairs) -> Result<Arith, Abort> {
        let known = Zeroizing::new(self.known_half(numbers.view()).iter().map(|word| word & LOW).collect::<Vec<_>>());
        self.sum_without_wrap(&known, 31, 0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_sum_up_in_order() {
        for len in [1, 2, 5, 8] {
            let words: Vec<u64> = (1..=len as u64).collect();
            let mut both = [paired(&words), paired(&words)];
            running_sums(&mut both);
            let sums: Vec<u64> = words
                .iter()
                .scan(0, |sum, x| {
                    *sum += x;
                    Some(*sum)
                })
                .collect();
            assert_eq!(parted(&both[0], len), sums);
            assert_eq!(parted(&both[1], len)[0], sums[len - 1] + 1);
        }
    }
}
