//! What is public of a value: its kind, its shape, and the range that every element keeps to.

use std::fmt;

use mpc_share::interval::Range;

use crate::problem::Place;

/// Most elements of one value.
pub(crate) const MOST_ELEMENTS: usize = 1 << 20;
/// Most columns of an input, and most whose ranges are kept apart.
pub(crate) const MOST_COLUMNS: usize = 1024;
/// Integers modulo 2^128 stay below this in magnitude, so that differences and truncation are exact about their tops.
pub(crate) const WIDE_LIMIT: i128 = 1 << 126;

/// What the elements of a value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Fixed-point numbers: integers modulo 2^64 divided by 2^scale.
    Number,
    /// Truth values: integers 0 and 1.
    Truth,
    /// Integers modulo 2^128.
    Wide,
}

impl Kind {
    /// The word for it in a program.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Truth => "truth",
            Self::Wide => "wide",
        }
    }
}

/// The public facts of a value, which lies row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// What its elements are.
    pub kind: Kind,
    /// Rows, at least 1.
    pub rows: usize,
    /// Columns, at least 1.
    pub columns: usize,
    /// The lowest integer that represents an element.
    pub low: i128,
    /// The highest one.
    pub high: i128,
}

impl Form {
    pub(crate) fn truth(rows: usize, columns: usize) -> Self {
        Self { kind: Kind::Truth, rows, columns, low: 0, high: 1 }
    }

    /// How many elements.
    #[allow(clippy::len_without_is_empty, reason = "a value has at least one element")]
    pub fn len(&self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    pub(crate) fn shaped(self, rows: usize, columns: usize) -> Self {
        Self { rows, columns, ..self }
    }

    pub(crate) fn ranged(self, (low, high): (i128, i128)) -> Self {
        Self { low, high, ..self }
    }

    /// The range as that of a fixed-point number; `None` where it is none.
    pub(crate) fn range(&self) -> Option<Range> {
        Range::new(i64::try_from(self.low).ok()?, i64::try_from(self.high).ok()?).ok()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, rows, columns, low, high } = self;
        write!(f, "{}[{rows}, {columns}] {low}..{high}", kind.word())
    }
}

/// A declared input of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub kind: Kind,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// The range that the program itself declares, which is held to at the input; without one the owner's own is taken.
    pub range: Option<Column>,
    /// Where it is declared.
    pub at: Place,
}

impl Declared {
    /// Its type as people read it, such as `number[200, 2]`.
    pub fn ty(&self) -> String {
        format!("{}[{}, {}]", self.kind.word(), self.rows, self.columns)
    }
}

/// One column of an input, as its owner has it: decimals as scaled integers, from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Digits behind the point: a word is the value times 10^digits.
    pub digits: u8,
    /// The lowest word.
    pub low: i64,
    /// The highest word.
    pub high: i64,
}

/// Most digits behind the point of an input's words.
pub(crate) const MOST_DIGITS: u8 = 18;

impl Column {
    /// The lowest and the highest integer that represents a value of the column with so many fractional bits.
    pub(crate) fn range(&self, scale: u32) -> (i128, i128) {
        let by = 10i128.pow(u32::from(self.digits.min(MOST_DIGITS)));
        let raised = |word: i64| i128::from(word) << scale;
        (raised(self.low).div_euclid(by), -(-raised(self.high)).div_euclid(by))
    }

    /// The integer that represents a word, rounded to the nearest.
    pub(crate) fn raw(&self, word: i64, scale: u32) -> i128 {
        let by = 10i128.pow(u32::from(self.digits.min(MOST_DIGITS)));
        (2 * (i128::from(word) << scale) + by).div_euclid(2 * by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_rounded_within_the_range_of_their_column() {
        let column = Column { digits: 2, low: -3, high: 7 };
        let (low, high) = column.range(4);
        assert_eq!((low, high), (-1, 2));
        for word in -3..=7 {
            let raw = column.raw(word, 4);
            assert!((low..=high).contains(&raw));
            // Within half a unit of the value.
            assert!((2 * 100 * raw - 2 * 16 * i128::from(word)).abs() <= 100, "{word}: {raw}");
        }
        assert_eq!(Column { digits: 0, low: 0, high: 0 }.raw(5, 0), 5);
    }
}
