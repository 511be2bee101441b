//! Runs one closure a party over the in-memory network.

use std::future::Future;

use mpc_core::{Abort, memory};
use mpc_share::{Rep3, Ring, Shared};

/// Runs the three parties at once; the answers are in the order of the parties.
pub async fn three<T, F, Fut>(seed: u8, party: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Rep3) -> Fut,
    Fut: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let mut tasks = Vec::new();
    let setups = memory::contexts(memory::network(3), [seed; 32])
        .into_iter()
        .map(|mut ctx| tokio::spawn(async move { Rep3::setup(&mut ctx).await }));
    let setups: Vec<_> = setups.collect();
    for setup in setups {
        tasks.push(tokio::spawn(party(setup.await.unwrap().unwrap())));
    }
    let mut out = Vec::new();
    for task in tasks {
        out.push(task.await.unwrap().unwrap());
    }
    out
}

/// Party 0's words, shared.
pub async fn input<R: Ring>(party: &mut Rep3, words: &[u64]) -> Result<Shared<R>, Abort> {
    let mine = if party.me() == 0 { words } else { &[] };
    let [shared, _, _] = party.input([words.len(), 0, 0], mine).await?;
    Ok(shared)
}
