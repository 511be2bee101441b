//! A cheat in an intersection: the other owner names it where it is noticed, gets no row that is none, and never panics.

use std::{collections::BTreeMap, time::Duration};

use base_types::{OrgId, fault::Code};
use notary_terms::{Outcome, Plan};
use runner::Note;
use tempfile::TempDir;

use crate::{
    cheat::{Deviation, Move, Part, match_keys, once, seal},
    common::{
        cluster::{Cluster, Ended},
        job::{Start, plan, run_of},
        org,
        sources::NHEFS,
    },
    stage::{LONG, sources},
    verdict,
};

const ROWS: &str = "SELECT c.person_id, h.sbp FROM census c JOIN health h ON h.person_id = c.person_id";
/// Bytes of one number's cell.
const PAYLOAD: usize = 9;
/// Most places at which one cheat flips a bit, one run each.
const FLIPS: usize = 10;

/// Two nodes, a plan, and how many frames each sends.
pub struct Pair {
    cluster: Cluster,
    pub plan: Plan,
    frames: BTreeMap<OrgId, u64>,
    runs: u64,
    _folder: TempDir,
}

impl Pair {
    async fn set() -> Self {
        Self::of(ROWS).await
    }

    /// Runs the query once without a cheat, which must succeed.
    pub async fn of(sql: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start(sources(folder.path()).await).await;
        let plan = plan(&cluster.sources, sql);
        let ended = cluster.run(&plan, Start::numbered(0), LONG).await;
        let streams = ended.iter().flat_map(|party| party.streams().streams);
        let frames = streams.map(|stream| (stream.from, stream.frames)).collect();
        assert!(ended.iter().all(|party| party.receipt() == Outcome::Done));
        let rows = ended.iter().find_map(|party| party.records.kept()).expect("an answer").rows;
        assert!(!rows.is_empty(), "some people are in both files");
        let told = |note: &Note| matches!(note, Note::Delivered(body) if body.bytes > 0);
        assert!(!ended.iter().flat_map(|party| party.records.notes()).any(|note| told(&note)), "how many is not told");
        Self { cluster, plan, frames, runs: 0, _folder: folder }
    }

    /// How the honest one of the two ends.
    async fn play(&mut self, cheat: &OrgId, silence: Duration, deviation: Deviation) -> Ended {
        self.against(cheat, silence, |part, victim| match_keys(part, victim, PAYLOAD, deviation)).await
    }

    /// How the honest one ends when the other does something of its own.
    pub async fn against<F>(
        &mut self,
        cheat: &OrgId,
        silence: Duration,
        cheating: impl FnOnce(Part, OrgId) -> F,
    ) -> Ended
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.runs += 1;
        let start = Start::numbered(self.runs);
        let victim = self.plan.nodes.iter().find(|node| *node != cheat).expect("two nodes").clone();
        let part = Part {
            hub: self.cluster.hubs[cheat].clone(),
            run: run_of(&self.plan, start, cheat),
            me: cheat.clone(),
            inputs: Vec::new(),
        };
        let cheating = tokio::spawn(cheating(part, victim.clone()));
        let ended = self.cluster.party(&self.plan, start, &victim, silence).await;
        cheating.abort();
        ended
    }
}

fn cheats() -> [OrgId; 2] {
    ["health", "statistics"].map(org)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_owner_with_other_keys_gets_and_gives_nothing() {
    let mut pair = Pair::set().await;
    for cheat in cheats() {
        let ended = pair.play(&cheat, LONG, Box::new(|_, frame| Move::Send(vec![frame]))).await;
        let answer = ended.result.clone().unwrap_or_else(|fault| panic!("{fault}"));
        assert!(answer.is_none_or(|answer| answer.rows.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_another_length_a_leaving_and_a_silent_owner_are_named_by_the_other() {
    let mut pair = Pair::set().await;
    for cheat in cheats() {
        let all = pair.frames[&cheat];
        for at in [0, all / 2, all - 1] {
            let deviations: [(Deviation, Duration, Code); 4] = [
                (once(at, |frame| Move::Send(vec![frame[..frame.len() - 1].to_vec()])), LONG, Code::PeerMisbehaved),
                (once(at, |frame| Move::Send(vec![[&frame[..], &[0]].concat()])), LONG, Code::PeerMisbehaved),
                (once(at, |_| Move::Leave), LONG, Code::PeerGone),
                (once(at, |_| Move::Hang), Duration::from_millis(700), Code::PeerSilent),
            ];
            for (deviation, silence, code) in deviations {
                let ended = pair.play(&cheat, silence, deviation).await;
                let fault = verdict::fault(&ended);
                assert_eq!(
                    (fault.code, fault.party.clone()),
                    (code, Some(cheat.clone())),
                    "frame {at} of {all}: {fault}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_gives_a_fault_or_no_row_and_never_a_false_one() {
    let mut pair = Pair::set().await;
    for cheat in cheats() {
        let all = pair.frames[&cheat] as usize;
        for at in (0..all).step_by(all.div_ceil(FLIPS)) {
            let flip = |mut frame: Vec<u8>| {
                let middle = frame.len() / 2;
                frame[middle] ^= 1;
                Move::Send(vec![frame])
            };
            let ended = pair.play(&cheat, Duration::from_secs(2), once(at as u64, flip)).await;
            match ended.result.clone() {
                Ok(answer) => assert!(answer.is_none_or(|answer| answer.rows.is_empty()), "frame {at} of {all}"),
                Err(_) => assert_eq!(verdict::fault(&ended).party, Some(cheat.clone()), "frame {at} of {all}"),
            }
        }
    }
}

/// A fault would stand in the ledger, and tell the owner of the cells that a key of its choice is among the other's.
#[tokio::test(flavor = "multi_thread")]
async fn cells_that_are_none_end_nothing_where_their_keys_match() {
    let mut pair = Pair::set().await;
    let cheat = pair.plan.reads[1].owner.clone();
    let census = std::fs::read_to_string(format!("{NHEFS}/census.csv")).expect("a file");
    let number = |line: &str| line.split(',').next().and_then(|number| number.parse::<i64>().ok());
    let keys: Vec<i64> = census.lines().skip(1).take(40).filter_map(number).collect();
    for (known, matching) in [(1, true), (0xff, false)] {
        let (keys, cells) = (keys.clone(), [vec![known], vec![0; PAYLOAD - 1]].concat());
        let ended = pair.against(&cheat, LONG, |part, victim| seal(part, victim, keys, cells)).await;
        let answer = ended.result.clone().unwrap_or_else(|fault| panic!("{fault}"));
        assert!(answer.is_some_and(|answer| answer.rows.is_empty() != matching), "{known}");
        assert_eq!(ended.receipt(), Outcome::Done);
    }
}
