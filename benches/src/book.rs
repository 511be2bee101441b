//! The generator's own book: who was given how much at which height, to be compared with what the ledger says.

use base_types::{Digest, Height};
use ledger_rpc::StateAt;

use crate::{clients::Clients, load::End, run::Run};

/// What the recipients were given, one token a transfer.
pub struct Book {
    /// Heights at which each recipient was given a token.
    given: Vec<Vec<Height>>,
    /// Transactions of which the client does not know how they ended.
    open: Vec<(Digest, u32)>,
    /// Transfers that were accepted.
    accepted: u64,
    /// Transactions that neither were executed nor refused.
    lost: u64,
}

impl Book {
    /// An empty book of so many recipients.
    pub fn new(recipients: u32) -> Self {
        Self { given: vec![Vec::new(); recipients as usize], open: Vec::new(), accepted: 0, lost: 0 }
    }

    /// Enters how the transactions of a run ended.
    pub fn enter(&mut self, run: &Run) {
        for sample in &run.samples {
            match sample.end {
                End::Executed(height) => self.give(sample.to, height),
                End::Refused => {}
                End::Failed => self.open.push((sample.digest, sample.to)),
            }
        }
    }

    fn give(&mut self, to: u32, height: Height) {
        if let Some(given) = self.given.get_mut(to as usize) {
            given.push(height);
            self.accepted += 1;
        }
    }

    /// Enters that every recipient was given a token by this height, in no transfer of its own.
    pub fn open(&mut self, height: Height) {
        self.given.iter_mut().for_each(|given| given.push(height));
    }

    /// Asks a validator what became of those that are open. To be called when the validators rest: what is not in a block
    /// then is lost.
    ///
    /// # Errors
    /// When the validator does not answer.
    pub async fn resolve(&mut self, clients: &Clients) -> anyhow::Result<()> {
        for (digest, to) in std::mem::take(&mut self.open) {
            match clients.transaction(0, &digest).await? {
                Some(placed) if placed.executed.refusal.is_none() => self.give(to, placed.executed.height),
                Some(_) => {}
                None => self.lost += 1,
            }
        }
        Ok(())
    }

    /// What a recipient holds after the block of a height, or now.
    pub fn held(&self, to: u32, state: StateAt) -> u64 {
        let Some(given) = self.given.get(to as usize) else { return 0 };
        match state {
            StateAt::Height(height) => given.iter().filter(|at| **at <= height).count() as u64,
            StateAt::Latest | StateAt::Root(_) => given.len() as u64,
        }
    }

    /// How many recipients there are.
    pub fn recipients(&self) -> u32 {
        self.given.len() as u32
    }

    /// Transfers that were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Transactions that were sent and neither executed nor refused, so far as this was looked up.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The lowest and the highest height at which anything was given, zero without any.
    pub fn heights(&self) -> (Height, Height) {
        let all = || self.given.iter().flatten().copied();
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Pace, Sample};

    #[test]
    fn the_book_knows_every_height() {
        let sample = |to, end| Sample { digest: Digest([1; 32]), to, due: Duration::ZERO, done: Duration::ZERO, end };
        let ends = [End::Executed(3), End::Executed(5), End::Refused, End::Failed, End::Executed(5)];
        let samples = ends.into_iter().map(|end| sample(1, end)).collect();
        let mut book = Book::new(2);
        book.enter(&Run::new(Pace::PerSecond(1), samples));
        let held = [2, 3, 4, 5, 9].map(|height| book.held(1, StateAt::Height(height)));
        assert_eq!(held, [0, 1, 1, 3, 3]);
        assert_eq!(
            (book.held(1, StateAt::Latest), book.held(0, StateAt::Latest), book.held(9, StateAt::Latest)),
            (3, 0, 0)
        );
        assert_eq!((book.accepted(), book.open.len(), book.heights()), (3, 1, (3, 5)));
    }
}
