//! What both parties agree on beforehand: sizes, columns with their ranges, what is computed, who learns it.

use thiserror::Error;

use super::cuckoo;
use crate::Mode;

/// Most keys of a side: the bins then number less than 2^24, so that the targets compared in them fit a word.
pub const MAX_KEYS: usize = 12_000_000;
/// Statistical security of the comparison: a bin that should not match does with at most 2^-40 in all.
const STATISTICAL_BITS: u32 = 40;

/// How large a column's values are: public, part of the plan, enforced where the values are put in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Largest absolute value of one key.
    pub each: u64,
    /// Largest sum of the absolute values of all keys.
    pub total: u64,
}

/// A side's public shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// How many distinct keys.
    pub keys: usize,
    /// The columns that go with them.
    pub columns: Vec<Bound>,
}

/// What is computed over the keys that both sides have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// How many keys.
    Cardinality,
    /// The sum of a column of the receiver.
    Receiver(usize),
    /// The sum of a column of the sender.
    Sender(usize),
    /// The sum of the products of a column of the receiver (first) with one of the sender.
    Product(usize, usize),
}

/// Why parameters or an input are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Nothing to compute.
    #[error("no function is asked for")]
    NoFunction,
    /// The receiver is none of the two parties.
    #[error("the receiver is party 0 or 1")]
    NoReceiver,
    /// More keys than [`MAX_KEYS`].
    #[error("more than 12000000 keys on a side")]
    TooManyKeys,
    /// A function names a column that its side lacks.
    #[error("a function names a column that its side does not have")]
    NoColumn,
    /// The declared ranges allow an answer that 64 bits do not hold.
    #[error("the declared ranges allow a sum beyond 64 bits")]
    Overflow,
    /// A column is shorter or longer than the keys.
    #[error("a column has another length than the keys")]
    Uneven,
    /// A key comes twice.
    #[error("a key comes twice; rows of one key are put together first")]
    Repeated,
    /// The input has more keys, or other columns, than the parameters say.
    #[error("the input has another shape than the parameters")]
    Shape,
    /// A value or a sum of values exceeds its declared bound.
    #[error("a value exceeds its declared range")]
    Range,
    /// Counts to compare with the threshold are not one a function, or there is no threshold.
    #[error("functions are told apart by a threshold and one count each")]
    Counts,
}

/// Both parties' agreement; it is bound into the session, so that parties that disagree abort at the first frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    receiver: usize,
    receiving: Side,
    sending: Side,
    functions: Vec<Function>,
    threshold: Option<u64>,
    counts: Vec<Function>,
    mode: Mode,
}

impl Parameters {
    /// `receiver` (party 0 or 1) alone learns the functions, and only when at least `threshold` keys match, where one is given.
    ///
    /// # Errors
    /// [`Refused`] when a function names no column, or when a sum could exceed 64 bits by the declared ranges.
    pub fn new(
        receiver: usize,
        receiving: Side,
        sending: Side,
        functions: Vec<Function>,
        threshold: Option<u64>,
    ) -> Result<Self, Refused> {
        let (counts, mode) = (Vec::new(), Mode::default());
        let made = Self { receiver, receiving, sending, functions, threshold, counts, mode };
        made.check().map(|()| made)
    }

    /// The same, where each function is told or hidden by itself: it is told when `counts`, at its place, reaches the threshold,
    /// such as the number of matching keys that bring a value to it. The receiver learns which are told.
    ///
    /// # Errors
    /// [`Refused::Counts`] without a threshold or where there is not one count a function, and as [`Self::new`].
    pub fn told_by(self, counts: Vec<Function>) -> Result<Self, Refused> {
        if self.threshold.is_none() || counts.len() != self.functions.len() {
            return Err(Refused::Counts);
        }
        let made = Self { counts, ..self };
        made.check().map(|()| made)
    }

    /// The same, sparing time or bytes.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    fn check(&self) -> Result<(), Refused> {
        if self.receiver > 1 {
            return Err(Refused::NoReceiver);
        }
        if self.functions.is_empty() {
            return Err(Refused::NoFunction);
        }
        if self.receiving.keys.max(self.sending.keys) > MAX_KEYS {
            return Err(Refused::TooManyKeys);
        }
        if self.threshold.is_some_and(|least| i64::try_from(least).is_err()) {
            return Err(Refused::Range);
        }
        for function in self.functions.iter().chain(&self.counts) {
            let largest = self.largest(*function).ok_or(Refused::NoColumn)?;
            i64::try_from(largest).map_err(|_| Refused::Overflow)?;
        }
        Ok(())
    }

    /// The largest absolute value that a function can have; `None` when a column does not exist.
    fn largest(&self, function: Function) -> Option<u128> {
        let of = |side: &Side, column: usize| side.columns.get(column).copied();
        Some(match function {
            Function::Cardinality => self.receiving.keys.min(self.sending.keys) as u128,
            Function::Receiver(column) => u128::from(of(&self.receiving, column)?.total),
            Function::Sender(column) => u128::from(of(&self.sending, column)?.total),
            Function::Product(receiver, sender) => {
                let (x, y) = (of(&self.receiving, receiver)?, of(&self.sending, sender)?);
                let by = |total: u64, each: u64| u128::from(total) * u128::from(each);
                by(x.total, y.each).min(by(x.each, y.total))
            }
        })
    }

    /// The party that hashes its keys into bins and learns the answer.
    pub fn receiver(&self) -> usize {
        self.receiver
    }

    /// The receiver's shape.
    pub fn receiving(&self) -> &Side {
        &self.receiving
    }

    /// The sender's shape.
    pub fn sending(&self) -> &Side {
        &self.sending
    }

    /// What is computed, in the order of the answer.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Fewest matching keys for which the answer is revealed.
    pub fn threshold(&self) -> Option<u64> {
        self.threshold
    }

    /// What tells each function apart, as [`Self::told_by`] says; nothing where all are told or none.
    pub fn counts(&self) -> &[Function] {
        &self.counts
    }

    /// What the run spares.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The shape of party `party`.
    pub(super) fn side(&self, party: usize) -> &Side {
        if party == self.receiver { &self.receiving } else { &self.sending }
    }

    /// Bins that the receiver's keys are hashed into.
    pub(super) fn bins(&self) -> usize {
        cuckoo::bins(self.receiving.keys)
    }

    /// Bits of a bin's target: one comparison a bin, so `40 + log2(bins)` make a false match as improbable as 2^-40 in all.
    pub(super) fn target_bits(&self) -> u32 {
        STATISTICAL_BITS + self.bins().next_power_of_two().trailing_zeros()
    }

    /// The receiver's columns that some function needs, each once, in order.
    pub(super) fn receiver_columns(&self) -> Vec<usize> {
        self.needed(|function| match function {
            Function::Receiver(column) | Function::Product(column, _) => Some(column),
            Function::Cardinality | Function::Sender(_) => None,
        })
    }

    /// The sender's columns that some function needs, each once, in order.
    pub(super) fn sender_columns(&self) -> Vec<usize> {
        self.needed(|function| match function {
            Function::Sender(column) | Function::Product(_, column) => Some(column),
            Function::Cardinality | Function::Receiver(_) => None,
        })
    }

    fn needed(&self, column: impl Fn(Function) -> Option<usize>) -> Vec<usize> {
        let all = self.functions.iter().chain(&self.counts);
        let mut columns: Vec<usize> = all.filter_map(|function| column(*function)).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The canonical encoding that the fork's identifier binds.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { receiver, receiving, sending, functions, threshold, counts, mode } = self;
        let mut words = vec![*receiver as u64, u64::from(mode.encode())];
        for Side { keys, columns } in [receiving, sending] {
            words.extend([*keys as u64, columns.len() as u64]);
            words.extend(columns.iter().flat_map(|Bound { each, total }| [*each, *total]));
        }
        words.extend([functions.len() as u64, counts.len() as u64]);
        words.extend(functions.iter().chain(counts).flat_map(|function| match *function {
            Function::Cardinality => [0, 0, 0],
            Function::Receiver(column) => [1, column as u64, 0],
            Function::Sender(column) => [2, column as u64, 0],
            Function::Product(receiver, sender) => [3, receiver as u64, sender as u64],
        }));
        words.extend([u64::from(threshold.is_some()), threshold.unwrap_or_default()]);
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(keys: usize, bounds: &[(u64, u64)]) -> Side {
        Side { keys, columns: bounds.iter().map(|(each, total)| Bound { each: *each, total: *total }).collect() }
    }

    fn made(functions: Vec<Function>) -> Result<Parameters, Refused> {
        Parameters::new(1, side(10, &[(1 << 31, 1 << 40)]), side(10, &[(1 << 30, 1 << 33)]), functions, None)
    }

    #[test]
    fn a_sum_that_could_overflow_is_refused_before_a_run() {
        // 2^40 · 2^30 is too much, 2^31 · 2^33 as well.
        assert_eq!(made(vec![Function::Product(0, 0)]), Err(Refused::Overflow));
        assert!(made(vec![Function::Receiver(0), Function::Sender(0)]).is_ok());
        let tight = Parameters::new(0, side(9, &[(1, 9)]), side(9, &[(1 << 62, i64::MAX as u64)]), vec![], None);
        assert_eq!(tight, Err(Refused::NoFunction));
        let tight = |total: u64| {
            let sides = (side(9, &[(1, 9)]), side(9, &[(1 << 62, total)]));
            Parameters::new(0, sides.0, sides.1, vec![Function::Product(0, 0)], None)
        };
        assert!(tight(i64::MAX as u64).is_ok());
        assert_eq!(tight(1 << 63), Err(Refused::Overflow));
    }

    #[test]
    fn columns_receivers_sizes_and_thresholds_that_do_not_exist_are_refused() {
        assert_eq!(made(vec![Function::Sender(1)]), Err(Refused::NoColumn));
        assert_eq!(made(vec![Function::Product(1, 0)]), Err(Refused::NoColumn));
        let with = |receiver, keys, threshold| {
            Parameters::new(receiver, side(keys, &[]), side(1, &[]), vec![Function::Cardinality], threshold)
        };
        assert_eq!(with(2, 1, None), Err(Refused::NoReceiver));
        assert_eq!(with(0, MAX_KEYS + 1, None), Err(Refused::TooManyKeys));
        assert_eq!(with(0, 1, Some(u64::MAX)), Err(Refused::Range));
        assert!(with(0, MAX_KEYS, Some(3)).is_ok_and(|most| most.target_bits() == 64));
        assert!(with(0, 0, None).is_ok_and(|least| least.target_bits() == 50));
    }

    #[test]
    fn counts_need_a_threshold_a_function_each_and_their_columns() {
        let with = |threshold| {
            let sides = (side(5, &[(1, 5)]), side(6, &[(9, 54)]));
            Parameters::new(0, sides.0, sides.1, vec![Function::Sender(0), Function::Cardinality], threshold).unwrap()
        };
        let counts = vec![Function::Receiver(0), Function::Cardinality];
        assert_eq!(with(None).told_by(counts.clone()), Err(Refused::Counts));
        assert_eq!(with(Some(2)).told_by(counts[..1].to_vec()), Err(Refused::Counts));
        assert_eq!(with(Some(2)).told_by(vec![Function::Receiver(1); 2]), Err(Refused::NoColumn));
        let made = with(Some(2)).told_by(counts).unwrap();
        assert_eq!((made.receiver_columns(), made.sender_columns()), (vec![0], vec![0]));
    }

    #[test]
    fn every_part_moves_the_encoding() {
        let cardinality = || vec![Function::Cardinality];
        let all = [
            Parameters::new(0, side(5, &[]), side(6, &[]), cardinality(), None),
            Parameters::new(1, side(5, &[]), side(6, &[]), cardinality(), None),
            Parameters::new(0, side(6, &[]), side(5, &[]), cardinality(), None),
            Parameters::new(0, side(5, &[(1, 2)]), side(6, &[]), cardinality(), None),
            Parameters::new(0, side(5, &[(2, 1)]), side(6, &[]), cardinality(), None),
            Parameters::new(0, side(5, &[]), side(6, &[(1, 2)]), cardinality(), None),
            Parameters::new(0, side(5, &[(1, 2)]), side(6, &[]), vec![Function::Receiver(0)], None),
            Parameters::new(0, side(5, &[]), side(6, &[]), cardinality(), Some(0)),
            Parameters::new(0, side(5, &[]), side(6, &[]), cardinality(), Some(1)),
            Parameters::new(0, side(5, &[]), side(6, &[]), cardinality(), Some(1))
                .and_then(|made| made.told_by(cardinality())),
            Parameters::new(0, side(5, &[]), side(6, &[]), cardinality(), None)
                .map(|made| made.in_mode(Mode::LowCommunication)),
        ];
        let encoded: Vec<Vec<u8>> = all.iter().map(|made| made.as_ref().unwrap().encode()).collect();
        for (at, one) in encoded.iter().enumerate() {
            assert!(encoded[..at].iter().all(|other| other != one), "{at}");
        }
    }
}
