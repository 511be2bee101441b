//! Data links between computing parties: one mutual TLS connection a pair of nodes, and on it a stream a session and label.
//!
//! Of a pair the organisation that sorts first dials, and opens a stream with a hello that names version, session and
//! label; the other side answers with the same bytes once its own program has opened that link, so that a link that is
//! open is open at both ends. Streams carry frames, cut into cells of at most 64 KiB that take turns on the connection.
//!
//! * A receiver holds at most 4 MiB of a stream that its program has not taken; the sender waits for credit, so a slow
//!   session slows down no other, and a stream that is not open yet can send nothing at all.
//! * A connection that breaks ends its streams with [`LinkFault::Gone`]; the next session dials again. One that has been
//!   silent for two minutes is given up.
//! * Certificates are judged in the handshake and once more whenever a link is opened.
//! * Nothing is compressed.

mod cell;
mod connection;
mod door;
mod frame;
mod hello;
mod hub;
mod inbox;
mod lines;
mod outbox;
mod stream;

use std::{io, time::Duration};

use base_types::fault::Code;
use thiserror::Error;
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::TlsStream;

pub use frame::{Link, LinkReceiver, LinkSender};
pub use hello::MAX_LABEL_BYTES;
pub use hub::LinkHub;

use crate::tls::fault_of;

/// Longest time that a peer may take nothing of what waits for it, or say nothing at all.
const STALL: Duration = Duration::from_secs(120);
/// What is read from the socket at a time: TLS by itself would ask for 4 KiB.
const READ_BYTES: usize = 64 << 10;

/// A connection's bytes.
type Wire = TlsStream<BufReader<TcpStream>>;

/// What went wrong on a link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkFault {
    /// Nothing came in time, or the peer cannot be reached.
    #[error("the peer is silent")]
    Silent,
    /// The peer closed the stream, perhaps inside a frame.
    #[error("the peer closed the link")]
    Gone,
    /// The peer sent what no honest one sends.
    #[error("the peer sent what the protocol does not allow: {0}")]
    Garbage(String),
    /// A certificate was refused, the peer's here or this node's there.
    #[error("{1}")]
    Certificate(Code, String),
    /// Anything else, this machine's network and this program's use of the link included.
    #[error("{0}")]
    Other(String),
}

impl From<&io::Error> for LinkFault {
    fn from(error: &io::Error) -> Self {
        if let Some((code, why)) = fault_of(error) {
            return Self::Certificate(code, why);
        }
        if let Some(tls) = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
            return match tls {
                rustls::Error::AlertReceived(alert) => Self::Other(format!("the peer ended the TLS stream: {alert:?}")),
                // What cannot be deciphered may have been changed by anyone on the way.
                rustls::Error::DecryptError => Self::Other("the stream was disturbed on its way".into()),
                other => Self::Garbage(other.to_string()),
            };
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Self::Gone,
            io::ErrorKind::TimedOut
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Self::Silent,
            _ => Self::Other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
