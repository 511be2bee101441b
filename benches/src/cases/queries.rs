//! `make bench NAME=queries`: headers, transactions and contract reads a second, also after a crash and a partition.
//!
//! One validator is asked over TLS, one item a request, 64 under way on 8 kept connections; the same one is killed and
//! started again, then parted from the others by a network that carries nothing to or from it, and joined again. Settings: `TRANSFERS` (24,000) sent before at `RATE` (600) a second,
//! `SECONDS` for each figure (10, in five runs). Every balance is compared with the generator's book.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use base_types::Digest;
use benches::{
    load::{Pace, Patience},
    net::{Net, RECIPIENTS, SENDERS},
    reads::{self, Question},
    report::{Figure, Spread},
    runtime, setting,
};

const BENCH: &str = "queries";
const RUNS: u32 = 5;
/// The validator that is asked.
const ASKED: usize = 3;
/// What is sent while it is away.
const AWAY_RATE: u32 = 200;
const AWAY_SECONDS: u64 = 10;

async fn figure(net: &Net, case: String, questions: Vec<Question>, time: Duration, n: u64) -> anyhow::Result<()> {
    let (questions, mut values) = (Arc::new(questions), Vec::new());
    for _ in 0..RUNS {
        values.push(reads::per_second(&net.clients, ASKED, net.token, &questions, time / RUNS).await?);
    }
    Figure::new(BENCH, case, n, "1/s", Spread::of(&values)).loopback().print()
}

/// All four kinds of questions.
async fn all(net: &Net, known: &[Digest], after: &str, time: Duration) -> anyhow::Result<()> {
    let (newest, _) = net.clients.settled().await?;
    let (first, _) = net.book.heights();
    let kinds = [
        ("headers", reads::headers(newest), newest),
        ("transactions", reads::transactions(known), known.len() as u64),
        ("contract_reads", reads::balances(&net.book, None), net.book.accepted()),
        ("historic_reads", reads::balances(&net.book, Some((first, newest))), newest),
    ];
    for (name, questions, n) in kinds {
        figure(net, format!("{name}{after}"), questions, time, n).await?;
    }
    Ok(())
}

/// Transfers that the others execute while one validator is away.
async fn meanwhile(net: &mut Net, known: &mut Vec<Digest>) -> anyhow::Result<()> {
    let count = u64::from(AWAY_RATE) * AWAY_SECONDS;
    let run = net.transfer(count, Pace::PerSecond(AWAY_RATE), Patience::AGAIN).await?;
    run.tell("transfers while one is away");
    known.extend(run.acknowledged());
    Ok(())
}

async fn bench() -> anyhow::Result<()> {
    let transfers: u64 = setting("TRANSFERS", 24_000)?;
    let rate: u32 = setting("RATE", 600)?;
    let time = Duration::from_secs_f64(setting("SECONDS", 10.0)?);
    let mut net = Net::start_partable(setting("SENDERS", SENDERS)?, setting("RECIPIENTS", RECIPIENTS)?).await?;
    let run = net.transfer(transfers, Pace::PerSecond(rate), Patience::ONCE).await?;
    run.tell("transfers");
    let mut known = run.acknowledged();
    let (newest, _) = net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    let enough = transfers < 20_000 || (known.len() >= 20_000 && newest >= 60);
    ensure!(enough, "only {} transfers in {newest} blocks", known.len());
    all(&net, &known, "", time).await?;

    net.cluster.kill(ASKED)?;
    meanwhile(&mut net, &mut known).await?;
    net.cluster.launch(ASKED)?;
    net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    all(&net, &known, "_after_crash", time).await?;

    net.part(ASKED)?;
    let (alone, _) = net.clients.status(ASKED).await?;
    meanwhile(&mut net, &mut known).await?;
    let (later, _) = net.clients.status(ASKED).await?;
    // The block that was under way may still have been here in full.
    ensure!(later <= alone + 1, "validator {ASKED} goes from height {alone} to {later} alone");
    net.heal();
    net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    all(&net, &known, "_after_partition", time).await?;
    net.close().await
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    runtime()?.block_on(bench())
}
