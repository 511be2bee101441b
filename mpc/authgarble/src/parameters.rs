//! How many AND triples are made at once and how many leaky ones each takes, for a statistical error of 2^-40.
//!
//! A corrupt party may learn the bit `x` of a leaky triple at the price of being caught with probability 1/2. `B` of them are
//! combined into one triple, which leaks only when all `B` do. Who attacks `t` of `n·B` leaky triples is not caught with
//! probability `2^-t`, and then some bucket leaks with probability at most `n·C(t, B)/C(n·B, B)`. The product is largest at
//! `t = 2B`; the table holds the least `n` for which it is at most 2^-40 (the bound of Wang, Ranellucci and Katz, "Global-Scale
//! Secure Multiparty Computation", CCS 2017, theorem on bucketing, evaluated exactly).

/// The least number of triples for a bucket size, the smallest bucket first.
const LEAST: [(usize, usize); 3] = [(276_325, 3), (3_044, 4), (SMALLEST, 5)];
/// Fewer triples than these are not made at once; what a circuit does not need is thrown away.
const SMALLEST: usize = 320;
/// AND gates of a full chunk: enough for buckets of three.
const FULL: usize = 280_000;

/// Triples that are made and used together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chunk {
    /// AND gates that use them.
    pub(crate) ands: usize,
    /// Triples.
    pub(crate) triples: usize,
    /// Leaky triples that each is made of.
    pub(crate) bucket: usize,
}

impl Chunk {
    fn new(ands: usize) -> Self {
        let triples = ands.max(SMALLEST);
        let bucket = LEAST.iter().find(|(least, _)| triples >= *least).map_or(5, |(_, bucket)| *bucket);
        Self { ands, triples, bucket }
    }

    /// Leaky triples.
    pub(crate) const fn leaky(&self) -> usize {
        self.triples * self.bucket
    }
}

/// The chunks of a circuit with so many AND gates; at least one, because the checks of a chunk also show that every party
/// uses one `Δ` with all others.
pub(crate) fn chunks(ands: usize) -> impl Iterator<Item = Chunk> + Send {
    let count = (ands / FULL).max(1);
    let start = move |number: usize| ands / count * number + ands % count * number / count;
    (0..count).map(move |number| Chunk::new(start(number + 1) - start(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_gates_with_buckets_that_fit() {
        for ands in [0, 1, 320, 3_043, 3_044, 276_324, 276_325, 279_999, 280_000, 560_000, 1_999_999] {
            let all: Vec<Chunk> = chunks(ands).collect();
            assert_eq!(all.iter().map(|chunk| chunk.ands).sum::<usize>(), ands);
            for chunk in &all {
                let due = match chunk.triples {
                    0..3_044 => 5,
                    3_044..276_325 => 4,
                    _ => 3,
                };
                assert!(chunk.bucket == due && chunk.triples >= chunk.ands.max(SMALLEST), "{ands}: {chunk:?}");
                assert!(chunk.ands < 2 * FULL);
            }
        }
    }

    #[test]
    fn every_line_of_the_table_reaches_forty_bits_and_one_triple_less_does_not() {
        let choose = |n: u128, k: u128| (0..k).map(|at| n - at).product::<u128>() / (1..=k).product::<u128>();
        let enough = |triples: u128, bucket: u128| {
            let errs = |t| triples * choose(t, bucket) << 40 <= choose(triples * bucket, bucket) << t;
            (bucket..6 * bucket).all(errs)
        };
        for (least, bucket) in LEAST {
            assert!(enough(least as u128, bucket as u128) && !enough(least as u128 - 1, bucket as u128), "{bucket}");
        }
    }
}
