//! Arithmetic on words against the processor's, and what it costs.

use mpc_core::Prg;
use mpc_garble::circuit::{Bit, Builder, Circuit};
use mpc_garble::library::constant;

use crate::common::{bits, circuit, lane, lanes, number, prg};

/// A word of 64 bits that is often short, or full at one end.
fn word(prg: &mut Prg) -> u64 {
    let word = prg.word() >> prg.below(64);
    match prg.below(4) {
        0 => !word,
        1 => word << prg.below(64),
        2 => word & 0xff,
        _ => word,
    }
}

/// Runs the circuit on 64 pairs and more pairs of edges; `wanted` gives the output as one number of up to 128 bits.
fn check(circuit: &Circuit, seed: u8, wanted: impl Fn(u64, u64) -> u128) {
    let mut prg = prg(seed);
    let edges = [0, 1, 2, 1 << 31, 1 << 32, 1 << 63, i64::MAX as u64, u64::MAX];
    let mut pairs: Vec<(u64, u64)> = edges.iter().flat_map(|x| edges.map(|y| (*x, y))).collect();
    pairs.extend((0..192).map(|_| (word(&mut prg), word(&mut prg))));
    for some in pairs.chunks(64) {
        let cases: Vec<Vec<bool>> = some.iter().map(|(x, y)| [bits(*x, 64), bits(*y, 64)].concat()).collect();
        let out = circuit.evaluate_lanes(&lanes(&cases)).unwrap();
        for (at, (x, y)) in some.iter().enumerate() {
            let got = lane(&out, at);
            let (low, high) = got.split_at(got.len().min(64));
            let got = u128::from(number(low)) | u128::from(number(high)) << 64;
            assert_eq!(got, wanted(*x, *y), "{x:x} {y:x}");
        }
    }
}

fn binary(build: impl FnOnce(&mut Builder, &[Bit], &[Bit]) -> Vec<Bit>) -> Circuit {
    circuit(&[64, 64], |b, inputs| build(b, &inputs[0], &inputs[1]))
}

fn both(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

#[test]
fn sums_and_differences() {
    let sum = binary(|b, x, y| b.add(x, y));
    assert_eq!(sum.ands(), 63);
    check(&sum, 1, |x, y| x.wrapping_add(y).into());
    let carried = binary(|b, x, y| {
        let (mut sum, carry) = b.add_carry(x, y);
        sum.push(carry);
        sum
    });
    assert_eq!(carried.ands(), 64);
    check(&carried, 2, |x, y| u128::from(x) + u128::from(y));
    let difference = binary(|b, x, y| b.sub(x, y));
    assert_eq!(difference.ands(), 63);
    check(&difference, 3, |x, y| x.wrapping_sub(y).into());
    let negated = binary(|b, x, y| b.negate_where(y[0], x));
    assert_eq!(negated.ands(), 63);
    check(&negated, 4, |x, y| if y & 1 == 1 { x.wrapping_neg().into() } else { x.into() });
    let more = binary(|b, x, _| b.add(x, &constant(0x8000_0000_0000_0001, 64)));
    check(&more, 5, |x, _| x.wrapping_add(0x8000_0000_0000_0001).into());
}

#[test]
fn comparisons_and_choices() {
    let less = binary(|b, x, y| vec![b.less(x, y)]);
    assert_eq!(less.ands(), 64);
    check(&less, 6, |x, y| u128::from(x < y));
    let signed = binary(|b, x, y| vec![b.less_signed(x, y)]);
    assert_eq!(signed.ands(), 64);
    check(&signed, 7, |x, y| u128::from((x as i64) < y as i64));
    let equal = binary(|b, x, y| vec![b.equal(x, y)]);
    assert_eq!((equal.ands(), equal.depth()), (63, 6));
    check(&equal, 8, |x, y| u128::from(x == y));
    let all = binary(|b, x, _| vec![b.all(x), b.all(&[])]);
    check(&all, 9, |x, _| u128::from(x == u64::MAX) | 2);
    let larger = binary(|b, x, y| {
        let less = b.less(x, y);
        b.select(less, y, x)
    });
    assert_eq!(larger.ands(), 128);
    check(&larger, 10, |x, y| x.max(y).into());
    let differ = binary(|b, x, y| b.xor_words(x, y));
    assert_eq!((differ.ands(), differ.xors()), (0, 64));
    check(&differ, 11, |x, y| (x ^ y).into());
}

#[test]
fn products() {
    let low = binary(|b, x, y| b.multiply(x, y, 64));
    assert_eq!((low.ands(), low.depth()), (4_033, 63));
    check(&low, 12, |x, y| x.wrapping_mul(y).into());
    let whole = binary(|b, x, y| b.multiply(x, y, 128));
    assert_eq!((whole.ands(), whole.depth()), (8_128, 127));
    check(&whole, 13, |x, y| u128::from(x) * u128::from(y));
}

#[test]
fn quotients_and_remainders() {
    let unsigned = binary(|b, x, y| {
        let (quotient, rest) = b.divide(x, y);
        [quotient, rest].concat()
    });
    assert_eq!((unsigned.ands(), unsigned.depth()), (4_285, 2_205));
    check(&unsigned, 14, |x, y| both(x.checked_div(y).unwrap_or(u64::MAX), x.checked_rem(y).unwrap_or(x)));
    let signed = binary(|b, x, y| {
        let (quotient, rest) = b.divide_signed(x, y);
        [quotient, rest].concat()
    });
    check(&signed, 15, |x, y| {
        let (x, y) = (x as i64, y as i64);
        let by_zero = if x < 0 { 1 } else { -1 };
        let (quotient, rest) = if y == 0 { (by_zero, x) } else { (x.wrapping_div(y), x.wrapping_rem(y)) };
        both(quotient as u64, rest as u64)
    });
}
