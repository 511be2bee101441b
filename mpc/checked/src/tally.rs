//! Random subset sums of integer relations: forty-eight bits a relation say which sums it belongs to.
//!
//! A relation that does not hold modulo 2^64 makes each sum wrong with probability at least 1/2, independently, so all 48
//! are right with probability at most 2^-48. The bits are taken six at a time: a relation is added to one of 64 buckets a group of
//! six, and the buckets are added up to the sums once ("method of the four Russians"). The buckets of all groups stay in the
//! first-level cache.

use base_vector::wide::wide;
use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::wiped::Wiped;

/// Bits of a group.
pub(crate) const BITS: usize = 6;
/// Groups of random bits a relation: the low bits of the bytes of a random word.
pub(crate) const GROUPS: usize = 8;
/// Sums.
pub(crate) const SUMS: usize = GROUPS * BITS;
/// Values of a group.
pub(crate) const BUCKETS: usize = 1 << BITS;
/// Relations that are prepared at a time: few, so that the cache holds them beside the buckets.
pub(crate) const STRIP: usize = 64;
/// Limbs of a number.
const LIMBS: usize = 4;
/// The low half of a word.
const LOW: u64 = 0xffff_ffff;

/// What one relation adds: the cross products' four limbs of 32 bits, `w_i`, `w_{i+1}`, `f_i`, and nothing. The limbs do not
/// overflow: they are sums of fewer than 2^30 numbers below 2^34.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(crate) struct Row(pub(crate) [u64; 8]);

impl DefaultIsZeroes for Row {}

impl Row {
    /// Adds word by word. All is read before anything is written, so that a row is added at once.
    #[inline]
    fn add(&mut self, other: &Self) {
        let (old, new) = (self.0, other.0);
        self.0 = std::array::from_fn(|word| old[word].wrapping_add(new[word]));
    }
}

/// Four numbers, below 2^34, that make the product with weights 1, 2^32, 2^64 and 2^96.
#[inline(always)]
fn limbs_of(x: u64, y: u64) -> [u64; LIMBS] {
    let (x_low, x_high, y_low, y_high) = (x & LOW, x >> 32, y & LOW, y >> 32);
    let (low, one, other, high) = (x_low * y_low, x_low * y_high, x_high * y_low, x_high * y_high);
    let second = (low >> 32) + (one & LOW) + (other & LOW);
    [low & LOW, second, (one >> 32) + (other >> 32) + (high & LOW), high >> 32]
}

/// A few relations that are prepared, limb after limb, so that compilers make vectors of them; used again and again, and wiped once
/// at its end.
pub(crate) struct Strip {
    limbs: Zeroizing<[[u64; STRIP]; LIMBS]>,
    rows: Wiped<Row>,
}

impl Strip {
    pub(crate) fn new() -> Self {
        Self { limbs: Zeroizing::new([[0; STRIP]; LIMBS]), rows: Wiped::zeros(STRIP) }
    }

    /// Begins with relations without products.
    pub(crate) fn begin(&mut self) {
        *self.limbs = [[0; STRIP]; LIMBS];
    }

    /// Adds a product to each relation; at most [`STRIP`].
    pub(crate) fn add_products(&mut self, x: &[u64], y: &[u64]) {
        let [first, second, third, fourth] = &mut *self.limbs;
        wide(
            #[inline(always)]
            || {
                let limbs = first.iter_mut().zip(second.iter_mut()).zip(third.iter_mut().zip(fourth.iter_mut()));
                for (((first, second), (third, fourth)), (x, y)) in limbs.zip(x.iter().zip(y)) {
                    let limbs = limbs_of(*x, *y);
                    *first += limbs[0];
                    *second += limbs[1];
                    *third += limbs[2];
                    *fourth += limbs[3];
                }
            },
        );
    }

    /// Adds a word to each relation; at most [`STRIP`].
    pub(crate) fn add_words(&mut self, words: &[u64]) {
        let [first, second, ..] = &mut *self.limbs;
        for ((first, second), word) in first.iter_mut().zip(second.iter_mut()).zip(words) {
            *first += word & LOW;
            *second += word >> 32;
        }
    }

    /// The relations with what stands beside their products: `w_i`, `w_{i+1}` and `f_i`, at most [`STRIP`] of each.
    pub(crate) fn rows(&mut self, [own, next, f]: [&[u64]; 3]) -> &[Row] {
        let [first, second, third, fourth] = &*self.limbs;
        let limbs = first.iter().zip(second).zip(third.iter().zip(fourth));
        let beside = own.iter().zip(next).zip(f);
        for (row, (((first, second), (third, fourth)), ((own, next), f))) in self.rows.iter_mut().zip(limbs.zip(beside))
        {
            *row = Row([*first, *second, *third, *fourth, *own, *next, *f, 0]);
        }
        &self.rows[..own.len()]
    }
}

/// The buckets of all groups.
pub(crate) struct Tally {
    buckets: Wiped<Row>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { buckets: Wiped::zeros(GROUPS * BUCKETS) }
    }

    /// Adds relations, each with its random word, which is public.
    pub(crate) fn add(&mut self, rows: &[Row], words: &[u64]) {
        let groups = self.buckets.as_chunks_mut::<BUCKETS>().0;
        wide(
            #[inline(always)]
            || {
                for (row, word) in rows.iter().zip(words) {
                    for (buckets, at) in groups.iter_mut().zip(word.to_le_bytes()) {
                        buckets[usize::from(at) % BUCKETS].add(row);
                    }
                }
            },
        );
    }

    /// The sums, in the order of the bits.
    pub(crate) fn sums(&self) -> Wiped<Row> {
        let mut sums = Wiped::<Row>::zeros(SUMS);
        for (buckets, sums) in self.buckets.chunks_exact(BUCKETS).zip(sums.chunks_exact_mut(BITS)) {
            for (value, bucket) in buckets.iter().enumerate() {
                let chosen = sums.iter_mut().enumerate().filter(|(bit, _)| value >> bit & 1 == 1);
                chosen.for_each(|(_, sum)| sum.add(bucket));
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    /// The four limbs as a number modulo 2^128.
    fn number(Row(row): &Row) -> u128 {
        let limb = |at: usize| u128::from(row[at]) << (32 * at);
        (0..LIMBS).fold(0, |sum, at| sum.wrapping_add(limb(at)))
    }

    #[test]
    fn sums_are_those_of_the_chosen_relations() {
        let mut stream = Stream::new(&[1; 32]);
        let count = 300;
        let numbers: Vec<[u64; 4]> = (0..count).map(|_| std::array::from_fn(|_| stream.word())).collect();
        let (words, mut tally, mut strip) = (stream.words(count), Tally::new(), Strip::new());
        for (numbers, words) in numbers.chunks(STRIP).zip(words.chunks(STRIP)) {
            let column = |at: usize| numbers.iter().map(|numbers| numbers[at]).collect::<Vec<u64>>();
            strip.begin();
            strip.add_products(&column(0), &column(1));
            strip.add_words(&column(2));
            let (own, next, f) = (column(3), vec![7; words.len()], vec![1; words.len()]);
            tally.add(strip.rows([&own, &next, &f]), words);
        }
        let sums = tally.sums();
        assert_eq!(sums.len(), SUMS);
        for (at, sum) in sums.iter().enumerate() {
            let chosen = |word: &u64| word >> (8 * (at / BITS) + at % BITS) & 1 == 1;
            let (mut products, mut own, mut chosen_ones) = (0_u128, 0_u64, 0_u64);
            for ([x, y, word, w], _) in numbers.iter().zip(&words).filter(|(_, word)| chosen(word)) {
                products = products.wrapping_add(u128::from(*x) * u128::from(*y)).wrapping_add(u128::from(*word));
                own = own.wrapping_add(*w);
                chosen_ones += 1;
            }
            assert_eq!(number(sum), products);
            assert_eq!(sum.0[4..], [own, 7 * chosen_ones, chosen_ones, 0]);
        }
    }

    #[test]
    fn limbs_make_the_product_and_keep_their_bound() {
        for (x, y) in [(0, 5), (u64::MAX, u64::MAX), (u64::MAX, 1), (1 << 63, 1 << 63), (LOW, LOW + 2)] {
            let limbs = limbs_of(x, y);
            let [a, b, c, d] = limbs;
            assert_eq!(number(&Row([a, b, c, d, 0, 0, 0, 0])), u128::from(x) * u128::from(y));
            assert!(limbs.iter().all(|limb| *limb < 1 << 34));
        }
    }
}
