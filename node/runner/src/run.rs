//! One attempt of one approved plan at one node, from the read to the receipt.

use std::{future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use base_gm::sm3;
use base_rt::{clock::Clock, entropy::Entropy, links::LinkHub};
use base_types::{
    Digest, JobId, OrgId,
    column::Table,
    fault::{Code, Fault},
};
use base_wire::Encode;
use connectors_api::Connector;
use mpc_core::{Abort, Blame};
use mpc_relational::OwnerRows;
use notary_terms::{
    Approved, Circuit, Common, DeliveredBody, Intersect, Outcome, Overlap, Plan, Program, Published, Read, ReadBody,
    ReceiptBody, TransferBody, Vectors,
};

use crate::{
    Answer, Budget,
    buckets::Scratch,
    budget, common,
    connections::{Connections, Stepping},
    flows::Flows,
    halt::Halt,
    intersect::{self, Lasting, Side},
    overlap, program,
    published::{self, Releases},
    room,
    session::{Binding, Meeting},
    star,
    transport::Terms,
    vectors,
};

/// What a run tells the notary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Words were read; waited for before anything is shared.
    Read(ReadBody),
    /// All streams of this party.
    Transferred(TransferBody),
    /// The receiver holds the answer.
    Delivered(DeliveredBody),
    /// The last word.
    Receipt(ReceiptBody),
}

/// The notary's ear.
#[async_trait]
pub trait Minutes: Send + Sync {
    /// Notarises and returns once the ledger has it.
    async fn note(&self, note: Note) -> Result<(), Fault>;
    /// Keeps the answer at the receiver, before its delivery is notarised.
    fn keep(&self, answer: &Answer) -> Result<(), Fault>;
    /// Shows where the run is; never waits.
    fn progress(&self, step: &str);
    /// Who has called the job off, as far as the ledger tells; waits a moment for what the ledger is about to tell.
    async fn called_off(&self) -> Option<OrgId> {
        None
    }
    /// Which party tells on the ledger that it has no room for the run; waits until one does.
    async fn without_room(&self) -> OrgId {
        pending().await
    }
}

/// One attempt: the plan and what the ledger says of it.
pub struct Run {
    /// The approved plan.
    pub plan: Plan,
    /// Reads of this node, from `notary_terms::verify`.
    pub reads: Vec<(usize, Approved<Read>)>,
    /// What the session binds.
    pub chain: Digest,
    /// Transactions of the approvals, sorted.
    pub approvals: Vec<Digest>,
    /// The Start transaction.
    pub start: Digest,
    /// Its attempt.
    pub attempt: u32,
    /// About how many bytes of memory it takes at this node.
    pub memory: u64,
    /// Ends it when the job is called off.
    pub halt: Arc<Halt>,
}

/// This node's surroundings.
pub struct Site {
    /// This organisation.
    pub me: OrgId,
    /// Data links.
    pub hub: Arc<LinkHub>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The secret salt of a digest of one job, attempt and thing. The same at every call, and known to this node alone,
    /// so that it can open its digests later and nobody can guess what is behind them.
    pub salt: Arc<dyn Fn(&JobId, u32, &str) -> [u8; 32] + Send + Sync>,
    /// Finds the connector of a data set of this organisation.
    pub connector: Arc<dyn Fn(&base_types::DatasetId) -> Result<Box<dyn Connector>, Fault> + Send + Sync>,
    /// Opens storage for what a run keeps outside memory, named after its first session; nothing of it is left, or readable, after it.
    pub scratch: Arc<dyn Fn(&Digest) -> Result<Box<dyn Scratch>, Fault> + Send + Sync>,
    /// How long a party may be silent.
    pub silence: Duration,
    /// Counts what passes between the nodes, by step.
    pub flows: Arc<Flows>,
    /// Tables of published keys, made and fetched, between the runs.
    pub releases: Arc<Releases>,
    /// How many runs go on at a time, and what they may take.
    pub budget: Arc<Budget>,
}

/// Runs the attempt; the answer is `Some` at the receiver. A receipt is written whatever happens.
///
/// # Errors
/// The fault that ended the attempt, after it has been notarised.
pub async fn execute(run: Run, site: &Site, minutes: &dyn Minutes) -> Result<Option<Answer>, Fault> {
    let started = site.clock.now_ms();
    let mut trail = Trail { transcript: sm3::Sm3Stream::new(), resumed: 0 };
    trail.transcript.update(&(site.salt)(&run.plan.digest(), run.attempt, "transcript"));
    let halt = run.halt.clone();
    let result = match attempt(run, site, minutes, &mut trail).await {
        Err(fault) => Err(halt.reason(fault, minutes).await),
        answer => answer,
    };
    let outcome = match &result {
        Ok(_) => Outcome::Done,
        Err(fault) => Outcome::aborted(fault.code, fault.party.clone(), &fault.step),
    };
    let millis = site.clock.now_ms().saturating_sub(started);
    let Trail { transcript, resumed } = trail;
    let receipt = ReceiptBody { outcome, transcript: transcript.finish(), millis, resumed };
    let noted = minutes.note(Note::Receipt(receipt)).await;
    let answer = result?;
    noted?;
    Ok(answer)
}

/// What the receipt tells of the way that the run took.
struct Trail {
    transcript: sm3::Sm3Stream,
    /// How often it went on over another connection.
    resumed: u32,
}

async fn attempt(run: Run, site: &Site, minutes: &dyn Minutes, trail: &mut Trail) -> Result<Option<Answer>, Fault> {
    let Run { plan, reads, chain, approvals, start, attempt, memory, halt } = run;
    let salt = (site.salt)(&plan.digest(), attempt, "result");
    let binding = Binding { chain, approvals, start, attempt };
    let meeting = Meeting::of(&plan, &binding, &site.me, &site.hub, &site.entropy);
    minutes.progress(budget::STEP);
    let place = site.budget.come(&plan.request.receiver, memory)?;
    // Given back when nothing is left of what the run takes.
    let _room = halt.unless(budget::STEP, room::taken(place, &meeting, site, minutes)).await?;
    minutes.progress("read");
    let mut tables = Vec::new();
    for (place, step) in reads {
        tables.push((place, halt.unless("read", read(step, site, minutes, &mut trail.transcript)).await?));
    }
    let inputs = Inputs::of(&plan, tables)?;
    minutes.progress("open links");
    let terms = Terms { silence: site.silence, flows: site.flows.clone(), halt: halt.clone() };
    let opening = Connections::open(meeting, terms, site.clock.clone());
    let connections = halt.unless("open links", opening).await?;
    let stepping = Stepping { minutes, connections: &connections };
    let answer = joint(&plan, inputs, site, &stepping).await;
    // Whatever a party that was called off ran into then, that is why it ended.
    let step = answer.as_ref().err().map_or("answer", |fault| fault.step.as_str());
    let answer = halt.fault(step).map_or(answer, Err);
    let kept = match &answer {
        Ok(Some(answer)) => minutes.keep(answer),
        _ => Ok(()),
    };
    minutes.progress("notarise");
    // Streams are notarised after a failure too: they show what had crossed by then.
    let transfers = connections.transfers().await;
    trail.resumed = connections.resumed();
    for (_, stream) in transfers.numbered() {
        trail.transcript.update(&stream.to_wire());
    }
    let transferred = minutes.note(Note::Transferred(transfers));
    let delivered = async {
        match &answer {
            Ok(Some(answer)) if kept.is_ok() => minutes.note(delivery(site, &salt, answer)).await,
            _ => Ok(()),
        }
    };
    let (transferred, delivered) = tokio::join!(transferred, delivered);
    let answer = answer?;
    kept?;
    transferred?;
    delivered?;
    Ok(answer)
}

/// The answer's length stays here: it would tell every member how many rows match, or how many cells are suppressed.
fn delivery(site: &Site, salt: &[u8; 32], answer: &Answer) -> Note {
    let result = Plan::salted(salt, "result", &answer.to_wire());
    Note::Delivered(DeliveredBody { receiver: site.me.clone(), result, bytes: 0 })
}

/// Reads what one approval is for, and waits until the ledger says so.
async fn read(
    step: Approved<Read>,
    site: &Site,
    minutes: &dyn Minutes,
    transcript: &mut sm3::Sm3Stream,
) -> Result<Table, Fault> {
    let (dataset, job, attempt) = (step.value().dataset.clone(), step.job(), step.attempt());
    let connector = (site.connector)(&dataset)?;
    let table = connector.read(step).await?;
    let salt = (site.salt)(&job, attempt, dataset.as_str());
    let commitment = Plan::salted(&salt, dataset.as_str(), &table.commitment_bytes());
    transcript.update(&commitment.0);
    minutes.note(Note::Read(ReadBody { dataset, commitment })).await?;
    Ok(table)
}

/// What this node puts into the joint part.
enum Inputs {
    /// Rows to share.
    Star(Vec<OwnerRows>),
    /// Keys to compare, and what the intersection brings.
    Pair(Intersect, Side),
    /// Rows to sum where their keys match, and what of.
    Overlap(Overlap, Side),
    /// Keys to compare with several owners', and what the run spares.
    Common(Common, Side),
    /// A user's program, and what its arguments are taken from.
    Own(Circuit, Vec<(usize, Table)>),
    /// Keys to publish or to ask for, and what the intersection brings.
    Published(Published, Side),
    /// A program over vectors, and what its inputs are taken from.
    Vectors(Vectors, Vec<(usize, Table)>),
}

impl Inputs {
    /// The owner's own work on what it read.
    fn of(plan: &Plan, tables: Vec<(usize, Table)>) -> Result<Self, Fault> {
        match &plan.program {
            Program::Star(_) => {
                let rows = tables.iter().map(|(place, table)| star::rows(plan, *place, table));
                Ok(Self::Star(rows.collect::<Result<_, _>>()?))
            }
            Program::Intersect(program) => Ok(Self::Pair(program.clone(), Side::of(plan, tables)?)),
            Program::Overlap(program) => Ok(Self::Overlap(program.clone(), Side::of(plan, tables)?)),
            Program::Common(program) => Ok(Self::Common(*program, Side::of(plan, tables)?)),
            Program::Circuit(circuit) => Ok(Self::Own(circuit.clone(), tables)),
            Program::Published(program) => Ok(Self::Published(program.clone(), Side::of(plan, tables)?)),
            Program::Vectors(program) => Ok(Self::Vectors(program.clone(), tables)),
        }
    }
}

/// The joint part; an answer at the receiver.
async fn joint(plan: &Plan, inputs: Inputs, site: &Site, stepping: &Stepping<'_>) -> Result<Option<Answer>, Fault> {
    let connections = stepping.connections;
    let context = connections.context()?;
    match inputs {
        Inputs::Star(rows) => star::answer(plan, context, rows, &site.me, stepping).await,
        Inputs::Pair(program, side) => {
            stepping.progress("match keys");
            let scratch = program.bucket_keys.map(|_| (site.scratch)(connections.session())).transpose()?;
            let lasting = scratch.map(|scratch| Lasting { scratch, connections: connections.clone() });
            intersect::answer(plan, program, context, side, lasting).await
        }
        Inputs::Overlap(program, side) => {
            stepping.progress("sum matches");
            overlap::answer(plan, program, context, side).await
        }
        Inputs::Common(program, side) => {
            stepping.progress("match keys");
            common::answer(plan, program, context, side).await
        }
        Inputs::Own(circuit, tables) => {
            stepping.progress("compute program");
            program::answer(plan, circuit, context, tables, &site.me).await
        }
        Inputs::Published(program, side) => {
            stepping.progress("match keys");
            published::answer(plan, program, context, side, site).await
        }
        Inputs::Vectors(program, tables) => {
            stepping.progress("compute vectors");
            vectors::answer(plan, program, context, tables, &site.me).await
        }
    }
}

/// An engine's abort in the plan's words.
pub(crate) fn abort_fault(plan: &Plan, me: &OrgId, abort: &Abort) -> Fault {
    let (code, place) = match abort.blame {
        Blame::Peer(place) => (Code::PeerMisbehaved, Some(place)),
        Blame::Network(place) if abort.why.contains("silent") => (Code::PeerSilent, Some(place)),
        Blame::Network(place) => (Code::PeerGone, Some(place)),
        Blame::OneOf(..) | Blame::Others => (Code::PeerMisbehaved, None),
        Blame::Local => (Code::Internal, None),
    };
    let fault = Fault::new(code, abort.step.clone(), abort.why.clone());
    match abort.blame {
        // Which of several it was nobody can tell; it was not this one.
        Blame::OneOf(..) | Blame::Others => fault,
        _ => fault.at(place.and_then(|p| plan.nodes.get(p)).unwrap_or(me)),
    }
}
