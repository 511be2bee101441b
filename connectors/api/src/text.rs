//! From text to words: parsing and inference of types, with integers only.

use base_types::column::{Column, ColumnType};

use crate::date;

/// Most digits after the point.
const MAX_SCALE: usize = 9;

/// Why a text is no word of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// Another form, or more digits after the point than the type has.
    Form,
    /// Beyond 64 bits.
    Range,
}

/// A plain number taken apart.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Number<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix('-');
        let (negative, rest) = (unsigned.is_some(), unsigned.unwrap_or(text));
        let (whole, fraction) = match rest.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None if rest.is_empty() => return None,
            None => (rest, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        (digits(whole) && digits(fraction)).then_some(Self { negative, whole, fraction })
    }

    /// A number written with zeros before it is a code: 007 is not 7.
    fn is_code(&self) -> bool {
        self.whole.len() > 1 && self.whole.starts_with('0')
    }

    /// Digits after the point; zeros at the end count only when they do not make it too long.
    fn scale(&self) -> usize {
        if self.fraction.len() <= MAX_SCALE { self.fraction.len() } else { self.significant().len() }
    }

    fn significant(&self) -> &'a str {
        self.fraction.trim_end_matches('0')
    }

    fn word(&self, scale: u8) -> Result<i64, Misfit> {
        let (whole, fraction) = (self.whole.trim_start_matches('0'), self.significant());
        let missing = usize::from(scale).checked_sub(fraction.len()).ok_or(Misfit::Form)?;
        if whole.len() + usize::from(scale) > 20 + MAX_SCALE {
            return Err(Misfit::Range);
        }
        let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', missing));
        let size = digits.fold(0i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        i64::try_from(if self.negative { -size } else { size }).map_err(|_| Misfit::Range)
    }
}

/// True also for numbers that are no words: with an exponent, say.
fn is_numeric(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    Number::read(mantissa).is_some() && !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit())
}

fn truth(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("true") {
        Some(1)
    } else if text.eq_ignore_ascii_case("false") {
        Some(0)
    } else {
        None
    }
}

/// The word of a text; `Text` has no words of its own and is never a fit here.
///
/// # Errors
/// [`Misfit`].
pub fn parse(ty: ColumnType, text: &str) -> Result<i64, Misfit> {
    let text = text.trim();
    match ty {
        ColumnType::Int => Number::read(text).ok_or(Misfit::Form)?.word(0),
        ColumnType::Decimal { scale } if usize::from(scale) <= MAX_SCALE => {
            Number::read(text).ok_or(Misfit::Form)?.word(scale)
        }
        ColumnType::Bool => match text {
            "0" => Ok(0),
            "1" => Ok(1),
            _ => truth(text).ok_or(Misfit::Form),
        },
        ColumnType::Date => date::parse(text).ok_or(Misfit::Form),
        ColumnType::Decimal { .. } | ColumnType::Text => Err(Misfit::Form),
    }
}

/// Finds the type of texts whose source declares none.
///
/// # Errors
/// The first row that is no number in a column nine tenths of which are numbers.
pub fn infer(cells: &[Option<String>]) -> Result<ColumnType, usize> {
    let filled = || cells.iter().enumerate().filter_map(|(row, cell)| Some((row, cell.as_deref()?.trim())));
    let all = filled().count();
    let numbers = filled().filter(|(_, text)| is_numeric(text)).count();
    let code = |text: &str| Number::read(text).is_some_and(|n| n.is_code());
    if all == 0 {
        Ok(ColumnType::Text)
    } else if numbers == all {
        if filled().any(|(_, text)| code(text)) {
            return Ok(ColumnType::Text);
        }
        Ok(common_number(filled().map(|(_, text)| text)).unwrap_or(ColumnType::Text))
    } else if filled().all(|(_, text)| truth(text).is_some()) {
        Ok(ColumnType::Bool)
    } else if filled().all(|(_, text)| date::parse(text).is_some()) {
        Ok(ColumnType::Date)
    } else if numbers * 10 >= all * 9 {
        Err(filled().find(|(_, text)| !is_numeric(text)).map_or(0, |(row, _)| row))
    } else {
        Ok(ColumnType::Text)
    }
}

/// The type that holds every one of these numbers exactly.
fn common_number<'a>(mut texts: impl Iterator<Item = &'a str> + Clone) -> Option<ColumnType> {
    let scale = texts.clone().try_fold(0, |most, text| Some(Number::read(text)?.scale().max(most)))?;
    let ty = match u8::try_from(scale).ok()? {
        0 => ColumnType::Int,
        scale => ColumnType::Decimal { scale },
    };
    texts.all(|text| parse(ty, text).is_ok()).then_some(ty)
}

/// Finds the type of numbers that a source holds in another form than decimals; zeros at the end do not count.
///
/// # Errors
/// The first row whose number does not fit.
pub fn infer_number(cells: &[Option<String>]) -> Result<ColumnType, usize> {
    let mut scale = 0;
    for (row, cell) in cells.iter().enumerate() {
        let Some(text) = cell else { continue };
        let digits = Number::read(text.trim()).map(|n| n.significant().len()).filter(|digits| *digits <= MAX_SCALE);
        scale = u8::try_from(digits.ok_or(row)?).map_err(|_| row)?.max(scale);
    }
    let ty = if scale == 0 { ColumnType::Int } else { ColumnType::Decimal { scale } };
    let unfit = cells.iter().position(|cell| cell.as_deref().is_some_and(|text| parse(ty, text).is_err()));
    unfit.map_or(Ok(ty), Err)
}

/// A column of words.
pub fn word_column(name: &str, ty: ColumnType, words: Vec<Option<i64>>) -> Column {
    Column {
        name: name.to_owned(),
        ty,
        valid: words.iter().map(Option::is_some).collect(),
        values: words.into_iter().map(Option::unwrap_or_default).collect(),
        dictionary: Vec::new(),
    }
}

/// A column of texts: their places in the sorted dictionary.
pub fn text_column(name: &str, cells: Vec<Option<String>>) -> Column {
    let mut dictionary: Vec<String> = cells.iter().flatten().cloned().collect();
    dictionary.sort_unstable();
    dictionary.dedup();
    let place = |text: &String| dictionary.binary_search(text).ok().and_then(|place| i64::try_from(place).ok());
    let words = cells.iter().map(|cell| cell.as_ref().and_then(place)).collect();
    Column { dictionary, ..word_column(name, ColumnType::Text, words) }
}

/// The type's name in messages.
pub fn type_name(ty: ColumnType) -> String {
    match ty {
        ColumnType::Int => "integer".to_owned(),
        ColumnType::Decimal { scale } => format!("decimal({scale})"),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Bool => "boolean".to_owned(),
        ColumnType::Date => "date".to_owned(),
    }
}
