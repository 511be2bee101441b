//! What the values of a row can be, and the proof on shares that an owner's words keep to it.
//!
//! Of a word `v` that stands for the sum of `c` values from `low` to `high` two differences must not be negative: `v − c·low` and
//! `c·high − v`. A carrier's value is the sum of one, or of none where it is NULL; a side's sum is over the rows that have the value.
//! No word passes but those from `c·low` to `c·high`, although both differences are taken modulo 2^64. That `c` is from 0 to the table's
//! number of rows other rules see to, and the shape to `low ≤ high` and to ends that, times this number, are below 2^62 in magnitude
//! ([`crate::StarShape::check`]). So `w = c·high − c·low` is from 0 to less than 2^63. The differences as words, `d` and `e`, are from
//! 0 to less than 2^63, and `d + e = w` modulo 2^64. As `d + e` is from 0 to less than 2^64 like `w`, they are equal: `d ≤ w`,
//! and `v = c·low + d` modulo 2^64 is a number from `c·low` to `c·high`, of which each is the only one that its word stands for.
//!
//! So a sum over the join is one of numbers within their ranges, which the shape keeps below 2^62: no owner can make it wrap.

use base_wire::wire_struct;
use mpc_core::Abort;
use mpc_share::{View, Z64};

use crate::Scheme;
use crate::audit::Audit;
use crate::layout::Layout;
use crate::rules::Part;

/// The numbers that a value of a row can be where it is not NULL; so narrow that no sum over the join reaches 2^62.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The lowest.
    pub low: i64,
    /// The highest, not below the lowest.
    pub high: i64,
}
wire_struct!(Span { low, high });

impl Span {
    /// Whether so many of them can come to this sum.
    pub(crate) fn holds(self, sum: i64, count: u64) -> bool {
        let times = |end: i64| i128::from(end) * i128::from(count);
        (times(self.low)..=times(self.high)).contains(&i128::from(sum))
    }

    /// The largest absolute value.
    pub(crate) fn magnitude(self) -> i128 {
        self.low.unsigned_abs().max(self.high.unsigned_abs()).into()
    }
}

/// Adds the rules for the values of a table, the carrier's or a side's.
///
/// # Errors
/// [`Abort`] that blames the owner of rows that break a rule, else when a peer is gone or misbehaves.
pub(crate) async fn check<S: Scheme>(audit: &mut Audit<'_, S>, layout: &Layout, part: &Part<'_>) -> Result<(), Abort> {
    let owner = part.table.owner;
    if part.table.own == layout.carrier {
        for at in &layout.values {
            within(audit, owner, [part.of(at.value), part.of(at.nonnull)], at.span).await?;
        }
    } else if let Some(side) = layout.sides.iter().find(|side| side.all == part.table.own) {
        for at in &side.values {
            within(audit, owner, [part.of(at.sum), part.of(at.count)], at.span).await?;
        }
    }
    Ok(())
}

/// Each sum is one of as many numbers of the range as its count says.
async fn within<S: Scheme>(
    audit: &mut Audit<'_, S>,
    owner: usize,
    [sum, count]: [View<'_, Z64>; 2],
    span: Span,
) -> Result<(), Abort> {
    let times = |end: i64| count.to_shared().scale(end as u64);
    audit.not_negative(owner, sum.minus(times(span.low).view())).await?;
    audit.not_negative(owner, times(span.high).view().minus(sum)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::{CARRIER, ROWS, blamed_of, outcomes_of};

    /// The carrier's value and the side's.
    const NARROW: [Span; 2] = [Span { low: 3, high: 7 }, Span { low: -4, high: 9 }];
    /// Twelve rows can meet: the widest ranges of which the sums stay below 2^62.
    const END: i64 = ((1 << 62) - 1) / 12;
    const WIDE: [Span; 2] = [Span { low: -END, high: END }; 2];

    /// Puts a number in for the value of the carrier's row, of which the second alone is NULL.
    fn value(row: usize, number: i64) -> impl Fn(&mut [u64]) + Copy + Send + 'static {
        move |words: &mut [u64]| words[3 * CARRIER + row] = number as u64
    }

    /// Puts a number in for the sum of the side's first key, which stands for as many rows, all of them with a value.
    fn sum(rows: u64, number: i64) -> impl Fn(&mut [u64]) + Copy + Send + 'static {
        move |words: &mut [u64]| (words[ROWS], words[2 * ROWS], words[3 * ROWS]) = (rows, number as u64, rows)
    }

    async fn passes(spans: [Span; 2], liar: usize, change: impl Fn(&mut [u64]) + Copy + Send + 'static, what: &str) {
        for out in outcomes_of(spans, liar, change).await {
            assert!(out.is_ok(), "{what}: {out:?}");
        }
    }

    #[test]
    fn sums_are_held_to_their_number_of_values() {
        let span = Span { low: -4, high: 9 };
        let held = [(-8, 2), (18, 2), (-4, 1), (9, 1), (0, 0)];
        assert!(held.iter().all(|(sum, count)| span.holds(*sum, *count)));
        let refused = [(-9, 2), (19, 2), (-5, 1), (10, 1), (1, 0), (-1, 0), (i64::MIN, 2), (i64::MAX, 2)];
        assert!(refused.iter().all(|(sum, count)| !span.holds(*sum, *count)));
        assert!(Span { low: i64::MIN, high: i64::MAX }.holds(i64::MIN, u64::MAX));
        assert_eq!([Span { low: i64::MIN, high: 5 }, Span { low: -5, high: 6 }].map(Span::magnitude), [1 << 63, 6]);
    }

    #[tokio::test]
    async fn values_at_the_ends_of_their_ranges_pass() {
        for end in [3, 7] {
            passes(NARROW, 0, value(2, end), &format!("the value {end}")).await;
        }
        for (rows, end) in [(1, -4), (1, 9), (2, -8), (2, 18)] {
            passes(NARROW, 1, sum(rows, end), &format!("the sum {end} of {rows}")).await;
        }
        for end in [-END, END] {
            passes(WIDE, 0, value(2, end), "a wide value").await;
            passes(WIDE, 1, sum(2, 2 * end), "a wide sum").await;
        }
    }

    #[tokio::test]
    async fn an_owner_whose_value_leaves_its_range_is_blamed_by_both_others() {
        for (row, number) in [(0, 2), (0, 8), (0, -3), (1, 1), (1, -1), (3, 3)] {
            blamed_of(NARROW, 0, value(row, number), &format!("the value {number} in row {row}")).await;
        }
        for (rows, number) in [(1, -5), (1, 10), (2, -9), (2, 19)] {
            blamed_of(NARROW, 1, sum(rows, number), &format!("the sum {number} of {rows}")).await;
        }
    }

    /// Words from which a difference wraps: none passes both.
    #[tokio::test]
    async fn words_that_wrap_are_blamed_on_their_owner() {
        let top = i64::MIN;
        let numbers = [top, i64::MAX, 1 << 62, END + 1, -END - 1, END.wrapping_add(top), (-END).wrapping_add(top)];
        for number in numbers {
            blamed_of(WIDE, 0, value(0, number), &format!("the value {number}")).await;
        }
        for number in [top, i64::MAX, END + 1, END.wrapping_add(top)] {
            blamed_of(WIDE, 1, sum(1, number), &format!("the sum {number}")).await;
        }
        for number in [3 + top, 2 + top, 7 + top, i64::MAX - 1] {
            blamed_of(NARROW, 0, value(0, number), &format!("the value {number}")).await;
        }
    }
}
