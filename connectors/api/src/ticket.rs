//! The ticket: what a backend may read now, and how it reports what it meets.

use base_types::{
    DatasetId,
    column::{Column, ColumnType},
    fault::{Code, Fault},
};
use notary_terms::Read;

use crate::text::{self, Misfit};

/// Longest name of a column in bytes; names stand in the catalogue.
const MAX_NAME: usize = 128;

/// What may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing but the columns' names: a test.
    Nothing,
    /// Every column, for discovery; nothing but its summary leaves the gate.
    Everything,
    /// The columns of an approved read.
    Columns(Read),
}

/// What a backend knows about a column's type before it looks at the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: find out.
    Any,
    /// Some number: find out its digits.
    Number,
    /// Declared.
    Exactly(ColumnType),
}

/// Leave to read once; only the [`Gate`](crate::Gate) makes one.
pub struct Ticket {
    dataset: DatasetId,
    wanted: Wanted,
}

impl Ticket {
    pub(crate) fn new(dataset: DatasetId, wanted: Wanted) -> Self {
        Self { dataset, wanted }
    }

    /// True for an approved read, whose faults other parties may see: they must not tell where a source lies.
    pub fn is_read(&self) -> bool {
        matches!(self.wanted, Wanted::Columns(_))
    }

    /// Most rows worth reading: one more than the bound is enough to see that there are too many.
    pub fn row_limit(&self) -> Option<u64> {
        match &self.wanted {
            Wanted::Columns(read) => Some(u64::from(read.rows_bound) + 1),
            _ => None,
        }
    }

    /// A fault at this data set's owner and step.
    pub fn fault(&self, code: Code, detail: impl Into<String>) -> Fault {
        let verb = match self.wanted {
            Wanted::Nothing => "test",
            Wanted::Everything => "discover",
            Wanted::Columns(_) => "read",
        };
        Fault::new(code, format!("{verb} {}", self.dataset), detail).at(&self.dataset.owner())
    }

    /// The places of the wanted columns among those the source has, in the order wanted.
    ///
    /// # Errors
    /// A fault when the source's names cannot be used or a wanted column has gone.
    pub fn select(&self, names: &[String]) -> Result<Vec<usize>, Fault> {
        for (place, name) in names.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(self.fault(Code::SourceColumn, format!("column {} has no name", place + 1)));
            }
            if name.len() > MAX_NAME || name.chars().any(char::is_control) {
                let detail = format!("the name of column {} is too long or holds control characters", place + 1);
                return Err(self.fault(Code::SourceColumn, detail));
            }
            if names.iter().take(place).any(|other| other.to_lowercase() == name.to_lowercase()) {
                return Err(self.fault(Code::SourceColumn, format!("two columns are named '{name}'")));
            }
        }
        match &self.wanted {
            Wanted::Nothing => Ok(Vec::new()),
            Wanted::Everything => Ok((0..names.len()).collect()),
            Wanted::Columns(read) => {
                let gone = |name: &String| self.fault(Code::SourceChanged, format!("column '{name}' has gone"));
                let place = |name: &String| names.iter().position(|n| n == name).ok_or_else(|| gone(name));
                read.columns.iter().map(place).collect()
            }
        }
    }

    /// A column from its cells' texts; `None` is NULL. The type is the approved one, the declared one or found.
    ///
    /// # Errors
    /// A fault that names column and row, never the value.
    pub fn column(&self, name: &str, expect: Expect, cells: Vec<Option<String>>) -> Result<Column, Fault> {
        let ty = match (self.wanted_type(name), expect) {
            (Some(wanted), Expect::Exactly(ty)) if wanted != ty => return Err(self.other_type(name)),
            (Some(wanted), _) => wanted,
            (None, Expect::Exactly(ty)) => ty,
            (None, Expect::Any) => {
                text::infer(&cells).map_err(|row| self.mixed(name, row, "other rows are numbers"))?
            }
            (None, Expect::Number) => text::infer_number(&cells).map_err(|row| self.mixed(name, row, NO_DECIMAL))?,
        };
        if ty == ColumnType::Text {
            return Ok(text::text_column(name, cells));
        }
        let mut words = Vec::with_capacity(cells.len());
        for (row, cell) in cells.iter().enumerate() {
            let word = cell.as_deref().map(|cell| text::parse(ty, cell)).transpose();
            words.push(word.map_err(|misfit| self.misfit(name, row, ty, misfit))?);
        }
        Ok(text::word_column(name, ty, words))
    }

    /// A column whose source holds words already.
    ///
    /// # Errors
    /// A fault when the approved type is another.
    pub fn words(&self, name: &str, ty: ColumnType, words: Vec<Option<i64>>) -> Result<Column, Fault> {
        match self.wanted_type(name) {
            Some(wanted) if wanted != ty => Err(self.other_type(name)),
            _ => Ok(text::word_column(name, ty, words)),
        }
    }

    /// The fault of a cell that is no word of its column's type; `row` counts from 0.
    pub fn misfit(&self, name: &str, row: usize, ty: ColumnType, misfit: Misfit) -> Fault {
        let code = match misfit {
            Misfit::Range => Code::RangeOverflow,
            Misfit::Form if self.is_read() => Code::SourceChanged,
            Misfit::Form => Code::SourceMixedTypes,
        };
        self.fault(code, format!("column '{name}', row {}: not a value of type {}", row + 1, text::type_name(ty)))
    }

    /// The fault of a column whose values do not share a type; `row` counts from 0.
    pub fn mixed(&self, name: &str, row: usize, why: &str) -> Fault {
        let code = if self.is_read() { Code::SourceChanged } else { Code::SourceMixedTypes };
        self.fault(code, format!("column '{name}', row {}: {why}", row + 1))
    }

    fn other_type(&self, name: &str) -> Fault {
        self.fault(Code::SourceChanged, format!("column '{name}' is now of another type"))
    }

    fn wanted_type(&self, name: &str) -> Option<ColumnType> {
        let Wanted::Columns(read) = &self.wanted else { return None };
        read.columns.iter().zip(&read.types).find(|(column, _)| *column == name).map(|(_, ty)| *ty)
    }
}

const NO_DECIMAL: &str =
    "no number of at most 9 digits after the point that fits 64 bits; store the column as a decimal or as text";
