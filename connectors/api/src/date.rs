//! Calendar days as numbers: days since 1970-01-01 in the proleptic Gregorian calendar.

/// Days of 400 years.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// The day's number; `None` when there is no such day or the year is not 1 to 9999.
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH)
}

/// Year, month and day of a day's number; `None` far outside the years 1 to 9999.
pub fn civil(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days.checked_add(EPOCH)?;
    let (era, day) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let date =
        (era * 400 + year + i64::from(month >= 10), (month + 2) % 12 + 1, day_of_year - (153 * month + 2) / 5 + 1);
    (1..=9999).contains(&date.0).then_some(date)
}

/// Reads `YYYY-MM-DD`.
pub fn parse(text: &str) -> Option<i64> {
    let number = |part: &str, length: usize| {
        let fits = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        if fits { part.parse().ok() } else { None }
    };
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    days(number(year, 4)?, number(month, 2)?, number(day, 2)?)
}

/// Writes `YYYY-MM-DD`; `None` far outside the years 1 to 9999.
pub fn format(days: i64) -> Option<String> {
    civil(days).map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_and_every_day_of_five_centuries() {
        assert_eq!(parse("1970-01-01"), Some(0));
        assert_eq!(parse("1969-12-31"), Some(-1));
        assert_eq!(parse("2000-02-29"), Some(11016));
        assert_eq!(parse("2026-11-23"), Some(20780));
        assert_eq!((parse("0001-01-01"), parse("9999-12-31")), (Some(-719_162), Some(2_932_896)));
        for day in -150_000..50_000 {
            assert_eq!(format(day).and_then(|text| parse(&text)), Some(day));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for bad in [
            "1900-02-29",
            "2023-04-31",
            "2023-13-01",
            "2023-00-10",
            "0000-01-01",
            "23-1-1",
            "2023-01-01-",
            "",
            "+023-01-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(format(i64::MAX), None);
        assert_eq!(format(-719_163), None);
    }
}
