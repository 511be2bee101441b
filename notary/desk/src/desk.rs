//! The desk and what it is given: the ledger, the planner, a clock, and where its orders go.

use std::sync::{
    Arc, RwLock,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use base_gm::{
    envelope::{self, Sealed},
    sm2::{PublicKey, SecretKey},
};
use base_rt::{Apart, clock::Clock};
use base_types::{
    Digest, Height, JobId, OrgId, TimeMs,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_terms::{Approved, Catalogue, Plan, ProposalBody, Read, Request};
use tokio::sync::{mpsc, watch};

use crate::Book;

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
    /// Time of the newest block.
    fn time(&self) -> Result<TimeMs, Fault>;
    /// The last height at which this node may have acted in a life that its ledger has not seen to its end, as when it was brought
    /// back from a backup; 0 where there was none, and the highest there is as long as that is not known.
    fn forgotten(&self) -> Result<Height, Fault>;
    /// The chain's genesis digest.
    fn chain(&self) -> Digest;
}

/// The planner as the notary sees it: a plan is derived, never negotiated.
pub trait Deriver: Send + Sync {
    /// Derives the plan of a request.
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault>;
    /// Whether this node could ever carry out a run of a plan; every one, where nothing bounds what runs may take.
    fn fits(&self, _plan: &Plan) -> Result<(), Fault> {
        Ok(())
    }
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
    pub(crate) me: OrgId,
    key: Arc<SecretKey>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) deriver: Arc<dyn Deriver>,
    /// Where plans are derived, by whose proposal it is and whether it runs: an organisation whose programs take long to compile
    /// holds up its own proposals alone, and none that all have approved.
    pub(crate) apart: Apart<(OrgId, bool)>,
    pub(crate) clock: Arc<dyn Clock>,
    /// When this process's desk began, by the clock of then.
    opened: AtomicU64,
    pub(crate) book: RwLock<Book>,
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) orders: mpsc::Sender<Result<Order, (JobId, u32, Fault)>>,
}

pub(crate) fn poisoned() -> Fault {
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
        let (book, opened, apart) = (RwLock::new(Book::default()), AtomicU64::new(clock.now_ms()), Apart::default());
        Arc::new(Self { me, key, journal, deriver, apart, clock, opened, book, changed: watch::Sender::new(0), orders })
    }

    /// Reads the book.
    ///
    /// # Errors
    /// [`Code::Internal`] after a panic elsewhere.
    pub fn book<T>(&self, look: impl FnOnce(&Book) -> T) -> Result<T, Fault> {
        self.book.read().map(|book| look(&book)).map_err(|_| poisoned())
    }

    /// When this process's desk began. A clock that shows an earlier time by now was ahead then, and has been set right: nobody
    /// is to wait until the ledger comes to what it showed.
    pub(crate) fn opened(&self) -> TimeMs {
        let now = self.clock.now_ms();
        self.opened.fetch_min(now, Ordering::Relaxed).min(now)
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

    /// Whether this node, where it computes in a plan, could ever carry out a run of it.
    ///
    /// # Errors
    /// Why not, with what it takes and what there is.
    pub fn fits(&self, plan: &Plan) -> Result<(), Fault> {
        if plan.nodes.contains(&self.me) { self.deriver.fits(plan) } else { Ok(()) }
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

/// The proposal entry of a plan, sealed to the nodes of its parties. All parties are asked: the owners for their data,
/// nodes without data and the receiver for taking part, which their nodes decide by deriving the plan again.
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
        parties: plan.parties(),
        expires: plan.request.expires,
        body: body.to_wire(),
    })
}
