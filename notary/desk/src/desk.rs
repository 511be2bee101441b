//! The desk: one task a node that follows the ledger and does what is due.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
};

use async_trait::async_trait;
use base_gm::{
    envelope::{self, Sealed},
    sm2::{PublicKey, SecretKey},
};
use base_rt::clock::Clock;
use base_types::{
    Digest, Height, JobId, OrgId,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_policy::{Decision, decide};
use notary_terms::{
    ApprovalBody, Approved, Catalogue, Plan, ProposalBody, Read, RejectBody, Request, StartBody, verify,
};
use tokio::sync::{mpsc, watch};

use crate::{
    Book,
    act::{Action, due},
};

/// Where an entry landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The transaction.
    pub transaction: Digest,
    /// The block.
    pub height: Height,
}

/// The ledger as the notary sees it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Signs an entry with the node's key and returns once it is executed.
    async fn append(&self, entry: Entry) -> Result<Written, Fault>;
    /// Entries after a place, in order; 0 is before the first.
    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Record, Entry)>, Fault>;
    /// Announces every new height.
    fn heights(&self) -> watch::Receiver<Height>;
    /// The chain's genesis digest.
    fn chain(&self) -> Digest;
}

/// The planner as the notary sees it: a plan is derived, never negotiated.
pub trait Deriver: Send + Sync {
    /// Derives the plan of a request.
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault>;
}

/// An order to the runner: everything of one attempt that the ledger settles.
pub struct Order {
    /// The plan.
    pub plan: Plan,
    /// This node's reads, each usable once.
    pub reads: Vec<(usize, Approved<Read>)>,
    /// The chain's genesis digest.
    pub chain: Digest,
    /// Transactions of the approvals, sorted.
    pub approvals: Vec<Digest>,
    /// The Start transaction.
    pub start: Digest,
    /// Its attempt.
    pub attempt: u32,
}

/// The notary's service at one node.
pub struct Desk {
    me: OrgId,
    key: Arc<SecretKey>,
    journal: Arc<dyn Journal>,
    deriver: Arc<dyn Deriver>,
    clock: Arc<dyn Clock>,
    book: RwLock<Book>,
    changed: watch::Sender<u64>,
    orders: mpsc::Sender<Result<Order, (JobId, u32, Fault)>>,
}

fn poisoned() -> Fault {
    Fault::new(Code::Internal, "book", "a task ended while it held the book")
}

impl Desk {
    /// A desk that hands its orders to `orders`; call [`Desk::follow`] to set it to work.
    pub fn new(
        me: OrgId,
        key: Arc<SecretKey>,
        journal: Arc<dyn Journal>,
        deriver: Arc<dyn Deriver>,
        clock: Arc<dyn Clock>,
        orders: mpsc::Sender<Result<Order, (JobId, u32, Fault)>>,
    ) -> Arc<Self> {
        let book = RwLock::new(Book::default());
        Arc::new(Self { me, key, journal, deriver, clock, book, changed: watch::Sender::new(0), orders })
    }

    /// Reads the book.
    ///
    /// # Errors
    /// [`Code::Internal`] after a panic elsewhere.
    pub fn book<T>(&self, look: impl FnOnce(&Book) -> T) -> Result<T, Fault> {
        self.book.read().map(|book| look(&book)).map_err(|_| poisoned())
    }

    /// Announces every change of the book.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The plan of a job this node is a party of.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] when the plan is not sealed to this node, [`Code::ProposalChanged`] when it is another.
    pub fn plan(&self, id: &JobId) -> Result<Plan, Fault> {
        let step = "open plan";
        let proposal = self.book(|book| book.job(id).map(|j| j.proposal.clone()))?;
        let proposal = proposal.ok_or_else(|| Fault::new(Code::NotFound, step, format!("no job {id}")))?;
        open_plan(&self.key, &proposal.sealed_plan, id).map_err(|fault| fault.at(&self.me))
    }

    /// Follows the ledger until it ends.
    pub async fn follow(self: Arc<Self>) {
        let mut heights = self.journal.heights();
        let mut tried = BTreeSet::new();
        // A run that this process did not begin was cut off by a restart: it is never resumed, its masks are gone.
        let mut first = true;
        loop {
            if let Err(fault) = self.catch_up() {
                tracing::error!(%fault, "the notary cannot read the ledger");
            }
            let now = self.clock.now_ms();
            for action in self.book(|book| due(book, &self.me, now)).unwrap_or_default() {
                if tried.insert(action.clone()) {
                    let desk = self.clone();
                    tokio::spawn(async move { desk.act(action, first).await });
                }
            }
            first = false;
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

    async fn act(&self, action: Action, restarted: bool) {
        let done = match &action {
            Action::Decide(id) => self.decide(id).await,
            Action::Start(id, attempt) => self.start(id, *attempt).await,
            Action::Run(id, attempt) => self.order(id, *attempt, restarted).await,
        };
        if let Err(fault) = done {
            tracing::warn!(?action, %fault, "the notary could not do what is due");
        }
    }

    /// Derives the plan again, compares digests, and decides; a person is left to decide where the rules say so.
    async fn decide(&self, id: &JobId) -> Result<(), Fault> {
        let verdict = self.plan(id).and_then(|plan| self.judge(&plan));
        let (kind, body) = match verdict {
            Ok(None) => return Ok(()),
            Ok(Some(body)) => (EntryKind::Approved, body.to_wire()),
            Err(fault) => {
                let reason = fault.to_string().chars().take(2000).collect();
                (EntryKind::Rejected, RejectBody { reason }.to_wire())
            }
        };
        self.append(*id, kind, 0, body).await
    }

    /// `None` when a person must decide.
    ///
    /// # Errors
    /// Why the proposal is rejected.
    pub fn judge(&self, plan: &Plan) -> Result<Option<ApprovalBody>, Fault> {
        let step = "decide";
        let (catalogue, now_catalogue) =
            self.book(|book| (book.catalogue_at(plan.catalogue_height), book.catalogue_at(Height::MAX)))?;
        let derived = self.deriver.derive(&plan.request, &catalogue, &plan.nodes)?;
        if derived.digest() != plan.digest() {
            return Err(Fault::new(Code::ProposalChanged, step, "the plan is not the one its query gives").at(&self.me));
        }
        let runs = |dataset: &_, _: &str| self.book(|book| book.runs(dataset)).unwrap_or(u32::MAX);
        match decide(&self.me, &now_catalogue.rules, plan, &runs, self.clock.now_ms()) {
            Decision::Allow { .. } => {
                let mine = plan.reads.iter().find(|r| r.owner == self.me);
                let rules = mine.map(|r| self.book(|book| book.rules_transaction(&r.dataset))).transpose()?;
                Ok(Some(ApprovalBody { by_rule: true, rules: rules.unwrap_or_default() }))
            }
            Decision::AskPerson => Ok(None),
            Decision::Refuse(missing) => {
                let told: Vec<_> = missing.iter().map(|m| m.tell(false)).collect();
                Err(Fault::new(Code::RuleForbids, step, told.join("; ")).at(&self.me))
            }
        }
    }

    async fn start(&self, id: &JobId, attempt: u32) -> Result<(), Fault> {
        let approvals = self.book(|book| book.job(id).map(|j| j.approvals()))?.unwrap_or_default();
        let mut approvals: Vec<_> = approvals.into_iter().map(|a| a.transaction).collect();
        approvals.sort();
        self.append(*id, EntryKind::Started, attempt, StartBody { approvals }.to_wire()).await
    }

    async fn order(&self, id: &JobId, attempt: u32, restarted: bool) -> Result<(), Fault> {
        let order = if restarted {
            let why = "this node was restarted during the run; a new proposal is needed";
            Err((*id, attempt, Fault::new(Code::PeerGone, "restart", why).at(&self.me)))
        } else {
            self.prepare(id, attempt).map_err(|fault| (*id, attempt, fault))
        };
        let closed = |_| Fault::new(Code::Internal, "run", "the runner has ended");
        self.orders.send(order).await.map_err(closed)
    }

    fn prepare(&self, id: &JobId, attempt: u32) -> Result<Order, Fault> {
        let plan = self.plan(id)?;
        let job = self.book(|book| book.job(id).cloned())?;
        let job = job.ok_or_else(|| Fault::new(Code::NotFound, "prepare", format!("no job {id}")))?;
        let facts = job.approvals();
        let (started, mark) = job.starts.last().cloned().unwrap_or((0, job.proposed.clone()));
        let reads = verify(&plan, &facts, (started, mark.time), attempt, &self.me)
            .map_err(|why| Fault::new(Code::ApprovalMissing, "verify approvals", why.to_string()).at(&self.me))?;
        let mut approvals: Vec<_> = facts.into_iter().map(|f| f.transaction).collect();
        approvals.sort();
        Ok(Order { plan, reads, chain: self.journal.chain(), approvals, start: mark.transaction, attempt })
    }

    /// Appends an entry of a job under the node's key.
    ///
    /// # Errors
    /// What the ledger says.
    pub async fn append(&self, job: JobId, kind: EntryKind, attempt: u32, body: Vec<u8>) -> Result<(), Fault> {
        let entry = Entry { subject: job, kind, attempt, parties: Vec::new(), expires: 0, body };
        self.journal.append(entry).await.map(|_| ())
    }
}

/// The plan in its envelope, checked against the job's name.
fn open_plan(key: &SecretKey, sealed: &Sealed, id: &JobId) -> Result<Plan, Fault> {
    let step = "open plan";
    let bytes = envelope::open(key, b"heqi/plan", sealed)
        .map_err(|_| Fault::new(Code::NotAllowed, step, "the plan is not sealed to this node"))?;
    let plan = Plan::from_wire(&bytes).map_err(|e| Fault::new(Code::ProposalChanged, step, e.to_string()))?;
    if plan.digest() == *id {
        Ok(plan)
    } else {
        Err(Fault::new(Code::ProposalChanged, step, "the sealed plan is not the one the proposal names"))
    }
}

/// The proposal entry of a plan, sealed to the nodes of its parties.
///
/// # Errors
/// [`Code::Internal`] when a key cannot be sealed to.
pub fn proposal_entry(plan: &Plan, keys: &[PublicKey]) -> Result<Entry, Fault> {
    let sealed_plan = envelope::seal_to(keys, b"heqi/plan", &plan.to_wire())
        .map_err(|e| Fault::new(Code::Internal, "seal plan", e.to_string()))?;
    let body = ProposalBody {
        sealed_plan,
        analyst: plan.request.analyst.clone(),
        receiver: plan.request.receiver.clone(),
        nodes: plan.nodes.clone(),
        purpose: plan.request.purpose.clone(),
        datasets: plan.reads.iter().map(|r| r.dataset.clone()).collect(),
        tier: plan.tier,
    };
    Ok(Entry {
        subject: plan.digest(),
        kind: EntryKind::Proposed,
        attempt: 0,
        parties: plan.approvers(),
        expires: plan.request.expires,
        body: body.to_wire(),
    })
}
