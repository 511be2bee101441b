//! Changing the consensus engine of a running network, as administrators do it, and watching the blocks meanwhile.

use std::time::Duration;

use anyhow::bail;
use base_types::Height;
use base_wire::Encode;
use ledger_light::Transaction;
use ledger_vm::{
    Command, NativeContract,
    govern::{Action, EpochChange},
};
use tokio::time::{Instant, sleep};

use crate::{
    clients::Clients,
    sign::{LIFE, nonce},
    world::{INTERVAL_MS, World, admin_key},
};

/// Heights within which the validators must be ready.
const DEADLINE: Height = 200;
/// Votes that pass a change: the proposer's is one.
const VOTERS: usize = 3;
/// The heights around a change whose blocks are looked at: from the vote to well behind it.
const BEFORE: Height = 8;
const AFTER: Height = 8;

fn signed(world: &World, at: usize, action: &Action, height: Height) -> anyhow::Result<Transaction> {
    let to = NativeContract::Government.address();
    let payload = Command::Call { to, input: action.to_wire(), gas: 0 }.to_payload();
    let name = nonce(&format!("govern/{at}"), height);
    Ok(Transaction::sign(world.chain, &admin_key(at)?, name, height + LIFE, payload))
}

/// Proposes another engine, votes for it, and waits until it begins; the validators say by themselves that they are
/// ready. Gives the first height under it.
///
/// # Errors
/// When a transaction is refused, or the change does not take effect within its deadline.
pub async fn switch(clients: &Clients, world: &World, engine: u8) -> anyhow::Result<Height> {
    let (_, before) = clients.epochs(0).await?;
    let height = clients.height().await?;
    let change = EpochChange {
        engine,
        interval_ms: INTERVAL_MS,
        validators: world.genesis.epoch.validators.clone(),
        organisations: Vec::new(),
        members: Vec::new(),
        deadline: height + DEADLINE,
    };
    let proposal = signed(world, 0, &Action::Propose(change), height)?;
    clients.submit(0, &proposal).await?;
    for at in 1..VOTERS {
        let vote = Action::Vote { change: proposal.digest(), approve: true };
        clients.submit(at, &signed(world, at, &vote, height)?).await?;
    }
    while clients.height().await? <= height + DEADLINE {
        let (_, now) = clients.epochs(0).await?;
        if let Some(handover) = now.get(before.len()) {
            if handover.epoch.engine != engine {
                bail!("epoch {} has engine {}", handover.epoch.number, handover.epoch.engine);
            }
            return Ok(handover.epoch.first_height);
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the change to engine {engine} has lapsed")
}

/// When a validator's newest block came: each height that was seen, and when, until `length` has passed.
pub async fn watch(clients: &Clients, at: usize, length: Duration) -> Vec<(Height, Duration)> {
    let (began, mut seen): (_, Vec<(Height, Duration)>) = (Instant::now(), Vec::new());
    while began.elapsed() < length {
        if let Ok((height, _)) = clients.status(at).await
            && seen.last().is_none_or(|last| last.0 < height)
        {
            seen.push((height, began.elapsed()));
        }
        sleep(Duration::from_millis(10)).await;
    }
    seen
}

/// The longest time without a new block around a height, in intervals.
pub fn stall_intervals(seen: &[(Height, Duration)], first: Height) -> f64 {
    let near = |height: Height| (first.saturating_sub(BEFORE)..=first + AFTER).contains(&height);
    let gaps = seen.windows(2).filter_map(|pair| match pair {
        [(_, from), (height, to)] if near(*height) => Some(to.saturating_sub(*from)),
        _ => None,
    });
    gaps.max().unwrap_or_default().as_secs_f64() * 1000.0 / f64::from(INTERVAL_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_near_a_height_is_found() {
        let times = [(1, 0), (2, 5000), (20, 5500), (21, 6000), (22, 7500), (23, 8000), (60, 20_000)];
        let seen = times.map(|(height, at)| (height, Duration::from_millis(at)));
        assert_eq!(stall_intervals(&seen, 22), 3.0);
        assert_eq!(stall_intervals(&seen, 2), 10.0);
        assert_eq!(stall_intervals(&seen, 40), 0.0);
    }
}
