//! The engines behind the notary's orders: one task a run, and its notes on the ledger.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base_rt::Entropy;
use base_types::{JobId, OrgId, fault::Fault};
use base_wire::Encode;
use ledger_vm::notary::EntryKind;
use notary_desk::{Desk, Job, Order};
use notary_terms::{Outcome, ReceiptBody};
use runner::{Answer, Halt, Minutes, Note, Run, Site, execute};
use tokio::{sync::mpsc, time::timeout};
use tracing::{Instrument, Span, field::Empty};

use super::{progress::Progress, results::Results};

/// How long a run whose peer has left waits for this node to read from its ledger why.
const MOMENT: Duration = Duration::from_secs(1);

/// What a run needs of the node.
pub struct Runs {
    /// The notary.
    pub desk: Arc<Desk>,
    /// Where this node reads, links and draws randomness.
    pub site: Site,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Steps for those who watch.
    pub progress: Arc<Progress>,
    /// Answers received.
    pub results: Arc<Results>,
}

struct JobMinutes {
    runs: Arc<Runs>,
    job: JobId,
    attempt: u32,
    span: Span,
    /// The step under way.
    step: Mutex<Span>,
}

/// The span of a run; its description is written when the run is broken off.
pub fn span(job: &JobId, attempt: u32) -> Span {
    tracing::info_span!("run", %job, attempt, otel.status_description = Empty)
}

/// The span of a run's step, named after it.
pub fn step_span(run: &Span, step: &str) -> Span {
    tracing::info_span!(parent: run, "step", otel.name = step)
}

#[async_trait]
impl Minutes for JobMinutes {
    async fn note(&self, note: Note) -> Result<(), Fault> {
        let (kind, body) = match &note {
            Note::Read(body) => (EntryKind::Read, body.to_wire()),
            Note::Transferred(body) => (EntryKind::Transferred, body.to_wire()),
            Note::Delivered(body) => (EntryKind::Delivered, body.to_wire()),
            Note::Receipt(body) => (EntryKind::Receipt, body.to_wire()),
        };
        self.runs.desk.append(self.job, kind, self.attempt, body).await
    }

    fn keep(&self, answer: &Answer) -> Result<(), Fault> {
        self.runs.results.keep(&self.job, answer)
    }

    fn progress(&self, step: &str) {
        tracing::debug!(job = %self.job, step, "the run goes on");
        self.runs.progress.set(&self.job, step);
        // The step before ends as its span is dropped.
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step_span(&self.span, step);
    }

    async fn called_off(&self) -> Option<OrgId> {
        timeout(MOMENT, self.runs.cancelled(&self.job)).await.ok()
    }

    async fn without_room(&self) -> OrgId {
        self.runs.told(&self.job, |job| job.without_room(self.attempt).cloned()).await
    }
}

impl Runs {
    /// Carries out orders until the notary ends.
    pub async fn serve(self: Arc<Self>, mut orders: mpsc::Receiver<Result<Order, (JobId, u32, Fault)>>) {
        while let Some(order) = orders.recv().await {
            let runs = self.clone();
            tokio::spawn(async move {
                match order {
                    Ok(order) => runs.run(order).await,
                    Err((job, attempt, fault)) => runs.refuse(job, attempt, &fault).await,
                }
            });
        }
    }

    async fn run(self: Arc<Self>, order: Order) {
        let Order { plan, reads, chain, approvals, start, attempt } = order;
        let job = plan.digest();
        let span = span(&job, attempt);
        let (inside, step) = (span.clone(), Mutex::new(Span::none()));
        let minutes = JobMinutes { runs: self.clone(), job, attempt, span, step };
        let halt = Arc::new(Halt::default());
        let memory = planner::memory(&plan, &self.site.me);
        let run = Run { plan, reads, chain, approvals, start, attempt, memory, halt: halt.clone() };
        let ended = tokio::select! {
            ended = execute(run, &self.site, &minutes).instrument(inside) => ended,
            never = self.hear(&job, &halt) => match never {},
        };
        match ended {
            Ok(_) => tracing::info!(%job, "the run ended as planned"),
            Err(fault) => {
                minutes.span.record("otel.status_description", fault.to_string().as_str());
                tracing::warn!(%job, %fault, "the run was broken off");
            }
        }
        self.progress.end(&job);
    }

    /// Tells a run when a party calls its job off on the ledger.
    async fn hear(&self, job: &JobId, halt: &Halt) -> Infallible {
        halt.call_off(self.cancelled(job).await);
        pending().await
    }

    /// Waits until the ledger says that a party has called a job off; whose that is.
    async fn cancelled(&self, job: &JobId) -> OrgId {
        self.told(job, |job| job.cancelled.as_ref().map(|cancelled| cancelled.mark.sender.org())).await
    }

    /// Waits until the ledger says of a job what is looked for.
    async fn told(&self, job: &JobId, look: impl Fn(&Job) -> Option<OrgId>) -> OrgId {
        let mut changes = self.desk.changes();
        loop {
            changes.borrow_and_update();
            if let Ok(Some(org)) = self.desk.book(|book| book.job(job).and_then(&look)) {
                return org;
            }
            if changes.changed().await.is_err() {
                return pending().await;
            }
        }
    }

    /// A run that cannot begin still leaves a receipt.
    async fn refuse(&self, job: JobId, attempt: u32, fault: &Fault) {
        let mut transcript = [0; 32];
        self.entropy.fill(&mut transcript);
        let outcome = Outcome::aborted(fault.code, fault.party.clone(), &fault.step);
        let receipt = ReceiptBody { outcome, transcript: base_types::Digest(transcript), millis: 0, resumed: 0 };
        if let Err(why) = self.desk.append(job, EntryKind::Receipt, attempt, receipt.to_wire()).await {
            tracing::warn!(%job, %why, "the receipt could not be written");
        }
    }
}
