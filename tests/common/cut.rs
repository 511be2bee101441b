//! A wire between two nodes that is cut: it forwards each connection until so many bytes have passed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base_types::OrgId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::cluster::Cluster;

/// The wire. It ends with this.
pub struct Cut {
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Cut {
    /// Lays the wire where `from` dials `to`. Connections last for so many `bytes`, both directions together, one after another;
    /// those after them for `rest`.
    pub async fn between(cluster: &Cluster, from: &OrgId, to: &OrgId, bytes: Vec<u64>, rest: u64) -> Self {
        assert!(from < to, "of two nodes the one that sorts first dials");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        cluster.hubs[from].set_peer(to.clone(), address);
        let (beyond, accepted) = (cluster.addresses[to].clone(), Arc::new(AtomicUsize::new(0)));
        let count = accepted.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let lasts = bytes.get(number).copied().unwrap_or(rest);
                tokio::spawn(forward(stream, beyond.clone(), lasts));
            }
        });
        Self { accepted, accepting }
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Forwards until so many bytes have passed, or one end closes; then both ends lose the other.
async fn forward(mut near: TcpStream, beyond: String, bytes: u64) {
    let Ok(mut far) = TcpStream::connect(beyond).await else { return };
    let (mut up, mut down, mut passed) = (vec![0_u8; 16 << 10], vec![0_u8; 16 << 10], 0_u64);
    while passed < bytes {
        let (upwards, read) = tokio::select! {
            read = near.read(&mut up) => (true, read),
            read = far.read(&mut down) => (false, read),
        };
        let Some(len) = read.ok().filter(|len| *len > 0) else { return };
        let written = if upwards { far.write_all(&up[..len]).await } else { near.write_all(&down[..len]).await };
        if written.is_err() {
            return;
        }
        passed += len as u64;
    }
}
