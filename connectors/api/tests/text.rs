//! Types are found and texts turned into words exactly, without a float.

use base_types::column::ColumnType::{self, Bool, Date, Decimal, Int, Text};
use connectors_api::text::{Misfit, infer, infer_number, parse, text_column};

fn cells(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
}

fn found(texts: &[&str]) -> Result<ColumnType, usize> {
    infer(&cells(texts))
}

#[test]
fn types_are_found() {
    assert_eq!(found(&["1", "", "-20"]), Ok(Int));
    assert_eq!(found(&["9223372036854775807", "-9223372036854775808"]), Ok(Int));
    assert_eq!(found(&["1", "2.50", "-.5"]), Ok(Decimal { scale: 2 }));
    assert_eq!(found(&["0.123456789"]), Ok(Decimal { scale: 9 }));
    assert_eq!(found(&["1.50000000000"]), Ok(Decimal { scale: 1 }));
    assert_eq!(found(&["true", "FALSE", ""]), Ok(Bool));
    assert_eq!(found(&["2024-02-29", "1970-01-01"]), Ok(Date));
    assert_eq!(found(&["2024-02-30", "1970-01-01"]), Ok(Text));
    assert_eq!(found(&["", ""]), Ok(Text));
    assert_eq!(found(&["Zhang", "7"]), Ok(Text));
}

#[test]
fn numbers_that_are_codes_or_do_not_fit_stay_text() {
    assert_eq!(found(&["007", "8"]), Ok(Text));
    assert_eq!(found(&["0", "0.5"]), Ok(Decimal { scale: 1 }));
    assert_eq!(found(&["9223372036854775808"]), Ok(Text));
    assert_eq!(found(&["0.1234567891"]), Ok(Text));
    assert_eq!(found(&["12345678901.5", "0.123456789"]), Ok(Text), "no common scale fits 64 bits");
    assert_eq!(found(&["1e5", "2"]), Ok(Text));
}

#[test]
fn nine_tenths_numbers_are_a_mixed_column() {
    let mut texts = vec!["1"; 9];
    texts.insert(3, "n/a");
    texts.insert(0, "");
    assert_eq!(found(&texts), Err(4));
    texts.push("unknown");
    assert_eq!(found(&texts), Ok(Text));
}

#[test]
fn words_are_exact_or_refused() {
    assert_eq!(parse(Decimal { scale: 4 }, "172.7812"), Ok(1_727_812));
    assert_eq!(parse(Decimal { scale: 4 }, "-0.5"), Ok(-5000));
    assert_eq!(parse(Decimal { scale: 1 }, "1.500"), Ok(15));
    assert_eq!(parse(Decimal { scale: 1 }, "1.55"), Err(Misfit::Form));
    assert_eq!(parse(Int, "19.0"), Ok(19));
    assert_eq!(parse(Int, "-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(parse(Int, "9223372036854775808"), Err(Misfit::Range));
    assert_eq!(parse(Int, &"9".repeat(400)), Err(Misfit::Range));
    assert_eq!(parse(Decimal { scale: 9 }, "9223372036.854775807"), Ok(i64::MAX));
    assert_eq!(parse(Decimal { scale: 9 }, "9223372036.854775808"), Err(Misfit::Range));
    for bad in ["", "-", ".", "5.", "+5", "1,5", "1e5", "٣", "--1", "1.2.3", "NaN"] {
        assert_eq!(parse(Int, bad), Err(Misfit::Form), "{bad}");
        assert_eq!(parse(Decimal { scale: 3 }, bad), Err(Misfit::Form), "{bad}");
    }
    assert_eq!([parse(Bool, "1"), parse(Bool, "False"), parse(Bool, "2")], [Ok(1), Ok(0), Err(Misfit::Form)]);
}

#[test]
fn numbers_from_floats_need_a_short_decimal() {
    assert_eq!(infer_number(&cells(&["19", "20.50", ""])), Ok(Decimal { scale: 1 }));
    assert_eq!(infer_number(&cells(&["19.0", "-0"])), Ok(Int));
    assert_eq!(infer_number(&cells(&["1", "0.30000000000000004"])), Err(1));
    assert_eq!(infer_number(&cells(&["1", "", "NaN"])), Err(2));
    assert_eq!(infer_number(&cells(&["12345678901", "0.123456789"])), Err(0));
}

#[test]
fn a_dictionary_is_sorted_and_without_repetition() {
    let column = text_column("t", cells(&["b", "", "a", "b"]));
    assert_eq!(column.dictionary, ["a", "b"]);
    assert_eq!(
        (column.values.as_slice(), column.valid.as_slice()),
        (&[1, 0, 0, 1][..], &[true, false, true, true][..])
    );
    assert_eq!([column.text(0), column.text(1), column.text(2)], [Some("b"), None, Some("a")]);
}
