//! The steps of a checked program: each gives one value from earlier ones by one operation of secret sharing.

use std::fmt;

use mpc_share::Carried;

use crate::form::Form;

/// How elements are picked from one value, without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// A single row, column or element again and again, up to the step's shape.
    Spread,
    /// Rows become columns.
    Transpose,
    /// One column, counted from 0.
    Column(usize),
    /// As many rows as the step has, from this one on, counted from 0.
    Rows(usize),
}

/// A function of one number at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Reciprocal,
    Sqrt,
    InverseSqrt,
    Exp,
    Log,
    Sigmoid,
    Abs,
    Relu,
}

/// What a step does; operands are numbers of earlier steps, of shapes that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// The input of this place.
    Input(usize),
    /// A public integer, as it represents the element.
    Public(i128),
    /// Elements picked.
    Pick(usize, Pick),
    /// Columns of two values side by side.
    Beside(usize, usize),
    /// Rows of two values one below the other.
    Below(usize, usize),
    Add(usize, usize),
    Sub(usize, usize),
    /// Element by element, cut to the scale.
    Mul(usize, usize),
    /// Times a public integer, then so many low places cut off.
    Times {
        of: usize,
        by: i64,
        cut: u32,
    },
    /// A wide integer divided by a power of two.
    Cut(usize, u32),
    /// Column by column: the sum of products.
    Dot(usize, usize),
    Matmul(usize, usize),
    Divide(usize, usize),
    Apply(usize, Function),
    Less(usize, usize),
    Equal(usize, usize),
    Not(usize),
    And(usize, usize),
    /// Where the first is true the second, else the third.
    Choose(usize, usize, usize),
    Min(usize, usize),
    Max(usize, usize),
    /// Column by column: the sum.
    Sum(usize),
    /// Column by column: the largest element.
    Largest(usize),
    /// Column by column: the number of the first row with the largest element, counted from 1.
    LargestRow(usize),
    /// Column by column, in segments that the second operand marks.
    Scan(Carried, usize, usize),
    /// Rows by one column, rising.
    Sort(usize, usize),
    Shuffle(usize),
    /// Rows where the second operand is true, then zeros.
    Compact(usize, usize),
    /// Truth values as numbers 0 and 1.
    Number(usize),
    /// The low bits of a number's integer part, one a column.
    Bits(usize),
    /// The number whose bits are the columns, the lowest first.
    FromBits(usize),
}

impl Op {
    /// The steps it takes from.
    pub(crate) fn operands(&self) -> [Option<usize>; 3] {
        match *self {
            Self::Input(_) | Self::Public(_) => [None; 3],
            Self::Pick(x, _)
            | Self::Times { of: x, .. }
            | Self::Cut(x, _)
            | Self::Apply(x, _)
            | Self::Not(x)
            | Self::Sum(x)
            | Self::Largest(x)
            | Self::LargestRow(x)
            | Self::Sort(x, _)
            | Self::Shuffle(x)
            | Self::Number(x)
            | Self::Bits(x)
            | Self::FromBits(x) => [Some(x), None, None],
            Self::Beside(x, y)
            | Self::Below(x, y)
            | Self::Add(x, y)
            | Self::Sub(x, y)
            | Self::Mul(x, y)
            | Self::Dot(x, y)
            | Self::Matmul(x, y)
            | Self::Divide(x, y)
            | Self::Less(x, y)
            | Self::Equal(x, y)
            | Self::And(x, y)
            | Self::Min(x, y)
            | Self::Max(x, y)
            | Self::Scan(_, x, y)
            | Self::Compact(x, y) => [Some(x), Some(y), None],
            Self::Choose(x, y, z) => [Some(x), Some(y), Some(z)],
        }
    }

    /// Its name, as an abort reports it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Public(_) => "public number",
            Self::Pick(..) | Self::Beside(..) | Self::Below(..) => "pick",
            Self::Add(..) | Self::Sub(..) | Self::Sum(_) => "sum",
            Self::Mul(..) | Self::Times { .. } | Self::Dot(..) => "product",
            Self::Cut(..) => "cut",
            Self::Matmul(..) => "product of matrices",
            Self::Divide(..) => "division",
            Self::Apply(_, Function::Reciprocal) => "reciprocal",
            Self::Apply(_, Function::Sqrt | Function::InverseSqrt) => "square root",
            Self::Apply(_, Function::Exp) => "exponential",
            Self::Apply(_, Function::Log) => "logarithm",
            Self::Apply(_, Function::Sigmoid) => "sigmoid",
            Self::Apply(_, Function::Abs | Function::Relu) => "magnitude",
            Self::Less(..) => "comparison",
            Self::Equal(..) => "equality",
            Self::Not(_) | Self::And(..) | Self::Choose(..) | Self::Number(_) => "choice",
            Self::Min(..) | Self::Max(..) | Self::Largest(_) | Self::LargestRow(_) => "largest",
            Self::Scan(..) => "scan",
            Self::Sort(..) => "sort",
            Self::Shuffle(_) => "shuffle",
            Self::Compact(..) => "compaction",
            Self::Bits(_) | Self::FromBits(_) => "bits",
        }
    }
}

/// One step and what is public of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) form: Form,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The derived words are part of the digest that nodes compare: a renamed operation is another program.
        write!(f, "{:?}: {}", self.op, self.form)
    }
}
