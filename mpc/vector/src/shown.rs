//! Results as decimals: how many digits a scale is worth, and the nearest decimal of a fixed-point number.

use crate::form::{Form, Kind};

/// Digits behind the point that numbers of a scale are shown with: as fine as the scale, or finer.
pub(crate) fn digits(scale: u32) -> u8 {
    // log10 2 is 0.30103.
    u8::try_from((scale * 30_103).div_ceil(100_000)).unwrap_or(u8::MAX)
}

/// The nearest decimal, as a scaled integer; halves go up.
pub(crate) fn decimal(raw: i128, scale: u32) -> i128 {
    let raised = raw * 10i128.pow(digits(scale).into());
    (raised + (1 << scale >> 1)) >> scale
}

/// A decimal, given as a scaled integer, without zeros at its end.
pub(crate) fn text(number: i128, places: u8) -> String {
    let places = usize::from(places);
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, behind) = digits.split_at(digits.len() - places);
    let (sign, behind) = (if number < 0 { "-" } else { "" }, behind.trim_end_matches('0'));
    let point = if behind.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{behind}")
}

/// Whether every element of a result can be shown: numbers as decimals of 64 bits, wide integers as text.
pub(crate) fn fits(form: &Form, scale: u32) -> bool {
    let fits = |raw: i128| i64::try_from(decimal(raw, scale)).is_ok();
    form.kind != Kind::Number || (fits(form.low) && fits(form.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_nearest_and_fine_enough() {
        assert_eq!([1, 4, 12, 16, 20].map(digits), [1, 2, 4, 5, 7]);
        assert_eq!([decimal(1, 1), decimal(-1, 1), decimal(3, 2)], [5, -5, 8]);
        assert_eq!(decimal(-(5 << 16), 16), -500_000);
        let texts = [(0, 3), (-5, 1), (-1250, 2), (7, 0)].map(|(number, places)| text(number, places));
        assert_eq!(texts, ["0", "-0.5", "-12.5", "7"]);
        let form = Form { kind: Kind::Number, rows: 1, columns: 1, low: 0, high: (1 << 62) - 1 };
        assert!(!fits(&form, 1) && !fits(&form, 20) && fits(&form.ranged((0, 1 << 50)), 16));
    }
}
