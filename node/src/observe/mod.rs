//! How others see whether a node is well: metrics, traces and alarms.

pub mod alarms;
pub mod book;
mod facts;
mod metrics;
pub mod traces;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base_rt::Clock;
use base_types::{OrgId, TimeMs};
use ledger_chain::Chain;
use runner::Flows;
use tokio::{net::TcpListener, sync::watch, time::MissedTickBehavior};

use alarms::{Thresholds, judge};
use book::{Book, Raised};
use facts::{Seen, Tracker};
use metrics::Sample;

use crate::config::Folder;

/// A node looks at itself so often; [`Thresholds::look_ms`] allows for it.
const LOOK: Duration = Duration::from_secs(2);

/// Looks at the node again and again, raises and clears alarms, and tells metrics.
pub struct Watch {
    chain: Chain,
    clock: Arc<dyn Clock>,
    flows: Arc<Flows>,
    ledger: PathBuf,
    started: TimeMs,
    looks: Mutex<Looks>,
}

struct Looks {
    tracker: Tracker,
    book: Book,
    at: TimeMs,
}

impl Watch {
    /// Begins to look, on the current runtime. `certificates` are told apart by name and end at the times given.
    pub fn start(
        folder: &Folder,
        me: OrgId,
        certificates: Vec<(&'static str, TimeMs)>,
        chain: Chain,
        clock: Arc<dyn Clock>,
        flows: Arc<Flows>,
    ) -> Arc<Self> {
        let started = clock.now_ms();
        let tracker = Tracker::new(me, certificates, Instant::now());
        let looks = Mutex::new(Looks { tracker, book: Book::new(folder.alarms()), at: started });
        let watch = Arc::new(Self { chain, clock, flows, ledger: folder.ledger(), started, looks });
        tokio::spawn(Arc::clone(&watch).follow());
        watch
    }

    async fn follow(self: Arc<Self>) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let watch = Arc::clone(&self);
            // It reads and writes files, so it is done beside the tasks that serve.
            if let Err(why) = tokio::task::spawn_blocking(move || watch.look()).await {
                tracing::debug!(%why, "a look at the node was broken off");
            }
        }
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        let last = self.looks().tracker.last();
        let (seen, disk) = (Seen::of(&self.chain, &last), facts::disk(&self.ledger));
        let mut looks = self.looks();
        let (now, at) = (self.clock.now_ms(), Instant::now());
        let facts = looks.tracker.look(seen, disk, now, at);
        looks.book.note(judge(&facts, &Thresholds::default()), now, at);
        looks.at = now;
    }

    /// The active alarms, and when the node last looked.
    pub fn alarms(&self) -> (TimeMs, Vec<Raised>) {
        let looks = self.looks();
        (looks.at, looks.book.active())
    }

    /// The metrics as OpenMetrics text.
    fn metrics(&self) -> Result<String, fmt::Error> {
        let (_, alarms) = self.alarms();
        let last = self.looks().tracker.last();
        let tables = base_gm::sm2::tables();
        metrics::text(&Sample {
            counters: self.chain.counters(),
            seen: &Seen::of(&self.chain, &last),
            disk: facts::disk(&self.ledger),
            key_tables: (tables.bytes(), tables.max_bytes()),
            alarms: &alarms,
            flows: &self.flows.all(),
            now: self.clock.now_ms(),
            started: self.started,
        })
    }

    /// Serves `GET /metrics` to whoever reaches the listener, until the node stops.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            served = axum::serve(listener, metrics::router(self)) => {
                if let Err(why) = served {
                    tracing::error!(%why, "metrics are no longer served");
                }
            }
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}
