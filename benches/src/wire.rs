//! Parties on one machine: a thread with a runtime of one thread each, linked by plain TCP, by TLS, or by a shaped network.

mod links;
mod plain;
pub mod shaper;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use base_rt::{Entropy, OsEntropy};
use mpc_core::{Abort, Context, Transport};
use tokio::sync::Barrier;

pub use plain::streams;

/// What links the parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Plain TCP over loopback.
    Plain,
    /// The product's links over loopback: mutual TLS.
    Tls,
    /// The same through the shaping proxy: 100 Mb/s, 10 ms each way.
    Shaped,
}

impl Network {
    /// Its name in a figure.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "loopback",
            Self::Tls => "loopback_tls",
            Self::Shaped => "100mbit_10ms",
        }
    }

    /// The network of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::Tls, Self::Shaped].into_iter().find(|network| network.name() == name)
    }
}

/// A party's end before its runtime is there.
enum End {
    Plain(Vec<Option<std::net::TcpStream>>),
    Links(links::Seat),
}

fn ends(parties: usize, network: Network) -> anyhow::Result<Vec<End>> {
    if network == Network::Plain {
        return Ok(plain::mesh(parties)?.into_iter().map(End::Plain).collect());
    }
    let (seats, _shapers) = links::seats(parties, network == Network::Shaped)?;
    Ok(seats.into_iter().map(End::Links).collect())
}

async fn open(end: End, session: [u8; 32], parties: usize) -> anyhow::Result<Arc<dyn Transport>> {
    Ok(match end {
        End::Plain(streams) => Arc::new(plain::Plain::new(streams)?),
        End::Links(seat) => Arc::new(links::Links::open(seat, session, parties).await?),
    })
}

/// One party to its end, on this thread. It keeps its links until all parties have ended, for what it sent last may still
/// be on its way; one that fails gives them up at once, so that nobody waits for it.
fn party<T, F>(
    (me, parties): (usize, usize),
    end: End,
    session: [u8; 32],
    ended: &Barrier,
    run: impl FnOnce(Context) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let (result, links) = match open(end, session, parties).await {
            Ok(links) => {
                let entropy = Box::new(|out: &mut [u8]| OsEntropy.fill(out));
                (run(Context::new(session, me, parties, links.clone(), entropy)).await, Some(links))
            }
            Err(why) => (Err(why), None),
        };
        let kept = links.filter(|_| result.is_ok());
        ended.wait().await;
        drop(kept);
        result
    })
}

fn session() -> [u8; 32] {
    let mut session = [0; 32];
    OsEntropy.fill(&mut session);
    session
}

/// Runs party 0 and party 1 of a fresh session at the same time, a thread each, and returns what they end with. A party
/// that fails closes its links, so the other does not wait for it.
///
/// # Errors
/// What a party failed with.
pub fn pair<A, B, FA, FB>(
    network: Network,
    zero: impl FnOnce(Context) -> FA + Send,
    one: impl FnOnce(Context) -> FB + Send,
) -> anyhow::Result<(A, B)>
where
    A: Send,
    B: Send,
    FA: Future<Output = anyhow::Result<A>>,
    FB: Future<Output = anyhow::Result<B>>,
{
    let session = session();
    let mut ends = ends(2, network)?.into_iter();
    let (Some(near), Some(far)) = (ends.next(), ends.next()) else { bail!("two parties have two ends") };
    let ended = &Barrier::new(2);
    let (zero, one) = thread::scope(|scope| {
        let other = scope.spawn(move || party((1, 2), far, session, ended, one));
        let zero = party((0, 2), near, session, ended, zero);
        (zero, other.join().unwrap_or_else(|_| Err(anyhow!("its thread panicked"))))
    });
    match (zero, one) {
        (Ok(zero), Ok(one)) => Ok((zero, one)),
        (Err(zero), Err(one)) => bail!("party 0: {zero:#}; party 1: {one:#}"),
        (Err(why), Ok(_)) => Err(why.context("party 0")),
        (Ok(_), Err(why)) => Err(why.context("party 1")),
    }
}

/// Runs the same program at every one of `parties`, a thread each, and returns what they end with, in order.
///
/// # Errors
/// What the parties failed with.
pub fn parties<T, F>(parties: usize, network: Network, run: impl Fn(Context) -> F + Sync) -> anyhow::Result<Vec<T>>
where
    T: Send,
    F: Future<Output = anyhow::Result<T>>,
{
    let session = session();
    let ends = ends(parties, network)?;
    let over = &Barrier::new(parties);
    let ended: Vec<anyhow::Result<T>> = thread::scope(|scope| {
        let run = &run;
        let spawn = |(me, end)| scope.spawn(move || party((me, parties), end, session, over, run));
        let running: Vec<_> = ends.into_iter().enumerate().map(spawn).collect();
        let end = |thread: thread::ScopedJoinHandle<'_, anyhow::Result<T>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("its thread panicked")))
        };
        running.into_iter().map(end).collect()
    });
    let failed =
        |(party, end): (usize, &anyhow::Result<T>)| end.as_ref().err().map(|why| format!("party {party}: {why:#}"));
    let failures: Vec<String> = ended.iter().enumerate().filter_map(failed).collect();
    if !failures.is_empty() {
        bail!(failures.join("; "));
    }
    ended.into_iter().collect()
}

/// Runs one of two parties on this thread, over plain TCP to the other, which does the same in a process of its own.
///
/// # Errors
/// What the party failed with.
pub fn alone<T, F>(
    me: usize,
    stream: std::net::TcpStream,
    session: [u8; 32],
    run: impl FnOnce(Context) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    stream.set_nodelay(true)?;
    let streams = if me == 0 { vec![None, Some(stream)] } else { vec![Some(stream), None] };
    party((me, 2), End::Plain(streams), session, &Barrier::new(1), run)
}

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// The time.
    pub took: Duration,
    /// Bytes sent, without the headers of frames.
    pub bytes: u64,
    /// Rounds, as [`Context::rounds`] counts them.
    pub rounds: u64,
}

impl Work {
    /// Of both parties: the longer time, all bytes, the larger number of rounds.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let (took, rounds) = (self.took.max(other.took), self.rounds.max(other.rounds));
        Self { took, bytes: self.bytes + other.bytes, rounds }
    }

    /// Of all parties, as [`Self::with`].
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let none = Self { took: Duration::ZERO, bytes: 0, rounds: 0 };
        parts.into_iter().fold(none, Self::with)
    }

    /// The seconds of some runs, each of which has an entry a party.
    pub fn seconds(runs: &[Vec<Self>]) -> Vec<f64> {
        runs.iter().map(|run| Self::all(run.iter().copied()).took.as_secs_f64()).collect()
    }
}

/// A piece of work under way at one party.
pub struct Begun {
    at: Instant,
    bytes: u64,
    rounds: u64,
}

impl Begun {
    /// Begins when all parties have come here.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone.
    pub async fn together(ctx: &mut Context) -> Result<Self, Abort> {
        let peers: Vec<usize> = (0..ctx.parties()).filter(|peer| *peer != ctx.me()).collect();
        let due: Vec<(usize, usize)> = peers.iter().map(|peer| (*peer, 1)).collect();
        ctx.round(peers.iter().map(|peer| (*peer, vec![0])).collect(), &due).await?;
        Ok(Self { at: Instant::now(), bytes: ctx.bytes_sent(), rounds: ctx.rounds() })
    }

    /// What it took this party until now.
    pub fn ended(self, ctx: &Context) -> Work {
        let Self { at, bytes, rounds } = self;
        Work { took: at.elapsed(), bytes: ctx.bytes_sent() - bytes, rounds: ctx.rounds() - rounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_cross_each_other_and_are_counted_on_every_network() {
        const LEN: usize = 5 << 20;
        for network in [Network::Plain, Network::Tls, Network::Shaped] {
            let run = |mut ctx: Context| async move {
                let (me, peer) = (ctx.me() as u8, 1 - ctx.me());
                let begun = Begun::together(&mut ctx).await?;
                let got = ctx.round(vec![(peer, vec![me; LEN])], &[(peer, LEN)]).await?;
                anyhow::Ok((begun.ended(&ctx), got == [vec![1 - me; LEN]]))
            };
            let ((zero, right), (one, also)) = pair(network, run, run).expect("two parties");
            assert!(right && also);
            let both = zero.with(one);
            assert_eq!(Work::seconds(&[vec![zero, one]]), [both.took.as_secs_f64()]);
            assert_eq!(Network::named(network.name()), Some(network));
            assert_eq!((both.bytes, both.rounds), (2 * LEN as u64, 1));
            assert!(both.took >= zero.took && both.took >= one.took);
            // 5 MiB take 419 ms at 100 Mb/s, and the delay.
            let shaped = both.took > Duration::from_millis(425);
            // The others take as long as the machine does.
            assert!(shaped || network != Network::Shaped, "{:?}", both.took);
        }
    }

    #[test]
    fn every_party_hears_every_other() {
        for network in [Network::Plain, Network::Tls] {
            let run = |mut ctx: Context| async move {
                let begun = Begun::together(&mut ctx).await?;
                anyhow::Ok(begun.ended(&ctx))
            };
            assert_eq!(parties(4, network, run).expect("four parties").len(), 4);
        }
    }

    #[test]
    fn a_frame_that_is_too_long_and_a_peer_that_is_gone_end_both_parties() {
        let zero = |mut ctx: Context| async move { anyhow::Ok(ctx.round(vec![(1, vec![0; 9])], &[(1, 1)]).await?) };
        let one = |mut ctx: Context| async move { anyhow::Ok(ctx.round(vec![], &[(0, 8)]).await?) };
        let why = pair(Network::Plain, zero, one).expect_err("a frame is too long").to_string();
        assert!(why.contains("party 1 is out of reach") && why.contains("party 0 misbehaved"), "{why}");
    }
}
