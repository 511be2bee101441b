//! The connections of a hub by peer: the one on which links are opened, and older ones that still have some.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base_types::OrgId;

use super::connection::Connection;

/// Connections of one peer at a time; a peer that dials anew once too often loses one that has no links.
const MAX_OF_PEER: usize = 4;

#[derive(Default)]
pub(super) struct Lines(Mutex<BTreeMap<OrgId, Vec<Arc<Connection>>>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrgId, Vec<Arc<Connection>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer's newest connection, if links can be opened on it.
    pub(super) fn current(&self, peer: &OrgId) -> Option<Arc<Connection>> {
        let lines = self.lock();
        lines.get(peer)?.last().filter(|connection| connection.is_open()).cloned()
    }

    /// Adds a peer's newest connection; false when it already has as many as it may, all of them in use.
    pub(super) fn add(&self, connection: &Arc<Connection>) -> bool {
        let mut lines = self.lock();
        let of_peer = lines.entry(connection.peer().org.clone()).or_default();
        of_peer.retain(|one| !one.is_over());
        if of_peer.len() >= MAX_OF_PEER {
            let Some(idle) = of_peer.iter().position(|one| one.streams() == 0) else { return false };
            of_peer.remove(idle).close();
        }
        of_peer.push(connection.clone());
        true
    }

    /// Forgets connections that have ended.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, of_peer| {
            of_peer.retain(|one| !one.is_over());
            !of_peer.is_empty()
        });
    }

    /// Ends all.
    pub(super) fn close(&self) {
        self.lock().values().flatten().for_each(|one| one.close());
    }

    /// How many connections and streams there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let lines = self.lock();
        let live = || lines.values().flatten().filter(|one| !one.is_over());
        (live().count(), live().map(|one| one.streams()).sum())
    }
}
