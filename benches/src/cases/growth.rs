//! `make bench NAME=growth`: transfers a second, and bytes a transaction on the disk, as the chain grows.
//!
//! Transfers are sent as fast as they are executed (a closed loop of `UNDER_WAY`, 4,000) to 10^5 accounts, until there
//! are 0.1 and 1 million; with `LONG=1` to 10^6 accounts, until there are 10 million. `TO` gives another list of numbers.
//! The accounts are opened before, many in a transaction: what grows is the chain, not the number of accounts. With `KEEP`
//! the validators prune: they keep the states of so many heights (a full block has some 2,000 transfers), and the blocks for
//! as long as the rule against executing a transaction twice asks, else everything.
//! The rate at a number is that of the last 100,000 transfers before it, and the bytes are one validator's.

use anyhow::ensure;
use benches::{
    load::{Pace, Patience},
    long,
    net::{Net, RECIPIENTS, SENDERS},
    report::{Figure, Spread},
    runtime, setting, settings,
    world::VALIDATORS,
};

const BENCH: &str = "growth";
/// Transfers that are signed and sent at a time: half of a measured stretch.
const PIECE: u64 = 50_000;
/// Pieces whose rate is told.
const LAST: usize = 2;

fn disk_bytes(net: &Net) -> anyhow::Result<Vec<f64>> {
    (0..VALIDATORS).map(|at| net.cluster.disk_bytes(at).map(|bytes| bytes as f64)).collect()
}

async fn bench() -> anyhow::Result<()> {
    let usual: &[u32] = if long() { &[100_000, 1_000_000, 10_000_000] } else { &[100_000, 1_000_000] };
    let milestones = settings("TO", usual)?;
    let recipients = setting("RECIPIENTS", if long() { 10 * RECIPIENTS } else { RECIPIENTS })?;
    let under_way: usize = setting("UNDER_WAY", 4000)?;
    let mut net = Net::start(setting("SENDERS", SENDERS)?, recipients).await?;
    net.open_accounts().await?;
    let before = disk_bytes(&net)?;
    let (mut sent, mut rates) = (0u64, Vec::new());
    for milestone in milestones.into_iter().map(u64::from) {
        while sent < milestone {
            let count = PIECE.min(milestone - sent);
            let run = net.transfer(count, Pace::UnderWay(under_way), Patience::ONCE).await?;
            sent += count;
            run.tell(&format!("{sent} transfers"));
            ensure!(run.success_percent() > 99.0, "too many transfers fail");
            rates.push(run.per_second());
        }
        let (_, root) = net.clients.settled().await?;
        net.book.resolve(&net.clients).await?;
        eprintln!("state {root} after {sent} transfers");
        let last = &rates[rates.len().saturating_sub(LAST)..];
        Figure::new(BENCH, format!("tps_at_{milestone}"), milestone, "1/s", Spread::of(last)).loopback().print()?;
        let grown = disk_bytes(&net)?.into_iter().zip(&before).map(|(now, before)| (now - before) / sent as f64);
        let bytes = Spread::of(&grown.collect::<Vec<_>>());
        Figure::new(BENCH, format!("bytes_at_{milestone}"), milestone, "bytes", bytes).lower().loopback().print()?;
    }
    net.close().await
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    runtime()?.block_on(bench())
}
