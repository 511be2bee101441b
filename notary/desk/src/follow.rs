//! The desk at work: one task a node that follows the ledger and does what is due, each thing once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use base_types::{
    Digest, Height, JobId,
    fault::{Code, Fault},
};
use base_wire::Encode;
use ledger_vm::notary::EntryKind;
use notary_policy::{Decision, decide};
use notary_terms::{ApprovalBody, Plan, RejectBody, StartBody, verify};

use crate::{
    Desk, Job, Order,
    act::{Action, due},
    desk::poisoned,
    sound,
};

/// What this process has set about.
type Tried = Arc<Mutex<BTreeSet<Action>>>;

impl Desk {
    /// Follows the ledger until it ends.
    pub async fn follow(self: Arc<Self>) {
        let mut heights = self.journal.heights();
        let tried = Tried::default();
        // A run that this process did not begin was cut off by a restart: it is never resumed, its masks are gone.
        let mut first = true;
        loop {
            match self.catch_up() {
                Ok(()) => {
                    self.set_about(&tried, first);
                    first = false;
                }
                // Nothing is done by half a book, least of all before it was read up to where the last process ended.
                Err(fault) => tracing::error!(%fault, "the notary cannot read the ledger"),
            }
            if heights.changed().await.is_err() {
                return;
            }
        }
    }

    fn catch_up(&self) -> Result<(), Fault> {
        loop {
            let cursor = self.book(|book| book.cursor)?;
            let entries = self.journal.after(cursor, 256)?;
            if entries.is_empty() {
                return Ok(());
            }
            let mut book = self.book.write().map_err(|_| poisoned())?;
            for (place, record, entry) in &entries {
                book.apply(*place, record, entry);
            }
            self.changed.send_replace(book.cursor);
        }
    }

    fn set_about(self: &Arc<Self>, tried: &Tried, restarted: bool) {
        let now = self.clock.now_ms();
        for action in self.book(|book| due(book, &self.me, now)).unwrap_or_default() {
            if tried.lock().unwrap_or_else(PoisonError::into_inner).insert(action.clone()) {
                let (desk, tried) = (self.clone(), tried.clone());
                tokio::spawn(async move { desk.act(action, restarted, &tried).await });
            }
        }
    }

    async fn act(self: &Arc<Self>, action: Action, restarted: bool, tried: &Tried) {
        let done = match &action {
            Action::Decide(id) => self.decide(id).await,
            Action::Start(id, attempt) => self.start(id, *attempt).await,
            Action::Run(id, attempt) => self.order(id, *attempt, restarted).await,
        };
        let Err(fault) = done else { return };
        tracing::warn!(?action, %fault, "the notary could not do what is due");
        // What the ledger refused stays refused; what did not reach it is due again. A run is never begun twice.
        if fault.code != Code::TransactionRefused && !matches!(action, Action::Run(..)) {
            tried.lock().unwrap_or_else(PoisonError::into_inner).remove(&action);
        }
    }

    /// Work on a job for which its plan is derived, which may take long: apart from the runtime, in the turn of whoever proposed
    /// the job.
    async fn derived<T: Send + 'static>(
        self: &Arc<Self>,
        id: &JobId,
        runs: bool,
        work: impl FnOnce(&Self, &JobId) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let step = "derive plan";
        let proposer = self.book(|book| book.job(id).map(|job| job.proposed.sender.org()))?;
        let proposer = proposer.ok_or_else(|| Fault::new(Code::NotFound, step, format!("no job {id}")))?;
        let (desk, id) = (Arc::clone(self), *id);
        self.apart.run(step, &(proposer, runs), move || work(&desk, &id)).await
    }

    /// Derives the plan again, compares digests, and decides; a person is left to decide where the rules say so.
    async fn decide(self: &Arc<Self>, id: &JobId) -> Result<(), Fault> {
        let verdict = self.derived(id, false, |desk, id| desk.plan(id).and_then(|plan| desk.judge(&plan))).await;
        let (kind, body) = match verdict {
            Ok(None) => return Ok(()),
            Ok(Some(body)) => (EntryKind::Approved, body.to_wire()),
            Err(fault) => {
                tracing::info!(job = %id, %fault, "the proposal is rejected");
                // The whole chain reads it: columns and grants are for the analyst's Check and this node's own log.
                let detail = if fault.code == Code::RuleForbids { "Check names the grant" } else { &fault.detail };
                let reason = Fault { detail: detail.to_owned(), ..fault }.to_string().chars().take(2000).collect();
                (EntryKind::Rejected, RejectBody { reason }.to_wire())
            }
        };
        self.append(*id, kind, 0, body).await
    }

    /// What this node says to a proposal: an approval, or `None` when a person must decide.
    ///
    /// # Errors
    /// Why the proposal is rejected.
    pub fn judge(&self, plan: &Plan) -> Result<Option<ApprovalBody>, Fault> {
        match self.examine(plan, None)? {
            (Decision::Allow { .. }, rules) => Ok(Some(ApprovalBody { by_rule: true, rules })),
            (Decision::AskPerson, _) => Ok(None),
            (Decision::Refuse(missing), _) => {
                let told: Vec<_> = missing.iter().map(|m| m.tell(false)).collect();
                Err(Fault::new(Code::RuleForbids, "decide", told.join("; ")).at(&self.me))
            }
        }
    }

    /// What the rules say of a proposal that is sound and derived as this node derives it, and the transaction that set those
    /// of this node; `attempt` is the start up to which runs are counted, `None` for the present moment.
    fn examine(&self, plan: &Plan, attempt: Option<u32>) -> Result<(Decision, Digest), Fault> {
        let id = plan.digest();
        let mine = plan.reads.iter().find(|read| read.owner == self.me);
        // In one look: the book goes on while the plan is derived, and an approval names the rules that allowed it.
        let (old, new, set_by) = self.book(|book| {
            let job = book.job(&id).ok_or_else(|| Fault::new(Code::NotFound, "decide", format!("no job {id}")))?;
            sound::check(book, job, plan).map_err(|fault| fault.at(&self.me))?;
            let set_by = mine.map(|read| book.rules_transaction(&read.dataset)).unwrap_or_default();
            Ok((book.catalogue_at(plan.catalogue_height), book.catalogue_at(u64::MAX), set_by))
        })??;
        let changed = |why| Fault::new(Code::ProposalChanged, "derive plan", why).at(&self.me);
        let derived = self.deriver.derive(&plan.request, &old, &plan.nodes);
        // The planner's words may quote the query, and this reason is for the whole chain to read.
        let derived = derived.map_err(|f| changed(format!("this node derives no plan ({})", f.code.number())))?;
        if derived.digest() != id {
            return Err(changed("the plan is not the one its query gives".to_owned()));
        }
        self.fits(plan)?;
        let runs = |dataset: &_, _: &str| {
            let count = self.book(|book| match attempt {
                None => book.runs(dataset),
                Some(attempt) => book.runs_before(dataset, &id, attempt),
            });
            count.unwrap_or(u32::MAX)
        };
        Ok((decide(&self.me, &new.rules, plan, &runs, self.clock.now_ms()), set_by))
    }

    async fn start(&self, id: &JobId, attempt: u32) -> Result<(), Fault> {
        let approvals = self.book(|book| book.job(id).map(|j| j.approvals()))?.unwrap_or_default();
        let mut approvals: Vec<_> = approvals.into_iter().map(|a| a.transaction).collect();
        approvals.sort();
        self.append(*id, EntryKind::Started, attempt, StartBody { approvals }.to_wire()).await
    }

    async fn order(self: &Arc<Self>, id: &JobId, attempt: u32, restarted: bool) -> Result<(), Fault> {
        // A ledger that was brought back from a backup, or is fetched again, shows old starts as if they were new, before it shows what
        // this node told of them. Its heights tell, whatever the clock does; the clock tells where only the others have the newest.
        let (forgotten, opened) = (self.journal.forgotten().unwrap_or(Height::MAX), self.opened());
        let begun = |job: &Job| {
            let before = job.started_before(attempt, opened) || job.started_by(attempt, forgotten);
            before || job.took_part(attempt, &self.me)
        };
        let begun = self.book(|book| book.job(id).is_some_and(begun))?;
        let order = if restarted || begun {
            if !self.is_cut_off(&Action::Run(*id, attempt)).await? {
                return Ok(());
            }
            let why = "this node was restarted during the run; a new proposal is needed";
            Err((*id, attempt, Fault::new(Code::PeerGone, "restart", why).at(&self.me)))
        } else {
            let prepared = self.derived(id, true, move |desk, id| desk.prepare(id, attempt)).await;
            prepared.map_err(|fault| (*id, attempt, fault))
        };
        let closed = |_| Fault::new(Code::Internal, "run", "the runner has ended");
        self.orders.send(order).await.map_err(closed)
    }

    /// Waits until the ledger has come to the present, and tells whether a run that this process did not begin still lacks this node's
    /// last word. What the node said of it before, or had on its way to the ledger when it ended, is there by then: a run that ended as
    /// planned is not to be told as broken off.
    async fn is_cut_off(&self, run: &Action) -> Result<bool, Fault> {
        let (mut heights, mut changes) = (self.journal.heights(), self.changes());
        loop {
            let height = *heights.borrow_and_update();
            changes.borrow_and_update();
            if self.is_present(height).unwrap_or(false) {
                return self.book(|book| due(book, &self.me, self.clock.now_ms()).contains(run));
            }
            tokio::select! {
                moved = heights.changed() => if moved.is_err() {
                    return Ok(false);
                },
                _ = changes.changed() => {}
            }
        }
    }

    /// Whether the ledger is as far here as it was with the others when this process began, and the book with it.
    fn is_present(&self, height: Height) -> Result<bool, Fault> {
        // The others were two heights below the one up to which this node may have acted.
        if height.saturating_add(2) < self.journal.forgotten()? || self.journal.time()? < self.opened() {
            return Ok(false);
        }
        Ok(self.journal.after(self.book(|book| book.cursor)?, 1)?.is_empty())
    }

    /// Checks everything once more before data is touched: a person may have approved what this node did not, and runs
    /// are counted by starts, so that of two proposals for one last run only the first to start has it.
    fn prepare(&self, id: &JobId, attempt: u32) -> Result<Order, Fault> {
        let step = "verify approvals";
        let plan = self.plan(id)?;
        let job = self.book(|book| book.job(id).cloned())?;
        let job = job.ok_or_else(|| Fault::new(Code::NotFound, step, format!("no job {id}")))?;
        // Its own start: others may have written further ones while this waited for its turn.
        let start = job.starts.iter().find(|(at, _)| *at == attempt);
        let (started, mark) = start.cloned().unwrap_or((0, job.proposed.clone()));
        if job.unfounded.contains(&attempt) {
            let why = "the start does not rest on the approvals";
            return Err(Fault::new(Code::PeerMisbehaved, step, why).at(&mark.sender.org()));
        }
        if job.run_attempt() != Some(attempt) {
            let why = format!("the approvals were for one run, attempt {attempt} needs a new proposal");
            return Err(Fault::new(Code::ApprovalMissing, step, why).at(&mark.sender.org()));
        }
        if let (Decision::Refuse(missing), _) = self.examine(&plan, Some(attempt))? {
            let told: Vec<_> = missing.iter().map(|m| m.tell(false)).collect();
            return Err(Fault::new(Code::RuleForbids, step, told.join("; ")).at(&self.me));
        }
        let facts = job.approvals();
        let reads = verify(&plan, &facts, (started, mark.time), attempt, &self.me)
            .map_err(|why| Fault::new(Code::ApprovalMissing, step, why.to_string()).at(&self.me))?;
        let mut approvals: Vec<_> = facts.into_iter().map(|f| f.transaction).collect();
        approvals.sort();
        Ok(Order { plan, reads, chain: self.journal.chain(), approvals, start: mark.transaction, attempt })
    }
}
