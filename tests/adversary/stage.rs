//! The stage: a small job of three owners, and every place in it at which a cheat can deviate.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base_types::OrgId;
use notary_terms::Plan;
use tokio::{runtime::Runtime, sync::OnceCell, task::JoinSet};

use crate::{
    cheat::{Deviation, Part, take_part},
    common::{
        NODES,
        cluster::{Cluster, Ended},
        job::{Start, plan, run_of},
        memory::inputs,
        org,
        sources::{NHEFS, Sources},
    },
    verdict,
};

pub const SQL: &str = "SELECT c.race, COUNT(*) AS people, AVG(h.sbp) AS sbp,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c JOIN health h ON h.person_id = c.person_id
LEFT JOIN deaths d ON d.person_id = c.person_id
WHERE h.age >= 30 GROUP BY c.race ORDER BY c.race";

/// So long that no honest party takes another for silent.
pub const LONG: Duration = Duration::from_secs(20);
/// How many runs go side by side.
const AT_A_TIME: usize = 9;

/// Where a cheat deviates: who, towards whom, at which of its frames.
#[derive(Debug, Clone)]
pub struct Case {
    pub cheat: OrgId,
    pub victim: OrgId,
    pub at: u64,
    /// No frame to that victim follows.
    pub last: bool,
}

/// Three nodes, a plan, and how many frames each sends to each.
pub struct Stage {
    pub cluster: Cluster,
    pub plan: Plan,
    frames: BTreeMap<(OrgId, OrgId), u64>,
    runs: AtomicU64,
}

/// Registers the first lines of the three files, which are left in `folder`.
pub async fn sources(folder: &Path) -> Sources {
    for (name, lines) in [("census", 50), ("health", 60), ("deaths", 20)] {
        let whole = std::fs::read_to_string(format!("{NHEFS}/{name}.csv")).expect("a file");
        let mut cut: Vec<&str> = whole.lines().take(lines).collect();
        // The health file is shuffled: the people of the census' first lines are found by their numbers.
        if name == "health" {
            let low = |line: &&str| line.split(',').next().is_some_and(|id| id.parse::<u32>().is_ok_and(|id| id < 900));
            cut = whole.lines().take(1).chain(whole.lines().filter(low)).take(60).collect();
        }
        std::fs::write(folder.join(format!("{name}.csv")), cut.join("\n") + "\n").expect("written");
    }
    Sources::nhefs(folder.to_str().expect("a path")).await
}

impl Stage {
    /// The one stage of all tests: its nodes accept links on a runtime that outlives each of them.
    pub async fn set() -> Arc<Self> {
        static HOUSE: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
        static STAGE: OnceCell<Arc<Stage>> = OnceCell::const_new();
        STAGE.get_or_init(|| async { HOUSE.spawn(Self::build()).await.expect("a stage") }).await.clone()
    }

    /// Runs the job once without a cheat, which must succeed.
    async fn build() -> Arc<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adversary");
        std::fs::create_dir_all(&folder).expect("a folder");
        let cluster = Cluster::start(sources(&folder).await).await;
        let plan = plan(&cluster.sources, SQL);
        let ended = cluster.run(&plan, Start::numbered(0), LONG).await;
        let mut frames = BTreeMap::new();
        for party in &ended {
            assert!(party.result.is_ok(), "{:?}", party.result);
            let streams = party.streams().streams;
            frames.extend(streams.into_iter().map(|stream| ((stream.from, stream.to), stream.frames)));
        }
        Arc::new(Self { cluster, plan, frames, runs: AtomicU64::new(1) })
    }

    pub fn frames(&self, from: &OrgId, to: &OrgId) -> u64 {
        self.frames[&(from.clone(), to.clone())]
    }

    /// Every ordered pair, at its first frame, one in the middle, and its last.
    pub fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (cheat, victim) in NODES.iter().flat_map(|x| NODES.iter().map(move |y| (org(x), org(y)))) {
            if cheat != victim {
                let all = self.frames(&cheat, &victim);
                let case = |at| Case { cheat: cheat.clone(), victim: victim.clone(), at, last: at + 1 == all };
                cases.extend([0, all / 2, all - 1].map(case));
            }
        }
        cases
    }

    pub fn start(&self) -> Start {
        Start::numbered(self.runs.fetch_add(1, Ordering::SeqCst))
    }

    /// What a cheat needs to take part in a run.
    pub async fn part(&self, cheat: &OrgId, start: Start) -> Part {
        Part {
            hub: self.cluster.hubs[cheat].clone(),
            run: run_of(&self.plan, start, cheat),
            me: cheat.clone(),
            inputs: inputs(&self.cluster.sources, &self.plan, start, cheat).await,
        }
    }

    /// Both honest parties, run to their ends.
    pub async fn honest(&self, cheat: &OrgId, start: Start, silence: Duration) -> Vec<Ended> {
        let others: Vec<OrgId> = self.plan.nodes.iter().filter(|node| *node != cheat).cloned().collect();
        let party = |at: usize| self.cluster.party(&self.plan, start, &others[at], silence);
        let (a, b) = tokio::join!(party(0), party(1));
        vec![a, b]
    }

    /// One run with a cheat, which is stopped when both honest parties have ended.
    pub async fn play(&self, case: &Case, silence: Duration, deviation: Deviation) -> Vec<Ended> {
        let start = self.start();
        let part = self.part(&case.cheat, start).await;
        let cheat = tokio::spawn(take_part(part, case.victim.clone(), deviation));
        let ended = self.honest(&case.cheat, start, silence).await;
        cheat.abort();
        ended
    }
}

/// Plays every case, some side by side, and checks how honest parties ended: first what always holds, then `check`.
pub async fn everywhere(
    stage: &Arc<Stage>,
    silence: Duration,
    deviate: impl Fn(&Case) -> Deviation,
    check: impl Fn(&Case, &[Ended]),
) {
    at(stage, &stage.cases(), silence, deviate, check).await;
}

/// Plays some cases.
pub async fn at(
    stage: &Arc<Stage>,
    cases: &[Case],
    silence: Duration,
    deviate: impl Fn(&Case) -> Deviation,
    check: impl Fn(&Case, &[Ended]),
) {
    for batch in cases.chunks(AT_A_TIME) {
        let mut runs = JoinSet::new();
        for case in batch.iter().cloned() {
            let (stage, deviation) = (stage.clone(), deviate(&case));
            runs.spawn(async move {
                let ended = stage.play(&case, silence, deviation).await;
                (case, ended)
            });
        }
        while let Some(run) = runs.join_next().await {
            let (case, ended) = run.expect("no panic");
            verdict::broken_off(stage, &case, &ended);
            check(&case, &ended);
        }
    }
}
