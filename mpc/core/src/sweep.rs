//! A sweep over a protocol: one run for every frame and every way to change it, each of which ends as it should.
//!
//! A changed frame is what a party that cheats could have sent. After it every party ends with a result that is judged, or
//! with an abort that blames another; nobody waits for ever, nobody panics. Changes that a link can make without knowing the
//! protocol ([`Mutation::is_of_links`]) never change a result.
//!
//! Most of a run's time often goes into what both ends compute before the change. So a party may be named in
//! [`Protocol::taped`]: where a frame of it changes it does not take part, but is played from what it sent in the run without
//! any change. Its peers see no difference before the change; after it they face a cheat that does not adapt.
//!
//! ```
//! use mpc_core::Context;
//! use mpc_core::mutate::Change;
//! use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
//!
//! fn greet(me: usize, mut ctx: Context) -> Run<u64> {
//!     Box::pin(async move { Ok(ctx.exchange(1 - me, &[7], 1 - me, 1).await?[0]) })
//! }
//!
//! fn judge(_: Option<&Change>, outputs: &[Option<u64>]) -> Verdict {
//!     // Any word is one that the peer may say.
//!     if outputs.iter().flatten().all(|word| *word == 7) { Verdict::Right } else { Verdict::Other }
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let protocol = Protocol { parties: 2, party: greet, judge, kinds: Kinds::All, taped: &[], runs: 40 };
//! assert_eq!(sweep(protocol).await?.runs, 40);
//! # Ok::<(), mpc_core::sweep::Fault>(())
//! # }).unwrap();
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use crate::mutate::{Change, HEADER, Mutation, Tape, links};
use crate::{Abort, Blame, Context, memory};

/// What a party does: its output, or how it ended without one.
pub type Run<T> = Pin<Box<dyn Future<Output = Result<T, Abort>> + Send>>;

/// How the outputs of a run compare with what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are what is due.
    Right,
    /// They are what the threat tier lets a cheat decide, such as what follows from other inputs of its own.
    Other,
    /// They are what no cheat may bring about.
    Wrong,
}

/// Which changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Those that a link can make ([`Mutation::is_of_links`]).
    Links,
    /// Those, and changes of what the frames hold.
    All,
}

/// A protocol between parties with fixed inputs, and what is to be done with it.
pub struct Protocol<T> {
    /// How many parties.
    pub parties: usize,
    /// What party `me` does. It draws randomness from its context alone and in one order.
    pub party: fn(usize, Context) -> Run<T>,
    /// Judges the outputs, `None` for a party that aborted; the first argument is what changed, `None` where nothing did. A party
    /// that was played has its output of the run without any change.
    pub judge: fn(Option<&Change>, &[Option<T>]) -> Verdict,
    /// Which changes are made.
    pub kinds: Kinds,
    /// The parties that are played from a tape where their frames change. Changes that depend on what the party received or
    /// that close its own links are made to the party itself.
    pub taped: &'static [usize],
    /// How many changes, one a run; more if some frame or some kind of change would be left out, fewer if there are not as many.
    pub runs: usize,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Runs in which every party had the right result nonetheless.
    pub unnoticed: usize,
}

/// What is wrong with a protocol: after which change, and what happened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Fault(String);

/// Flips of a frame's content, at least.
const FLIPS: usize = 4;
/// Runs at a time.
const LANES: usize = 2;
/// What no run takes.
const LIMIT: Duration = Duration::from_secs(60);
/// The session of all runs.
const SESSION: [u8; 32] = [41; 32];
/// The session that foreign frames come from.
const OTHER: [u8; 32] = [42; 32];
/// Characters of a fault that tell the change: frames are long.
const TOLD: usize = 120;

type Frames = Vec<(usize, Vec<u8>)>;
type Outcome<T> = Result<T, Abort>;

/// A party that is played: its number, what it sends, and the output that it counts as having.
struct Played<'a, T> {
    party: usize,
    frames: Frames,
    output: &'a T,
}

/// A protocol with all changes that are made to it.
struct Sweep<T> {
    protocol: Protocol<T>,
    honest: Vec<T>,
    tape: Tape,
    changes: Vec<Change>,
}

/// Runs the protocol once for every change, two runs at a time.
///
/// # Errors
/// [`Fault`] at the first run that does not end as it should; also when the run without any change has not the right
/// result, or is another one when a party is played.
pub async fn sweep<T>(protocol: Protocol<T>) -> Result<Tally, Fault>
where
    T: Clone + Send + Sync + 'static,
{
    let (outcomes, tape) = protocol.run(SESSION, None, None).await?;
    let honest = outcomes.into_iter().collect::<Result<Vec<T>, Abort>>();
    let honest = honest.map_err(|abort| fault(None, &format!("the run ends with {abort}")))?;
    let (_, foreign) = protocol.run(OTHER, None, None).await?;
    let changes = protocol.changes(&tape, &foreign);
    let sweep = Arc::new(Sweep { protocol, honest, tape, changes });
    sweep.rehearse().await?;
    let lane = |first: usize| tokio::spawn(sweep.clone().lane(first));
    let lanes: Vec<_> = (0..LANES).map(lane).collect();
    let mut all = Tally::default();
    for lane in lanes {
        let tally = lane.await.map_err(|end| fault(None, &format!("the sweep ends with {end}")))??;
        all.runs += tally.runs;
        all.unnoticed += tally.unnoticed;
    }
    Ok(all)
}

fn fault(change: Option<&Change>, what: &str) -> Fault {
    Fault(match change {
        Some(change) => format!("{what}; {}", format!("{change:?}").chars().take(TOLD).collect::<String>()),
        None => format!("{what}; no change"),
    })
}

impl<T: Clone + Send + Sync + 'static> Protocol<T> {
    /// What every party ends with, and what it handed to its links.
    async fn run(
        &self,
        session: [u8; 32],
        change: Option<&Change>,
        played: Option<Played<'_, T>>,
    ) -> Result<(Vec<Outcome<T>>, Tape), Fault> {
        let (links, tape) = links(memory::network(self.parties), change.cloned());
        // Its links stay open to the end, so that its peers can go on sending.
        let stage = played.as_ref().map(|played| links[played.party].clone());
        let mut parties = Vec::with_capacity(self.parties);
        for (me, ctx) in memory::contexts(links, session).into_iter().enumerate() {
            let plays = played.as_ref().is_some_and(|played| played.party == me);
            parties.push((!plays).then(|| tokio::spawn((self.party)(me, ctx))));
        }
        if let (Some(link), Some(played)) = (&stage, &played) {
            for (to, frame) in &played.frames {
                // A peer that has ended, or links that the change has closed, end nothing here.
                link.send(*to, frame.clone()).await.ok();
            }
            tape.silence(played.party);
        }
        let mut outcomes = Vec::with_capacity(self.parties);
        for (me, party) in parties.into_iter().enumerate() {
            outcomes.push(match (party, &played) {
                (Some(party), _) => match timeout(LIMIT, party).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(end)) => return Err(fault(change, &format!("party {me} ends with {end}"))),
                    Err(_) => return Err(fault(change, &format!("party {me} waits for ever"))),
                },
                (None, Some(played)) => Ok(played.output.clone()),
                (None, None) => return Err(fault(change, &format!("there is no party {me}"))),
            });
        }
        Ok((outcomes, tape))
    }

    /// The changes that are made: frame after frame with kind after kind, one kind further when all that meet this way have
    /// met. So the first runs have every frame and every kind, and no two runs are the same.
    fn changes(&self, tape: &Tape, foreign: &Tape) -> Vec<Change> {
        let all: Vec<(usize, usize)> = (0..self.parties)
            .flat_map(|party| (0..tape.frames(party).len()).map(move |frame| (party, frame)))
            .collect();
        let flips = self.runs.div_ceil(all.len().max(1)).saturating_sub(mutations(0, &[], 0, self.kinds).len());
        let mut ways: Vec<Vec<Mutation>> = Vec::with_capacity(all.len());
        for party in 0..self.parties {
            let others = foreign.frames(party);
            for (at, (_, frame)) in tape.frames(party).iter().enumerate() {
                let other = others.get(at).map(|(_, frame)| frame.as_slice()).unwrap_or_default();
                ways.push(mutations(frame.len(), other, flips.max(FLIPS), self.kinds));
            }
        }
        let (frames, kinds) = (all.len(), ways.first().map_or(0, Vec::len));
        let runs = self.runs.max(frames).max(kinds).min(frames * kinds);
        let round = frames / gcd(frames, kinds).max(1) * kinds;
        let change = |run: usize| {
            let (party, frame) = all[run % frames];
            Change { party, frame, mutation: ways[run % frames][(run + run / round) % kinds].clone() }
        };
        (0..runs).map(change).collect()
    }
}

fn gcd(x: usize, y: usize) -> usize {
    if y == 0 { x } else { gcd(y, x % y) }
}

/// The changes of one frame of `len` bytes, of every frame as many; `other` is the frame in another session, and `flips` bits of
/// the content are flipped, one a change, from the first to the last.
fn mutations(len: usize, other: &[u8], flips: usize, kinds: Kinds) -> Vec<Mutation> {
    let mut all = vec![Mutation::Truncate, Mutation::Extend, Mutation::Repeat, Mutation::Foreign(other.to_vec())];
    all.extend([Mutation::Flip(3), Mutation::Flip(8 * HEADER - 1), Mutation::Stall, Mutation::Close]);
    if kinds == Kinds::All {
        all.extend([Mutation::Replay, Mutation::Zero, Mutation::Ones, Mutation::Transplant(other.to_vec())]);
        all.extend([Mutation::Reflect, Mutation::Impersonate]);
        let last = (8 * len).saturating_sub(8 * HEADER + 1);
        all.extend((0..flips).map(|at| Mutation::Flip(8 * HEADER + at * last / (flips - 1).max(1))));
    }
    all
}

impl<T: Clone + Send + Sync + 'static> Sweep<T> {
    /// The run without any change, and the same with each party played that is played at all.
    async fn rehearse(&self) -> Result<(), Fault> {
        let outputs: Vec<Option<T>> = self.honest.iter().cloned().map(Some).collect();
        if (self.protocol.judge)(None, &outputs) != Verdict::Right {
            return Err(fault(None, "the result is wrong"));
        }
        for party in self.protocol.taped {
            let (outcomes, _) = self.protocol.run(SESSION, None, self.played(*party)).await?;
            let outputs: Vec<Option<T>> = outcomes.into_iter().map(Result::ok).collect();
            let same = outputs.iter().all(Option::is_some) && (self.protocol.judge)(None, &outputs) == Verdict::Right;
            if !same {
                return Err(fault(None, &format!("with party {party} played the run is another one")));
            }
        }
        Ok(())
    }

    fn played(&self, party: usize) -> Option<Played<'_, T>> {
        self.honest.get(party).map(|output| Played { party, frames: self.tape.frames(party), output })
    }

    /// Every run of one lane.
    async fn lane(self: Arc<Self>, first: usize) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        for change in self.changes.iter().skip(first).step_by(LANES) {
            let itself = matches!(change.mutation, Mutation::Reflect | Mutation::Impersonate | Mutation::Close);
            let taped = !itself && self.protocol.taped.contains(&change.party);
            let played = if taped { self.played(change.party) } else { None };
            let (outcomes, _) = self.protocol.run(SESSION, Some(change), played).await?;
            tally.runs += 1;
            tally.unnoticed += usize::from(self.is_unnoticed(change, outcomes)?);
        }
        Ok(tally)
    }

    /// Checks how one run ended; whether nobody noticed the change.
    fn is_unnoticed(&self, change: &Change, outcomes: Vec<Outcome<T>>) -> Result<bool, Fault> {
        for (me, outcome) in outcomes.iter().enumerate() {
            if let Err(abort) = outcome
                && abort.blame == Blame::Local
            {
                return Err(fault(Some(change), &format!("party {me} blames itself: {abort}")));
            }
        }
        let outputs: Vec<Option<T>> = outcomes.into_iter().map(Result::ok).collect();
        match (self.protocol.judge)(Some(change), &outputs) {
            Verdict::Wrong => Err(fault(Some(change), "a result is wrong")),
            Verdict::Other if change.mutation.is_of_links() => Err(fault(Some(change), "a link changes a result")),
            verdict => Ok(verdict == Verdict::Right && outputs.iter().all(Option::is_some)),
        }
    }
}

#[cfg(test)]
mod tests;
