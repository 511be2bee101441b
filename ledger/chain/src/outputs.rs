//! Carries out what the engine wants, in order, and stores what it decides.

use std::collections::VecDeque;

use base_types::{Digest, Height, OrgId};
use ledger_consensus::{Input, Output, TimerId, TimerKind, WalRecord, proposer};
use ledger_light::{Block, Certificate, RAFT, Transaction};
use tokio::time::Instant;

use crate::{
    ChainFault,
    check::{Objection, due_at},
    compact::pack,
    net::Outgoing,
    node::{Node, engine, ms},
    spans,
};

/// A turn of a proposer that is known to be gone is waited for so long, in milliseconds: what it sent before it went may
/// still be under way.
const AWAY_MS: u64 = 100;

/// Microseconds since a moment.
fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Node {
    /// Starts the height after the tip; what was logged of it before a crash comes first.
    pub(crate) fn start_height(&mut self) -> Result<(), ChainFault> {
        let height = self.next();
        self.running = true;
        self.started_at = Instant::now();
        self.spans.start(height);
        self.blamed.clear();
        self.valid.clear();
        self.ahead.clear();
        self.timers.retain(|id, _| id.height >= height);
        let mut records: Vec<WalRecord> = self.ledger.votes(height)?;
        self.logged = u32::try_from(records.len()).unwrap_or(u32::MAX);
        if std::mem::take(&mut self.fresh) && self.tip.epoch().engine == RAFT {
            let kept: Vec<WalRecord> = self.ledger.votes(WalRecord::KEPT)?;
            self.kept = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            records.splice(0..0, kept);
        }
        self.feed(Input::StartHeight { height, epoch: self.tip.epoch().clone() })?;
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
                Output::Keep(records) => self.keep(&records)?,
                Output::Broadcast(bytes) => self.send_all(pack(bytes)),
                Output::Send { to, bytes } => self.send(Outgoing::One(to, pack(bytes))),
                Output::SetTimer { id, after_ms } => {
                    let wait = self.wait_ms(id, after_ms);
                    self.timers.insert(id, Instant::now() + ms(wait));
                }
                Output::CancelTimer(id) => {
                    self.timers.remove(&id);
                }
                Output::Build { height, round, .. } => outputs.extend(self.build(height, round)?),
                Output::Check { height, round, block } => {
                    if let Some(valid) = self.would_sign(&block, round)? {
                        let block = block.header.digest();
                        outputs.extend(self.engine.handle(Input::Checked { height, round, block, valid }));
                    } else {
                        self.ahead.push((height, round, block));
                    }
                }
                Output::Decided { block, certificate } => self.decided(block, certificate)?,
                Output::Misbehaved { by, what } => {
                    self.shared.counters.misbehaviour.add(1);
                    if self.blamed.insert(by.clone()) {
                        tracing::warn!(%by, what, "a validator misbehaves");
                    }
                }
            }
        }
        Ok(())
    }

    /// How long a timer runs. The turn of a proposer that is gone is not waited for as others are, neither for its proposal
    /// nor, once a quorum has voted without one, for more votes. All other turns are as long as they have to be, so that who
    /// is wrong about proposers loses two turns of each at a height at most.
    fn wait_ms(&self, id: TimerId, after_ms: u64) -> u64 {
        let epoch = self.tip.epoch();
        let gone = || proposer(epoch, id.height, id.round).is_some_and(|org| self.is_gone(org));
        // Who is taken for gone wrongly gets whole waits, which grow, once all have had two turns of a height.
        let early = id.round as usize / 2 < epoch.validators.len();
        match id.kind {
            TimerKind::Propose | TimerKind::Precommit if early && gone() => after_ms.min(AWAY_MS),
            _ => after_ms,
        }
    }

    /// Whether nothing reaches a validator, or nothing was heard of it for long. That is asked when a wait begins, never in its
    /// midst: a proposal that takes long on a slow link finds a round whose wait is long enough.
    fn is_gone(&self, validator: &OrgId) -> bool {
        self.net.is_away(validator) || self.shared.hearing.has_lost(validator)
    }

    /// Writes to the consensus log: records of a height go with it, the kept ones stay.
    fn log(&mut self, records: &[WalRecord]) -> Result<(), ChainFault> {
        let mut rows = Vec::new();
        for record in records {
            let height = record.height();
            let place = match height {
                WalRecord::KEPT => &mut self.kept,
                height if height <= self.tip.height => continue,
                _ => &mut self.logged,
            };
            rows.push((height, *place, record));
            *place = place.saturating_add(1);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        self.ledger.write_votes(&rows)?;
        self.shared.counters.log_us.add(micros(began));
        Ok(())
    }

    fn keep(&mut self, records: &[WalRecord]) -> Result<(), ChainFault> {
        self.ledger.keep_votes(records)?;
        self.kept = u32::try_from(records.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    fn build(&mut self, height: Height, round: u32) -> Result<Vec<Output>, ChainFault> {
        if height != self.next() {
            return Ok(Vec::new());
        }
        let began = Instant::now();
        let span = self.spans.build(height, round);
        let block = self.ledger.build(&self.tip, &mut self.shared.pool(), &self.me, self.clock.now_ms());
        self.valid.insert(block.body(), Transaction::digests(&block.transactions));
        spans::built(span, block.transactions.len());
        self.shared.counters.build_us.add(micros(began));
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
                && let Some(valid) = self.would_sign(&block, round)?
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
    fn would_sign(&mut self, block: &Block, round: u32) -> Result<Option<bool>, ChainFault> {
        let began = Instant::now();
        let span = self.spans.check(block.header.height, round, block.transactions.len());
        let outcome = self.ledger.check(&self.tip, block, Some(self.clock.now_ms()), self.waiting());
        drop(span);
        self.shared.counters.check_us.add(micros(began));
        match outcome {
            Ok(digests) => {
                self.valid.insert(block.body(), digests);
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

    /// Knows the transactions that wait in the pool.
    fn waiting(&self) -> impl Fn(&Digest, &Transaction) -> bool {
        let shared = std::sync::Arc::clone(&self.shared);
        move |digest, transaction| shared.pool().has(digest, transaction)
    }

    fn decided(&mut self, block: Block, certificate: Certificate) -> Result<(), ChainFault> {
        let height = block.header.height;
        if height != self.next() {
            return Ok(());
        }
        if let Err(why) = certificate.verify(&block.header, self.tip.epoch()) {
            return Err(ChainFault::Diverged { height, why: why.to_string() });
        }
        if certificate.round > 0 {
            self.shared.counters.late_rounds.add(1);
        }
        self.spans.certified(height, certificate.round);
        let digests = match self.valid.remove(&block.body()) {
            Some(digests) => Some(digests),
            None => self.judge_certified(&block, certificate.round)?,
        };
        match digests {
            Some(digests) => self.store(&block, &digests, &certificate),
            None => {
                tracing::warn!(height, "a decided block came with a wrong signature, the peers will be asked for it");
                Ok(())
            }
        }
    }

    /// Whether a certified block that follows the tip is whole, and its transactions' digests. A header binds its
    /// transactions but not their signatures, so a peer can make a copy with a wrong one, which is the copy's fault alone;
    /// whatever else is wrong with a certified block is wrong here.
    pub(crate) fn judge_certified(&self, block: &Block, round: u32) -> Result<Option<Vec<Digest>>, ChainFault> {
        let _span = self.spans.check(block.header.height, round, block.transactions.len());
        match self.ledger.check(&self.tip, block, None, self.waiting()) {
            Ok(digests) => Ok(Some(digests)),
            // Not asked for: a certified block's time is not judged again.
            Err(Objection::Early(_)) => Ok(Some(Transaction::digests(&block.transactions))),
            Err(Objection::Fault(fault)) => Err(fault),
            Err(Objection::Invalid(_)) if block.header.transactions_root != block.transactions_root() => Ok(None),
            Err(Objection::Invalid(_)) if block.transactions.iter().any(|t| t.verify(&self.ledger.chain).is_err()) => {
                Ok(None)
            }
            Err(Objection::Invalid(why)) => Err(ChainFault::Diverged { height: block.header.height, why }),
        }
    }

    /// Executes and stores the block after the tip, then tells everybody who waits for it.
    pub(crate) fn store(
        &mut self,
        block: &Block,
        digests: &[Digest],
        certificate: &Certificate,
    ) -> Result<(), ChainFault> {
        let began = Instant::now();
        let span = self.spans.execute(block.header.height, digests.len());
        let (tip, executed) = self.ledger.execute(&self.tip, block, digests, certificate)?;
        drop(span);
        self.spans.end();
        let counters = &self.shared.counters;
        counters.execute_us.add(micros(began));
        counters.blocks.add(1);
        counters.executed.add(executed.len() as u64);
        counters.refused.add(executed.iter().filter(|(_, e)| e.refusal.is_some()).count() as u64);
        self.tip = tip;
        self.tip_at = Instant::now();
        self.running = false;
        let next = self.next();
        let expired = {
            let mut pool = self.shared.pool();
            pool.executed(executed.iter().map(|(digest, _)| digest));
            pool.remove_expired(next)
        };
        // Before those who wait: who hears of its block finds that the chain has come as far.
        self.shared.set_height(self.tip.height);
        for (digest, executed) in executed {
            self.shared.tell(&digest, &Ok(executed));
        }
        for digest in expired {
            let gone = Err(ChainFault::Inadmissible("its last height has passed".into()));
            self.shared.tell(&digest, &gone);
        }
        self.shared.forget_gone();
        self.shared.room.notify_waiters();
        self.early.forget(next);
        self.peers.reached(self.tip.height);
        self.begin_epoch();
        Ok(())
    }

    /// The engine of an epoch decides no height of another.
    fn begin_epoch(&mut self) {
        let epoch = self.tip.epoch();
        if epoch.number == self.epoch {
            return;
        }
        tracing::info!(number = epoch.number, engine = epoch.engine, height = epoch.first_height, "an epoch begins");
        self.engine = engine(epoch, self.ledger.chain, &self.me, &self.key, &self.options);
        self.epoch = epoch.number;
        self.fresh = true;
        self.timers.clear();
        self.shared.counters.epochs.add(1);
    }
}
