//! Spans of the chain's own work, for a collector: heights and their steps, peers' blocks, states, submissions.
//!
//! All of them stand in this file, by whose name a log leaves them out. Where nobody collects traces none is made, and
//! each costs a look at a flag.

use base_types::{Digest, Height, OrgId};
use tracing::{
    Span,
    field::Empty,
    info_span,
    span::{EnteredSpan, Id},
};

/// Collectors know signed numbers only.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The spans of what the chain's task is about.
pub(crate) struct Spans {
    /// The work on a height: from its start, or from a peer's block of it, until the block is stored.
    height: Span,
    /// The height of that span; 0 without one.
    at: Height,
    /// From the start of a height to its certificate.
    decide: Span,
    /// From a request for blocks until they are stored.
    sync: Span,
}

impl Default for Spans {
    fn default() -> Self {
        Self { height: Span::none(), at: 0, decide: Span::none(), sync: Span::none() }
    }
}

impl Spans {
    fn open(&mut self, height: Height, parent: Option<Id>) {
        let at = number(height);
        self.height = info_span!(parent: parent, "height", height = at, round = Empty, transactions = Empty);
        self.at = height;
    }

    /// The engine begins with a height.
    pub(crate) fn start(&mut self, height: Height) {
        self.open(height, None);
        self.decide = info_span!(parent: &self.height, "decide", height = number(height));
    }

    /// A block of this node's own is being built.
    pub(crate) fn build(&self, height: Height, round: u32) -> EnteredSpan {
        let (at, round) = (number(height), i64::from(round));
        info_span!(parent: &self.height, "build", height = at, round, transactions = Empty).entered()
    }

    /// A block is checked.
    pub(crate) fn check(&self, height: Height, round: u32, transactions: usize) -> EnteredSpan {
        let (at, round, transactions) = (number(height), i64::from(round), number(transactions as u64));
        info_span!(parent: &self.height, "check", height = at, round, transactions).entered()
    }

    /// A block has its certificate. A height that the engine did not start belongs to what a peer gave.
    pub(crate) fn certified(&mut self, height: Height, round: u32) {
        if self.at != height {
            self.open(height, Span::current().id());
        }
        self.height.record("round", i64::from(round));
        self.decide = Span::none();
    }

    /// A certified block is executed and stored.
    pub(crate) fn execute(&self, height: Height, transactions: usize) -> EnteredSpan {
        let transactions = number(transactions as u64);
        self.height.record("transactions", transactions);
        info_span!(parent: &self.height, "execute", height = number(height), transactions).entered()
    }

    /// The work on a height has ended.
    pub(crate) fn end(&mut self) {
        self.height = Span::none();
        self.at = 0;
        self.decide = Span::none();
    }

    /// A peer is asked for the blocks from a height on.
    pub(crate) fn ask(&mut self, peer: &OrgId, from: Height) {
        self.sync = info_span!(parent: None, "sync", %peer, from = number(from), blocks = Empty);
    }

    /// Its answer has come and is dealt with.
    pub(crate) fn answered(&mut self, blocks: usize) -> EnteredSpan {
        let sync = std::mem::replace(&mut self.sync, Span::none());
        sync.record("blocks", number(blocks as u64));
        sync.entered()
    }
}

/// A block of this node's own is built, with so many transactions.
pub(crate) fn built(build: EnteredSpan, transactions: usize) {
    build.record("transactions", number(transactions as u64));
}

/// What a block leads to is written, within the execution of that block; on the disk when this ends.
pub(crate) fn store(height: Height, rows: usize) -> EnteredSpan {
    info_span!("store", height = number(height), rows = number(rows as u64)).entered()
}

/// The state of a height is taken over by a node whose newest block is that of another.
pub(crate) fn take_over(from: Height, to: Height) -> Span {
    info_span!(parent: None, "take_over", from = number(from), to = number(to))
}

/// A client's transaction, from its admission to what became of it: one of 256, chosen by its digest, so that all nodes
/// choose the same.
pub(crate) fn submit(transaction: &Digest) -> Span {
    match transaction.0 {
        [0, ..] => info_span!("submit", %transaction, height = Empty),
        _ => Span::none(),
    }
}

/// It was executed at a height.
pub(crate) fn executed(submit: &Span, height: Height) {
    submit.record("height", number(height));
}
