//! A pruned node that is far behind: it looks for a state, goes away while it takes it over, and comes back.

use std::sync::Arc;

use base_types::{Height, OrgId};
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    ChainFault, History,
    ledger::bare,
    net::Offer,
    node::{Command, Node, engine, ms},
    spans,
    takeover::TakeOver,
};

/// After a search in vain the next question waits so long, in milliseconds.
const PAUSE_MS: u64 = 500;

impl Node {
    /// Whether to look for a state instead of asking for blocks: when very many are missing, or nobody has them.
    pub(crate) fn wants_state(&self) -> bool {
        if self.options.history == History::All || self.replay {
            return false;
        }
        let missing = self.peers.highest().saturating_sub(self.tip.height);
        missing > self.options.snapshot_gap || self.peers.all_gone(self.tip.height)
    }

    /// The lowest height whose state is worth taking over: what is only a little way ahead is not, unless there is no other
    /// way.
    fn worth(&self) -> Height {
        let least = if self.peers.all_gone(self.tip.height) { 1 } else { (self.options.snapshot_gap / 2).max(1) };
        self.tip.height.saturating_add(least)
    }

    /// Asks for offers. Nothing that is stored is touched before one was checked: anybody can tell a great height.
    pub(crate) fn seek_offer(&mut self) {
        self.peers.ask(true, None);
        let mut all = self.peers.known();
        all.extend(self.tip.epoch().validators.iter().map(|validator| validator.org.clone()));
        all.remove(&self.me);
        let all: Vec<OrgId> = all.into_iter().collect();
        let (ledger, limit) = (self.ledger.clone(), ms(self.options.request_ms));
        let (net, shared) = (Arc::clone(&self.net), Arc::clone(&self.shared));
        let mut taker = TakeOver::new(ledger, net, shared, limit, self.worth(), all);
        let own = self.own.clone();
        self.taking.spawn(async move {
            let offer = taker.offer().await.map(Box::new);
            if let Some(own) = own.upgrade() {
                let _ = own.send(Command::Offered(Box::new(taker), offer)).await;
            }
        });
    }

    /// The search for a state has ended.
    pub(crate) fn offered(&mut self, taker: TakeOver, offer: Option<Offer>) -> Result<(), ChainFault> {
        self.peers.ask(false, Some(ms(PAUSE_MS)));
        let (none_has_blocks, least) = (self.peers.all_gone(self.tip.height), self.worth());
        match offer.filter(|offer| offer.at.header.height >= least) {
            Some(offer) => self.go_away(taker, offer),
            None => {
                tracing::info!(height = self.tip.height, "no peer offers a state");
                self.replay = !none_has_blocks;
                Ok(())
            }
        }
    }

    fn go_away(&mut self, taker: TakeOver, offer: Offer) -> Result<(), ChainFault> {
        tracing::info!(from = self.tip.height, to = offer.at.header.height, "a state is being taken over");
        // First nobody reads any more, then it is written down, then it is removed.
        self.shared.go_away(self.tip.clone());
        self.silence = self.ledger.begin_partial(self.tip.height)?;
        self.away = true;
        self.running = false;
        self.peers.ask(true, None);
        self.timers.clear();
        self.valid.clear();
        self.ahead.clear();
        self.spans.end();
        let span = spans::take_over(self.tip.height, offer.at.header.height);
        let own = self.own.clone();
        self.taking.spawn(async move {
            let outcome = taker.run(offer).instrument(span).await;
            if let Some(own) = own.upgrade() {
                let _ = own.send(Command::TakenOver(outcome)).await;
            }
        });
        Ok(())
    }

    /// The state is here: from now on this node follows as if it had always been.
    pub(crate) fn taken_over(&mut self, outcome: Result<(), ChainFault>) -> Result<(), ChainFault> {
        outcome?;
        self.tip = self.ledger.tip()?;
        self.away = false;
        self.peers.ask(false, None);
        self.peers.reached(self.tip.height);
        (self.logged, self.kept) = (0, 0);
        (self.tip_at, self.started_at) = (Instant::now(), Instant::now());
        self.engine = engine(self.tip.epoch(), self.ledger.chain, &self.me, &self.key, &self.options);
        self.epoch = self.tip.epoch().number;
        self.fresh = true;
        let next = self.next();
        self.early.forget(next);
        self.take_out()?;
        let expired = self.shared.pool().remove_expired(next);
        for digest in expired {
            let gone = Err(ChainFault::Inadmissible("its last height has passed".into()));
            self.shared.tell(&digest, &gone);
        }
        self.shared.come_back(self.tip.height);
        tracing::info!(height = self.tip.height, "a state was taken over");
        Ok(())
    }

    /// What waits may have been executed in blocks of before the state that was taken over.
    fn take_out(&self) -> Result<(), ChainFault> {
        let waiting = {
            let mut pool = self.shared.pool();
            pool.executed(&[]);
            pool.digests()
        };
        for digest in waiting {
            if self.ledger.is_placed(&digest)? {
                self.shared.pool().executed(&[digest]);
                self.shared.tell(&digest, &Err(bare()));
            }
        }
        Ok(())
    }
}
