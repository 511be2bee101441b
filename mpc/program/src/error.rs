//! Why there is no program, no value or no result.

use std::fmt;

use garble_lang::token::MetaInfo;
use garble_lang::{CompileTimeError, compile, parse, scan};
use mpc_garble::circuit::CircuitError;
use thiserror::Error;

/// One thing that is wrong in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; 0 where it is about the source as a whole.
    pub line: usize,
    /// The column, counted from 1; 0 likewise.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    pub(crate) fn at(place: MetaInfo, what: impl fmt::Display) -> Self {
        Self { line: place.start.0 + 1, column: place.start.1 + 1, what: what.to_string() }
    }

    pub(crate) fn anywhere(what: impl fmt::Display) -> Self {
        Self { line: 0, column: 0, what: what.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}, column {}: {}", self.column, self.what),
        }
    }
}

/// The problems, one after the other.
struct List<'a>(&'a [Problem]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Why there is no program, no value or no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// The source is no program, or one that is not supported.
    #[error("{}", List(.0))]
    Source(Vec<Problem>),
    /// A bound of [`crate::Bounds`] is exceeded.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// The compiler failed at a source that it should have compiled or refused.
    #[error("the compiler failed at this program")]
    Compiler,
    /// The circuit exceeds the bounds.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// There is no argument of this number.
    #[error("the program has {has} arguments, and none of number {number}")]
    NoArgument {
        /// The number asked for, counted from 0.
        number: usize,
        /// How many there are.
        has: usize,
    },
    /// A value that is not of the type it should be.
    #[error("{path}: not of type {due}")]
    Value {
        /// Where in the value, such as `users[3].age`; never the value itself.
        path: String,
        /// The type that is due.
        due: String,
    },
    /// Bits that are no value of the result's type: another number of them, or a variant that does not exist.
    #[error("bits that are no value of type {0}")]
    Bits(String),
    /// The program ended with a panic.
    #[error("the program stopped at line {line}, column {column}: {why}")]
    Panicked {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// Why.
        why: &'static str,
    },
}

impl ProgramError {
    pub(crate) fn source(problem: Problem) -> Self {
        Self::Source(vec![problem])
    }
}

impl From<CompileTimeError> for ProgramError {
    fn from(error: CompileTimeError) -> Self {
        let problems = match error {
            CompileTimeError::ScanErrors(all) => {
                all.iter().map(|scan::ScanError(what, place)| Problem::at(*place, what)).collect()
            }
            CompileTimeError::ParseError(all) => {
                all.iter().map(|parse::ParseError(what, place)| Problem::at(*place, what)).collect()
            }
            CompileTimeError::TypeError(all) => all.iter().map(|error| Problem::at(error.1, &error.0)).collect(),
            CompileTimeError::CompilerError(all) => all.iter().map(compiler_problem).collect(),
        };
        Self::Source(problems)
    }
}

fn compiler_problem(error: &compile::CompilerError) -> Problem {
    match error {
        compile::CompilerError::MissingConstant(_, _, place) => Problem::at(*place, error),
        _ => Problem::anywhere(error),
    }
}
