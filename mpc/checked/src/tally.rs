//! Random subset sums of integer relations: forty-eight bits a relation say which sums it belongs to.
//!
//! A relation that does not hold modulo 2^64 makes each sum wrong with probability at least 1/2, independently, so all 48
//! are right with probability at most 2^-48. The bits are taken bytewise: a relation is added to one of 256 buckets a byte,
//! and the buckets are added up to the sums once ("method of the four Russians").

use base_vector::wide::wide;
use zeroize::DefaultIsZeroes;

use crate::wiped::Wiped;

/// Bytes of random bits a relation.
pub(crate) const BYTES: usize = 6;
/// Sums.
pub(crate) const SUMS: usize = 8 * BYTES;
/// Values of a byte.
const BUCKETS: usize = 256;
/// Relations that are prepared at a time, so that they stay in the cache while they go to the buckets.
pub(crate) const STRIP: usize = 256;

/// What one relation adds: the cross products' four 32-bit limbs, `w_i`, `w_{i+1}`, `f_i`, and nothing. The limbs do not
/// overflow: they are sums of fewer than 2^31 numbers below 2^33.
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

    /// Adds the four limbs of each of some numbers of 128 bits.
    #[inline]
    pub(crate) fn add_limbs<const COUNT: usize>(&mut self, numbers: [u128; COUNT]) {
        for limb in 0..4 {
            let limbs = numbers.map(|number| (number >> (32 * limb)) as u64 & 0xffff_ffff);
            self.0[limb] += limbs.into_iter().sum::<u64>();
        }
    }
}

/// The buckets of all bytes.
pub(crate) struct Tally {
    buckets: Wiped<Row>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { buckets: Wiped::zeros(BYTES * BUCKETS) }
    }

    /// Adds relations. `bits[byte]` are that byte of every row's bits, which are public.
    pub(crate) fn add(&mut self, rows: &[Row], bits: [&[u8]; BYTES]) {
        for (buckets, bits) in self.buckets.chunks_exact_mut(BUCKETS).zip(bits) {
            wide(|| {
                for (row, at) in rows.iter().zip(bits) {
                    buckets[usize::from(*at)].add(row);
                }
            });
        }
    }

    /// The sums, in the order of the bits.
    pub(crate) fn sums(&self) -> Wiped<Row> {
        let mut sums = Wiped::<Row>::zeros(SUMS);
        for (buckets, sums) in self.buckets.chunks_exact(BUCKETS).zip(sums.chunks_exact_mut(8)) {
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

    #[test]
    fn sums_are_those_of_the_chosen_relations() {
        let mut stream = Stream::new(&[1; 32]);
        let count = 300;
        let numbers: Vec<u128> = (0..count).map(|_| stream.block().to_u128()).collect();
        let rows: Vec<Row> = numbers
            .iter()
            .map(|number| {
                let mut row = Row([0, 0, 0, 0, stream.word(), 7, 1, 0]);
                row.add_limbs([*number]);
                row
            })
            .collect();
        let bits = [(); BYTES].map(|()| stream.bytes(count));
        let mut tally = Tally::new();
        tally.add(&rows, bits.each_ref().map(Vec::as_slice));
        let sums = tally.sums();
        for (at, sum) in sums.iter().enumerate() {
            let chosen = |row: &usize| bits[at / 8][*row] >> (at % 8) & 1 == 1;
            let mut due = Row::default();
            (0..count).filter(chosen).for_each(|row| due.add(&rows[row]));
            assert_eq!(sum.0, due.0);
        }
    }
}
