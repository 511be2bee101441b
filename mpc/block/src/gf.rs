//! GF(2^128): products, sums of products that are reduced once, squares and inverses, in constant time.
//!
//! The field is GF(2)[x] modulo x^128 + x^7 + x^2 + x + 1, and bit `i` of a block is the coefficient of x^i: the modulus of
//! GHASH (NIST SP 800-38D) without its reflected order of bits.

use zeroize::Zeroize;

use crate::Block;
use crate::path::ProductPath;

/// Most rows that [`gf_combine`] takes.
pub(crate) const MOST_ROWS: usize = 8;

/// A polynomial of degree below 255: low + middle·x^64 + high·x^128, the three overlapping.
type Parts = [u128; 3];

/// A sum of products in GF(2^128) that is not reduced yet; wiped when dropped.
#[derive(Default)]
pub struct Unreduced(Parts);

impl Unreduced {
    /// The empty sum.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `a·b`.
    #[inline]
    pub fn add(&mut self, a: Block, b: Block) {
        self.add_parts(product(ProductPath::best(), a, b));
    }

    /// Adds the sum of all `a[i]·b[i]`; the shorter slice decides.
    pub fn add_dot(&mut self, a: &[Block], b: &[Block]) {
        self.add_parts(dot(ProductPath::best(), a, b));
    }

    /// The sum as an element of the field.
    pub fn reduce(self) -> Block {
        reduce(self.0)
    }

    #[inline]
    fn add_parts(&mut self, parts: Parts) {
        self.0.iter_mut().zip(parts).for_each(|(sum, part)| *sum ^= part);
    }
}

impl Drop for Unreduced {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The sum of all `a[i]·b[i]` in GF(2^128), reduced once; the shorter slice decides.
pub fn gf_dot(a: &[Block], b: &[Block]) -> Block {
    reduce(dot(ProductPath::best(), a, b))
}

/// `rows` are equally long rows, one after the other, as many as `by` has elements, at most eight: puts the sum of all
/// `by[e]` times row `e` into the first of them, in GF(2^128).
///
/// # Panics
/// When the lengths do not fit.
pub fn gf_combine(rows: &mut [Block], by: &[Block]) {
    combine(ProductPath::best(), rows, by);
}

/// `to[i]` becomes `to[i]·by[i]` in GF(2^128). The slices have one length; if not, the shorter decides.
pub fn gf_mul_all(to: &mut [Block], by: &[Block]) {
    mul_all(ProductPath::best(), to, by);
}

impl Block {
    /// The product in GF(2^128).
    #[inline]
    pub fn gf_mul(self, other: Self) -> Self {
        reduce(product(ProductPath::best(), self, other))
    }

    /// The square in GF(2^128).
    #[inline]
    pub fn gf_square(self) -> Self {
        self.gf_mul(self)
    }

    /// The inverse in GF(2^128); zero of zero.
    ///
    /// The power 2^128 − 2 by the chain of Itoh and Tsujii (Information and Computation 78(3), 1988): 127 squares and 12
    /// products, whatever the element.
    pub fn gf_inverse(self) -> Self {
        // `power` is the element to the power 2^ones − 1.
        let (mut power, mut ones) = (self, 1);
        while ones < 127 {
            let shifted = (0..ones).fold(power, |power, _| power.gf_square());
            power = shifted.gf_mul(power).gf_square().gf_mul(self);
            ones = 2 * ones + 1;
        }
        power.gf_square()
    }
}

/// `a·b` before it is reduced.
#[inline]
pub(crate) fn product(path: ProductPath, a: Block, b: Block) -> Parts {
    match path {
        ProductPath::Portable => product_portable(a.to_u128(), b.to_u128()),
        #[cfg(target_arch = "x86_64")]
        ProductPath::Narrow(clmul) => clmul.product(a, b),
        #[cfg(target_arch = "x86_64")]
        ProductPath::Wide(vclmul) => vclmul.clmul().product(a, b),
    }
}

/// The sum of all `a[i]·b[i]` before it is reduced.
pub(crate) fn dot(path: ProductPath, a: &[Block], b: &[Block]) -> Parts {
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    match path {
        ProductPath::Portable => {
            let mut sum = Unreduced::new();
            a.iter().zip(b).for_each(|(a, b)| sum.add_parts(product_portable(a.to_u128(), b.to_u128())));
            sum.0
        }
        #[cfg(target_arch = "x86_64")]
        ProductPath::Narrow(clmul) => clmul.dot(a, b),
        #[cfg(target_arch = "x86_64")]
        ProductPath::Wide(vclmul) => vclmul.dot(a, b),
    }
}

/// [`gf_combine`] in one way of computing.
pub(crate) fn combine(path: ProductPath, rows: &mut [Block], by: &[Block]) {
    let fits = (1..=MOST_ROWS).contains(&by.len()) && rows.len().is_multiple_of(by.len());
    assert!(fits, "equally long rows, as many as there are elements");
    let len = rows.len() / by.len();
    let (first, rest) = rows.split_at_mut(len);
    let done = match path {
        ProductPath::Portable => 0,
        #[cfg(target_arch = "x86_64")]
        ProductPath::Narrow(_) => 0,
        #[cfg(target_arch = "x86_64")]
        ProductPath::Wide(vclmul) => vclmul.combine(first, rest, by),
    };
    for (at, out) in first.iter_mut().enumerate().skip(done) {
        let mut sum = Unreduced(product(path, *out, by[0]));
        for (row, by) in rest.chunks_exact(len).zip(&by[1..]) {
            sum.add_parts(product(path, row[at], *by));
        }
        *out = sum.reduce();
    }
}

/// [`gf_mul_all`] in one way of computing.
pub(crate) fn mul_all(path: ProductPath, to: &mut [Block], by: &[Block]) {
    let done = match path {
        ProductPath::Portable => 0,
        #[cfg(target_arch = "x86_64")]
        ProductPath::Narrow(_) => 0,
        #[cfg(target_arch = "x86_64")]
        ProductPath::Wide(vclmul) => vclmul.mul_all(to, by),
    };
    for (to, by) in to.iter_mut().zip(by).skip(done) {
        *to = reduce(product(path, *to, *by));
    }
}

/// Takes a polynomial modulo x^128 + x^7 + x^2 + x + 1: the reduction of Gueron and Kounavis ("Efficient Implementation of
/// the Galois Counter Mode Using a Carry-less Multiplier and a Fast Reduction Algorithm", Information Processing Letters
/// 110(14), 2010) for unreflected bits.
#[inline]
pub(crate) fn reduce([low, middle, high]: Parts) -> Block {
    let (low, high) = (low ^ (middle << 64), high ^ (middle >> 64));
    // x^128 is x^7 + x^2 + x + 1; what high·(x^7 + x^2 + x) carries beyond x^127 is folded with it.
    let fold = high ^ (high >> 127) ^ (high >> 126) ^ (high >> 121);
    Block::from_u128(low ^ fold ^ (fold << 1) ^ (fold << 2) ^ (fold << 7))
}

/// Karatsuba's three products of halves.
fn product_portable(a: u128, b: u128) -> Parts {
    let (a_low, a_high, b_low, b_high) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
    let (low, high) = (half_product(a_low, b_low), half_product(a_high, b_high));
    [low, half_product(a_low ^ a_high, b_low ^ b_high) ^ low ^ high, high]
}

/// The product of two polynomials of degree below 64: its upper half is the lower half of the product read backwards.
fn half_product(x: u64, y: u64) -> u128 {
    let upper = lower_half(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
    (u128::from(upper) << 64) | u128::from(lower_half(x, y))
}

/// The coefficients of x^0 to x^63 of a product, by integer multiplications of words in which only every fourth bit is set:
/// sums of at most 15 ones carry into the three bits between and no further (Pornin, BearSSL, "Constant-Time Mul"). The
/// sixteenth one can only meet at the top, where its carry is cut off.
fn lower_half(x: u64, y: u64) -> u64 {
    const FOURTH: u64 = 0x1111_1111_1111_1111;
    let split = |word: u64| [0, 1, 2, 3].map(|at| word & (FOURTH << at));
    let (x, y) = (split(x), split(y));
    let coefficients = |at: usize| {
        let sum = (0..4).fold(0, |sum, i| sum ^ x[i].wrapping_mul(y[(at + 4 - i) % 4]));
        sum & (FOURTH << at)
    };
    coefficients(0) | coefficients(1) | coefficients(2) | coefficients(3)
}
