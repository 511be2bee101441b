//! Where links that peers open wait for this node's program, after one more look at the peer's certificate.

use std::sync::Arc;

use super::{Link, connection::Peer, hello::Hello, inbox::Inbox};
use crate::{
    clock::Clock,
    tls::{TrustRoots, check_again},
};

/// What an inbound connection needs to let links in.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) inbox: Arc<Inbox>,
    pub(super) roots: Arc<TrustRoots>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Door {
    /// Keeps the link until the program opens it. One whose peer's certificate has ended since the handshake is dropped:
    /// the peer dials again, and that handshake tells it why.
    pub(super) fn knock(&self, peer: &Peer, hello: Hello, link: Link) {
        match check_again(&peer.certificate, &self.roots, &*self.clock) {
            Ok(()) => self.inbox.put(peer.org.clone(), hello, link),
            Err(refused) => tracing::warn!(peer = %peer.org, %refused, "a link was refused"),
        }
    }
}
