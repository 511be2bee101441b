//! Fixed-point functions at range edges and on grids, against integers of 128 bits.

mod common;

use common::{agreed, both, open, open_bits, some};
use mpc_core::{Abort, Blame, Context};
use mpc_share::Fixed;
use mpc_share::fixed::Functions;
use mpc_share::interval::{LIMIT, Range};
use mpc_two::{Additive, Two};

const FRAC: u32 = 20;
const ONE: i64 = 1 << FRAC;
/// Fractional bits of what is computed in the clear, and 1 with them.
const POINT: u32 = 40;
const UNIT: i128 = 1 << POINT;

/// Functions of one number.
#[derive(Clone, Copy, Debug)]
enum Function {
    Reciprocal,
    Root,
    InverseRoot,
    Power,
    Logarithm,
    Sigmoid,
}

fn range(lo: i64, hi: i64) -> Range {
    Range::new(lo, hi).unwrap()
}

/// The range's ends, an even grid, and powers of two with their neighbours.
fn grid(range: Range) -> Vec<i64> {
    let step = |at: i128| (i128::from(range.lo()) + i128::from(range.hi() - range.lo()) * at / 60) as i64;
    let powers = (0..62).flat_map(|place| [(1_i64 << place) - 1, 1 << place, (1 << place) + 1, -(1 << place)]);
    (0..=60).map(step).chain(powers).filter(|number| range.contains(*number)).collect()
}

async fn input(two: &mut Two, numbers: &[i64], range: Range) -> Result<Fixed<Additive>, Abort> {
    let mine = if two.me() == 0 { numbers } else { &[] };
    two.input_fixed(0, mine, numbers.len(), FRAC, range).await
}

/// The numbers at both parties, which are in their range.
async fn seen(two: &mut Two, x: &Fixed<Additive>) -> Result<Vec<i64>, Abort> {
    let zero = two.reveal_fixed(0, x).await?;
    let one = two.reveal_fixed(1, x).await?;
    let numbers = zero.or(one).unwrap_or_default();
    assert!(numbers.iter().all(|number| x.range().contains(*number)), "{:?}", x.range());
    Ok(numbers)
}

async fn applied(mut ctx: Context, function: Function, ranges: Vec<Range>) -> Result<Vec<Vec<i64>>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let mut out = Vec::new();
    for range in ranges {
        let x = input(&mut two, &grid(range), range).await?;
        let result = match function {
            Function::Reciprocal => two.fixed_reciprocal(&x).await?,
            Function::Root => two.fixed_sqrt(&x).await?,
            Function::InverseRoot => two.fixed_inverse_sqrt(&x).await?,
            Function::Power => two.fixed_exp(&x).await?,
            Function::Logarithm => two.fixed_ln(&x).await?,
            Function::Sigmoid => two.fixed_sigmoid(&x).await?,
        };
        out.push(seen(&mut two, &result).await?);
    }
    Ok(out)
}

/// Every argument with its result is right.
async fn check(function: Function, ranges: &[Range], is_right: impl Fn(i64, i64) -> bool) {
    let given = ranges.to_vec();
    let all = agreed(both(|ctx| applied(ctx, function, given.clone())).await);
    for (range, results) in ranges.iter().zip(all) {
        for (x, result) in grid(*range).into_iter().zip(results) {
            assert!(is_right(x, result), "{function:?} of {x}: {result}");
        }
    }
}

/// Two units, one that rounding the due result down takes, and a share of 2^-26.
fn is_near(result: i64, due: u128) -> bool {
    let due = due as i128;
    (i128::from(result) - due).abs() <= 3 + (due >> 26)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reciprocals_and_roots_keep_their_precision() {
    let positive =
        [range(ONE / 4, 9 * ONE), range(1 << 10, (1 << 41) - 1), range(1, 1 << 31), range(3, 3), range(ONE, ONE)];
    let wide = |x: i64| u128::from(x.unsigned_abs());
    check(Function::Reciprocal, &positive, |x, result| is_near(result, (1_u128 << (2 * FRAC)) / wide(x))).await;
    let inverse_root = |x: i64| ((1_u128 << (3 * FRAC)) / wide(x)).isqrt();
    check(Function::InverseRoot, &positive, |x, result| is_near(result, inverse_root(x))).await;
    let ranges = [range(0, 1 << 40), range(0, (1 << 61) - 1), range(ONE / 4, 9 * ONE), range(0, 0), range(5, 1 << 33)];
    check(Function::Root, &ranges, |x, result| is_near(result, (wide(x) << FRAC).isqrt())).await;
}

fn times(x: i128, y: i128) -> i128 {
    (x * y) >> POINT
}

/// `e^x` with [`POINT`] fractional bits for `x` from -24 to 24, off by less than a share of 2^-30: Taylor's series for a 32nd.
fn power(x: i64) -> i128 {
    if x < 0 {
        return inverse(power(-x));
    }
    let part = i128::from(x) << (POINT - FRAC) >> 5;
    let (mut term, mut sum) = (UNIT, UNIT);
    for number in 1..20 {
        term = times(term, part) / number;
        sum += term;
    }
    (0..5).fold(sum, |sum, _| times(sum, sum))
}

/// A number with [`POINT`] fractional bits, and the inverse of one.
fn wide(x: i64) -> i128 {
    i128::from(x) << (POINT - FRAC)
}

fn inverse(x: i128) -> i128 {
    (UNIT << POINT) / x
}

fn is_power(x: i64, result: i64) -> bool {
    let due = power(x);
    (wide(result) - due).abs() <= wide(2) + (due >> 24) + (due >> 30)
}

/// Whether `x` is between the powers of two units below and above; of the inverses where the logarithm is negative.
fn is_logarithm(x: i64, result: i64) -> bool {
    let (x, result) = if result < 0 { (inverse(wide(x)), -result) } else { (wide(x), result) };
    let slack = x >> 30;
    power(result - 2) - slack <= x + 1 && x <= power(result + 2) + slack
}

fn is_sigmoid(x: i64, result: i64) -> bool {
    // Beyond, the result is 0 or 1 to less than 2^-34.
    let power = power(x.abs().min(24 * ONE));
    let upper = (power << POINT) / (power + UNIT);
    let due = if x < 0 { UNIT - upper } else { upper };
    (wide(result) - due).abs() <= wide(2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn powers_and_logarithms_keep_their_precision() {
    let ranges = [range(-8 * ONE, 8 * ONE), range(-14 * ONE, -ONE), range(0, 14 * ONE), range(0, 0), range(-ONE, ONE)];
    check(Function::Power, &ranges, is_power).await;
    let ranges = [range(ONE / 4, 9 * ONE), range(1, 1 << 50), range(ONE, ONE), range(7, 7)];
    check(Function::Logarithm, &ranges, is_logarithm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logistic_function_keeps_its_precision() {
    let ranges = [range(-30 * ONE, 30 * ONE), range(-ONE, ONE / 2), range(-(1 << 61), 1 << 61), range(0, 0)];
    check(Function::Sigmoid, &ranges, is_sigmoid).await;
}

/// Numbers of a range: its ends, some between them, and others.
fn numbers(seed: u64, range: Range) -> Vec<i64> {
    let span = range.hi() - range.lo();
    let mut out = vec![range.lo(), range.hi(), range.hi() / 3, range.lo() + span / 7];
    out.extend(some(100, seed).iter().map(|word| range.lo() + (word % span as u64) as i64));
    out
}

const WIDE: (i64, i64) = (-(1 << 33), 1 << 33);
const NARROW: (i64, i64) = (-(1 << 25), 1 << 25);
const DIVISORS: (i64, i64) = (ONE / 64, 1 << 31);

fn columns() -> [Vec<i64>; 3] {
    [(1, WIDE), (2, NARROW), (3, DIVISORS)].map(|(seed, (lo, hi))| numbers(seed, range(lo, hi)))
}

async fn of_two_numbers(mut ctx: Context) -> Result<(Vec<Vec<i64>>, Vec<bool>), Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let [x, y, z] = columns();
    let x = input(&mut two, &x, range(WIDE.0, WIDE.1)).await?;
    let y = input(&mut two, &y, range(NARROW.0, NARROW.1)).await?;
    let z = input(&mut two, &z, range(DIVISORS.0, DIVISORS.1)).await?;
    let product = two.fixed_mul(&x, &y).await?;
    let dot = two.fixed_dot(&[(&x, &y), (&y, &y)]).await?;
    let quotient = two.fixed_divide(&x, &z).await?;
    let (smaller, larger) = two.fixed_min_max(&x, &z).await?;
    let (magnitude, positive) = two.fixed_abs_relu(&x).await?;
    let matrix = two.fixed_matmul(&y, &y, [2, y.len() / 2, 2]).await?;
    let less = two.fixed_less(&x, &z).await?;
    let mut out = Vec::new();
    for number in [&product, &dot, &quotient, &smaller, &larger, &magnitude, &positive, &matrix] {
        out.push(seen(&mut two, number).await?);
    }
    Ok((out, open_bits(&mut two, &less).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_and_quotients_of_two_numbers() {
    let (out, less) = agreed(both(of_two_numbers).await);
    let [x, y, z] = columns();
    let is_cut = |whole: i128, seen: i64| [whole >> FRAC, (whole >> FRAC) + 1].contains(&i128::from(seen));
    for at in 0..x.len() {
        let (x, y, z) = (i128::from(x[at]), i128::from(y[at]), i128::from(z[at]));
        assert!(is_cut(x * y, out[0][at]) && is_cut(x * y + y * y, out[1][at]), "{x} {y}");
        let (due, unit) = ((x << FRAC) / z, i128::from(2 * ONE) / z);
        assert!((i128::from(out[2][at]) - due).abs() <= 4 + unit + (due.abs() >> 25), "{x} / {z}");
        let plain = [x.min(z), x.max(z), x.abs(), x.max(0)];
        assert_eq!([3, 4, 5, 6].map(|which: usize| i128::from(out[which][at])), plain);
        assert_eq!(less[at], x < z);
    }
    let inner = y.len() / 2;
    let entry = |row: usize, column: usize| {
        (0..inner).map(|at| i128::from(y[row * inner + at]) * i128::from(y[2 * at + column])).sum::<i128>()
    };
    assert!((0..4).all(|at| is_cut(entry(at / 2, at % 2), out[7][at])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_outside_its_range_or_may_overflow_is_refused_and_ends_nothing() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let outside = two.input_fixed(two.me(), &[ONE + 1], 1, FRAC, range(-ONE, ONE)).await.err();
        let (wide, below) = (two.public_fixed(&[0, LIMIT / 2], FRAC)?, two.public_fixed(&[-1], FRAC)?);
        let all = [
            outside,
            two.fixed_mul(&wide, &wide).await.err(),
            two.fixed_dot(&[]).await.err(),
            two.fixed_reciprocal(&wide).await.err(),
            two.fixed_divide(&wide, &wide).await.err(),
            two.fixed_exp(&wide).await.err(),
            two.fixed_ln(&wide).await.err(),
            two.fixed_inverse_sqrt(&wide).await.err(),
            two.fixed_sqrt(&below).await.err(),
            two.public_fixed(&[LIMIT], FRAC).err(),
        ];
        assert!(all.iter().all(|abort| abort.as_ref().is_some_and(|abort| abort.blame == Blame::Local)), "{all:?}");
        open(&mut two, below.raw()).await
    };
    assert_eq!(agreed(both(program).await), [u64::MAX]);
}
