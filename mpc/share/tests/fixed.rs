//! Fixed-point functions at range edges and on dense grids, against series, roots and quotients in 128-bit integers.

mod common;

use common::{FRAC, series, three, words};
use mpc_core::{Abort, Blame};
use mpc_share::fixed::Functions;
use mpc_share::interval::{LIMIT, Overflow, Range};
use mpc_share::{Fixed, Rep3};

const ONE: i64 = 1 << FRAC;

async fn input(party: &mut Rep3, numbers: &[i64], range: Range) -> Result<Fixed, Abort> {
    let mine = if party.me() == 0 { numbers } else { &[] };
    let [shared, _, _] = party.input_fixed([numbers.len(), 0, 0], mine, FRAC, [range; 3]).await?;
    Ok(shared)
}

/// The range's ends, an even grid and a geometric one between them.
fn grid(range: Range, count: i64) -> Vec<i64> {
    let (lo, hi) = (range.lo(), range.hi());
    let even =
        (0..=count).map(|at| lo + ((i128::from(hi) - i128::from(lo)) * i128::from(at) / i128::from(count)) as i64);
    let powers = (0..62).flat_map(|place| [(1i64 << place) - 1, 1 << place, (1 << place) + 1, -(1 << place)]);
    even.chain(powers).filter(|number| range.contains(*number)).collect()
}

/// A function of one number over a grid; what party 1 sees.
async fn apply<F, Fut>(range: Range, f: F) -> (Vec<i64>, Vec<i64>, Range)
where
    F: Fn(Rep3, Fixed) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(Rep3, Fixed), Abort>> + Send + 'static,
{
    let x = grid(range, 700);
    let given = x.clone();
    let mut out = three(41, move |mut party| {
        let (given, f) = (given.clone(), f.clone());
        async move {
            let shared = input(&mut party, &given, range).await?;
            let (mut party, result) = f(party, shared).await?;
            Ok((party.reveal_fixed(&result, 1).await?, result.range()))
        }
    })
    .await;
    let (seen, bounds) = out.remove(1);
    (x, seen.unwrap(), bounds)
}

/// Every result is in its range and within two units and a share of 2^-bits of the due one.
fn check(name: &str, seen: &(Vec<i64>, Vec<i64>, Range), bits: u32, due: fn(i64) -> i128) {
    let more = series::PLACES - FRAC;
    for (x, result) in seen.0.iter().zip(&seen.1) {
        let due = due(*x);
        let error = ((i128::from(*result) << more) - due).abs();
        // Two more for the reference, which are two millionths of a unit.
        let most = (2_i128 << more) + 2 + (due.abs() >> bits);
        assert!(error <= most, "{name} of {x}: {result}, not {due} / 2^{more}");
        assert!(seen.2.contains(*result), "{name} of {x}: {result} is not in {:?}", seen.2);
    }
}

/// Twelve decimals of what everybody knows.
#[test]
fn the_reference_is_right() {
    let decimals = |number: i128| (number * 1_000_000_000_000) >> series::PLACES;
    let near = |number: i128, due: i128| (decimals(number) - due).abs() <= 2;
    assert!(near(series::exp(ONE), 2_718_281_828_459) && near(series::exp(-ONE), 367_879_441_171));
    assert!(near(series::ln(2 * ONE), 693_147_180_559) && near(series::ln(ONE / 2), -693_147_180_560));
    assert!(near(series::sigmoid(ONE), 731_058_578_630) && near(series::sigmoid(-ONE), 268_941_421_369));
    assert!(near(series::sqrt(2 * ONE), 1_414_213_562_373) && near(series::inverse_sqrt(2 * ONE), 707_106_781_186));
    assert!(near(series::reciprocal(3 * ONE), 333_333_333_333));
}

fn range(lo: i64, hi: i64) -> Range {
    Range::new(lo, hi).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reciprocals_and_roots_keep_their_precision() {
    for range in
        [range(ONE / 4, 9 * ONE), range(1 << 10, (1 << 41) - 1), range(1, 1 << 31), range(3, 3), range(ONE, ONE)]
    {
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_reciprocal(&x).await?;
            Ok((party, out))
        });
        check("reciprocal", &seen.await, 26, series::reciprocal);
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_inverse_sqrt(&x).await?;
            Ok((party, out))
        });
        check("inverse square root", &seen.await, 26, series::inverse_sqrt);
    }
    for range in [range(0, 1 << 40), range(0, (1 << 61) - 1), range(ONE / 4, 9 * ONE), range(0, 0), range(5, 1 << 33)] {
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_sqrt(&x).await?;
            Ok((party, out))
        });
        check("square root", &seen.await, 26, series::sqrt);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exponentials_logarithms_and_the_logistic_function_keep_their_precision() {
    for range in [range(-8 * ONE, 8 * ONE), range(-14 * ONE, -ONE), range(0, 14 * ONE), range(0, 0), range(-ONE, ONE)] {
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_exp(&x).await?;
            Ok((party, out))
        });
        check("exp", &seen.await, 24, series::exp);
    }
    for range in [range(ONE / 4, 9 * ONE), range(1, 1 << 50), range(ONE, ONE), range(7, 7)] {
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_ln(&x).await?;
            Ok((party, out))
        });
        check("ln", &seen.await, 60, series::ln);
    }
    for range in [range(-30 * ONE, 30 * ONE), range(-ONE, ONE / 2), range(-(1 << 61), 1 << 61), range(0, 0)] {
        let seen = apply(range, |mut party, x| async move {
            let out = party.fixed_sigmoid(&x).await?;
            Ok((party, out))
        });
        check("sigmoid", &seen.await, 60, series::sigmoid);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_and_quotients_of_two_numbers() {
    let (wide, narrow) = (range(-(1 << 33), 1 << 33), range(-(1 << 25), 1 << 25));
    let divisors = range(ONE / 64, 1 << 31);
    let some = |seed, range: Range| -> Vec<i64> {
        let mut out = vec![range.lo(), range.hi(), range.hi() / 3, range.lo() + (range.hi() - range.lo()) / 7];
        out.extend(words(seed, 500).iter().map(|word| range.lo() + (word % (range.hi() - range.lo()) as u64) as i64));
        out
    };
    let (x, y, z) = (some(1, wide), some(2, narrow), some(3, divisors));
    let given = (x.clone(), y.clone(), z.clone());
    let out = three(42, move |mut party| {
        let (x, y, z) = given.clone();
        async move {
            let (x, y) = (input(&mut party, &x, wide).await?, input(&mut party, &y, narrow).await?);
            let z = input(&mut party, &z, divisors).await?;
            let product = party.fixed_mul(&x, &y).await?;
            let dot = party.fixed_dot(&[(&x, &y), (&y, &y)]).await?;
            let quotient = party.fixed_divide(&x, &z).await?;
            let (smaller, larger) = party.fixed_min_max(&x, &z).await?;
            let (abs, relu) = party.fixed_abs_relu(&x).await?;
            let (most, place) = party.fixed_argmax(&[&y, &x, &z]).await?;
            let matrix =
                party.fixed_matmul(&y, &y.scale(3).map_err(|_| Abort::local("range"))?, [2, x.len() / 2, 2]).await?;
            let less = party.fixed_less(&x, &z).await?;
            let equal =
                party.fixed_equal(&x, &x.add(&party.public_fixed(&[0].repeat(x.len()), FRAC)?).unwrap()).await?;
            let mut all = Vec::new();
            for number in [&product, &dot, &quotient, &smaller, &larger, &abs, &relu, &most, &matrix] {
                all.push((party.reveal_fixed(number, 0).await?, number.range()));
            }
            Ok((all, party.open(&place).await?, party.open_bits(&less).await?, party.open_bits(&equal).await?))
        }
    })
    .await;
    let (all, place, less, equal) = &out[0];
    let all: Vec<(&Vec<i64>, Range)> = all.iter().map(|(seen, range)| (seen.as_ref().unwrap(), *range)).collect();
    assert!(equal.iter().all(|bit| *bit == 1));
    assert!(all.iter().all(|(seen, range)| seen.iter().all(|number| range.contains(*number))));
    for at in 0..x.len() {
        let (x, y, z) = (x[at], y[at], z[at]);
        let cut = |product: i128, seen: i64| {
            let floor = (product >> FRAC) as i64;
            assert!([floor, floor + 1].contains(&seen), "{product}: {seen}");
        };
        cut(i128::from(x) * i128::from(y), all[0].0[at]);
        cut(i128::from(x) * i128::from(y) + i128::from(y) * i128::from(y), all[1].0[at]);
        let (due, error) = ((i128::from(x) << FRAC) / i128::from(z), i128::from(2 * ONE / z));
        assert!((i128::from(all[2].0[at]) - due).abs() <= 4 + error + (due.abs() >> 25), "{x} / {z}");
        assert_eq!([3, 4, 5, 6].map(|which| all[which].0[at]), [x.min(z), x.max(z), x.abs(), x.max(0)]);
        assert_eq!(all[7].0[at], x.max(y).max(z));
        assert_eq!([y, x, z][place[at] as usize], all[7].0[at]);
        assert_eq!(less[at], u64::from(x < z));
    }
    let inner = x.len() / 2;
    let entry = (0..inner).map(|i| i128::from(y[i]) * i128::from(3 * y[2 * i])).sum::<i128>() >> FRAC;
    assert!((i128::from(all[8].0[0]) - entry).abs() <= 1);
}

#[test]
fn functions_are_bounded_from_both_sides() {
    let x = range(ONE / 4, 9 * ONE);
    let holds = |range: Result<Range, Overflow>, lo: f64, hi: f64| {
        let range = range.unwrap();
        let (lo, hi) = ((lo * ONE as f64) as i64, (hi * ONE as f64) as i64);
        assert!(range.contains(lo) && range.contains(hi), "{range:?} {lo} {hi}");
        assert!(range.magnitude() < 4 * lo.unsigned_abs().max(hi.unsigned_abs()) + 9, "{range:?}");
    };
    holds(x.reciprocals(FRAC), 1.0 / 9.0, 4.0);
    holds(x.roots(FRAC), 0.5, 3.0);
    holds(x.inverse_roots(FRAC), 1.0 / 3.0, 2.0);
    holds(x.exponentials(FRAC), 0.25f64.exp(), 9f64.exp());
    holds(x.logarithms(FRAC), 0.25f64.ln(), 9f64.ln());
    assert!(range(0, 40 * ONE).exponentials(FRAC).is_err() && range(0, LIMIT - 1).exponentials(FRAC).is_err());
}

#[tokio::test]
async fn what_is_outside_its_range_or_may_overflow_is_refused_before_anything_is_sent() {
    let out = three(43, |mut party| async move {
        let small = range(-ONE, ONE);
        let outside = party.input_fixed([1, 1, 1], &[ONE + 1], FRAC, [small; 3]).await.err();
        let wide = party.public_fixed(&[0, LIMIT / 2], FRAC)?;
        let all = [
            outside,
            party.fixed_mul(&wide, &wide).await.err(),
            party.fixed_reciprocal(&wide).await.err(),
            party.fixed_divide(&wide, &wide).await.err(),
            party.fixed_exp(&wide).await.err(),
            party.fixed_ln(&wide).await.err(),
            party.fixed_inverse_sqrt(&wide).await.err(),
            party.fixed_sqrt(&party.public_fixed(&[-1], FRAC)?).await.err(),
            party.fixed_dot(&[]).await.err(),
        ];
        assert!(wide.add(&wide).is_err() && wide.scale(-2).is_err());
        Ok(all.map(|abort| abort.map(|abort| abort.blame)))
    })
    .await;
    assert!(out.iter().flatten().all(|blame| *blame == Some(Blame::Local)), "{out:?}");
}
