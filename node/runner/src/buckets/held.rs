//! What matches in the buckets, kept as it comes until the last is compared.
//!
//! The receiver confirms every bucket, and speaks first in the next. Work on the matches would tell the sender, by the moment of these
//! messages, how many they are; so there is none before the end but to put them by, not even the opening of what the sender sealed.

use base_types::fault::Fault;
use mpc_psi::partitioned::labelled::Sealed;

use super::places;
use crate::{
    Answer,
    matching::{Collected, MAX_ROWS, Matching},
};

/// Matches so far.
pub(super) struct Held {
    /// Most that are kept. Each makes a row of the answer or more, so that more of them make none that is short enough.
    most: usize,
    over: bool,
    /// Rows of this side, where a match brings nothing.
    bare: Vec<u64>,
    /// Matches, where each brings something.
    sealed: Vec<Sealed>,
    /// How many of both there were before each bucket.
    before: Vec<(usize, usize)>,
}

impl Held {
    /// None yet.
    pub(super) fn new() -> Self {
        Self::at_most(MAX_ROWS)
    }

    fn at_most(most: usize) -> Self {
        Self { most, over: false, bare: Vec::new(), sealed: Vec::new(), before: Vec::new() }
    }

    /// Keeps a bucket's rows where a match brings nothing, in place of those of an earlier connection.
    pub(super) fn add_bare(&mut self, bucket: usize, mut rows: Vec<u64>) {
        self.begin(bucket);
        if self.has_room(rows.len()) {
            self.bare.append(&mut rows);
        }
    }

    /// Keeps a bucket's matches with what they bring, in place of those of an earlier connection.
    pub(super) fn add(&mut self, bucket: usize, mut found: Vec<Sealed>) {
        self.begin(bucket);
        if self.has_room(found.len()) {
            self.sealed.append(&mut found);
        }
    }

    /// Lets go what a bucket brought before, and what those after it did. Buckets come one after the other.
    fn begin(&mut self, bucket: usize) {
        if let Some((bare, sealed)) = self.before.get(bucket).copied() {
            self.bare.truncate(bare);
            self.sealed.truncate(sealed);
            self.before.truncate(bucket);
        }
        self.before.push((self.bare.len(), self.sealed.len()));
    }

    /// Whether so many more may be kept. Where they are too many nothing is, and the run goes on: memory is bounded, and its end
    /// would tell which bucket it was.
    fn has_room(&mut self, more: usize) -> bool {
        let held = self.bare.len() + self.sealed.len();
        self.over |= held.saturating_add(more) > self.most;
        if self.over && held > 0 {
            (self.bare, self.sealed) = (Vec::new(), Vec::new());
        }
        !self.over
    }

    /// The rows of the answer. To be called when nothing more is said to the sender.
    pub(super) fn answer(self, matching: &Matching<'_>) -> Result<Answer, Fault> {
        if self.over {
            return Err(matching.too_many());
        }
        let mut collected = Collected::of(matching)?;
        collected.add_bare(places(&self.bare))?;
        for sealed in self.sealed {
            let payload = sealed.open();
            collected.add(places(sealed.rows()), payload.as_ref().map(|payload| payload.as_slice()))?;
        }
        Ok(collected.answer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_matches_than_an_answer_has_rows_are_let_go_at_once_and_remembered() {
        let mut held = Held::at_most(3);
        held.add_bare(0, vec![7, 8]);
        held.add_bare(1, vec![]);
        held.add_bare(2, vec![9]);
        assert_eq!((held.over, held.bare.as_slice()), (false, &[7, 8, 9][..]));
        held.add_bare(3, vec![4]);
        assert_eq!((held.over, held.bare.capacity()), (true, 0));
        held.add_bare(4, vec![5]);
        assert_eq!((held.over, held.bare.len()), (true, 0));
    }

    #[test]
    fn a_bucket_that_is_compared_again_takes_the_place_of_what_it_brought_before() {
        let mut held = Held::at_most(9);
        for (bucket, rows) in [(0, vec![7, 8]), (1, vec![1]), (1, vec![2, 3]), (2, vec![9]), (2, vec![])] {
            held.add_bare(bucket, rows);
        }
        assert_eq!((held.over, held.bare.as_slice()), (false, &[7, 8, 2, 3][..]));
    }
}
