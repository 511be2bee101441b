//! Desks on the world's ledger, the data sets they know, and proposals to them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base_types::{
    DatasetId, JobId, OrgId,
    column::{ColumnMeta, ColumnType},
    fault::Fault,
};
use base_wire::Encode;
use ledger_vm::notary::{Entry, EntryKind as K};
use notary_desk::{Book, Deriver, Desk, Job, Order, proposal_entry};
use notary_terms::{
    ApprovalBody, ApprovalMode, Catalogue, ColumnClass, Plan, Request, Rule, RuleSet, Source, StartBody, Use,
    dataset_subject,
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::world::{Pen, START, World, key, org, plain};

pub const STORY: &str = "SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c JOIN health h ON h.person_id = c.person_id
LEFT JOIN deaths d ON d.person_id = c.person_id
WHERE h.age >= 40 GROUP BY c.education ORDER BY c.education";

pub const PURPOSE: &str = "health-statistics";
pub const NODES: [&str; 3] = ["civil", "health", "statistics"];
/// Long enough for a slow machine; nothing waits so long where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Planner;

impl Deriver for Planner {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        planner::plan(request, catalogue, nodes)
    }
}

pub fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).expect("name")
}

pub fn source(name: &str, columns: &[(&str, i64)]) -> Source {
    let meta = |(name, max): &(&str, i64)| ColumnMeta {
        name: (*name).into(),
        ty: ColumnType::Int,
        nullable: true,
        unique: false,
        min: 0,
        max: *max,
    };
    let class = |(name, _): &(&str, i64)| ColumnClass { column: (*name).into(), class: "civil".into(), grade: 2 };
    Source {
        dataset: dataset(name),
        title: name.into(),
        kind: "csv".into(),
        rows_bound: 640,
        columns: columns.iter().map(meta).collect(),
        classes: columns.iter().skip(1).map(class).collect(),
    }
}

pub fn health() -> Source {
    source("health/health", &[("person_id", 32_767), ("age", 127), ("sbp", 255)])
}

/// Rules that allow the story to the statistics bureau.
pub fn rules(name: &str) -> RuleSet {
    let uses = vec![Use::EncryptedOnly, Use::AfterGroupBy, Use::AfterAggregate, Use::AfterCompare];
    let rule = Rule {
        column: "*".into(),
        party: org("statistics"),
        purpose: PURPOSE.into(),
        uses,
        expires: START + 90 * 86_400_000,
        runs: 0,
    };
    let holders = NODES.map(org).to_vec();
    RuleSet { dataset: dataset(name), approval: ApprovalMode::Auto, min_group: 5, holders, rules: vec![rule] }
}

/// The owner's entry about one of its data sets.
pub fn about(name: &str, kind: K, body: &impl Encode) -> Entry {
    plain(dataset_subject(&dataset(name)), kind, 0, body.to_wire())
}

impl World {
    pub fn register(&self, source: &Source) {
        let who = format!("{}/owner", source.dataset.owner());
        self.write(&who, &about(source.dataset.as_str(), K::SourceRegistered, source)).expect("registered");
    }

    pub fn rule(&self, rules: &RuleSet) {
        let who = format!("{}/owner", rules.dataset.owner());
        self.write(&who, &about(rules.dataset.as_str(), K::RuleSet, rules)).expect("ruled");
    }

    /// The story's three data sets, with rules that allow it.
    pub fn furnished() -> Arc<Self> {
        let world = Self::new();
        let census = source("statistics/census", &[("person_id", 32_767), ("education", 7)]);
        for source in [census, health(), source("civil/deaths", &[("person_id", 32_767)])] {
            world.register(&source);
            world.rule(&rules(source.dataset.as_str()));
        }
        world
    }

    pub fn request(&self) -> Request {
        let now = self.height();
        Request {
            sql: STORY.into(),
            purpose: PURPOSE.into(),
            analyst: "statistics/analyst".parse().expect("name"),
            receiver: org("statistics"),
            expires: START + 3_600_000,
            salt: base_gm::sm3::sm3(&now.to_be_bytes()).0,
            tier: None,
        }
    }

    /// The plan of a request by the catalogue of a height.
    pub fn plan_at(&self, height: u64, request: &Request) -> Plan {
        let catalogue = Catalogue { height, ..self.book().catalogue_at(height) };
        planner::plan(request, &catalogue, &NODES.map(org)).expect("a plan")
    }

    pub fn plan(&self) -> Plan {
        self.plan_at(self.height(), &self.request())
    }

    /// Puts an entry of the plan's analyst on the ledger.
    pub fn send(&self, plan: &Plan, entry: &Entry) -> JobId {
        self.write(plan.request.analyst.as_str(), entry).expect("proposed");
        entry.subject
    }

    pub fn propose(&self, plan: &Plan) -> JobId {
        self.send(plan, &sealed(plan))
    }

    pub fn approve(&self, who: &str, job: JobId) {
        let body = ApprovalBody { by_rule: false, rules: Default::default() };
        self.write(who, &plain(job, K::Approved, 0, body.to_wire())).expect("approved");
    }

    /// The receiver's node starts it on the approvals there are.
    pub fn start(&self, job: JobId) {
        let mut approvals: Vec<_> = self.job(&job).approvals().into_iter().map(|fact| fact.transaction).collect();
        approvals.sort();
        let body = StartBody { approvals }.to_wire();
        self.write("statistics/node", &plain(job, K::Started, 1, body)).expect("started");
    }

    pub fn job(&self, id: &JobId) -> Job {
        self.book().job(id).expect("a job").clone()
    }
}

/// The proposal's entry, sealed to the four nodes.
pub fn sealed(plan: &Plan) -> Entry {
    let keys = crate::world::ORGS.map(|org| key(&format!("{org}/node")).public());
    proposal_entry(plan, &keys).expect("sealed")
}

/// A node's desk at work.
pub struct Office {
    pub desk: Arc<Desk>,
    pub pen: Arc<Pen>,
    orders: mpsc::Receiver<Result<Order, (JobId, u32, Fault)>>,
    task: JoinHandle<()>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Office {
    pub fn open(world: &Arc<World>, name: &str) -> Self {
        Self::troubled(world, name, u64::MAX, (0, 0))
    }

    /// An office that sees entries up to a place only, and whose first reads and writes fail.
    pub fn troubled(world: &Arc<World>, name: &str, seen: u64, failing: (u32, u32)) -> Self {
        Self::with(world, name, (seen, failing), Arc::new(Planner))
    }

    /// An office with a planner of its own.
    pub fn deriving(world: &Arc<World>, name: &str, planner: Arc<dyn Deriver>) -> Self {
        Self::with(world, name, (u64::MAX, (0, 0)), planner)
    }

    fn with(world: &Arc<World>, name: &str, (seen, failing): (u64, (u32, u32)), planner: Arc<dyn Deriver>) -> Self {
        let who = format!("{name}/node");
        let secret = Arc::new(key(&who));
        let (seen, failing, forgotten) = (Mutex::new(seen), Mutex::new(failing), Mutex::default());
        let pen = Arc::new(Pen { world: world.clone(), who, seen, failing, forgotten });
        let (sender, orders) = mpsc::channel(16);
        let desk = Desk::new(org(name), secret, pen.clone(), planner, world.clock.clone(), sender);
        let task = tokio::spawn(desk.clone().follow());
        Self { desk, pen, orders, task }
    }

    /// Waits until the book says so.
    pub async fn until<T>(&self, look: impl Fn(&Book) -> Option<T>) -> T {
        let mut changes = self.desk.changes();
        let wait = async {
            loop {
                if let Some(found) = self.desk.book(&look).expect("book") {
                    return found;
                }
                changes.changed().await.expect("the desk works");
            }
        };
        timeout(PATIENCE, wait).await.expect("in time")
    }

    /// What this node's organisation answers to a proposal: the reason of a rejection, `None` for an approval.
    pub async fn vote(&self, job: &JobId, by: &str) -> Option<String> {
        let by = org(by);
        self.until(|book| book.job(job)?.votes.iter().find(|v| v.org == by).map(|v| v.rejected.clone())).await
    }

    pub async fn order(&mut self) -> Result<Order, (JobId, u32, Fault)> {
        timeout(PATIENCE, self.orders.recv()).await.expect("in time").expect("the desk works")
    }

    /// Nothing is ordered although the desk has read everything and had its time.
    pub async fn idle(&mut self, world: &World) {
        world.tick();
        let end = world.log().len() as u64;
        self.until(|book| (book.cursor >= end).then_some(())).await;
        let order = timeout(Duration::from_millis(40), self.orders.recv()).await;
        assert!(order.is_err(), "an order came");
    }
}
