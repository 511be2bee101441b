//! Literals: decimals without floats, and dates as days since 1970-01-01.

/// The word and scale of an unsigned decimal such as `12.50`; `None` when it has another form or does not fit.
pub(crate) fn decimal(digits: &str) -> Option<(i64, u8)> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if !fits || (whole.is_empty() && fraction.is_empty()) || fraction.len() > 9 {
        return None;
    }
    let word = format!("{whole}{fraction}").parse().ok()?;
    Some((word, u8::try_from(fraction.len()).ok()?))
}

/// A word of that scale as text.
pub(crate) fn decimal_text(word: i64, scale: u8) -> String {
    if scale == 0 {
        return word.to_string();
    }
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", word.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if word < 0 { "-" } else { "" })
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = parts.next().is_none() && year.len() == 4 && month.len() == 2 && day.len() == 2;
    if !shaped || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return None;
    }
    let days = days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    (date_text(days) == text).then_some(days)
}

/// Days of a date of the proleptic Gregorian calendar; years start in March, so that leap days end them.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let (year, day_of_year) = (year.rem_euclid(400), (153 * month + 2) / 5 + day - 1);
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// The date of a number of days, as `YYYY-MM-DD`.
pub(crate) fn date_text(days: i64) -> String {
    let shifted = i128::from(days) + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(decimal("12.50"), Some((1250, 2)));
        assert_eq!(decimal(".5"), Some((5, 1)));
        assert_eq!(decimal("7."), Some((7, 0)));
        for bad in [".", "", "1e3", "-1", "9223372036854775808", "0.0000000001"] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(i64::MIN, 1), "-922337203685477580.8");
    }

    #[test]
    fn dates_are_days_since_1970() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-12-31", 20_088),
            ("1900-03-01", -25_508),
        ] {
            assert_eq!(date(text), Some(expected), "{text}");
            assert_eq!(date_text(expected), text);
        }
        for bad in ["1900-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-00-10", "2024-01-01-01", "+024-01-01"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
