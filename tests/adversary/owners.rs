//! A cheat among two owners that aggregate, or three that intersect: who notices names it, and nobody gets a row that is none.

use std::{collections::BTreeMap, time::Duration};

use base_types::{OrgId, fault::Code};
use notary_terms::{Outcome, Plan, Program};
use runner::AnswerCell;
use tempfile::TempDir;

use crate::{
    cheat::{Deviation, Move, Part, count_matches, match_several, once},
    common::{
        cluster::{Cluster, Ended},
        job::{Start, request, run_of},
        org,
    },
    stage::{LONG, sources},
    verdict,
};

const COUNT: &str = "SELECT COUNT(*) FROM census c JOIN health h ON h.person_id = c.person_id";
const ROWS: &str = "SELECT c.person_id FROM census c JOIN health h ON h.person_id = c.person_id
                    JOIN deaths d ON d.person_id = c.person_id";
/// Most places at which one cheat flips a bit, one run each.
const FLIPS: usize = 6;

/// The owners' nodes, a plan, and how many frames each sends to each.
struct Scene {
    cluster: Cluster,
    plan: Plan,
    frames: BTreeMap<(OrgId, OrgId), u64>,
    runs: u64,
    _folder: TempDir,
}

impl Scene {
    /// Runs the job once without a cheat, which must succeed.
    async fn set(sql: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start(sources(folder.path()).await).await;
        let two = ["health", "statistics"].map(org);
        let plan = planner::plan(&request(sql), &cluster.sources.catalogue, &two).expect("a plan");
        let ended = cluster.run(&plan, Start::numbered(0), LONG).await;
        assert!(ended.iter().all(|party| party.receipt() == Outcome::Done));
        let streams = ended.iter().flat_map(|party| party.streams().streams);
        let frames = streams.map(|stream| ((stream.from, stream.to), stream.frames)).collect();
        let answer = ended.iter().find_map(|party| party.records.kept()).expect("an answer");
        assert!(!answer.rows.is_empty() && answer.suppressed_groups() == 0, "{answer:?}");
        Self { cluster, plan, frames, runs: 0, _folder: folder }
    }

    /// How the victim ends; a third owner, if there is one, is honest too.
    async fn play(&mut self, (cheat, victim): (&OrgId, &OrgId), silence: Duration, deviation: Deviation) -> Ended {
        self.runs += 1;
        let start = Start::numbered(self.runs);
        let run = run_of(&self.plan, start, cheat);
        let part = Part { hub: self.cluster.hubs[cheat].clone(), run, me: cheat.clone(), inputs: Vec::new() };
        let cheating = match &self.plan.program {
            Program::Common(_) => tokio::spawn(match_several(part, victim.clone(), deviation)),
            _ => tokio::spawn(count_matches(part, victim.clone(), deviation)),
        };
        let third = self.plan.nodes.iter().find(|node| *node != cheat && *node != victim);
        let victim = self.cluster.party(&self.plan, start, victim, silence);
        let ended = match third {
            Some(third) => tokio::join!(victim, self.cluster.party(&self.plan, start, third, silence)).0,
            None => victim.await,
        };
        cheating.abort();
        ended
    }

    /// Every cheat with every victim, and how many frames the one sends to the other.
    fn pairs(&self) -> Vec<(OrgId, OrgId, u64)> {
        self.frames.iter().map(|((cheat, victim), frames)| (cheat.clone(), victim.clone(), *frames)).collect()
    }
}

/// Nothing that an honest party gets tells of keys that only the cheat says it has.
fn holds_nothing(ended: &Ended) -> bool {
    match &ended.result {
        Ok(Some(answer)) => answer.rows.iter().flatten().all(|cell| *cell == AnswerCell::Suppressed),
        Ok(None) | Err(_) => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_with_other_keys_shows_nothing_and_sees_nothing() {
    for sql in [COUNT, ROWS] {
        let mut scene = Scene::set(sql).await;
        for (cheat, victim, _) in scene.pairs() {
            let honest: Deviation = Box::new(|_, frame| Move::Send(vec![frame]));
            let ended = scene.play((&cheat, &victim), LONG, honest).await;
            assert!(ended.result.is_ok() && holds_nothing(&ended), "{:?}", ended.result);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_another_length_is_named_by_who_gets_it() {
    for sql in [COUNT, ROWS] {
        let mut scene = Scene::set(sql).await;
        for (cheat, victim, all) in scene.pairs() {
            for at in [0, all / 2, all - 1] {
                let deviations: [Deviation; 2] = [
                    once(at, |frame| Move::Send(vec![frame[..frame.len() - 1].to_vec()])),
                    once(at, |frame| Move::Send(vec![[&frame[..], &[0]].concat()])),
                ];
                for deviation in deviations {
                    let ended = scene.play((&cheat, &victim), LONG, deviation).await;
                    let fault = verdict::fault(&ended);
                    let named = (fault.code, fault.party.clone());
                    assert_eq!(named, (Code::PeerMisbehaved, Some(cheat.clone())), "frame {at} of {all}: {fault}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_that_leaves_or_is_silent_is_named_by_the_other() {
    let mut scene = Scene::set(COUNT).await;
    for (cheat, victim, all) in scene.pairs() {
        for at in [0, all / 2, all - 1] {
            let deviations: [(Deviation, Duration, Code); 2] = [
                (once(at, |_| Move::Leave), LONG, Code::PeerGone),
                (once(at, |_| Move::Hang), Duration::from_millis(700), Code::PeerSilent),
            ];
            for (deviation, silence, code) in deviations {
                let ended = scene.play((&cheat, &victim), silence, deviation).await;
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
async fn a_flipped_bit_among_three_makes_no_row() {
    let mut scene = Scene::set(ROWS).await;
    for (cheat, victim, all) in scene.pairs() {
        let all = all as usize;
        for at in (0..all).step_by(all.div_ceil(FLIPS)) {
            let flip = |mut frame: Vec<u8>| {
                let middle = frame.len() / 2;
                frame[middle] ^= 1;
                Move::Send(vec![frame])
            };
            let ended = scene.play((&cheat, &victim), Duration::from_secs(2), once(at as u64, flip)).await;
            assert!(holds_nothing(&ended), "frame {at} of {all}: {:?}", ended.result);
        }
    }
}
