//! Numbers that an owner's rows must make 0, or not negative: compared, opened and blamed piece by piece.
//!
//! What is opened is made of one owner's words alone, and 0 where the owner keeps to the rules: to open it tells nothing of an
//! owner that does, and nothing of others' rows where one does not. Signs are proven bits, so that all of a column are 0 if their
//! sum is: one word is opened for them. Where an owner that deviates has the choice of words a sum would not do, since false ones
//! can cancel each other: each is opened.

use mpc_core::Abort;
use mpc_share::{Arith, View, Z64};

use crate::Scheme;

/// Words after which numbers are compared, and zeros opened: of a longer table no more than this and a column wait at a time. A
/// comparison takes a few hundred bytes a word.
pub(crate) const PIECE: usize = 1 << 17;

/// Columns with the party that put them in, until there are enough of them.
#[derive(Default)]
struct Gathered {
    columns: Vec<(usize, Arith)>,
    words: usize,
}

impl Gathered {
    /// Adds an owner's column; says whether the columns make a piece.
    fn add(&mut self, owner: usize, column: Arith) -> bool {
        self.words += column.len();
        self.columns.push((owner, column));
        self.words >= PIECE
    }

    /// All columns as one, with owner and length of each.
    fn take(&mut self) -> (Vec<(usize, usize)>, Arith) {
        self.words = 0;
        let columns = std::mem::take(&mut self.columns);
        let all = Arith::concat(columns.iter().map(|(_, column)| column.view()));
        (columns.iter().map(|(owner, column)| (*owner, column.len())).collect(), all)
    }
}

/// The sum of a column, as one word.
pub(crate) fn total(column: View<'_, Z64>) -> Arith {
    let (own, next) = column.parts();
    let sum = |words: &[u64]| vec![words.iter().fold(0, |sum: u64, word| sum.wrapping_add(*word))];
    Arith::from_parts(sum(own), sum(next))
}

/// A check of owners' rows: rules are added, and judged by [`Audit::finish`] at the latest.
pub(crate) struct Audit<'a, S> {
    /// Computes what rules are about.
    pub party: &'a mut S,
    zeros: Gathered,
    signs: Gathered,
}

impl<'a, S: Scheme> Audit<'a, S> {
    /// A check without rules yet.
    pub fn new(party: &'a mut S) -> Self {
        Self { party, zeros: Gathered::default(), signs: Gathered::default() }
    }

    /// Each word must be 0.
    ///
    /// # Errors
    /// [`Abort`] that blames the owner of rows that break a rule, else when a peer is gone or misbehaves; so all methods.
    pub async fn zero(&mut self, owner: usize, column: Arith) -> Result<(), Abort> {
        if self.zeros.add(owner, column) { self.open().await } else { Ok(()) }
    }

    /// Each word must be 0, where none is negative and all come to less than 2^64, be it because other rules hold.
    pub async fn none(&mut self, owner: usize, column: View<'_, Z64>) -> Result<(), Abort> {
        self.zero(owner, total(column)).await
    }

    /// No word may be negative.
    pub async fn not_negative(&mut self, owner: usize, column: Arith) -> Result<(), Abort> {
        if self.signs.add(owner, column) { self.compare().await } else { Ok(()) }
    }

    /// Judges all rules that are left.
    pub async fn finish(mut self) -> Result<(), Abort> {
        self.compare().await?;
        self.open().await
    }

    async fn compare(&mut self) -> Result<(), Abort> {
        let (parts, all) = self.signs.take();
        if all.is_empty() {
            return Ok(());
        }
        let negative = self.party.less_integers(&all, &Arith::zeros(all.len())).await?;
        let mut at = 0;
        for (owner, len) in parts {
            self.none(owner, negative.range(at..at + len)).await?;
            at += len;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<(), Abort> {
        let (parts, all) = self.zeros.take();
        if all.is_empty() {
            return Ok(());
        }
        let opened = self.party.open(&all).await?;
        let mut at = 0;
        for (owner, len) in parts {
            if opened[at..at + len].iter().any(|word| *word != 0) {
                return Err(self.broken(owner));
            }
            at += len;
        }
        Ok(())
    }

    fn broken(&self, owner: usize) -> Abort {
        let why = "its rows are none that an owner may put in";
        let abort = if owner == self.party.me() { Abort::local(why) } else { Abort::peer(owner, why) };
        abort.at("star: check inputs")
    }
}
