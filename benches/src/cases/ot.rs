//! `make bench NAME=ot`: oblivious transfers a second, malicious security, one core a party, plain TCP on loopback, and
//! again through the shaped network with a sixteenth of the transfers.
//!
//! `N` (2^24) is the number of transfers in a batch, `K` (2,4) the bits of one element of `Δ` in the extension, `CHUNK` and
//! `WINDOW` its other parameters; the crate's default `K` has the case's own name. A session's set-up is not in the figure; its first batch is checked and not counted.
//! `bytes` and `rounds` are a batch's, both parties' bytes together; `party_bytes` and `party_rounds` are the sender's and
//! the receiver's. What the machine gives at most is measured first.

use anyhow::{Context as _, bail, ensure};
use benches::{
    bounds,
    report::{Figure, Spread},
    setting, settings,
    wire::{Begun, Network, Work, pair},
};
use mpc_block::Block;
use mpc_core::{Abort, Context};
use mpc_ot::{bits, pcg, silent, softspoken};

const BENCH: &str = "ot";
/// Batches that are counted.
const RUNS: usize = 5;
/// One transfer in so many is opened. A prime: they lie at all places of blocks and chunks.
const STRIDE: usize = 1009;
/// From so many choices on, that all are equal is no accident.
const MANY: usize = 128;

/// A transfer as the sender has it: the block for choice 0 and the one for choice 1.
type Sent = [Block; 2];
/// A transfer as the receiver has it: the choice and its block.
type Received = (bool, Block);

/// The transfers of a batch that are opened, at one party.
struct Opened<T> {
    delivered: usize,
    transfers: Vec<T>,
}

impl<T> Opened<T> {
    /// Enters the next `count` transfers; `transfer` gives one of them.
    fn enter(&mut self, count: usize, transfer: impl Fn(usize) -> T) {
        let first = self.delivered.next_multiple_of(STRIDE) - self.delivered;
        self.transfers.extend((first..count).step_by(STRIDE).map(transfer));
        self.delivered += count;
    }
}

/// A batch at one party.
struct Batch<T> {
    work: Work,
    opened: Opened<T>,
}

/// Makes all batches of a session.
async fn batches<T>(
    ctx: &mut Context,
    mut make: impl AsyncFnMut(&mut Opened<T>) -> Result<(), Abort>,
) -> anyhow::Result<Vec<Batch<T>>> {
    let mut made = Vec::with_capacity(RUNS + 1);
    for _ in 0..=RUNS {
        let mut opened = Opened { delivered: 0, transfers: Vec::new() };
        let begun = Begun::together(ctx).await?;
        make(&mut opened).await?;
        made.push(Batch { work: begun.ended(ctx), opened });
    }
    Ok(made)
}

fn delta(ctx: &Context) -> Block {
    let mut bytes = [0; 16];
    ctx.random(&mut bytes);
    Block::from_bytes(bytes)
}

async fn extension_sender(
    mut ctx: Context,
    parameters: softspoken::Parameters,
    n: usize,
) -> anyhow::Result<Vec<Batch<Sent>>> {
    let delta = delta(&ctx);
    let mut sender = softspoken::Sender::setup(&mut ctx, 1, parameters, delta).await?;
    let make = async |opened: &mut Opened<Sent>| {
        let take = |zeros: &[Block], ones: &[Block]| opened.enter(zeros.len(), |at| [zeros[at], ones[at]]);
        sender.random(n, take).await
    };
    batches(&mut ctx, make).await
}

async fn extension_receiver(
    mut ctx: Context,
    parameters: softspoken::Parameters,
    n: usize,
) -> anyhow::Result<Vec<Batch<Received>>> {
    let mut receiver = softspoken::Receiver::setup(&mut ctx, 0, parameters).await?;
    let make = async |opened: &mut Opened<Received>| {
        let take = |choices: &[Block], keys: &[Block]| {
            opened.enter(keys.len(), |at| (bits::get(choices, at), keys[at]));
        };
        receiver.random(n, take).await
    };
    batches(&mut ctx, make).await
}

async fn silent_sender(mut ctx: Context, n: usize) -> anyhow::Result<Vec<Batch<Sent>>> {
    let delta = delta(&ctx);
    let mut sender = silent::Sender::setup(&mut ctx, 1, pcg::Parameters::default(), delta).await?;
    let delta = sender.delta();
    let make = async |opened: &mut Opened<Sent>| {
        let take = |zeros: &[Block]| opened.enter(zeros.len(), |at| [zeros[at], zeros[at] ^ delta]);
        sender.correlated(n, take).await
    };
    batches(&mut ctx, make).await
}

async fn silent_receiver(mut ctx: Context, n: usize) -> anyhow::Result<Vec<Batch<Received>>> {
    let mut receiver = silent::Receiver::setup(&mut ctx, 0, pcg::Parameters::default()).await?;
    let make = async |opened: &mut Opened<Received>| {
        let take = |blocks: &[Block]| opened.enter(blocks.len(), |at| (blocks[at].lsb(), blocks[at]));
        receiver.correlated(n, take).await
    };
    batches(&mut ctx, make).await
}

/// What the receiver has is what the sender has for its choice, and nothing else.
fn check(n: usize, sent: &Opened<Sent>, received: &Opened<Received>) -> anyhow::Result<()> {
    let delivered = (sent.delivered, received.delivered);
    ensure!(delivered == (n, n), "{delivered:?} transfers were delivered, {n} are due");
    for (at, (blocks, (choice, block))) in sent.transfers.iter().zip(&received.transfers).enumerate() {
        let [right, other] = if *choice { [blocks[1], blocks[0]] } else { *blocks };
        ensure!(*block == right && *block != other, "transfer {} is wrong", at * STRIDE);
    }
    let (ones, all) = (received.transfers.iter().filter(|(choice, _)| *choice).count(), received.transfers.len());
    ensure!(all < MANY || (1..all).contains(&ones), "{ones} of {all} choices are 1");
    Ok(())
}

/// Checks all batches of a session and prints the figure.
fn tell(
    case: &str,
    n: usize,
    network: Network,
    sent: &[Batch<Sent>],
    received: &[Batch<Received>],
) -> anyhow::Result<()> {
    ensure!(sent.len() == received.len(), "the parties made {} and {} batches", sent.len(), received.len());
    let mut work = Vec::with_capacity(sent.len());
    for (sent, received) in sent.iter().zip(received) {
        check(n, &sent.opened, &received.opened)?;
        work.push([sent.work, received.work]);
    }
    let [_, counted @ ..] = &work[..] else { bail!("{case}: no batch was made") };
    let rates: Vec<f64> = counted.iter().map(|both| n as f64 / Work::all(*both).took.as_secs_f64()).collect();
    let last = counted.last().context("no batch was counted")?;
    let (bytes, opened) = (Work::all(*last).bytes, n.div_ceil(STRIDE));
    eprintln!("{case}: {opened} of {n} are right in {} batches; {:.2} bytes each", work.len(), bytes as f64 / n as f64);
    Figure::new(BENCH, case, n as u64, "1/s", Spread::of(&rates)).over(network.name()).moved(last).print()
}

fn extension(field_bits: u32, n: usize, network: Network) -> anyhow::Result<()> {
    let default = softspoken::Parameters::default();
    let (chunk, window) = (setting("CHUNK", default.chunk())?, setting("WINDOW", default.window())?);
    let parameters = softspoken::Parameters::new(field_bits as usize, chunk, window)
        .with_context(|| format!("K={field_bits}, CHUNK={chunk}, WINDOW={window} do not fit"))?;
    let suffix =
        if parameters.field_bits() == default.field_bits() { String::new() } else { format!("_k{field_bits}") };
    let sender = |ctx| extension_sender(ctx, parameters, n);
    let receiver = |ctx| extension_receiver(ctx, parameters, n);
    let (sent, received) = pair(network, sender, receiver)?;
    tell(&format!("softspoken_malicious{suffix}"), n, network, &sent, &received)
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let n: usize = setting("N", 1 << 24)?;
    ensure!(n > 0, "N=0 leaves nothing to measure");
    bounds::measure()?.print(BENCH)?;
    for (network, n) in [(Network::Plain, n), (Network::Shaped, n.div_ceil(16))] {
        for field_bits in settings("K", &[2, 4])? {
            extension(field_bits, n, network)?;
        }
        let (sent, received) = pair(network, |ctx| silent_sender(ctx, n), |ctx| silent_receiver(ctx, n))?;
        tell("silent", n, network, &sent, &received)?;
    }
    Ok(())
}
