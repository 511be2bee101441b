//! What building folds, drops and refuses.

use std::time::{Duration, Instant};

use mpc_garble::circuit::{Bit, Builder, CircuitError, Limits};

use crate::common::{circuit, prg, random_bits, random_circuit};

#[test]
fn constants_and_repetitions_become_no_gate() {
    let folded = circuit(&[2], |b, inputs| {
        let (x, y) = (inputs[0][0], inputs[0][1]);
        let all = [
            b.and(x, Bit::ZERO),
            b.and(Bit::ONE, y),
            b.and(x, x),
            b.and(x, !x),
            b.xor(x, Bit::ONE),
            b.xor(y, !y),
            b.xor(Bit::ONE, Bit::ONE),
            b.or(x, Bit::ONE),
        ];
        all.to_vec()
    });
    // The constants that come out share one wire.
    assert_eq!((folded.ands(), folded.xors(), folded.depth()), (0, 1, 0));
    for (x, y) in [(false, false), (false, true), (true, false), (true, true)] {
        assert_eq!(folded.evaluate(&[x, y]).unwrap(), [false, y, x, false, !x, true, false, true]);
    }
}

#[test]
fn what_no_output_needs_is_left_out_and_the_rest_keeps_its_order() {
    let circuit = circuit(&[3], |b, inputs| {
        let [x, y, z] = inputs[0][..] else { panic!("three bits") };
        let first = b.and(x, y);
        b.and(y, z);
        let second = b.xor(first, z);
        b.xor(second, x);
        vec![b.and(second, !y)]
    });
    assert_eq!((circuit.ands(), circuit.xors(), circuit.depth()), (2, 1, 2));
    for word in 0..8_u32 {
        let [x, y, z] = [0, 1, 2].map(|at| word >> at & 1 == 1);
        assert_eq!(circuit.evaluate(&[x, y, z]).unwrap(), [((x & y) ^ z) & !y]);
    }
}

#[test]
fn limits_are_told_and_not_exceeded() {
    let limits = Limits { gates: 10, bits: 8, text: 100 };
    let too_large = |fault: Option<CircuitError>| matches!(fault, Some(CircuitError::TooLarge { .. }));
    assert!(too_large(Builder::new(&[4, 5], limits).err()));
    assert!(too_large(Builder::new(&[u32::MAX, u32::MAX], limits).err()));
    assert!(too_large(Builder::new(&[1], Limits { gates: 1 << 30, ..limits }).err()));
    let grown = |gates: usize| {
        let mut b = Builder::new(&[4, 4], limits).unwrap();
        let (x, y) = (b.input(0), b.input(1));
        let mut bit = x[0];
        for at in 0..gates {
            bit = if at % 2 == 0 { b.and(bit, y[at % 4]) } else { b.xor(bit, x[at % 4]) };
        }
        b.output(&[bit]);
        b.finish()
    };
    assert_eq!(grown(10).map(|circuit| circuit.ands()).ok(), Some(5));
    assert!(too_large(grown(11).err()));
    assert!(too_large(grown(1000).err()));
    let mut b = Builder::new(&[8], limits).unwrap();
    let byte = b.input(0);
    b.output(&byte);
    b.output(&byte[..1]);
    assert!(too_large(b.finish().err()));
}

#[test]
fn mistakes_are_told_at_the_end() {
    let fault = |build: fn(&mut Builder)| {
        let mut b = Builder::new(&[2, 3], Limits::default()).unwrap();
        build(&mut b);
        b.finish().err()
    };
    assert_eq!(fault(|_| ()), Some(CircuitError::Empty));
    assert_eq!(fault(|b| b.output(&[])), Some(CircuitError::Empty));
    let missing = |b: &mut Builder| {
        let none = b.input(2);
        b.output(&none);
    };
    assert_eq!(fault(missing), Some(CircuitError::Foreign));
    let unequal = |b: &mut Builder| {
        let (x, y) = (b.input(0), b.input(1));
        let sum = b.add(&x, &y);
        b.output(&sum);
    };
    assert!(matches!(fault(unequal), Some(CircuitError::Count { found: 3, due: 2, .. })));
    let foreign = |b: &mut Builder| {
        let mut other = Builder::new(&[40], Limits::default()).unwrap();
        let bit = other.input(0)[39];
        let both = b.and(bit, Bit::ONE);
        b.output(&[both]);
    };
    assert_eq!(fault(foreign), Some(CircuitError::Foreign));
    assert!(Builder::new(&[], Limits::default()).unwrap().finish().is_err());
}

#[test]
fn the_digest_moves_with_every_part() {
    let make = |widths: &[u32], flip: bool, two: bool| {
        let mut b = Builder::new(widths, Limits::default()).unwrap();
        let bits: Vec<Bit> = (0..widths.len()).flat_map(|input| b.input(input)).collect();
        let out = b.and(bits[0], if flip { !bits[1] } else { bits[1] });
        if two {
            b.output(&[out]);
            b.output(&[bits[0]]);
        } else {
            b.output(&[out, bits[0]]);
        }
        b.finish().unwrap().digest()
    };
    let all = [
        make(&[1, 1], false, false),
        make(&[2], false, false),
        make(&[1, 1], true, false),
        make(&[1, 1], false, true),
        make(&[1, 1, 1], false, false),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
    }
    assert_eq!(all[0], make(&[1, 1], false, false));
}

#[test]
fn another_number_of_input_bits_is_refused() {
    let mut prg = prg(3);
    let circuit = random_circuit(&mut prg, &[3, 4], 50);
    for count in [0, 6, 8] {
        let inputs = random_bits(&mut prg, count);
        assert!(matches!(circuit.evaluate(&inputs), Err(CircuitError::Count { due: 7, .. })));
    }
}

#[test]
fn a_million_inputs_of_a_bit_take_no_longer_than_one_of_a_million() {
    let count = 1 << 20;
    let mut b = Builder::new(&vec![1; count], Limits::default()).unwrap();
    let begun = Instant::now();
    let bits: Vec<Bit> = (0..count).flat_map(|input| b.input(input)).collect();
    // Where each input counts those before it, that is a minute and more.
    assert!(begun.elapsed() < Duration::from_secs(10));
    let ends = b.xor(bits[0], bits[count - 1]);
    b.output(&[ends]);
    let circuit = b.finish().unwrap();
    let mut inputs = vec![false; count];
    inputs[count - 1] = true;
    assert_eq!(circuit.evaluate(&inputs).unwrap(), [true]);
}
