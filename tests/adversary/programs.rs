//! A cheat in a user's program: the other owner names it where it is noticed, or has the right result, and never a false one.

use std::{collections::BTreeMap, time::Duration};

use base_types::{OrgId, fault::Code};
use notary_terms::{Outcome, Plan};
use runner::AnswerCell;
use tempfile::TempDir;

use crate::{
    cheat::{Deviation, Move, Part, compute, once},
    common::{
        cluster::{Cluster, Ended},
        job::{Start, plan, run_of},
        org,
    },
    stage::{LONG, sources},
    verdict,
};

/// What it returns is the receiver's own value, whatever the other puts in short of an overflow.
const PROGRAM: &str = "COMPUTE $$ pub fn main(a: u16, b: u16) -> u16 { (a + b) - b } $$
    WITH a = (SELECT income FROM census WHERE person_id = 233), b = (SELECT sbp FROM health WHERE person_id = 244)";
/// Most places at which one cheat flips a bit, one run each.
const FLIPS: usize = 10;

/// Two nodes, a plan, how many frames each sends, and the one answer there is.
struct Pair {
    cluster: Cluster,
    plan: Plan,
    frames: BTreeMap<OrgId, u64>,
    rows: Vec<Vec<AnswerCell>>,
    runs: u64,
    _folder: TempDir,
}

impl Pair {
    /// Runs the job once without a cheat, which must succeed.
    async fn set() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start(sources(folder.path()).await).await;
        let plan = plan(&cluster.sources, PROGRAM);
        let ended = cluster.run(&plan, Start::numbered(0), LONG).await;
        let streams = ended.iter().flat_map(|party| party.streams().streams);
        let frames = streams.map(|stream| (stream.from, stream.frames)).collect();
        assert!(ended.iter().all(|party| party.receipt() == Outcome::Done));
        let rows = ended.iter().find_map(|party| party.records.kept()).expect("an answer").rows;
        assert_eq!(rows, [[AnswerCell::Number(19), AnswerCell::Null]]);
        Self { cluster, plan, frames, rows, runs: 0, _folder: folder }
    }

    /// How the honest one of the two ends.
    async fn play(&mut self, cheat: &OrgId, silence: Duration, deviation: Deviation) -> Ended {
        self.runs += 1;
        let start = Start::numbered(self.runs);
        let victim = self.plan.nodes.iter().find(|node| *node != cheat).expect("two nodes").clone();
        let part = Part {
            hub: self.cluster.hubs[cheat].clone(),
            run: run_of(&self.plan, start, cheat),
            me: cheat.clone(),
            inputs: Vec::new(),
        };
        let bits = (0..16).map(|bit| 19 >> bit & 1 == 1).collect();
        let cheating = tokio::spawn(compute(part, victim.clone(), bits, deviation));
        let ended = self.cluster.party(&self.plan, start, &victim, silence).await;
        cheating.abort();
        ended
    }
}

fn cheats() -> [OrgId; 2] {
    ["health", "statistics"].map(org)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_s_frame_of_another_length_a_leaving_and_a_silent_owner_are_named_by_the_other() {
    let mut pair = Pair::set().await;
    for cheat in cheats() {
        let ended = pair.play(&cheat, LONG, Box::new(|_, frame| Move::Send(vec![frame]))).await;
        assert!(ended.result.is_ok(), "an honest one with another value ends well");
        let all = pair.frames[&cheat];
        for at in [0, all / 2, all - 2] {
            let deviations: [(Deviation, Duration, Code); 4] = [
                (once(at, |frame| Move::Send(vec![frame[..frame.len() - 1].to_vec()])), LONG, Code::PeerMisbehaved),
                (once(at, |frame| Move::Send(vec![[&frame[..], &[0]].concat()])), LONG, Code::PeerMisbehaved),
                (once(at, |_| Move::Leave), LONG, Code::PeerGone),
                (once(at, |_| Move::Hang), Duration::from_secs(2), Code::PeerSilent),
            ];
            for (deviation, silence, code) in deviations {
                let fault = verdict::fault(&pair.play(&cheat, silence, deviation).await);
                let told = (fault.code, fault.party.clone());
                assert_eq!(told, (code, Some(cheat.clone())), "frame {at} of {all}: {fault}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_gives_a_fault_or_the_right_result_of_a_program() {
    let mut pair = Pair::set().await;
    for cheat in cheats() {
        let all = pair.frames[&cheat] as usize;
        for at in (0..all).step_by(all.div_ceil(FLIPS)) {
            let flip = |mut frame: Vec<u8>| {
                let middle = frame.len() / 2;
                frame[middle] ^= 1;
                Move::Send(vec![frame])
            };
            let ended = pair.play(&cheat, Duration::from_secs(5), once(at as u64, flip)).await;
            match ended.result.clone() {
                Ok(answer) => assert!(answer.is_none_or(|answer| answer.rows == pair.rows), "frame {at} of {all}"),
                Err(_) => assert_eq!(verdict::fault(&ended).party, Some(cheat.clone()), "frame {at} of {all}"),
            }
        }
    }
}
