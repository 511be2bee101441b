//! A stable sort of rows by a secret key: a shuffle, then comparisons that are opened.
//!
//! Hamada et al., "Practically Efficient Multi-party Sorting Protocols from Comparison Sort Algorithms" (ICISC 2012): after a shuffle
//! that neither party knows, the order of distinct keys is a uniformly random permutation whatever the keys are, and the answers to
//! all comparisons follow from it. So the key has the row's place before the shuffle behind it, which makes keys distinct and the
//! sort stable. Which rows are compared is said by the samplesort of [`Ranking`].
//!
//! *Why not digit by digit*, as three parties sort narrow keys: a digit's pass moves all rows through a shuffle, here `32 (log2 n - 1)`
//! bytes a row and column, and keys would first be brought to bits (3.6 KiB a row). A comparison takes less than a kilobyte for keys of 64
//! bits and as much less as they are narrower, and a row needs `log2 n` and two or three. *Why not a sorting network*: it compares and exchanges
//! `(log2 n)^2 / 4` times a row.
//!
//! A key and a place are one number of up to 84 bits. Both are shares modulo 2^64; the multiple of 2^64 by which their sum exceeds
//! the number is told by the shares' top bits where the number has 63 bits, and by a comparison where it has 64.

use mpc_core::Abort;
use mpc_share::Ranking;
use zeroize::Zeroizing;

use crate::bits::clear_tail;
use crate::compare::{less, signs_of_long, tops};
use crate::convert::{Words, either, to_words};
use crate::party::Party;
use crate::shares::WORD;
use crate::shuffle::{placed, shuffle};

/// Sorts the rows of equally long columns, at least one, by column `by`, whose signed numbers are from `lo` to `hi`.
pub(crate) async fn sort(
    party: &mut Party,
    columns: &mut Vec<Words>,
    by: usize,
    (lo, hi): (i64, i64),
) -> Result<(), Abort> {
    let rows = columns[by].len();
    if rows < 2 {
        return Ok(());
    }
    let places = (0..rows as u64).map(|row| party.pick(row, 0));
    columns.push(Zeroizing::new(places.collect()));
    shuffle(party, columns).await?;
    let places = columns.pop().unwrap_or_else(|| Zeroizing::new(Vec::new()));
    let key_bits = u64::BITS - hi.wrapping_sub(lo).leading_zeros();
    let place_bits = usize::BITS - (rows - 1).leading_zeros();
    let back = party.pick(lo as u64, 0);
    let key: Words = Zeroizing::new(columns[by].iter().map(|key| key.wrapping_sub(back)).collect());
    let key = widened(party, &key, key_bits).await?;
    let places = widened(party, &places, place_bits).await?;
    let numbers = key.iter().zip(places.iter()).map(|(key, place)| (key << place_bits).wrapping_add(*place));
    let numbers: Long = Zeroizing::new(numbers.collect());
    let to = ranked(party, &numbers, key_bits + place_bits + 1).await?;
    columns.iter_mut().for_each(|column| *column = placed(column, &to));
    Ok(())
}

/// Shares modulo 2^128.
type Long = Zeroizing<Vec<u128>>;

/// Shares modulo 2^64 of numbers of `bits` bits without sign as shares modulo 2^128.
async fn widened(party: &mut Party, shares: &[u64], bits: u32) -> Result<Long, Abort> {
    let len = shares.len();
    let mut line = party.line("widen", &[len, bits as usize]);
    let wraps = if bits < u64::BITS {
        either(party, line, &tops(shares), len).await?
    } else {
        // `y_0 + y_1 ≥ 2^64` says that `2^64 − 1 − y_0 < y_1`.
        let flip = party.pick(u64::MAX, 0);
        let operand: Words = Zeroizing::new(shares.iter().map(|share| share ^ flip).collect());
        let wraps = less(party, &mut line, &operand[..], bits).await?;
        to_words(party, &wraps, len).await?
    };
    let long = |(share, wrap): (&u64, &u64)| u128::from(*share) | u128::from(wrap.wrapping_neg()) << u64::BITS;
    Ok(Zeroizing::new(shares.iter().zip(wraps.iter()).map(long).collect()))
}

/// For each row its place among shuffled distinct numbers, whose differences have `bits` bits with their sign.
async fn ranked(party: &mut Party, numbers: &[u128], bits: u32) -> Result<Vec<u32>, Abort> {
    let count = u32::try_from(numbers.len()).map_err(|_| Abort::local("more than 2^32 rows"))?;
    let mut ranking = Ranking::new(count);
    while let Some(pairs) = ranking.questions() {
        let apart = |[one, other]: &[u32; 2]| numbers[*one as usize].wrapping_sub(numbers[*other as usize]);
        let apart: Long = Zeroizing::new(pairs.iter().map(apart).collect());
        let mut line = party.line("rank", &[pairs.len(), bits as usize]);
        let mut mine = signs_of_long(party, &mut line, &apart, bits).await?;
        clear_tail(&mut mine, pairs.len());
        line.enter("answers");
        let theirs = line.words(&mine, mine.len()).await?;
        let answer = |at: usize| (mine[at / WORD] ^ theirs[at / WORD]) >> (at % WORD) & 1 == 1;
        ranking.told((0..pairs.len()).map(answer));
    }
    Ok(ranking.places())
}
