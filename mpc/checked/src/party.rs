//! A party of the checked engine: its links and streams, what is pending, and public values.

use mpc_core::{Abort, Context};
use mpc_share::{Bits64, Ring, Shared, Z64, neighbour_seeds};

use crate::link::Link;
use crate::matrix::Matrices;
use crate::record::Records;
use crate::stream::Stream;

/// A ring whose products can be verified: the integers modulo 2^64, and words of bits.
pub trait Checkable: Ring {
    /// Whether a product is one of bits, place by place.
    const BITS: bool;
}

impl Checkable for Z64 {
    const BITS: bool = false;
}

impl Checkable for Bits64 {
    const BITS: bool = true;
}

/// One party's state.
///
/// All parties call the same methods in the same order with vectors of the same lengths. A vector that one `Checked` gave must
/// not go to another session.
pub struct Checked {
    pub(crate) link: Link,
    pub(crate) integers: Records,
    pub(crate) words: Records,
    pub(crate) matrices: Matrices,
    ended: bool,
}

impl Checked {
    /// Forks the session and agrees on the streams' seeds: three rounds.
    ///
    /// # Errors
    /// [`Abort`] when there are not three parties, or a peer is gone or misbehaves.
    pub async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        if ctx.parties() != 3 {
            return Err(ctx.name(Abort::local(format!("replicated sharing has 3 parties, not {}", ctx.parties()))));
        }
        let parameters = b"rep3, 48 sums by words, lent factors last, two words an element, GF(2^128)";
        let mut fork = ctx.fork_bound("checked", parameters);
        let (own, next) = neighbour_seeds(&mut fork).await?;
        let link = Link::new(fork, Stream::new(own.expose()), Stream::new(next.expose()));
        let (integers, words, matrices) = (Records::default(), Records::default(), Matrices::default());
        Ok(Self { link, integers, words, matrices, ended: false })
    }

    /// This party's number.
    pub fn me(&self) -> usize {
        self.link.me()
    }

    /// Names the step that an abort from here on reports.
    pub fn enter(&mut self, step: &'static str) {
        self.link.ctx.enter(step);
    }

    /// A vector of public values: component 0 carries them.
    pub fn public<R: Checkable>(&self, words: &[u64]) -> Shared<R> {
        let zeros = || vec![0; words.len()];
        match self.me() {
            0 => Shared::from_parts(words.to_vec(), zeros()),
            2 => Shared::from_parts(zeros(), words.to_vec()),
            _ => Shared::zeros(words.len()),
        }
    }

    /// One public value, `len` times.
    pub fn constant<R: Checkable>(&self, word: u64, len: usize) -> Shared<R> {
        self.public(&vec![word; len])
    }

    /// Begins a step: until [`Checked::end`] the session counts as ended, so a step that is given up ends it too.
    pub(crate) fn begin(&mut self) -> Result<(), Abort> {
        if std::mem::replace(&mut self.ended, true) {
            return Err(self
                .link
                .ctx
                .name(Abort::local("the session has ended with an abort or in the midst of a step")));
        }
        Ok(())
    }

    /// Ends a step: the session goes on if it came to its end.
    pub(crate) fn end<T>(&mut self, outcome: Result<T, Abort>) -> Result<T, Abort> {
        self.ended = outcome.is_err();
        outcome
    }
}
