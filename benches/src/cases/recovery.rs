//! `make bench NAME=recovery`: transfers, confirmations and answers to questions around a crash and a partition.
//!
//! Settings: `RATE` offered a second (1,000), `SECONDS` of each part (20), `QUERIES` a second (2,000, 0 for none). One
//! validator is killed and started again that much later; then the network parts another one from the rest for half of
//! that, whose process and whose clients' connections go on. Clients that get no answer ask another validator. Meanwhile one
//! that is never away is asked headers and balances in turn, over four further connections with one question under way on
//! each, and every answer is judged. `lost` counts acknowledged transactions that some validator lacks, and those sent that
//! came to no end. `sync_ms` is the time from the killed validator's return until it has all blocks, by block that peers
//! gave it (`n` of them), `write_ms` that of executing and storing a block; the block interval stands beside both.
//! It fails when a transaction is lost, when the parted validator decides anything alone, and when more than 5 % of the
//! transactions that validators sent each other were known already.

use std::time::Duration;

use anyhow::{Context, ensure};
use benches::{
    check,
    clients::Clients,
    cluster::Cluster,
    load::{Pace, Patience},
    net::{Net, RECIPIENTS, SENDERS},
    reads::{self, Answers},
    report::{Figure, Spread},
    run::Run,
    runtime, setting,
    sign::Planned,
    world::INTERVAL_MS,
};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

const BENCH: &str = "recovery";
/// The validator that is killed, the one that is parted from the others, and the one that is asked.
const KILLED: usize = 3;
const PARTED: usize = 2;
const ASKED: usize = 0;
/// Time after the beginning and after a disturbance that belongs to no part.
const SETTLE: Duration = Duration::from_secs(5);
/// Most redundant transactions among those that peers sent, in per cent.
const MOST_REDUNDANT: f64 = 5.0;
/// A validator that comes back has so long to catch up.
const CATCH_UP: Duration = Duration::from_secs(60);

/// A time of the run, from and to.
type Part = (Duration, Duration);

/// Questions that are asked meanwhile.
type Asking = JoinHandle<anyhow::Result<Answers>>;

/// What happens when.
struct Plan {
    killed: Part,
    parted: Part,
    end: Duration,
}

impl Plan {
    fn new(part: Duration) -> Self {
        let killed = (part, part * 2);
        let parted = (part * 3, part * 3 + part / 2);
        Self { killed, parted, end: part * 5 }
    }

    fn before(&self) -> Part {
        (SETTLE.min(self.killed.0 / 2), self.killed.0)
    }

    fn after(&self) -> Part {
        ((self.parted.1 + SETTLE).min(self.end - self.killed.0 / 2), self.end)
    }

    /// The phases, by their names.
    fn phases(&self) -> [(&'static str, Vec<Part>); 3] {
        [("before", vec![self.before()]), ("during", vec![self.killed, self.parted]), ("after", vec![self.after()])]
    }
}

fn number(counters: &Value, name: &str) -> u64 {
    counters[name].as_u64().unwrap_or(0)
}

/// Waits until a validator that was away has what another has; gives the number of blocks that peers gave it since it was
/// started, and the milliseconds by block.
async fn caught_up(cluster: &mut Cluster, at: usize) -> anyhow::Result<(u64, f64)> {
    let began = Instant::now();
    loop {
        let newest = number(&cluster.counters(ASKED)?, "height");
        let own = cluster.counters(at)?;
        if number(&own, "height") >= newest {
            let synced = number(&own, "synced");
            return Ok((synced, began.elapsed().as_secs_f64() * 1000.0 / synced.max(1) as f64));
        }
        ensure!(began.elapsed() < CATCH_UP, "validator {at} does not catch up");
        sleep(Duration::from_millis(10)).await;
    }
}

/// A time that a block takes, beside the time between blocks.
fn by_block(case: &str, n: u64, time: Spread) -> anyhow::Result<()> {
    let figure = Figure::new(BENCH, case, n, "ms", time).lower().loopback();
    figure.peer("block interval", f64::from(INTERVAL_MS)).print()
}

/// Milliseconds that each validator took to execute and store a block.
fn writing(counters: &[Value]) -> Spread {
    let each = |c: &Value| number(c, "execute_us") as f64 / 1000.0 / number(c, "blocks").max(1) as f64;
    Spread::of(&counters.iter().map(each).collect::<Vec<_>>())
}

/// Disturbs the validators as planned; gives how the one that was killed caught up.
async fn disturb(net: &mut Net, plan: &Plan) -> anyhow::Result<(u64, f64)> {
    let began = Instant::now();
    sleep_until(began + plan.killed.0).await;
    net.cluster.kill(KILLED)?;
    eprintln!("validator {KILLED} is killed");
    sleep_until(began + plan.killed.1).await;
    net.cluster.launch(KILLED)?;
    eprintln!("validator {KILLED} is back");
    let killed = caught_up(&mut net.cluster, KILLED).await?;
    sleep_until(began + plan.parted.0).await;
    net.part(PARTED)?;
    eprintln!("validator {PARTED} is parted from the others");
    let (alone, _) = net.clients.status(PARTED).await?;
    sleep_until(began + plan.parted.1).await;
    let (later, _) = net.clients.status(PARTED).await?;
    // The block that was under way may still have been there in full.
    ensure!(later <= alone + 1, "validator {PARTED} goes from height {alone} to {later} alone");
    net.heal();
    eprintln!("validator {PARTED} is joined again");
    let healed = Instant::now();
    caught_up(&mut net.cluster, PARTED).await?;
    eprintln!("it has what the others have after {} ms", healed.elapsed().as_millis());
    Ok(killed)
}

/// The rate over some parts together.
fn together(parts: &[Part], rate: impl Fn(Duration, Duration) -> f64) -> Spread {
    let rates: Vec<f64> = parts.iter().map(|(from, to)| rate(*from, *to)).collect();
    let lengths: Vec<f64> = parts.iter().map(|(from, to)| (*to - *from).as_secs_f64()).collect();
    let done: f64 = rates.iter().zip(&lengths).map(|(rate, length)| rate * length).sum();
    Spread::whole(done / lengths.iter().sum::<f64>(), &rates)
}

/// Of several parts the worst one, where less is better.
fn worst(parts: &[Part], value: impl Fn(Duration, Duration) -> f64) -> Spread {
    let values: Vec<f64> = parts.iter().map(|(from, to)| value(*from, *to)).collect();
    Spread::whole(values.iter().copied().fold(0.0, f64::max), &values)
}

/// The figures of a phase of the run.
fn phase(run: &Run, name: &str, n: u64, parts: &[Part]) -> anyhow::Result<()> {
    let rate = together(parts, |from, to| run.per_second_between(from, to));
    Figure::new(BENCH, format!("tps_{name}"), n, "1/s", rate).loopback().print()?;
    for (word, share) in [("p50", 0.5), ("p99", 0.99)] {
        let time = worst(parts, |from, to| run.intervals_between(share, from, to));
        let case = format!("confirm_{word}_intervals_{name}");
        Figure::new(BENCH, case, n, "intervals", time).lower().loopback().print()?;
    }
    Ok(())
}

/// The figures of a phase's answers.
fn answered(answers: &Answers, name: &str, n: u64, parts: &[Part]) -> anyhow::Result<()> {
    let rate = together(parts, |from, to| answers.per_second_between(from, to));
    Figure::new(BENCH, format!("query_rate_{name}"), n, "1/s", rate).loopback().print()?;
    let time = worst(parts, |from, to| answers.ms_between(0.99, from, to));
    Figure::new(BENCH, format!("query_p99_ms_{name}"), n, "ms", time).lower().loopback().print()
}

/// Begins to ask the validator that stays up, while these transfers are made.
async fn ask(net: &mut Net, planned: &[Planned], rate: u32, time: Duration) -> anyhow::Result<Option<Asking>> {
    if rate == 0 {
        return Ok(None);
    }
    let (newest, _) = net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    let questions = reads::meanwhile(&net.book, newest, planned);
    let clients = Clients::connect(&net.world, reads::PACED as usize)?;
    Ok(Some(tokio::spawn(reads::at_pace(clients, ASKED, net.token, questions, rate, time))))
}

/// Of all transactions that validators sent each other, how many were known, in per cent.
fn redundant_of_all(counters: &[Value]) -> f64 {
    let all = |name: &str| counters.iter().map(|counters| number(counters, name)).sum::<u64>();
    100.0 * all("redundant") as f64 / all("received").max(1) as f64
}

/// The same by validator.
fn redundant(counters: &[Value]) -> Spread {
    let percent =
        |counters: &Value| 100.0 * number(counters, "redundant") as f64 / number(counters, "received").max(1) as f64;
    Spread::of(&counters.iter().map(percent).collect::<Vec<_>>())
}

async fn bench() -> anyhow::Result<()> {
    let rate: u32 = setting("RATE", 1000)?;
    let seconds: u32 = setting("SECONDS", 20)?;
    let queries: u32 = setting("QUERIES", 2000)?;
    let plan = Plan::new(Duration::from_secs(u64::from(seconds)));
    let mut net = Net::start_partable(setting("SENDERS", SENDERS)?, setting("RECIPIENTS", RECIPIENTS)?).await?;
    let planned = net.planned(u64::from(rate) * plan.end.as_secs()).await?;
    let asking = ask(&mut net, &planned, queries, plan.end).await?;
    let load = net.send(planned, Pace::PerSecond(rate), Patience::AGAIN);
    let (synced, sync_ms) = disturb(&mut net, &plan).await?;
    let run = load.await?;
    run.tell("transfers");
    net.book.enter(&run);
    for (name, parts) in plan.phases() {
        phase(&run, name, u64::from(rate), &parts)?;
    }
    if let Some(asking) = asking {
        let answers = asking.await?.context("the questions meanwhile")?;
        for (name, parts) in plan.phases() {
            answered(&answers, name, u64::from(queries), &parts)?;
        }
    }

    net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    let lost = check::missing(&net.clients, &run.acknowledged()).await? + net.book.lost();
    let count = run.samples.len() as u64;
    let figure = Spread::whole(lost as f64, &[]);
    Figure::new(BENCH, "lost", count, "transactions", figure).lower().loopback().print()?;
    let counters = net.cluster.all_counters()?;
    by_block("sync_ms", synced, Spread::whole(sync_ms, &[]))?;
    let blocks = counters.iter().map(|counters| number(counters, "blocks")).max().unwrap_or(0);
    by_block("write_ms", blocks, writing(&counters))?;
    let percent = redundant(&counters);
    Figure::new(BENCH, "redundant_percent", count, "%", percent).lower().loopback().print()?;
    net.close().await?;
    ensure!(lost == 0, "{lost} transactions are lost");
    let all = redundant_of_all(&counters);
    ensure!(all <= MOST_REDUNDANT, "{all:.1} % of the transactions that validators sent each other were redundant");
    Ok(())
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    runtime()?.block_on(bench())
}
