//! Bristol-fashion text: what it means, and what is refused.

use mpc_garble::circuit::{CircuitError, Limits, parse};

use crate::common::{bits, number};

/// Every gate of the format: the sum and the bitwise product of two words, then a copy, an inverse and a constant.
const TEXT: &str = "11 16
2 2 2
3 3 2 3

4 2 0 1 2 3 4 5 MAND
2 1 1 3 6 XOR
2 1 6 4 7 AND
2 1 0 2 8 XOR
2 1 6 4 9 XOR
2 1 7 5 10 XOR
1 1 4 11 EQW
1 1 5 12 EQW
1 1 0 13 EQW
1 1 3 14 INV
1 1 1 15 EQ
";

fn refused(text: &str) -> Option<CircuitError> {
    parse(text.as_bytes(), Limits::default()).err()
}

#[test]
fn every_gate_of_the_format_means_what_it_should() {
    let circuit = parse(TEXT.as_bytes(), Limits::default()).unwrap();
    assert_eq!((circuit.inputs(), circuit.outputs()), (&[2, 2][..], &[3, 2, 3][..]));
    // The constant that comes out is a fifth XOR.
    assert_eq!((circuit.ands(), circuit.xors()), (3, 5));
    for word in 0..16 {
        let (x, y) = (word & 3, word >> 2);
        let out = circuit.evaluate(&bits(word, 4)).unwrap();
        assert_eq!((number(&out[..3]), number(&out[3..5])), (x + y, x & y));
        assert_eq!(out[5..], [x & 1 == 1, y >> 1 == 0, true]);
    }
    let dos = parse(TEXT.replace('\n', "\r\n").as_bytes(), Limits::default()).unwrap();
    assert_eq!(dos.digest(), circuit.digest());
}

#[test]
fn every_truncation_and_every_appended_word_is_refused() {
    // Only the last end of line may be missing.
    for len in 0..TEXT.len() - 1 {
        assert!(refused(&TEXT[..len]).is_some(), "{len}");
    }
    assert_eq!(refused(&TEXT[..TEXT.len() - 1]), None);
    for more in ["x", "1 1 0 15 EQW", "0"] {
        assert!(refused(&format!("{TEXT}{more}")).is_some(), "{more}");
    }
}

#[test]
fn text_that_is_no_circuit_is_refused_with_its_line() {
    let changes = [
        ("11 16", "12 16", 15),
        ("11 16", "10 16", 15),
        ("11 16", "99 16", 3),
        ("11 16", "4000000000 16", 3),
        ("11 16", "11 9999", 3),
        ("11 16", "11 3", 3),
        ("11 16", "11 -16", 1),
        ("11 16", "11 99999999999", 1),
        ("11 16", "11 16 1", 1),
        ("2 2 2", "3 2 2", 2),
        ("3 3 2 3", "3 9 9 9", 3),
        ("3 3 2 3", "2 3 2 3", 3),
        ("2 1 0 2 8 XOR", "2 1 0 8 8 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 2 3 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 2 7 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 2 99 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 99 8 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 2 8 OR", 8),
        ("2 1 0 2 8 XOR", "2 1 0 2 8", 8),
        ("2 1 0 2 8 XOR", "1 1 0 2 8 XOR", 8),
        ("2 1 0 2 8 XOR", "3 1 0 2 1 8 XOR", 8),
        ("2 1 0 2 8 XOR", "2 1 +0 2 8 XOR", 8),
        ("4 2 0 1 2 3 4 5 MAND", "3 2 0 1 2 4 5 MAND", 5),
        ("4 2 0 1 2 3 4 5 MAND", "4 4000000000 0 1 2 3 4 5 MAND", 5),
        ("1 1 1 15 EQ", "1 1 2 15 EQ", 15),
    ];
    for (from, to, line) in changes {
        assert_eq!(TEXT.matches(from).count(), 1, "{from}");
        match refused(&TEXT.replace(from, to)) {
            Some(CircuitError::Line { line: found, .. }) => assert_eq!(found, line, "{from} → {to}"),
            other => panic!("{from} → {to}: {other:?}"),
        }
    }
    let unwritten = TEXT.replace("11 16", "10 16").replace("1 1 1 15 EQ\n", "");
    assert!(matches!(refused(&unwritten), Some(CircuitError::Line { .. })));
}

#[test]
fn text_beyond_the_limits_takes_no_memory() {
    let limits = Limits::default();
    for limits in [Limits { gates: 6, ..limits }, Limits { bits: 3, ..limits }, Limits { text: 50, ..limits }] {
        assert!(matches!(parse(TEXT.as_bytes(), limits).err(), Some(CircuitError::TooLarge { .. })), "{limits:?}");
    }
}
