//! The load: one transaction a request, sent when it is due whatever became of those before.

use std::{sync::Arc, time::Duration};

use base_types::{Digest, Height};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    clients::{Clients, may_help},
    run::Run,
    sign::Planned,
};

/// When transactions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Open loop: so many a second.
    PerSecond(u32),
    /// Closed loop: as soon as fewer than so many are under way.
    UnderWay(usize),
}

/// How long a client waits, and how often it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Times that a transaction is sent, each time through another validator; at least one.
    pub tries: usize,
    /// Time for each answer.
    pub each: Duration,
}

impl Patience {
    /// Sends once and waits as long as a node does.
    pub const ONCE: Self = Self { tries: 1, each: Duration::from_secs(60) };
    /// Asks another node when there is no answer; sending a transaction again is harmless.
    pub const AGAIN: Self = Self { tries: 8, each: Duration::from_secs(4) };
}

/// How a transaction ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Executed in the block of this height.
    Executed(Height),
    /// Executed and refused by the contract.
    Refused,
    /// Not answered, or not admitted.
    Failed,
}

/// One transaction of the load.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The transaction.
    pub digest: Digest,
    /// Its recipient, or its sender for a note.
    pub to: u32,
    /// When it was due, since the beginning.
    pub due: Duration,
    /// When it was answered, since the beginning.
    pub done: Duration,
    /// How it ended.
    pub end: End,
}

/// Sends all of them and waits for every answer. In an open loop a transaction counts from when it was due, also when it
/// could be sent only later.
pub async fn run(clients: &Arc<Clients>, planned: Vec<Planned>, pace: Pace, patience: Patience) -> Run {
    let count = planned.len();
    let room = Arc::new(Semaphore::new(match pace {
        Pace::PerSecond(_) => Semaphore::MAX_PERMITS,
        Pace::UnderWay(most) => most.max(1),
    }));
    let (told, mut samples) = mpsc::unbounded_channel();
    let began = Instant::now();
    for (index, Planned { bytes, digest, to }) in planned.into_iter().enumerate() {
        let permit = Arc::clone(&room).acquire_owned().await;
        let due = match pace {
            Pace::PerSecond(rate) => Duration::from_secs_f64(index as f64 / f64::from(rate.max(1))),
            Pace::UnderWay(_) => began.elapsed(),
        };
        if began.elapsed() < due {
            sleep_until(began + due).await;
        }
        let (clients, told) = (Arc::clone(clients), told.clone());
        tokio::spawn(async move {
            let end = submit(&clients, index, bytes, patience).await;
            drop(permit);
            let _ = told.send(Sample { digest, to, due, done: began.elapsed(), end });
        });
    }
    drop(told);
    let mut all = Vec::with_capacity(count);
    while let Some(sample) = samples.recv().await {
        all.push(sample);
    }
    Run::new(pace, all)
}

async fn submit(clients: &Clients, index: usize, mut bytes: Vec<u8>, patience: Patience) -> End {
    for attempt in 1..=patience.tries {
        let body = if attempt >= patience.tries { std::mem::take(&mut bytes) } else { bytes.clone() };
        let (at, client) = clients.pick(index + attempt);
        match timeout(patience.each, client.submit(body)).await {
            Ok(Ok(submitted)) if submitted.refusal.is_some() => return End::Refused,
            Ok(Ok(submitted)) => return End::Executed(submitted.height),
            Ok(Err(fault)) => {
                clients.failed(at, &fault.to_string());
                if !may_help(&fault) {
                    return End::Failed;
                }
            }
            Err(_) => clients.failed(at, "no answer in time"),
        }
    }
    End::Failed
}
