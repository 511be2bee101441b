//! The integers modulo a random prime between 2^56 and 2^57, as a field of proofs: for relations between integers.
//!
//! Products are reduced by Montgomery's method ("Modular Multiplication Without Trial Division", Mathematics of Computation
//! 44(170), 1985) and only to below 2p; a vector's entries stay below 2p, differences of three levels below 16p < 2^61,
//! and 32 products of such differences below 2^127.
//!
//! The prime is public, but what is computed with it may be secret: so divisions, whose time depends on the numbers, stand only
//! where the prime is found, and what is too large by p is reduced by a mask.

use crate::field::Field;
use crate::stream::Stream;

/// Products that are summed up before a reduction.
const GROUP: usize = 32;
/// Bits of the prime, without its highest.
const BITS: u32 = 56;
/// Bases that decide about every number below 3·10^24 (Sorenson and Webster, Mathematics of Computation 86(304), 2017).
const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// The integers modulo `p`.
pub(crate) struct Prime {
    p: u64,
    /// `-1/p` modulo 2^64.
    minus_inverse: u64,
    /// 2^128 modulo p.
    square: u64,
    /// 2^72 / p, rounded down.
    quotient: u64,
}

/// The product by a division: of public numbers alone.
fn mul_mod(x: u64, y: u64, p: u64) -> u64 {
    (u128::from(x) * u128::from(y) % u128::from(p)) as u64
}

fn power_mod(base: u64, mut exponent: u64, p: u64) -> u64 {
    let (mut square, mut out) = (base % p, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = mul_mod(out, square, p);
        }
        square = mul_mod(square, square, p);
        exponent >>= 1;
    }
    out
}

/// Whether an odd number above 37 is a prime: Miller's test with bases that suffice. The number is public.
fn is_prime(p: u64) -> bool {
    if BASES.iter().any(|small| p.is_multiple_of(*small)) {
        return false;
    }
    let twos = (p - 1).trailing_zeros();
    let odd = (p - 1) >> twos;
    BASES.iter().all(|base| {
        let mut x = power_mod(*base, odd, p);
        let mut passes = x == 1 || x == p - 1;
        for _ in 1..twos {
            x = mul_mod(x, x, p);
            passes |= x == p - 1;
        }
        passes
    })
}

impl Prime {
    /// A uniform prime between 2^56 and 2^57.
    pub(crate) fn draw_prime(stream: &mut Stream) -> Self {
        loop {
            let candidate = (stream.word() & ((1 << BITS) - 1)) | (1 << BITS) | 1;
            if is_prime(candidate) {
                return Self::new(candidate);
            }
        }
    }

    fn new(p: u64) -> Self {
        // Newton's iteration doubles the number of right bits: 3, 6, 12, 24, 48, 96.
        let inverse = (0..5).fold(p, |x, _| x.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(x))));
        let radix = ((1_u128 << 64) % u128::from(p)) as u64;
        let quotient = ((1_u128 << 72) / u128::from(p)) as u64;
        Self { p, minus_inverse: inverse.wrapping_neg(), square: mul_mod(radix, radix, p), quotient }
    }

    /// `t/2^64` modulo p: below `t/2^64 + p`. `t` is below 2^128 - 2^121.
    #[inline]
    pub(crate) fn shrink(&self, t: u128) -> u64 {
        let multiple = (t as u64).wrapping_mul(self.minus_inverse);
        ((t + u128::from(multiple) * u128::from(self.p)) >> 64) as u64
    }

    /// Any word times 2^64, below p.
    #[inline]
    pub(crate) fn raised(&self, x: u64) -> u64 {
        self.canonical(self.shrink(u128::from(x) * u128::from(self.square)))
    }

    /// What is below 2p to below p.
    #[inline]
    fn canonical(&self, x: u64) -> u64 {
        let less = x.wrapping_sub(self.p);
        // Of numbers below 2^58 the sign tells whether that was too much; as a mask, it gives p back.
        less.wrapping_add(self.p & ((less as i64) >> 63) as u64)
    }

    /// Any word to below 2p.
    #[inline]
    pub(crate) fn narrow(&self, x: u64) -> u64 {
        // The quotient is right or one too small: what the two shifts leave out is less than 2^-7 of it.
        let quotient = ((x >> 40) * self.quotient) >> 32;
        x - quotient * self.p
    }

    /// A sum of at most eight elements to below p. It is public.
    #[inline]
    pub(crate) fn settle(&self, x: u64) -> u64 {
        let x = x.min(x.wrapping_sub(4 * self.p));
        let x = x.min(x.wrapping_sub(2 * self.p));
        x.min(x.wrapping_sub(self.p))
    }

    /// [`Field::combine`] by raised elements, for a number of rows that the compiler knows.
    fn combine_by<const ROWS: usize>(&self, first: &mut [u64], rest: &[u64], by: [u64; ROWS]) {
        let len = first.len();
        let rows: [&[u64]; ROWS] = std::array::from_fn(|row| &rest[row.max(1) * len - len..][..len]);
        for (at, out) in first.iter_mut().enumerate() {
            let own = u128::from(*out) * u128::from(by[0]);
            let sum = (1..ROWS).fold(own, |sum, row| sum + u128::from(rows[row][at]) * u128::from(by[row]));
            *out = self.shrink(sum);
        }
    }

    /// A number of any length, its words in little-endian order, modulo p.
    pub(crate) fn number(&self, words: &[u64]) -> u64 {
        words.iter().rev().fold(0, |high, word| self.add(self.raised(high), self.reduced(*word)))
    }

    /// A number of 128 bits modulo p.
    fn long(&self, x: u128) -> u64 {
        self.number(&[x as u64, (x >> 64) as u64])
    }
}

impl Field for Prime {
    type Element = u64;
    type Sum = u128;
    const BYTES: usize = 8;

    fn one(&self) -> u64 {
        1
    }

    #[inline]
    fn add(&self, x: u64, y: u64) -> u64 {
        self.canonical(x + y)
    }

    #[inline]
    fn sub(&self, x: u64, y: u64) -> u64 {
        self.canonical(x + self.p - y)
    }

    #[inline]
    fn mul(&self, x: u64, y: u64) -> u64 {
        // The product by 2^64, then that times 2^64.
        self.raised(self.shrink(u128::from(x) * u128::from(y)))
    }

    #[inline]
    fn reduced(&self, x: u64) -> u64 {
        self.canonical(self.narrow(x))
    }

    #[inline(always)]
    fn difference(&self, level: u32, high: &[u64], low: &[u64], out: &mut [u64]) {
        let bound = (2 * self.p) << level;
        out.iter_mut().zip(high).zip(low).for_each(|((out, high), low)| *out = high + bound - low);
    }

    fn add_dot(&self, sum: &mut u128, x: &[u64], y: &[u64]) {
        for (x, y) in x.chunks(GROUP).zip(y.chunks(GROUP)) {
            let part = x.iter().zip(y).fold(0, |part, (x, y)| part + u128::from(*x) * u128::from(*y));
            *sum += u128::from(self.shrink(part));
        }
    }

    fn total(&self, sum: u128) -> u64 {
        self.raised(self.long(sum))
    }

    fn combine(&self, rows: &mut [u64], by: &[u64]) {
        let raised: Vec<u64> = by.iter().map(|x| self.raised(*x)).collect();
        let (first, rest) = rows.split_at_mut(rows.len() / by.len());
        if let [a, b, c, d] = raised[..] {
            // Long vectors are cut into four: this is where the time goes.
            return self.combine_by(first, rest, [a, b, c, d]);
        }
        let len = first.len();
        for (at, out) in first.iter_mut().enumerate() {
            let entries = std::iter::once(&*out).chain(rest[at..].iter().step_by(len));
            let sum = entries.zip(&raised).fold(0, |sum, (x, by)| sum + u128::from(*x) * u128::from(*by));
            *out = self.shrink(sum);
        }
    }

    fn draw(&self, stream: &mut Stream) -> u64 {
        // 128 bits modulo p are within 2^-71 of uniform.
        self.long(stream.block().to_u128())
    }

    fn write(&self, x: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&x.to_le_bytes());
    }

    fn read(&self, bytes: &[u8]) -> u64 {
        let mut word = [0; 8];
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.reduced(u64::from_le_bytes(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest prime below 2^57, for the bounds' sake.
    const LARGEST: u64 = (1 << 57) - 13;
    /// The smallest above 2^56.
    const SMALLEST: u64 = (1 << 56) + 81;

    #[test]
    fn primes_are_told_from_composites() {
        assert!(is_prime(LARGEST));
        assert!((LARGEST + 2..1 << 57).step_by(2).all(|x| !is_prime(x)));
        // Strong pseudoprimes to the bases 2, 3, 5, 7 and to those up to 23.
        assert!(!is_prime(3_215_031_751) && !is_prime(3_825_123_056_546_413_051));
        let mut stream = Stream::new(&[1; 32]);
        for _ in 0..20 {
            let prime = Prime::draw_prime(&mut stream).p;
            assert!(is_prime(prime) && prime >> BITS == 1);
        }
    }

    /// The remainder by a division: what everything else is compared with.
    fn remainder(x: u128, p: u64) -> u64 {
        (x % u128::from(p)) as u64
    }

    /// Words at the edges of all that is computed, then random ones.
    fn words(p: u64, stream: &mut Stream) -> Vec<u64> {
        let edges = [0, 1, 2, p - 2, p - 1, p, p + 1, 2 * p - 1, 2 * p, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX];
        edges.into_iter().chain(stream.words(3000)).collect()
    }

    fn check_words(prime: &Prime, x: u64, y: u64) {
        let (p, [a, b]) = (prime.p, [x, y].map(|word| word % prime.p));
        assert_eq!((prime.reduced(x), prime.read(&x.to_le_bytes())), (a, a), "{x} modulo {p}");
        assert_eq!(prime.raised(x), remainder(u128::from(x) << 64, p), "{x} modulo {p}");
        assert_eq!(prime.add(a, b), remainder(u128::from(a) + u128::from(b), p), "{a} + {b} modulo {p}");
        assert_eq!(prime.sub(a, b), remainder(u128::from(a) + u128::from(p - b), p), "{a} - {b} modulo {p}");
        assert_eq!(prime.mul(a, b), mul_mod(a, b, p), "{a} * {b} modulo {p}");
        let long = u128::from(y) << 64 | u128::from(x);
        let (rest, square) = (remainder(long, p), remainder(1 << 64, p));
        assert_eq!(prime.number(&[x, y]), rest, "{long} modulo {p}");
        assert_eq!(prime.total(long), mul_mod(rest, square, p), "{long} modulo {p}");
        let longer = remainder(u128::from(rest) << 64 | u128::from(y), p);
        assert_eq!(prime.number(&[y, x, y]), longer, "{longer} modulo {p}");
    }

    #[test]
    fn every_operation_agrees_with_a_division() {
        let mut stream = Stream::new(&[3; 32]);
        let drawn = [(); 2].map(|()| Prime::draw_prime(&mut stream));
        assert!(is_prime(SMALLEST) && ((1 << 56) + 1..SMALLEST).step_by(2).all(|x| !is_prime(x)));
        for prime in [Prime::new(SMALLEST), Prime::new(LARGEST)].into_iter().chain(drawn) {
            let words = words(prime.p, &mut stream);
            let edges = &words[..16];
            for (x, y) in edges.iter().flat_map(|x| edges.iter().map(move |y| (*x, *y))) {
                check_words(&prime, x, y);
            }
            words.windows(2).for_each(|pair| check_words(&prime, pair[0], pair[1]));
            assert_eq!((prime.number(&[]), prime.total(0)), (0, 0));
            let [mut one, mut same] = [(); 2].map(|()| Stream::new(&[4; 32]));
            assert!((0..100).all(|_| prime.draw(&mut one) == remainder(same.block().to_u128(), prime.p)));
        }
    }

    #[test]
    fn reductions_are_right_at_their_bounds() {
        let mut stream = Stream::new(&[2; 32]);
        for prime in [Prime::new(LARGEST), Prime::draw_prime(&mut stream), Prime::draw_prime(&mut stream)] {
            let p = prime.p;
            for x in [0, 1, p - 1, p, p + 1, 2 * p, u64::MAX, u64::MAX - 1].into_iter().chain(stream.words(200)) {
                assert!(prime.narrow(x) < 2 * p && prime.narrow(x) % p == x % p);
                assert_eq!(prime.shrink(u128::from(prime.raised(x % p))) % p, x % p);
            }
            assert!((0..8).all(|times| prime.settle(times * p + 5) == 5));
            assert_eq!(prime.number(&[1, 0, 1]), prime.add(1, prime.square));
            let (mut sum, most) = (0, vec![16 * p - 1; 100]);
            prime.add_dot(&mut sum, &most, &most);
            assert_eq!(prime.total(sum), 100);
            for cut in [2, 4, 8] {
                let mut rows = vec![2 * p - 1; 3 * cut];
                prime.combine(&mut rows, &vec![p - 1; cut]);
                let (out, rest) = rows.split_at(3);
                assert!(rest.iter().all(|x| *x == 2 * p - 1));
                assert!(out.iter().all(|x| *x < 2 * p && x % p == cut as u64));
            }
        }
    }
}
