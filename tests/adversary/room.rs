//! Room for runs at a node: who finds none waits for its turn, all see where, and it ends in time; whoever tells lies of it is named.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base_types::{OrgId, fault::Code};
use notary_terms::Plan;
use runner::{Budget, Halt, Limits, Note, Run};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    cheat::{BUSY, HAS, PATIENCE, Part, WAITS, come, with_room},
    common::{
        NODES,
        cluster::{Cluster, Ended, Records, limits},
        job::{Start, plan, run_of},
        org,
    },
    stage::{LONG, SQL, Stage, sources},
    verdict::noted,
};

const STEP: &str = "wait for room";
const AT_HEALTH: &str = "wait for room at health";

/// Three nodes with little room, and the small job.
struct Scene {
    cluster: Cluster,
    plan: Plan,
    _folder: TempDir,
}

impl Scene {
    /// These nodes have so much room.
    async fn set(nodes: &[&str], room: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cluster = Cluster::start(sources(folder.path()).await).await;
        for node in nodes.iter().copied().map(org) {
            cluster.budgets.insert(node.clone(), Budget::new(node, room));
        }
        let plan = plan(&cluster.sources, SQL);
        Self { cluster, plan, _folder: folder }
    }

    fn part(&self, cheat: &OrgId, start: Start) -> Part {
        let run = run_of(&self.plan, start, cheat);
        Part { hub: self.cluster.hubs[cheat].clone(), run, me: cheat.clone(), inputs: Vec::new() }
    }

    async fn run(&self, number: u64) -> Vec<Ended> {
        self.cluster.run(&self.plan, Start::numbered(number), LONG).await
    }

    /// A run that begins while another has its room, whose civil node then does not come to the links. That one is called off once all
    /// nodes of the second have shown that it waits, if it is to go through, and else only when the second has ended.
    async fn run_beside_another(&self, goes_through: bool) -> Vec<Ended> {
        let [civil, health, statistics] = NODES.map(org);
        let (start, halt) = (Start::numbered(1), Arc::new(Halt::default()));
        let part = self.part(&civil, start);
        let (tell, told) = oneshot::channel();
        let leaving = async {
            with_room(&part).await.expect("the others come");
            tell.send(()).expect("the other run waits for it");
        };
        let left = |me| {
            let run = Run { halt: halt.clone(), ..run_of(&self.plan, start, me) };
            self.cluster.party_running(run, me, LONG, Records::default())
        };
        let (show, mut shown) = mpsc::unbounded_channel();
        let later = |me| {
            let records = Records { seen: Some(show.clone()), ..Records::default() };
            self.cluster.party_noting(&self.plan, Start::numbered(2), me, LONG, records)
        };
        let second = async {
            told.await.expect("the first has room");
            let (one, two, three) = tokio::join!(later(&civil), later(&health), later(&statistics));
            halt.call_off(civil.clone());
            vec![one, two, three]
        };
        let waited = async {
            for _ in NODES.iter().filter(|_| goes_through) {
                let seen = async { while shown.recv().await.is_some_and(|step: String| step != AT_HEALTH) {} };
                timeout(LONG, seen).await.expect("all three nodes show where it waits");
            }
            if goes_through {
                halt.call_off(civil.clone());
            }
        };
        let ((), one, two, ended, ()) = tokio::join!(leaving, left(&health), left(&statistics), second, waited);
        for party in [one, two] {
            assert_eq!(party.result.map_err(|fault| fault.code), Err(Code::Cancelled), "it had the room until then");
        }
        ended
    }
}

/// Nothing was read or shared.
fn began_nothing(party: &Ended) -> bool {
    party.records.notes().iter().all(|note| matches!(note, Note::Receipt(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_room_waits_for_its_turn_and_all_its_nodes_show_where() {
    // Half of two places are one asker's.
    let scene = Scene::set(&["health"], limits(2, LONG)).await;
    for party in scene.run_beside_another(true).await {
        assert!(party.result.is_ok(), "{}: {:?}", party.org, party.result);
        let steps = party.records.steps();
        assert_eq!(steps[..3], [STEP, AT_HEALTH, "read"], "{}", party.org);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_waited_long_enough_ends_as_busy_everywhere_and_goes_through_later() {
    let scene = Scene::set(&["health"], limits(2, Duration::from_millis(300))).await;
    for party in scene.run_beside_another(false).await {
        let fault = party.result.clone().expect_err("no room");
        assert_eq!((fault.code, fault.step.as_str()), (Code::Busy, STEP), "{}: {fault}", party.org);
        assert!(fault.party.as_ref().is_none_or(|busy| *busy == org("health")), "{fault}");
        if party.org == org("health") {
            assert!(fault.party.is_some() && fault.detail.contains("1 of 2 runs"), "{fault}");
        }
        noted(&party, &fault);
        assert!(began_nothing(&party), "{}", party.org);
    }
    assert!(scene.run(3).await.iter().all(|party| party.result.is_ok()));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_want_each_other_s_last_place_never_wait_in_a_circle() {
    // The last waits for three whole runs.
    let scene = Scene::set(&NODES, limits(1, LONG * 6)).await;
    let (one, two, three, four) = tokio::join!(scene.run(1), scene.run(2), scene.run(3), scene.run(4));
    for party in [one, two, three, four].iter().flatten() {
        assert!(party.result.is_ok(), "{}: {:?}", party.org, party.result);
    }
}

/// How both honest parties end when the cheat says these words where they wait for its room, and then stays or leaves.
async fn met(stage: &Arc<Stage>, cheat: &OrgId, words: Vec<Vec<u8>>, leaves: bool) -> Vec<Ended> {
    let start = stage.start();
    let part = stage.part(cheat, start).await;
    let task = tokio::spawn(async move {
        let links = come(&part, &words).await;
        if !leaves {
            sleep(PATIENCE).await;
        }
        drop(links);
    });
    // On a slow machine an honest party may let another wait for a second.
    let ended = stage.honest(cheat, start, Duration::from_secs(3)).await;
    task.abort();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_is_named_by_both_others() {
    let stage = Stage::set().await;
    for absent in NODES.map(org) {
        for party in stage.honest(&absent, stage.start(), Duration::from_secs(3)).await {
            let fault = party.result.clone().expect_err("one is missing");
            assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerSilent, Some(&absent)), "{}: {fault}", party.org);
            assert!(fault.step == "open links" && began_nothing(&party), "{fault}");
            noted(&party, &fault);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_what_nobody_says_or_leaves_before_it_has_room_is_named() {
    let stage = Stage::set().await;
    for cheat in NODES.map(org) {
        let cases: [(Vec<Vec<u8>>, bool, Code); 6] = [
            (vec![], false, Code::PeerSilent),
            (vec![], true, Code::PeerGone),
            (vec![vec![9]], false, Code::PeerMisbehaved),
            (vec![vec![WAITS], vec![]], false, Code::PeerMisbehaved),
            (vec![vec![HAS, HAS]], false, Code::PeerMisbehaved),
            (vec![vec![BUSY]], false, Code::Busy),
        ];
        let mut runs = JoinSet::new();
        for (words, leaves, code) in cases {
            let (stage, cheat, told) = (stage.clone(), cheat.clone(), format!("{cheat} says {words:?}"));
            runs.spawn(async move { (met(&stage, &cheat, words, leaves).await, told, code) });
        }
        while let Some(run) = runs.join_next().await {
            let (ended, told, code) = run.expect("no panic");
            let faults: Vec<_> = ended.iter().map(|party| party.result.clone().expect_err("it has no room")).collect();
            let named = faults.iter().any(|fault| fault.code == code && fault.party.as_ref() == Some(&cheat));
            assert!(named && faults.iter().all(|fault| fault.step == STEP), "{told}: {faults:?}");
            // Not for having left first either.
            let others = faults.iter().all(|fault| fault.party.as_ref().is_none_or(|party| *party == cheat));
            assert!(others, "an honest party is named: {told}: {faults:?}");
            ended.iter().zip(&faults).for_each(|(party, fault)| noted(party, fault));
            assert!(ended.iter().all(began_nothing), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_stops_waiting_is_waited_for_no_longer_than_any_run_waits() {
    let scene = Scene::set(&NODES, limits(8, Duration::from_millis(300))).await;
    let (cheat, start) = (org("statistics"), Start::numbered(1));
    let part = scene.part(&cheat, start);
    let waiting = tokio::spawn(async move {
        let mut links = come(&part, &[]).await.expect("the others come");
        for _ in 0..200 {
            for link in links.iter_mut().flatten() {
                let _ = link.send(&[WAITS]).await;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    let [civil, health] = ["civil", "health"].map(org);
    // Long enough for the first handshakes on a slow machine.
    let party = |me| scene.cluster.party(&scene.plan, start, me, Duration::from_secs(5));
    let (one, two) = tokio::join!(party(&civil), party(&health));
    waiting.abort();
    let faults = [one, two].map(|party| party.result.expect_err("it never has room"));
    assert!(faults.iter().all(|fault| fault.code == Code::Busy), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.party.as_ref() == Some(&cheat)), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tells_on_the_ledger_that_it_has_no_room_is_not_waited_for() {
    let stage = Stage::set().await;
    let (me, busy, begun) = (org("health"), org("statistics"), Instant::now());
    let records = Records { without_room: Some(busy.clone()), ..Records::default() };
    let ended = stage.cluster.party_noting(&stage.plan, stage.start(), &me, LONG, records).await;
    assert!(begun.elapsed() < LONG / 4, "nobody waits for silence");
    let fault = ended.result.clone().expect_err("it does not come");
    assert_eq!((fault.code, fault.party.clone()), (Code::Busy, Some(busy)), "{fault}");
    noted(&ended, &fault);
    assert!(began_nothing(&ended));
}
