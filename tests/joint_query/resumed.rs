//! Rows of two owners compared in buckets over a wire that is cut: the run goes on with the buckets that are missing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base_types::{OrgId, fault::Code};
use notary_terms::{Outcome, Plan, Program, ReceiptBody, TransferBody};
use runner::{Answer, AnswerCell, Halt, Note, Run};
use tempfile::TempDir;

use crate::common::{
    cluster::{Cluster, Ended, Records},
    cut::Cut,
    job::{Start, plan, run_of},
    org,
    sources::Sources,
};

const BARE: &str = "SELECT /*+ BUCKETS(1024) */ p.id FROM people p JOIN visits v ON v.id = p.id";
const CELLS: &str = "SELECT /*+ BUCKETS(1024) */ p.id, v.weight FROM people p JOIN visits v ON v.id = p.id";
/// Rows of each side; half of them have a partner.
const ROWS: i64 = 3000;
const PATIENCE: Duration = Duration::from_secs(20);

async fn cluster() -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = Sources::default();
    let lines = |from: i64| (from..from + ROWS).map(|id| format!("{id},{}\n", id % 90)).collect::<String>();
    let tables = [
        ("statistics/people", format!("id,score\n{}", lines(0))),
        ("health/visits", format!("id,weight\n{}", lines(ROWS / 2))),
    ];
    for (name, text) in tables {
        let path = folder.path().join(format!("{}.csv", name.replace('/', "-")));
        std::fs::write(&path, text).expect("written");
        sources.register(name, &path, &[]).await;
    }
    (Cluster::start(sources).await, folder)
}

/// The plan, and how many buckets it has.
fn bucketed(cluster: &Cluster, sql: &str) -> (Plan, u64) {
    let plan = plan(&cluster.sources, sql);
    let Program::Intersect(intersect) = &plan.program else { panic!("no intersection") };
    let buckets = u64::from(intersect.buckets(&plan.reads));
    assert!(buckets >= 3, "{buckets} buckets");
    (plan, buckets)
}

/// Bytes of all streams of the connection of that number.
fn bytes(body: &TransferBody, connection: u32) -> u64 {
    body.numbered().filter(|(number, _)| *number == connection).map(|(_, stream)| stream.bytes).sum()
}

/// The bytes of a run over a wire that nobody cuts.
async fn whole(cluster: &Cluster, plan: &Plan) -> (u64, Answer) {
    let ended = cluster.run(plan, Start::numbered(0), PATIENCE).await;
    let answer = answer(&ended);
    assert!(ended.iter().all(|party| receipt(party).resumed == 0 && party.streams().later.is_empty()));
    (bytes(&ended[0].streams(), 0), answer)
}

fn answer(ended: &[Ended]) -> Answer {
    for party in ended {
        assert_eq!(party.receipt(), Outcome::Done, "{:?}", party.result);
    }
    let mut answers = ended.iter().filter_map(|party| party.result.clone().ok().flatten());
    answers.next().expect("the receiver's answer")
}

fn receipt(party: &Ended) -> ReceiptBody {
    match party.records.notes().pop() {
        Some(Note::Receipt(receipt)) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

/// The identifiers of an answer, which are those of the rows with a partner.
fn check(answer: &Answer) {
    let id = |row: &Vec<AnswerCell>| match row.first() {
        Some(AnswerCell::Number(id)) => *id,
        other => panic!("no number: {other:?}"),
    };
    let mut ids: Vec<i64> = answer.rows.iter().map(id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (ROWS / 2..ROWS).collect::<Vec<_>>());
    for row in &answer.rows {
        assert!(row.get(1).is_none_or(|weight| *weight == AnswerCell::Number(id(row) % 90)), "{row:?}");
    }
}

fn pair() -> (OrgId, OrgId) {
    (org("health"), org("statistics"))
}

async fn goes_on(sql: &str) {
    let (cluster, _folder) = cluster().await;
    let (dialler, dialled) = pair();
    let (plan, buckets) = bucketed(&cluster, sql);
    let (all, expected) = whole(&cluster, &plan).await;
    check(&expected);
    // In the middle of the last bucket but one.
    let cut = all * (2 * buckets - 3) / (2 * buckets);
    let wire = Cut::between(&cluster, &dialler, &dialled, vec![cut], u64::MAX).await;
    let ended = cluster.run(&plan, Start::numbered(1), PATIENCE).await;
    check(&answer(&ended));
    assert_eq!(wire.connections(), 2);
    let [one, two] = [&ended[0], &ended[1]].map(|party| party.streams());
    assert_eq!([&ended[0], &ended[1]].map(|party| receipt(party).resumed), [1, 1]);
    assert_eq!((one.later.len(), &one.later), (1, &two.later), "both ends of the last connection saw the same");
    let again = bytes(&one, 1);
    assert!(again < all * 5 / (2 * buckets), "two buckets of {buckets} again: {again} of {all} bytes");
    assert!(again > all / buckets && bytes(&one, 0) > all / buckets, "{again} of {all} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_link_is_cut_once_goes_on_with_the_buckets_that_are_missing() {
    goes_on(BARE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_so_it_does_where_cells_come_with_the_keys() {
    goes_on(CELLS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_link_is_cut_four_times_ends_and_each_names_the_other() {
    let (cluster, _folder) = cluster().await;
    let (dialler, dialled) = pair();
    let (plan, buckets) = bucketed(&cluster, CELLS);
    let (all, _) = whole(&cluster, &plan).await;
    // No connection lasts for a bucket.
    let cut = all / (2 * buckets);
    let wire = Cut::between(&cluster, &dialler, &dialled, vec![], cut).await;
    let ended = cluster.run(&plan, Start::numbered(1), PATIENCE).await;
    for party in &ended {
        let fault = party.result.clone().expect_err("cut too often");
        let other = if party.org == dialler { &dialled } else { &dialler };
        assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerGone, Some(other)), "{fault}");
        assert_eq!(receipt(party).resumed, 3, "{}", party.org);
        let numbers: Vec<u32> = party.streams().later.iter().map(|one| one.number).collect();
        assert_eq!((numbers, party.records.kept()), (vec![1, 2, 3], None));
    }
    assert_eq!(wire.connections(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_its_link_ends_at_once_when_its_job_is_called_off() {
    let (cluster, _folder) = cluster().await;
    let (dialler, dialled) = pair();
    let (plan, buckets) = bucketed(&cluster, BARE);
    let (all, _) = whole(&cluster, &plan).await;
    let wire = Cut::between(&cluster, &dialler, &dialled, vec![all / (2 * buckets)], 0).await;
    let (halts, start) = ([(); 2].map(|()| Arc::new(Halt::default())), Start::numbered(1));
    let party = |at: usize| {
        let run = Run { halt: halts[at].clone(), ..run_of(&plan, start, &plan.nodes[at]) };
        cluster.party_running(run, &plan.nodes[at], PATIENCE, Records::default())
    };
    let calling_off = async {
        let begun = Instant::now();
        while wire.connections() < 3 && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(wire.connections() >= 3, "the link is opened again and again");
        halts.iter().for_each(|halt| halt.call_off(org("civil")));
        Instant::now()
    };
    let (one, two, called) = tokio::join!(party(0), party(1), calling_off);
    assert!(called.elapsed() < PATIENCE / 4, "nobody waits for a link");
    for party in [one, two] {
        let fault = party.result.clone().expect_err("called off");
        assert_eq!((fault.code, fault.party.clone()), (Code::Cancelled, Some(org("civil"))), "{fault}");
        assert_eq!((receipt(&party).resumed, party.streams().streams.len()), (0, 2));
    }
}
