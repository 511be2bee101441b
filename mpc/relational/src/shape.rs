//! The public shape of a computation: sizes, joins, aggregates; equal at all parties and bound into the session.

use base_wire::{wire_enum, wire_struct};

use crate::Span;

/// What is computed, in public sizes. Nothing about the data but these bounds is known to the parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarShape {
    /// Rows of the carrier, padded to this number.
    pub carrier_rows: u32,
    /// Bits of a key, 1 to 63.
    pub key_bits: u8,
    /// Bits of a group's rank.
    pub group_bits: u8,
    /// Most groups there can be.
    pub max_groups: u32,
    /// Words that describe the values a group is made by.
    pub key_words: u8,
    /// The values that a carrier row has.
    pub carrier_values: Vec<Span>,
    /// The tables joined to the carrier.
    pub sides: Vec<SideShape>,
    /// What is computed for every group.
    pub aggregates: Vec<Aggregate>,
    /// Fewest contributors of a value that is shown.
    pub threshold: u32,
}
wire_struct!(StarShape {
    carrier_rows,
    key_bits,
    group_bits,
    max_groups,
    key_words,
    carrier_values,
    sides,
    aggregates,
    threshold
});

/// A table joined to the carrier by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideShape {
    /// Keys of the side, padded to this number; also the most rows of the source that they stand for.
    pub rows: u32,
    /// What becomes of a carrier row without a partner.
    pub join: Join,
    /// The values that a row of its source has.
    pub values: Vec<Span>,
}
wire_struct!(SideShape { rows, join, values });

/// What becomes of a carrier row without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It falls out.
    Inner,
    /// It stays, once.
    Left,
}
wire_enum!(Join { 0 => Inner, 1 => Left });

/// One value a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// Over what.
    pub input: Input,
    /// Which function.
    pub function: Function,
}
wire_struct!(Aggregate { input, function });

/// What an aggregate is computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The joined rows themselves: `COUNT(*)`.
    Rows,
    /// A value of the carrier.
    Carrier(u8),
    /// A value of a side.
    Side {
        /// Which side.
        side: u8,
        /// Which of its values.
        value: u8,
        /// What the argument is on a row of a left join without partner; `None` is NULL.
        absent: Option<i64>,
    },
}
wire_enum!(Input { 0 => Rows, 1 => Carrier(value), 2 => Side { side, value, absent } });

/// The function of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// How many rows have a value that is not NULL.
    Count,
    /// Their sum; NULL when there are none.
    Sum,
    /// Their mean times a power of ten, rounded half away from zero; NULL when there are none.
    Avg {
        /// The power.
        extra_digits: u8,
    },
}
wire_enum!(Function { 0 => Count, 1 => Sum, 2 => Avg { extra_digits } });

/// Which of the three parties owns what, and which one learns the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The owner of the carrier.
    pub carrier: usize,
    /// The owner of each side.
    pub sides: Vec<usize>,
    /// The receiver of the answer.
    pub receiver: usize,
}

/// Most cells (rows times columns) of the joined table: with this the engine takes about 2 GiB, on checked shares 5 to 6, for which the
/// caller has to set a smaller bound.
const MAX_CELLS: u64 = 1 << 25;
const MAX_GROUPS: u32 = 1 << 16;
const MAX_SIDES: usize = 8;
const MAX_AGGREGATES: usize = 64;
const MAX_COLUMNS: usize = 64;
const MAX_EXTRA_DIGITS: u8 = 12;
/// Sums and numbers of rows stay below this: then an owner's word is within its bounds exactly if two differences are not negative
/// (`crate::ranges`), and no sum wraps.
const SUMS: i128 = 1 << 62;
/// Twice a mean's scaled sum stays below this with its count, which is at most [`MAX_COUNT`]: so the division takes them.
const DIVIDED: i128 = 1 << 63;
const MAX_COUNT: i128 = 1 << 59;

fn bound<T: PartialOrd + std::fmt::Display>(what: &str, value: T, low: T, high: T) -> Result<(), String> {
    if value < low || value > high {
        return Err(format!("{what} is {value}, {low} to {high} is allowed"));
    }
    Ok(())
}

fn sum_below(magnitude: i128, rows: i128, limit: i128) -> Result<(), String> {
    match magnitude.checked_mul(rows) {
        Some(sum) if sum < limit => Ok(()),
        _ => Err(format!("values up to {magnitude} over up to {rows} joined rows could leave a sum's bounds")),
    }
}

impl StarShape {
    /// Checks every bound, so that a shape from a plan cannot take more memory or time than is meant.
    ///
    /// # Errors
    /// Says which bound is broken.
    pub fn check(&self) -> Result<(), String> {
        bound("key_bits", self.key_bits, 1, 63)?;
        bound("group_bits", self.group_bits, 0, 16)?;
        bound("max_groups", self.max_groups, 1, MAX_GROUPS.min(1 << self.group_bits))?;
        bound("key_words", usize::from(self.key_words), 0, MAX_COLUMNS)?;
        bound("the number of carrier_values", self.carrier_values.len(), 0, MAX_COLUMNS)?;
        bound("the number of sides", self.sides.len(), 0, MAX_SIDES)?;
        bound("the number of aggregates", self.aggregates.len(), 0, MAX_AGGREGATES)?;
        bound("carrier_rows", self.carrier_rows, 1, 1 << 24)?;
        for side in &self.sides {
            bound("a side's rows", side.rows, 1, 1 << 24)?;
            bound("the number of a side's values", side.values.len(), 0, MAX_COLUMNS)?;
        }
        self.check_spans()?;
        self.aggregates.iter().try_for_each(|aggregate| self.check_aggregate(aggregate))?;
        bound("the joined table's number of cells", self.cells(), 1, MAX_CELLS)
    }

    /// Most rows of the join: every row of one table can meet every row of another.
    fn joined_rows(&self) -> i128 {
        self.sides.iter().fold(i128::from(self.carrier_rows), |rows, side| rows.saturating_mul(side.rows.into()))
    }

    /// Every range has its ends in order, and every sum over the join stays in its bounds.
    fn check_spans(&self) -> Result<(), String> {
        let rows = self.joined_rows();
        bound("the joined table's number of rows", rows, 1, SUMS - 1)?;
        for span in self.sides.iter().flat_map(|side| &side.values).chain(&self.carrier_values) {
            if span.low > span.high {
                return Err("a value's range ends before it begins".into());
            }
            sum_below(span.magnitude(), rows, SUMS)?;
        }
        Ok(())
    }

    /// A sum stays in its bounds, what is absent included, and so does what a mean is divided from.
    fn check_size(&self, function: Function, magnitude: i128) -> Result<(), String> {
        let rows = self.joined_rows();
        sum_below(magnitude, rows, SUMS)?;
        let Function::Avg { extra_digits } = function else { return Ok(()) };
        bound("extra_digits", extra_digits, 0, MAX_EXTRA_DIGITS)?;
        bound("a mean's number of rows", rows, 1, MAX_COUNT)?;
        let scaled = 2 * magnitude * 10i128.pow(extra_digits.into());
        sum_below(scaled, rows, DIVIDED - rows)
    }

    fn check_aggregate(&self, aggregate: &Aggregate) -> Result<(), String> {
        let magnitude = match aggregate.input {
            Input::Rows if aggregate.function != Function::Count => {
                return Err("rows can be counted only".into());
            }
            Input::Rows => 1,
            Input::Carrier(value) => {
                let span = self.carrier_values.get(usize::from(value));
                span.ok_or_else(|| format!("the carrier has no value {value}"))?.magnitude()
            }
            Input::Side { side, value, absent } => {
                let shape = self.sides.get(usize::from(side)).ok_or_else(|| format!("there is no side {side}"))?;
                let span = shape.values.get(usize::from(value));
                let span = span.ok_or_else(|| format!("side {side} has no value {value}"))?;
                span.magnitude().max(absent.unwrap_or(0).unsigned_abs().into())
            }
        };
        self.check_size(aggregate.function, magnitude)
    }

    /// Rows times columns of the widest step: the joined table, or the sixteen multiples of every average's divisor.
    fn cells(&self) -> u64 {
        let rows = self.sides.iter().fold(u64::from(self.carrier_rows), |sum, side| sum + u64::from(side.rows));
        let values = self.sides.iter().fold(self.carrier_values.len(), |sum, side| sum + side.values.len()) as u64;
        let fixed = u64::from(self.key_bits) + u64::from(self.group_bits) + u64::from(self.key_words);
        let columns = fixed + 3 * values + 2 * self.sides.len() as u64 + 36;
        let totals = 3 * self.aggregates.len() as u64 + u64::from(self.key_words) + 3;
        let averages = 48 * u64::from(self.max_groups) * self.aggregates.len() as u64;
        (rows * columns).max(u64::from(self.carrier_rows) * totals * 4).max(averages)
    }
}

impl Placement {
    /// Checks that every place is one of the three parties.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, shape: &StarShape) -> Result<(), String> {
        if self.sides.len() != shape.sides.len() {
            return Err(format!("{} sides are placed where there are {}", self.sides.len(), shape.sides.len()));
        }
        let all = [self.carrier, self.receiver];
        match all.iter().chain(&self.sides).find(|party| **party > 2) {
            Some(party) => Err(format!("there is no party {party}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base_wire::{Decode, Encode};

    fn shape() -> StarShape {
        let side = SideShape { rows: 318, join: Join::Left, values: vec![Span { low: -9, high: 900 }; 2] };
        StarShape {
            carrier_rows: 1629,
            key_bits: 16,
            group_bits: 8,
            max_groups: 256,
            key_words: 2,
            carrier_values: vec![Span { low: 0, high: 255 }],
            sides: vec![side],
            aggregates: vec![Aggregate { input: absent(-1), function: Function::Avg { extra_digits: 2 } }],
            threshold: 5,
        }
    }

    fn absent(number: i64) -> Input {
        Input::Side { side: 0, value: 1, absent: Some(number) }
    }

    #[test]
    fn a_shape_has_one_encoding() {
        assert_eq!(shape().check(), Ok(()));
        assert_eq!(StarShape::from_wire(&shape().to_wire()), Ok(shape()));
    }

    #[test]
    fn every_bound_is_checked() {
        let breaks: [fn(&mut StarShape); 19] = [
            |s| s.carrier_rows = 0,
            |s| s.carrier_rows = 1 << 22,
            |s| s.key_bits = 0,
            |s| s.key_bits = 64,
            |s| s.group_bits = 17,
            |s| s.max_groups = 0,
            |s| s.max_groups = 257,
            |s| s.sides[0].rows = u32::MAX,
            |s| s.sides = vec![s.sides[0].clone(); 9],
            |s| s.aggregates[0].function = Function::Avg { extra_digits: 13 },
            |s| s.aggregates[0].input = Input::Carrier(1),
            |s| s.aggregates[0].input = Input::Side { side: 1, value: 0, absent: None },
            |s| s.aggregates[0] = Aggregate { input: Input::Rows, function: Function::Sum },
            |s| s.carrier_values[0].low = 256,
            // 1629 rows meet 318 each: a value that the aggregates do not use, one that they do, and what is absent.
            |s| s.sides[0].values[0].low = -(1 << 62) / (1629 * 318) - 1,
            |s| s.sides[0].values[1].high = (1 << 62) / (1629 * 318 * 100) + 1,
            |s| s.sides[0].values[1].low = i64::MIN,
            |s| (s.aggregates[0].input, s.aggregates[0].function) = (absent(1 << 44), Function::Sum),
            |s| s.sides = vec![s.sides[0].clone(); 8],
        ];
        for (number, change) in breaks.iter().enumerate() {
            let mut broken = shape();
            change(&mut broken);
            assert!(broken.check().is_err(), "{number}");
        }
        let place = |carrier, sides, receiver| Placement { carrier, sides, receiver }.check(&shape());
        assert_eq!(place(0, vec![1], 2), Ok(()));
        assert!(place(3, vec![1], 2).is_err() && place(0, vec![], 2).is_err() && place(0, vec![1], 3).is_err());
    }
}
