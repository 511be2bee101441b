//! Carries out what the engine wants, in order, and stores what it decides.

use std::collections::VecDeque;

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_consensus::{Input, Output, WalRecord};
use ledger_light::{Block, Certificate, Transaction};
use tokio::time::Instant;

use crate::{
    ChainFault,
    check::{Objection, due_at},
    net::Gossip,
    node::{Node, ms},
};

/// Names a block with its transactions' signatures, which its header's digest does not cover.
fn identity(block: &Block) -> Digest {
    sm3(&block.to_wire())
}

impl Node {
    /// Starts the height after the tip; what was logged of it before a crash comes first.
    pub(crate) fn start_height(&mut self) -> Result<(), ChainFault> {
        let height = self.next();
        self.running = true;
        self.valid.clear();
        self.ahead.clear();
        self.timers.retain(|id, _| id.height >= height);
        let records: Vec<WalRecord> = self.ledger.votes(height)?;
        self.logged = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.feed(Input::StartHeight { height, epoch: self.ledger.genesis.epoch.clone() })?;
        for record in records {
            self.feed(Input::Replay(record))?;
        }
        for (from, bytes) in self.early.take(height) {
            if self.next() == height {
                self.feed(Input::Message { from, bytes })?;
            }
        }
        Ok(())
    }

    /// Gives the engine one input and carries out everything that follows.
    pub(crate) fn feed(&mut self, input: Input) -> Result<(), ChainFault> {
        let mut outputs: VecDeque<Output> = self.engine.handle(input).into();
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Persist(record) => {
                    let mut records = vec![record];
                    while let Some(Output::Persist(_)) = outputs.front() {
                        if let Some(Output::Persist(record)) = outputs.pop_front() {
                            records.push(record);
                        }
                    }
                    self.log(&records)?;
                }
                Output::Broadcast(bytes) => self.send_all(Gossip::Consensus(bytes)),
                Output::SetTimer { id, after_ms } => {
                    self.timers.insert(id, Instant::now() + ms(after_ms));
                }
                Output::CancelTimer(id) => {
                    self.timers.remove(&id);
                }
                Output::Build { height, round, .. } => outputs.extend(self.build(height, round)?),
                Output::Check { height, round, block } => {
                    if let Some(valid) = self.would_sign(&block)? {
                        let block = block.header.digest();
                        outputs.extend(self.engine.handle(Input::Checked { height, round, block, valid }));
                    } else {
                        self.ahead.push((height, round, block));
                    }
                }
                Output::Decided { block, certificate } => self.decided(block, certificate)?,
                Output::Misbehaved { by, what } => tracing::warn!(%by, what, "a validator misbehaves"),
            }
        }
        Ok(())
    }

    fn log(&mut self, records: &[WalRecord]) -> Result<(), ChainFault> {
        let height = records.first().map_or(0, WalRecord::height);
        if height <= self.tip.height {
            return Ok(());
        }
        self.ledger.write_votes(height, self.logged, records)?;
        self.logged = self.logged.saturating_add(u32::try_from(records.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    fn build(&mut self, height: Height, round: u32) -> Result<Vec<Output>, ChainFault> {
        if height != self.next() {
            return Ok(Vec::new());
        }
        let block = self.ledger.build(&self.tip, &mut self.pool, &self.me, self.clock.now_ms())?;
        self.valid.insert(identity(&block));
        Ok(self.engine.handle(Input::Built { height, round, block }))
    }

    /// Checks the blocks again whose time was ahead of the clock and is so no more. They were kept, not refused: a refusal
    /// is final, and a proposer that shows a block to some before its time and to others after it would part the honest
    /// for good.
    pub(crate) fn check_ahead(&mut self) -> Result<(), ChainFault> {
        let now = self.clock.now_ms();
        let due: Vec<_> = self.ahead.extract_if(.., |(_, _, block)| due_at(block) <= now).collect();
        for (height, round, block) in due {
            // The one before may have led to a decision.
            if height == self.next()
                && let Some(valid) = self.would_sign(&block)?
            {
                let block = block.header.digest();
                self.feed(Input::Checked { height, round, block, valid })?;
            }
        }
        Ok(())
    }

    /// When the first of them is due.
    pub(crate) fn ahead_at(&self) -> Option<Instant> {
        let now = self.clock.now_ms();
        let due = self.ahead.iter().map(|(_, _, block)| due_at(block)).min()?;
        // Not longer than an hour at once, whatever time a block names.
        Some(Instant::now() + ms(due.saturating_sub(now).min(3_600_000)))
    }

    /// Whether this node would sign a block; `None` while its time is ahead of the clock.
    fn would_sign(&mut self, block: &Block) -> Result<Option<bool>, ChainFault> {
        let verified = |digest: &Digest, transaction: &Transaction| self.pool.has_verified(digest, transaction);
        match self.ledger.check(&self.tip, block, Some(self.clock.now_ms()), verified) {
            Ok(()) => {
                self.valid.insert(identity(block));
                Ok(Some(true))
            }
            Err(Objection::Early(due)) => {
                tracing::warn!(height = block.header.height, proposer = %block.header.proposer, due, "a block is early");
                Ok(None)
            }
            Err(Objection::Invalid(why)) => {
                tracing::warn!(height = block.header.height, proposer = %block.header.proposer, why, "a block is refused");
                Ok(Some(false))
            }
            Err(Objection::Fault(fault)) => Err(fault),
        }
    }

    fn decided(&mut self, block: Block, certificate: Certificate) -> Result<(), ChainFault> {
        let height = block.header.height;
        if height != self.next() {
            return Ok(());
        }
        if let Err(why) = certificate.verify(&block.header, &self.ledger.genesis.epoch) {
            return Err(ChainFault::Diverged { height, why: why.to_string() });
        }
        if !self.valid.contains(&identity(&block)) && !self.judge_certified(&block)? {
            tracing::warn!(height, "a decided block came with a wrong signature, the peers will be asked for it");
            return Ok(());
        }
        self.store(&block, &certificate)
    }

    /// Whether a certified block that follows the tip is whole. A header binds its transactions but not their
    /// signatures, so a peer can make a copy with a wrong one, which is the copy's fault alone; whatever else is
    /// wrong with a certified block is wrong here.
    pub(crate) fn judge_certified(&self, block: &Block) -> Result<bool, ChainFault> {
        let verified = |digest: &Digest, transaction: &Transaction| self.pool.has_verified(digest, transaction);
        match self.ledger.check(&self.tip, block, None, verified) {
            // A certified block's time is not judged again.
            Ok(()) | Err(Objection::Early(_)) => Ok(true),
            Err(Objection::Fault(fault)) => Err(fault),
            Err(Objection::Invalid(_)) if block.header.transactions_root != block.transactions_root() => Ok(false),
            Err(Objection::Invalid(_)) if block.transactions.iter().any(|t| t.verify(&self.ledger.chain).is_err()) => {
                Ok(false)
            }
            Err(Objection::Invalid(why)) => Err(ChainFault::Diverged { height: block.header.height, why }),
        }
    }

    /// Executes and stores the block after the tip, then tells everybody who waits for it.
    pub(crate) fn store(&mut self, block: &Block, certificate: &Certificate) -> Result<(), ChainFault> {
        let (tip, executed) = self.ledger.execute(&self.native, block, certificate)?;
        self.tip = tip;
        self.tip_at = Instant::now();
        self.running = false;
        for (digest, executed) in executed {
            self.pool.remove(&digest);
            for reply in self.waiters.remove(&digest).into_iter().flatten() {
                let _ = reply.send(Ok(executed.clone()));
            }
        }
        let next = self.next();
        for digest in self.pool.remove_expired(next) {
            for reply in self.waiters.remove(&digest).into_iter().flatten() {
                let _ = reply.send(Err(ChainFault::Inadmissible("its last height has passed".into())));
            }
        }
        self.waiters.retain(|_, replies| replies.iter().any(|reply| !reply.is_closed()));
        self.early.forget(next);
        self.peers.reached(self.tip.height);
        self.shared.set_waiting(self.pool.len());
        self.shared.set_height(self.tip.height);
        Ok(())
    }
}
