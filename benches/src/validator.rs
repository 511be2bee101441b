//! A validator as a process of its own: the benchmark's program, started again with a hidden argument.
//!
//! It says `ready` on standard output, answers each line of its input with a line of counters, and ends with its input,
//! so that it does not outlive the generator.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use base_gm::sm2::limit_tables;
use base_rt::{OsEntropy, SystemClock};
use base_types::OrgId;
use ledger_chain::{COLUMNS, Chain, History, Options};
use ledger_store::Store;
use ledger_vm::govern::Addresses;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    crypto::TABLE_BYTES,
    setting,
    world::{Seat, roots},
};

/// The hidden argument.
pub const WORD: &str = "validator";
/// What a validator says first.
pub const READY: &str = "ready";

/// The folder of a validator's store.
pub fn store_folder(folder: &Path, at: usize) -> PathBuf {
    folder.join(format!("store{at}"))
}

/// Runs a validator to its end if this process was started as one: `validator FOLDER NUMBER`. True when it was.
///
/// # Errors
/// What kept it from starting.
pub fn requested() -> anyhow::Result<bool> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some(WORD) {
        return Ok(false);
    }
    let folder = PathBuf::from(args.next().context("a validator is given a folder")?);
    let at = args.next().context("a validator is given a number")?.parse()?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("HEQI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    crate::runtime()?.block_on(serve(&folder, at))?;
    Ok(true)
}

async fn serve(folder: &Path, at: usize) -> anyhow::Result<()> {
    let Seat { genesis, identity, address, peers } = Seat::read(folder, at)?;
    // An operator gives every member's key a table.
    limit_tables((genesis.members.len() + 64) * TABLE_BYTES);
    let mut options = Options::default();
    if let keep @ 1.. = setting("KEEP", 0_u64)? {
        options.history = History::Pruned { keep };
        // A state that others may take over is kept until four more are.
        options.snapshot_every = options.snapshot_every.min((keep / 4).max(1));
    }
    let (stop, stopped) = watch::channel(false);
    let parts = ledger_server::Parts {
        store: Store::open(&store_folder(folder, at), &COLUMNS)?,
        roots: roots(&genesis)?,
        genesis,
        identity,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        peers,
        announce: None,
        options,
        moved: Arc::new(|_: &OrgId, _: &Addresses| {}),
    };
    let listener = TcpListener::bind(&address).await?;
    let server = ledger_server::start(parts, listener, None, stopped.clone())?;
    let chain = server.chain.clone();
    std::thread::spawn(move || {
        answer(&chain);
        let _ = stop.send(true);
    });
    let mut end = stopped;
    let _ = end.wait_for(|stop| *stop).await;
    server.chain.stop().await;
    Ok(())
}

/// Answers the generator until it has gone.
fn answer(chain: &Chain) {
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").and_then(|()| out.flush());
    let mut told = say(READY.into());
    for line in std::io::stdin().lines() {
        if line.is_err() || told.is_err() {
            return;
        }
        told = say(counters(chain).to_string());
    }
}

fn counters(chain: &Chain) -> Value {
    let c = chain.counters();
    json!({
        "height": chain.height(),
        "submitted": c.submitted.get(),
        "received": c.received.get(),
        "redundant": c.redundant.get(),
        "inadmissible": c.inadmissible.get(),
        "held_back": c.held_back.get(),
        "blocks": c.blocks.get(),
        "executed": c.executed.get(),
        "refused": c.refused.get(),
        "synced": c.synced.get(),
        "late_rounds": c.late_rounds.get(),
        "fetched": c.fetched.get(),
        "execute_us": c.execute_us.get(),
        "check_us": c.check_us.get(),
        "build_us": c.build_us.get(),
        "log_us": c.log_us.get(),
        "epochs": c.epochs.get(),
        "misbehaviour": c.misbehaviour.get(),
    })
}
