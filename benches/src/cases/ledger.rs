//! `make bench NAME=ledger`: transfers and notes a second, and the time to confirmation, of four validators under load.
//!
//! Settings: `SECONDS` of each run (180; 20 for a quick look), `RATES` and `NOTE_RATES` offered a second, in rising
//! order, `CONFIRM_RATE` (1,500), `SENDERS`, `RECIPIENTS`. A rate counts when it holds to the end of its run; the figure
//! is what was carried at the highest that does, and its `n` the rate that was offered. Every run and the validators'
//! counters are told on standard error.

use std::time::Duration;

use benches::{
    book::Book,
    check, limits,
    limits::Limits,
    load::{Pace, Patience},
    net::{Net, RECIPIENTS, SENDERS},
    report::{Figure, Spread},
    run::Run,
    runtime, setting, settings,
    world::VALIDATORS,
};

const BENCH: &str = "ledger";
const PART: Duration = Duration::from_secs(30);

struct Plan {
    seconds: u32,
    rates: Vec<u32>,
    note_rates: Vec<u32>,
    confirm: u32,
}

fn plan() -> anyhow::Result<Plan> {
    let mut plan = Plan {
        seconds: setting("SECONDS", 180)?,
        rates: settings("RATES", &[1000, 1500, 2000, 2500, 3000, 3500])?,
        note_rates: settings("NOTE_RATES", &[2000, 3000, 4000, 4500])?,
        confirm: setting("CONFIRM_RATE", 1500)?,
    };
    // The time to confirmation is asked for at one rate, which is run in any case.
    if !plan.rates.contains(&plan.confirm) {
        plan.rates.push(plan.confirm);
        plan.rates.sort_unstable();
    }
    Ok(plan)
}

/// Rate that no machine of so many cores exceeds: every validator verifies every transaction.
fn ceiling(limits: &Limits) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    limits.verifications.value * cores as f64 / VALIDATORS as f64
}

fn throughput(case: &str, best: Option<&(u32, Run)>, limits: &Limits) -> anyhow::Result<()> {
    let Some((rate, run)) = best else {
        eprintln!("{case}: no rate of the list holds");
        return Figure::new(BENCH, case, 0, "1/s", Spread::of(&[])).loopback().print();
    };
    let spread = Spread::whole(run.per_second(), &run.parts(PART.min(run.length() / 3)));
    let peer = "verification on all cores, shared by the validators";
    Figure::new(BENCH, case, u64::from(*rate), "1/s", spread).loopback().peer(peer, ceiling(limits)).print()
}

fn confirmation(run: &Run, rate: u32) -> anyhow::Result<()> {
    let ends = run.length().as_secs() / PART.as_secs().max(1);
    for (name, share) in [("confirm_p50_intervals", 0.5), ("confirm_p99_intervals", 0.99)] {
        let part = |at: u64| run.intervals_between(share, PART * at as u32, PART * (at as u32 + 1));
        let parts: Vec<f64> = (0..ends).map(part).collect();
        let spread = Spread::whole(run.intervals(share), &parts);
        Figure::new(BENCH, name, u64::from(rate), "intervals", spread).lower().loopback().print()?;
    }
    Ok(())
}

/// Offers one rate after the other until one does not hold; what is asked at one rate is told when it comes.
async fn transfers(net: &mut Net, plan: &Plan, limits: &Limits) -> anyhow::Result<()> {
    let mut best = None;
    let mut rising = true;
    for &rate in &plan.rates {
        if !rising && rate != plan.confirm {
            continue;
        }
        let count = u64::from(rate) * u64::from(plan.seconds);
        let run = net.transfer(count, Pace::PerSecond(rate), Patience::ONCE).await?;
        run.tell("transfers");
        net.cluster.all_counters()?;
        net.clients.settled().await?;
        if rate == plan.confirm {
            confirmation(&run, rate)?;
        }
        if rising && run.holds() {
            best = Some((rate, run));
        } else {
            rising = false;
        }
    }
    throughput("erc20_tps", best.as_ref(), limits)?;
    let (rate, success) = best.map_or((0, 0.0), |(rate, run)| (rate, run.success_percent()));
    Figure::new(BENCH, "success_percent", u64::from(rate), "%", Spread::whole(success, &[])).loopback().print()
}

async fn notes(net: &mut Net, plan: &Plan, limits: &Limits) -> anyhow::Result<()> {
    let mut book = Book::new(net.world.senders.len() as u32);
    let mut best = None;
    for &rate in &plan.note_rates {
        let count = u64::from(rate) * u64::from(plan.seconds);
        let run = net.note(count, Pace::PerSecond(rate), &mut book).await?;
        run.tell("notes");
        net.clients.settled().await?;
        if !run.holds() {
            break;
        }
        best = Some((rate, run));
    }
    check::notes(&net.clients, &mut book).await?;
    throughput("notary_tps", best.as_ref(), limits)
}

async fn bench() -> anyhow::Result<()> {
    let plan = plan()?;
    let folder = benches::folder()?;
    let limits = limits::measure(folder.path())?;
    limits.print(BENCH)?;
    let mut net = Net::start(setting("SENDERS", SENDERS)?, setting("RECIPIENTS", RECIPIENTS)?).await?;
    transfers(&mut net, &plan, &limits).await?;
    notes(&mut net, &plan, &limits).await?;
    net.close().await
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    runtime()?.block_on(bench())
}
