//! Where each column of the joined table stands.
//!
//! The order columns (no_key and the key's bits) come last, so that they are cut off once the table is joined.

use std::ops::Range;

use crate::{SideShape, Span, StarShape};

/// A value of the carrier.
pub(crate) struct ValueAt {
    /// The value, 0 for NULL.
    pub value: usize,
    /// Whether it is not NULL.
    pub nonnull: usize,
    /// Whether the row is the first of its person in its group that has the value. Where owners' rows are checked, one up to
    /// this row has it: [`crate::leads`] makes the one of the other.
    pub lead: usize,
    /// What it can be.
    pub span: Span,
}

/// A value of a side.
pub(crate) struct SideValueAt {
    /// Its sum over the key's rows.
    pub sum: usize,
    /// How many of them are not NULL.
    pub count: usize,
    /// Whether any is not NULL.
    pub has: usize,
    /// What each of them can be.
    pub span: Span,
}

/// A side's columns.
pub(crate) struct SideAt {
    /// Whether the row is one of the side's; after the join, whether the carrier row has a partner.
    pub present: usize,
    /// How many rows of the source the partner stands for.
    pub rows: usize,
    /// The values.
    pub values: Vec<SideValueAt>,
    /// All of these.
    pub all: Range<usize>,
}

/// The joined table's columns.
pub(crate) struct Layout {
    /// Whether the row is a real one of the carrier.
    pub valid: usize,
    /// Whether it is the first of its person in its group.
    pub lead: usize,
    /// The bits of the group's rank, most significant first.
    pub group: Range<usize>,
    /// What describes the group.
    pub words: Range<usize>,
    /// The carrier's values.
    pub values: Vec<ValueAt>,
    /// All of the carrier's columns.
    pub carrier: Range<usize>,
    /// The sides.
    pub sides: Vec<SideAt>,
    /// no_key and the key's bits, most significant first; none without sides.
    pub order: Range<usize>,
}

/// Hands out places one after the other.
struct Places(usize);

impl Places {
    fn one(&mut self) -> usize {
        self.0 += 1;
        self.0 - 1
    }

    fn many(&mut self, count: usize) -> Range<usize> {
        self.0 += count;
        self.0 - count..self.0
    }
}

impl Layout {
    /// The layout of a shape.
    pub fn new(shape: &StarShape) -> Self {
        let mut at = Places(0);
        let (valid, lead) = (at.one(), at.one());
        let (group, words) = (at.many(shape.group_bits.into()), at.many(shape.key_words.into()));
        let value = |span: &Span| ValueAt { value: at.one(), nonnull: at.one(), lead: at.one(), span: *span };
        let values = shape.carrier_values.iter().map(value).collect();
        let carrier = 0..at.0;
        let side = |shape: &SideShape| {
            let (present, rows) = (at.one(), at.one());
            let value = |span: &Span| SideValueAt { sum: at.one(), count: at.one(), has: at.one(), span: *span };
            let values = shape.values.iter().map(value).collect();
            SideAt { present, rows, values, all: present..at.0 }
        };
        let sides = shape.sides.iter().map(side).collect();
        let order = at.many(if shape.sides.is_empty() { 0 } else { usize::from(shape.key_bits) + 1 });
        Self { valid, lead, group, words, values, carrier, sides, order }
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.order.end
    }
}
