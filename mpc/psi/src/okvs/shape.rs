//! How large a table is: bins, keys in a bin, slots of the sparse part and of the dense part.

use crate::Mode;

/// Most keys of one store.
pub const MAX_KEYS: usize = 1 << 26;
/// Fewest keys that a bin is made for; below, the estimates of the table do not hold.
const FEWEST: usize = 128;
/// Bits of statistical security that a single bin is made for: [`MOST_BINS`] bins fail together with probability 2^-40.
const BIN_SECURITY: u64 = 50;
/// Most bins of a table. Of more keys than would fill so many, bins hold more each.
const MOST_BINS: usize = 1 << 10;

/// Slots of the sparse part for every 1000 keys, for bins of 2^7, 2^8, … keys.
///
/// From the fit of the authors to their experiments (CCS 2022, and their library): for weight 3 a bin of `n` keys with
/// `e·n` slots fails with probability `2^-λ` where `λ = l·(e − 1.223) − 9.2` and `log2 l = 0.555·log2 n + 2.336`; here
/// `λ = 50`.
const SLOTS: [usize; 14] = [2017, 1764, 1591, 1474, 1394, 1339, 1302, 1277, 1260, 1248, 1240, 1235, 1231, 1229];

/// Lengths that follow from the number of keys alone, so that both parties know them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Bins.
    pub(crate) bins: usize,
    /// Most keys in a bin.
    pub(crate) capacity: usize,
    /// Slots of a bin's sparse part.
    pub(crate) sparse: usize,
    /// Slots of a bin's dense part.
    pub(crate) dense: usize,
}

impl Shape {
    /// For up to `count` keys; `None` beyond [`MAX_KEYS`].
    pub(super) fn new(count: usize, mode: Mode) -> Option<Self> {
        if count > MAX_KEYS {
            return None;
        }
        let aimed = match mode {
            Mode::Fast => 1 << 15,
            Mode::LowCommunication => 1 << 20,
        };
        let bins = count.div_ceil(aimed).clamp(1, MOST_BINS);
        let capacity = load_bound(count, bins).max(FEWEST);
        let class = (capacity.ilog2() as usize - 7).min(SLOTS.len() - 1);
        let sparse = (capacity * SLOTS[class]).div_ceil(1000);
        // The fit for the dense part is `λ / log2 (e·n)`: 6 slots for 2^7 keys, at most 4 from 2^10 on.
        let dense = if capacity < 1 << 10 { 8 } else { 4 };
        Some(Self { bins, capacity, sparse, dense })
    }

    /// Slots of a bin.
    pub(super) fn width(&self) -> usize {
        self.sparse + self.dense
    }

    /// Slots of the table.
    pub(super) fn slots(&self) -> usize {
        self.bins * self.width()
    }
}

/// A number of keys that no one of `bins` bins exceeds, except with probability 2^-50, when a hash deals out `count`
/// keys.
///
/// With mean `μ`, a load exceeds `μ + t` with probability at most `exp(-t² / (2μ + 2t/3))` (Bernstein), which is `e^-L`
/// for `t = L/3 + √(L²/9 + 2μL)`; `L` is that of 2^-50 divided by the number of bins.
pub(crate) fn load_bound(count: usize, bins: usize) -> usize {
    if bins <= 1 {
        return count;
    }
    let mean = count.div_ceil(bins) as u64;
    let bits = BIN_SECURITY + u64::from(bins.next_power_of_two().ilog2());
    // ln 2 is below 0.6932.
    let l = (bits * 6932).div_ceil(10_000);
    let t = l.div_ceil(3) + (l * l / 9 + 2 * mean * l + 1).isqrt() + 1;
    (mean + t) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_quarter_to_a_third_longer_than_its_keys() {
        for (count, mode, most) in [
            (1 << 20, Mode::Fast, 1325),
            (1 << 24, Mode::Fast, 1325),
            (1 << 20, Mode::LowCommunication, 1230),
            (1 << 24, Mode::LowCommunication, 1245),
            (1 << 15, Mode::Fast, 1261),
        ] {
            let slots = Shape::new(count, mode).unwrap().slots();
            assert!(slots * 1000 <= count * most && slots > count * 6 / 5, "{count}: {slots}");
        }
        assert!(Shape::new(MAX_KEYS + 1, Mode::Fast).is_none());
    }

    #[test]
    fn a_table_fails_with_probability_2_to_the_minus_40_however_many_keys_it_has() {
        for mode in [Mode::Fast, Mode::LowCommunication] {
            for count in [1, 1 << 20, 1 << 25, (1 << 25) + 1, MAX_KEYS] {
                let shape = Shape::new(count, mode).unwrap();
                assert!(u64::from(shape.bins.next_power_of_two().ilog2()) + 40 <= BIN_SECURITY, "{count}: {shape:?}");
                assert!(shape.bins * shape.capacity >= count, "{count}: {shape:?}");
            }
        }
    }

    #[test]
    fn small_stores_have_the_least_size_and_capacity_grows_with_the_keys() {
        let least = Shape::new(0, Mode::Fast).unwrap();
        assert_eq!((least.bins, least.capacity, least.dense), (1, FEWEST, 8));
        assert_eq!(Shape::new(FEWEST, Mode::Fast), Some(least));
        for count in [129, 1 << 14, (1 << 15) + 1, 100_000, 1 << 20, MAX_KEYS] {
            let shape = Shape::new(count, Mode::Fast).unwrap();
            assert!(shape.bins * shape.capacity >= count && shape.sparse > shape.capacity, "{count}");
        }
    }

    #[test]
    fn the_bound_of_loads_is_bernsteins() {
        assert_eq!((load_bound(77, 1), load_bound(0, 3)), (77, 26));
        let bound = load_bound(1 << 20, 32);
        assert!((34_300..34_400).contains(&bound), "{bound}");
    }
}
