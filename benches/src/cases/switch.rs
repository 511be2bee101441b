//! `make bench NAME=switch`: BFT to Raft and back under load: the longest time without a block, and what is lost.
//!
//! Settings: `RATE` offered a second (500), `SECONDS` between the changes (20). `lost` counts transactions that were
//! acknowledged and that some validator does not have, and those that were sent and neither executed nor refused.

use std::time::Duration;

use anyhow::ensure;
use base_types::Height;
use benches::{
    check, govern,
    load::{Pace, Patience},
    net::{Net, RECIPIENTS, SENDERS},
    report::{Figure, Spread},
    runtime, setting,
};
use ledger_light::{BFT, RAFT};
use tokio::time::sleep;

const BENCH: &str = "switch";

/// Both changes; gives the first heights under them.
async fn changes(net: &Net, pause: Duration) -> anyhow::Result<Vec<Height>> {
    let mut first = Vec::new();
    for engine in [RAFT, BFT] {
        sleep(pause).await;
        let height = govern::switch(&net.clients, &net.world, engine).await?;
        eprintln!("engine {engine} from height {height} on");
        first.push(height);
    }
    sleep(pause).await;
    Ok(first)
}

async fn bench() -> anyhow::Result<()> {
    let rate: u32 = setting("RATE", 500)?;
    let seconds: u32 = setting("SECONDS", 20)?;
    // Voting and getting ready take some intervals each time.
    let all = 3 * seconds + 20;
    let mut net = Net::start(setting("SENDERS", SENDERS)?, setting("RECIPIENTS", RECIPIENTS)?).await?;
    let planned = net.planned(u64::from(rate) * u64::from(all)).await?;
    let load = net.send(planned, Pace::PerSecond(rate), Patience::AGAIN);
    let length = Duration::from_secs(u64::from(all));
    let changes = changes(&net, Duration::from_secs(u64::from(seconds)));
    let (first, seen) = tokio::join!(changes, govern::watch(&net.clients, 1, length));
    let run = load.await?;
    run.tell("transfers");
    net.book.enter(&run);
    let stalls: Vec<f64> = first?.iter().map(|height| govern::stall_intervals(&seen, *height)).collect();
    let worst = stalls.iter().copied().fold(0.0, f64::max);

    net.clients.settled().await?;
    net.book.resolve(&net.clients).await?;
    let (_, handovers) = net.clients.epochs(2).await?;
    let engines: Vec<u8> = handovers.iter().map(|handover| handover.epoch.engine).collect();
    ensure!(engines == [RAFT, BFT], "the engines were {engines:?}");
    let lost = check::missing(&net.clients, &run.acknowledged()).await? + net.book.lost();
    let n = u64::from(rate);
    let stall = Spread { runs: stalls.len(), ..Spread::whole(worst, &stalls) };
    Figure::new(BENCH, "stall_intervals", n, "intervals", stall).lower().loopback().print()?;
    let lost = Spread::whole(lost as f64, &[]);
    Figure::new(BENCH, "lost", run.samples.len() as u64, "transactions", lost).lower().loopback().print()?;
    net.close().await?;
    ensure!(lost.value == 0.0, "transactions are lost");
    Ok(())
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    runtime()?.block_on(bench())
}
