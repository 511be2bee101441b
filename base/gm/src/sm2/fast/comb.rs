//! A table of one point's multiples, and multiplication by it without doublings, for public scalars.

use super::{
    field::Field,
    limbs::{mask, signed_digits, windows},
    point::{Affine, Jacobian, normalise},
    scalar::Scalar,
};

/// For every window i of a scalar the multiples 1..=2^(window-1) of 2^(window·i)·P: one entry serves either sign.
pub(crate) struct Comb {
    window: usize,
    points: Box<[Affine]>,
}

/// The least window, in bits.
const LEAST_WINDOW: usize = 5;

impl Comb {
    /// Builds the table of a point for windows of 5..=10 bits, in about 18 multiplications of the field an entry.
    pub(crate) fn new(point: &Affine, window: usize) -> Self {
        let window = window.clamp(LEAST_WINDOW, 10);
        let (windows, row) = (windows(window), 1 << (window - 1));
        let mut base = Jacobian::from(point);
        let mut bases = Vec::with_capacity(windows);
        for _ in 0..windows {
            bases.push(base);
            for _ in 0..window {
                base = base.double();
            }
        }
        let mut points = Vec::with_capacity(windows * row);
        for base in normalise(&bases) {
            let mut multiple = Jacobian::from(&base);
            for _ in 0..row {
                points.push(multiple);
                multiple = multiple.add_affine(&base);
            }
        }
        // None is infinity: the order is a prime that divides neither a power of 2 nor a number of one window.
        Self { window, points: normalise(&points).into_boxed_slice() }
    }

    /// Bytes of a table with this window.
    pub(crate) const fn bytes(window: usize) -> usize {
        (windows(window) * size_of::<Affine>()) << (window - 1)
    }

    /// The window in bits.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// The multiples for every window, the lowest window first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Affine]> {
        self.points.chunks_exact(1 << (self.window - 1))
    }

    /// `sum + k·P`, in a time that depends on all three.
    pub(crate) fn add_multiple(&self, k: &Scalar, sum: Jacobian) -> Jacobian {
        // All entries are fetched before the first is added, so that misses of the cache wait for memory together.
        let mut fetched = [Affine::default(); windows(LEAST_WINDOW)];
        let mut count = 0;
        for (digit, row) in signed_digits(k.limbs(), self.window).zip(self.rows()) {
            // The digit 0 has no entry.
            let entry = row.get((digit.unsigned_abs() as usize).wrapping_sub(1));
            if let (Some(entry), Some(slot)) = (entry, fetched.get_mut(count)) {
                *slot = Affine { x: entry.x, y: Field::select(mask(digit < 0), &-entry.y, &entry.y) };
                count += 1;
            }
        }
        fetched.iter().take(count).fold(sum, |sum, point| sum.add_affine(point))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            limbs::{reference, to_be},
            point::tests::bytes,
            scalar::ORDER,
        },
        *,
    };

    fn library(k: &Scalar) -> Option<[u8; 64]> {
        let public = ::sm2::SecretKey::from_slice(&k.to_be()).ok()?.public_key().to_sec1_bytes();
        Some(public[1..].try_into().unwrap())
    }

    #[test]
    fn every_window_multiplies_as_the_library_does() {
        for window in [5, 7, 9] {
            let comb = Comb::new(&Affine::GENERATOR, window);
            assert_eq!(std::mem::size_of_val(&*comb.points), Comb::bytes(window));
            for case in 0..40 {
                let k = Scalar::reduced(&to_be(&reference::sample("comb", case, &ORDER)));
                let product = comb.add_multiple(&k, Jacobian::INFINITY);
                assert_eq!(bytes(&product), library(&k), "window {window}, case {case}");
            }
        }
    }

    #[test]
    fn a_sum_may_meet_the_table_in_equal_and_opposite_points() {
        let comb = Comb::new(&Affine::GENERATOR, 7);
        let (one, minus_one) = (Scalar::ONE, Scalar::default().minus(&Scalar::ONE));
        let generator = Jacobian::from(&Affine::GENERATOR);
        assert!(comb.add_multiple(&minus_one, generator).is_infinity());
        assert!(comb.add_multiple(&Scalar::default(), Jacobian::INFINITY).is_infinity());
        let two = comb.add_multiple(&one, generator);
        assert_eq!(bytes(&two), library(&one.plus(&one)));
        // The sum is infinity on the way, and goes on from there: (1 + 2^7) - 1, from -1.
        let mut k = [0; 32];
        (k[31], k[30]) = (0x81, 0);
        let sum = comb.add_multiple(&Scalar::reduced(&k), Jacobian::from(&Affine::GENERATOR.opposite()));
        (k[31], k[30]) = (0x80, 0);
        assert_eq!(bytes(&sum), library(&Scalar::reduced(&k)));
    }
}
