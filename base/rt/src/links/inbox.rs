//! Inbound links that the program has not opened yet: bounded in number, by peer and in time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base_types::OrgId;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{Link, LinkFault, hello::Hello};

/// Unclaimed links in all.
const MAX_WAITING: usize = 256;
/// Unclaimed links of one peer.
const MAX_WAITING_OF_PEER: usize = 64;
/// How long a link waits to be opened on this side.
const MAX_AGE: Duration = Duration::from_secs(120);

struct Waiting {
    link: Link,
    since: Instant,
}

impl Waiting {
    fn is_wanted(&self) -> bool {
        self.since.elapsed() < MAX_AGE && self.link.is_live()
    }
}

#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<BTreeMap<(OrgId, Hello), Waiting>>,
    arrived: Notify,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(OrgId, Hello), Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a link until it is claimed; the same peer's newer link of the same name takes the older one's place. Where
    /// there is no room the new link is dropped, and its peer may ask again.
    pub(super) fn put(&self, peer: OrgId, hello: Hello, link: Link) {
        let mut waiting = self.lock();
        waiting.retain(|_, w| w.is_wanted());
        let of_peer = waiting.keys().filter(|(org, _)| *org == peer).count();
        let key = (peer, hello);
        let full = waiting.len() >= MAX_WAITING || of_peer >= MAX_WAITING_OF_PEER;
        if full && !waiting.contains_key(&key) {
            tracing::warn!(peer = %key.0, "too many links wait to be opened; one more is dropped");
            return;
        }
        waiting.insert(key, Waiting { link, since: Instant::now() });
        drop(waiting);
        self.arrived.notify_waiters();
    }

    /// Drops what nobody claimed, and what its peer has given up.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, w| w.is_wanted());
    }

    /// The link of that name, when it is here.
    pub(super) async fn claim(&self, peer: &OrgId, hello: &Hello, deadline: Instant) -> Result<Link, LinkFault> {
        let key = (peer.clone(), hello.clone());
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            if let Some(waiting) = self.lock().remove(&key) {
                return Ok(waiting.link);
            }
            timeout_at(deadline, arrived).await.map_err(|_| LinkFault::Silent)?;
        }
    }
}
