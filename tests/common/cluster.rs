//! Nodes with certificates of their own authorities, linked over loopback by mutual TLS; and what a run leaves there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base_gm::{
    cert::{Certificate, Subject, issue, self_signed_ca},
    sm2::SecretKey,
};
use base_rt::{
    ManualClock, OsEntropy,
    links::LinkHub,
    tls::{NODE_NAME, NodeIdentity, TrustRoots},
};
use base_types::{
    Digest, OrgId,
    fault::{Code, Fault},
};
use notary_terms::{Outcome, Plan, TransferBody};
use runner::{Answer, Budget, Flows, Limits, Minutes, Note, Releases, Run, Scratch, Shelf, Site, execute};
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender};

use super::{
    NODES,
    job::{Start, run_of},
    nodes, org,
    sources::Sources,
};

pub const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 86_400_000;

/// Nodes that can reach each other.
pub struct Cluster {
    pub hubs: BTreeMap<OrgId, Arc<LinkHub>>,
    /// Where each accepts links.
    pub addresses: BTreeMap<OrgId, String>,
    pub sources: Arc<Sources>,
    /// What all nodes' runs moved, by step.
    pub flows: Arc<Flows>,
    /// Each node's tables between the runs.
    pub releases: BTreeMap<OrgId, Arc<Releases>>,
    /// Each node's room for runs: for all that a test may think of, unless it says otherwise.
    pub budgets: BTreeMap<OrgId, Arc<Budget>>,
}

/// So many runs at a time, of any size, each of which waits for its room for so long.
pub fn limits(runs: usize, wait: Duration) -> Limits {
    Limits { memory: u64::MAX, runs, wait }
}

/// Tables in memory.
#[derive(Default)]
struct Tables(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl Shelf for Tables {
    fn keep(&self, name: &Digest, bytes: &[u8]) {
        self.0.lock().expect("not poisoned").insert(*name, bytes.to_vec());
    }
    fn holds(&self, name: &Digest) -> bool {
        self.0.lock().expect("not poisoned").contains_key(name)
    }
    fn find(&self, name: &Digest) -> Option<Vec<u8>> {
        self.0.lock().expect("not poisoned").get(name).cloned()
    }
}

/// The authority and the identity of a node, whose certificate ends `days` from now.
fn member(name: &str, days: i64) -> (Certificate, NodeIdentity) {
    let ca_key = SecretKey::from_seed(format!("{name} ca").as_bytes());
    let ca = self_signed_ca(&org(name), &ca_key, NOW - 9 * DAY, NOW + 9 * DAY).expect("an authority");
    let key = Arc::new(SecretKey::from_seed(name.as_bytes()));
    let subject = Subject { org: org(name), name: NODE_NAME.into() };
    let end = NOW.saturating_add_signed(days * DAY as i64);
    let certificate = issue(&ca, &ca_key, &subject, &key.public(), NOW - 8 * DAY, end).expect("a certificate");
    (ca, NodeIdentity { org: org(name), certificate, key })
}

/// Buckets in memory.
#[derive(Default)]
struct Kept(BTreeMap<usize, Vec<u8>>);

impl Scratch for Kept {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.0.entry(bucket).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, Fault> {
        Ok(self.0.get(&bucket).cloned().unwrap_or_default())
    }
}

impl Cluster {
    pub async fn start(sources: Sources) -> Self {
        Self::with_certificates(sources, &BTreeMap::new()).await
    }

    /// `days` says for some nodes in how many days their certificate ends; it is one for all others.
    pub async fn with_certificates(sources: Sources, days: &BTreeMap<&str, i64>) -> Self {
        let members = NODES.map(|name| member(name, days.get(name).copied().unwrap_or(1)));
        Self::of(sources, members.into()).await
    }

    /// Other nodes beside the three.
    pub async fn joined_by(sources: Sources, others: &[&str]) -> Self {
        let members = NODES.iter().chain(others).map(|name| member(name, 1));
        Self::of(sources, members.collect()).await
    }

    async fn of(sources: Sources, members: Vec<(Certificate, NodeIdentity)>) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let authorities = members.iter().map(|(ca, id)| (id.org.clone(), ca.clone())).collect();
        let roots = Arc::new(TrustRoots::new(authorities));
        let (mut listeners, mut addresses) = (Vec::new(), BTreeMap::new());
        for (_, id) in &members {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            addresses.insert(id.org.clone(), listener.local_addr().expect("an address").to_string());
            listeners.push(listener);
        }
        let start = |((_, id), listener): ((Certificate, NodeIdentity), TcpListener)| {
            let org = id.org.clone();
            let hub = LinkHub::start(listener, id, roots.clone(), clock.clone(), addresses.clone());
            (org, hub.expect("a hub"))
        };
        let hubs: BTreeMap<OrgId, Arc<LinkHub>> = members.into_iter().zip(listeners).map(start).collect();
        let tables = |org: &OrgId| (org.clone(), Arc::new(Releases::new(Box::new(Tables::default()))));
        let releases = hubs.keys().map(tables).collect();
        let room = |org: &OrgId| (org.clone(), Budget::new(org.clone(), limits(1000, Duration::from_secs(60))));
        let budgets = hubs.keys().map(room).collect();
        Self { hubs, addresses, sources: Arc::new(sources), flows: Arc::default(), releases, budgets }
    }

    pub fn site(&self, me: &OrgId, silence: Duration) -> Site {
        let sources = self.sources.clone();
        Site {
            me: me.clone(),
            hub: self.hubs[me].clone(),
            clock: Arc::new(base_rt::SystemClock),
            entropy: Arc::new(OsEntropy),
            salt: Arc::new(|job, attempt, what| {
                base_gm::sm3::tagged("test-salt", &[&job.0, &attempt.to_be_bytes(), what.as_bytes()]).0
            }),
            connector: Arc::new(move |dataset| sources.connector(dataset)),
            scratch: Arc::new(|_: &Digest| Ok(Box::new(Kept::default()) as Box<dyn Scratch>)),
            silence,
            flows: self.flows.clone(),
            releases: self.releases[me].clone(),
            budget: self.budgets[me].clone(),
        }
    }

    /// Runs one node's part to its end.
    pub async fn party(&self, plan: &Plan, start: Start, me: &OrgId, silence: Duration) -> Ended {
        self.party_noting(plan, start, me, silence, Records::default()).await
    }

    /// Runs one node's part with records that may fail.
    pub async fn party_noting(
        &self,
        plan: &Plan,
        start: Start,
        me: &OrgId,
        silence: Duration,
        records: Records,
    ) -> Ended {
        self.party_running(run_of(plan, start, me), me, silence, records).await
    }

    /// Carries out one node's run.
    pub async fn party_running(&self, run: Run, me: &OrgId, silence: Duration, records: Records) -> Ended {
        let site = self.site(me, silence);
        let records = Arc::new(records);
        let minutes = records.clone();
        let task = tokio::spawn(async move { execute(run, &site, &*minutes).await });
        let result = task.await.expect("a run never panics");
        Ended { org: me.clone(), result, records }
    }

    /// Runs the plan's nodes: two to four.
    pub async fn run(&self, plan: &Plan, start: Start, silence: Duration) -> Vec<Ended> {
        let party = |at: usize| self.party(plan, start, &plan.nodes[at], silence);
        match plan.nodes.len() {
            2 => <[Ended; 2]>::from(tokio::join!(party(0), party(1))).into(),
            3 => <[Ended; 3]>::from(tokio::join!(party(0), party(1), party(2))).into(),
            4 => <[Ended; 4]>::from(tokio::join!(party(0), party(1), party(2), party(3))).into(),
            other => panic!("a plan of {other} nodes"),
        }
    }

    /// The receiver's answer of a run in which all went well, after everything that each node must have noted is checked.
    pub async fn answer(&self, plan: &Plan) -> Answer {
        let ended = self.run(plan, Start::first(), Duration::from_secs(30)).await;
        check_minutes(plan, &ended);
        let mut answers: Vec<Answer> =
            ended.into_iter().filter_map(|party| party.result.unwrap_or_else(|fault| panic!("{fault}"))).collect();
        assert_eq!(answers.len(), 1, "one party receives the answer");
        answers.remove(0)
    }
}

/// Each node noted its reads, its streams and a receipt; both ends of a stream saw the same; the receiver kept the answer.
fn check_minutes(plan: &Plan, ended: &[Ended]) {
    let mut streams = BTreeMap::new();
    for party in ended {
        assert_eq!(party.receipt(), Outcome::Done, "{}", party.org);
        let own = plan.reads.iter().filter(|read| read.owner == party.org).count();
        let notes = party.records.notes();
        assert_eq!(notes.iter().filter(|note| matches!(note, Note::Read(_))).count(), own);
        for stream in party.streams().streams {
            let ends = (stream.from.clone(), stream.to.clone());
            assert!(stream.frames > 0 && stream.bytes > 0);
            if let Some(other) = streams.insert(ends, stream.clone()) {
                assert_eq!(other, stream, "both ends saw the same stream");
            }
        }
        let received = party.org == plan.request.receiver;
        assert_eq!(party.records.kept().is_some(), received);
        assert_eq!(notes.iter().any(|note| matches!(note, Note::Delivered(_))), received);
        assert!(party.result.as_ref().is_ok_and(|answer| *answer == party.records.kept()));
    }
    assert_eq!(streams.len(), plan.nodes.len() * (plan.nodes.len() - 1), "every pair, both directions");
    let computing = if plan.star().is_some() { nodes() } else { plan.parties() };
    assert_eq!(computing, plan.nodes);
}

/// What a node's run told its notary.
#[derive(Default)]
pub struct Records {
    /// Answers cannot be kept, with this code.
    pub full: Option<Code>,
    /// Notes of a read or of streams are not taken, with this code.
    pub deaf: Option<Code>,
    /// Who has called the job off, which the run hears when it asks.
    pub called_off: Option<OrgId>,
    /// Who says on the ledger that it has no room for the run.
    pub without_room: Option<OrgId>,
    /// Hears every step as it is shown.
    pub seen: Option<UnboundedSender<String>>,
    pub noted: Mutex<Vec<Note>>,
    pub answer: Mutex<Option<Answer>>,
    pub shown: Mutex<Vec<String>>,
}

impl Records {
    pub fn notes(&self) -> Vec<Note> {
        self.noted.lock().expect("not poisoned").clone()
    }
    pub fn kept(&self) -> Option<Answer> {
        self.answer.lock().expect("not poisoned").clone()
    }
    pub fn steps(&self) -> Vec<String> {
        self.shown.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl Minutes for Records {
    async fn note(&self, note: Note) -> Result<(), Fault> {
        if let (Some(code), Note::Read(_) | Note::Transferred(_)) = (self.deaf, &note) {
            return Err(Fault::new(code, "notarise", "the ledger does not answer"));
        }
        self.noted.lock().expect("not poisoned").push(note);
        Ok(())
    }
    fn keep(&self, answer: &Answer) -> Result<(), Fault> {
        if let Some(code) = self.full {
            return Err(Fault::new(code, "keep the answer", "no room"));
        }
        *self.answer.lock().expect("not poisoned") = Some(answer.clone());
        Ok(())
    }
    fn progress(&self, step: &str) {
        self.shown.lock().expect("not poisoned").push(step.to_owned());
        // Who listened may have heard enough.
        let _ = self.seen.as_ref().map(|seen| seen.send(step.to_owned()));
    }
    async fn called_off(&self) -> Option<OrgId> {
        self.called_off.clone()
    }
    async fn without_room(&self) -> OrgId {
        match &self.without_room {
            Some(org) => org.clone(),
            None => std::future::pending().await,
        }
    }
}

/// One node's run, ended.
pub struct Ended {
    pub org: OrgId,
    pub result: Result<Option<Answer>, Fault>,
    pub records: Arc<Records>,
}

impl Ended {
    /// The last word; there is exactly one, and it stands last.
    pub fn receipt(&self) -> Outcome {
        let notes = self.records.notes();
        assert_eq!(notes.iter().filter(|note| matches!(note, Note::Receipt(_))).count(), 1, "{}", self.org);
        match notes.into_iter().next_back() {
            Some(Note::Receipt(receipt)) => receipt.outcome,
            other => panic!("{}: the last note is {other:?}", self.org),
        }
    }

    /// What the node saw of its streams.
    pub fn streams(&self) -> TransferBody {
        let found = self.records.notes().into_iter().find_map(|note| match note {
            Note::Transferred(body) => Some(body),
            _ => None,
        });
        found.expect("streams are notarised")
    }
}
