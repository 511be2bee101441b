//! Every frame of a protocol changed in every way, one at a time: each party ends right or with an abort, in time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mpc_core::mutate::{Change, HEADER, Mutation, Tape, links};
use mpc_core::{Abort, Blame, Context, memory};
use tokio::time::timeout;

/// What a party got that did not abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// What is due.
    Right,
    /// Less of it: an ideal run where a peer left elements out of its set, as every party may.
    Less,
    /// Something that no input of the peers gives.
    Wrong,
}

impl Got {
    /// How a set of matches compares with the one that is due.
    pub fn of<T: PartialEq>(got: &[T], due: &[T]) -> Self {
        if got == due {
            Self::Right
        } else if got.len() < due.len() && got.iter().all(|one| due.contains(one)) {
            Self::Less
        } else {
            Self::Wrong
        }
    }
}

/// A party's run: how what it got compares with what is due.
pub type Run = Pin<Box<dyn Future<Output = Result<Got, Abort>> + Send>>;
type Outcome = Result<Got, Abort>;

/// A protocol between honest parties with fixed inputs.
#[derive(Clone, Copy)]
pub struct Protocol {
    /// How many parties.
    pub parties: usize,
    /// What party `me` does.
    pub party: fn(usize, Context) -> Run,
    /// Whether the changed frames may hold anything (malicious), or only what an honest party's link can do to them: lengths,
    /// other sessions, silence (semi-honest).
    pub malicious: bool,
}

/// Runs of a sweep, at least where the protocol is malicious.
const LEAST: usize = 200;
/// Runs of a sweep, about.
const MOST: usize = 230;
/// The step from one change that is run to the next, around and around, where there are more than [`MOST`].
const STRIDE: usize = 7919;
/// What no run takes.
const LIMIT: Duration = Duration::from_secs(60);
const SESSION: [u8; 32] = [41; 32];
const OTHER: [u8; 32] = [42; 32];

/// What a sweep came to.
#[derive(Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Runs in which every party got the right result nonetheless.
    pub unnoticed: usize,
}

/// What every party ended with.
async fn ended(protocol: Protocol, session: [u8; 32], change: Option<Change>) -> (Vec<Outcome>, Tape) {
    let (links, tape) = links(memory::network(protocol.parties), change.clone());
    let contexts = memory::contexts(links, session).into_iter().enumerate();
    let parties: Vec<_> = contexts.map(|(me, ctx)| tokio::spawn((protocol.party)(me, ctx))).collect();
    let mut outcomes = Vec::new();
    for (me, party) in parties.into_iter().enumerate() {
        let joined = timeout(LIMIT, party).await.unwrap_or_else(|_| panic!("party {me} hangs after {change:?}"));
        outcomes.push(joined.unwrap_or_else(|fault| panic!("party {me} after {change:?}: {fault}")));
    }
    (outcomes, tape)
}

/// The changes of one frame that a link can make without knowing the protocol.
fn of_links(foreign: &[u8]) -> Vec<Mutation> {
    let foreign = foreign.to_vec();
    let mut all = vec![Mutation::Truncate, Mutation::Extend, Mutation::Repeat, Mutation::Foreign(foreign)];
    all.extend([Mutation::Flip(3), Mutation::Flip(8 * HEADER - 1), Mutation::Stall, Mutation::Close]);
    all
}

/// The changes of one frame's content; `flips` bits of it are flipped, one a run, from the first to the last.
fn of_cheats(len: usize, foreign: &[u8], flips: usize) -> Vec<Mutation> {
    let foreign = foreign.to_vec();
    let mut all = vec![Mutation::Replay, Mutation::Zero, Mutation::Ones, Mutation::Reflect];
    all.extend([Mutation::Transplant(foreign), Mutation::Impersonate]);
    let bits = len.saturating_sub(HEADER) * 8;
    let flip = |at: usize| Mutation::Flip(8 * HEADER + at * bits.saturating_sub(1) / (flips - 1).max(1));
    all.extend((0..flips).map(flip));
    all
}

/// All changes, or some of all kinds at all stages where they are many.
fn changes(protocol: Protocol, tape: &Tape, foreign: &Tape) -> Vec<Change> {
    let frames: usize = (0..protocol.parties).map(|party| tape.frames(party).len()).sum();
    let flips = if frames * 20 < LEAST { LEAST.div_ceil(frames.max(1)) } else { 6 };
    let mut all = Vec::new();
    for party in 0..protocol.parties {
        let others = foreign.frames(party);
        for (frame, (_, bytes)) in tape.frames(party).into_iter().enumerate() {
            let other = others.get(frame).map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
            let mut mutations = of_links(other);
            if protocol.malicious {
                mutations.extend(of_cheats(bytes.len(), other, flips));
            }
            all.extend(mutations.into_iter().map(|mutation| Change { party, frame, mutation }));
        }
    }
    // A prime stride meets every kind of change at every stage of the protocol.
    let most = if protocol.malicious { MOST } else { MOST / 3 };
    if all.len() <= most { all } else { (0..most).map(|at| all[at * STRIDE % all.len()].clone()).collect() }
}

/// Checks one run; whether nobody noticed.
fn judged(change: &Change, outcomes: &[Outcome]) -> bool {
    for (me, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(got) => assert_ne!(*got, Got::Wrong, "party {me} after {change:?}"),
            Err(abort) => assert!(abort.blame != Blame::Local, "party {me} blames itself after {change:?}: {abort}"),
        }
    }
    outcomes.iter().all(|outcome| *outcome == Ok(Got::Right))
}

/// Runs the protocol once for every change, two runs at a time.
pub async fn sweep(protocol: Protocol) -> Tally {
    let (honest, tape) = ended(protocol, SESSION, None).await;
    assert!(honest.iter().all(|outcome| *outcome == Ok(Got::Right)), "without any change: {honest:?}");
    let (_, foreign) = ended(protocol, OTHER, None).await;
    let changes = Arc::new(changes(protocol, &tape, &foreign));
    let lane = |first: usize| {
        let changes = changes.clone();
        tokio::spawn(async move {
            let mut tally = Tally::default();
            for change in changes.iter().skip(first).step_by(2) {
                let (outcomes, _) = ended(protocol, SESSION, Some(change.clone())).await;
                tally.runs += 1;
                tally.unnoticed += usize::from(judged(change, &outcomes));
            }
            tally
        })
    };
    let (even, odd) = (lane(0), lane(1));
    let (even, odd) = (even.await.expect("no panic"), odd.await.expect("no panic"));
    let tally = Tally { runs: even.runs + odd.runs, unnoticed: even.unnoticed + odd.unnoticed };
    assert!(!protocol.malicious || tally.runs >= LEAST, "{} runs", tally.runs);
    tally
}
