//! What is wrong with a program: of which kind, where in its text, and what to write instead.

use std::fmt;

/// A place in a program's text; lines and columns are counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// Why a program is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is not written as programs are.
    Syntax,
    /// It names what there is not.
    Unknown,
    /// A number may leave what its word holds.
    Overflow,
    /// It asks for what is not supported.
    Unsupported,
}

/// One thing that is wrong with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Of which kind.
    pub why: Why,
    /// Where.
    pub at: Place,
    /// What, and what to write instead.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(why: Why, at: Place, what: impl Into<String>) -> Self {
        Self { why, at, what: what.into() }
    }

    pub(crate) fn syntax(at: Place, what: impl Into<String>) -> Self {
        Self::new(Why::Syntax, at, what)
    }

    pub(crate) fn unsupported(at: Place, what: impl Into<String>) -> Self {
        Self::new(Why::Unsupported, at, what)
    }

    pub(crate) fn overflow(at: Place, what: impl Into<String>) -> Self {
        Self::new(Why::Overflow, at, what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.at.line, self.at.column, self.what)
    }
}

impl std::error::Error for Problem {}
