//! Links that a test holds up or cuts: what one node says to another passes through a forwarder of its own on loopback.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// Where the far end listens now; nothing while it is down.
pub type Target = watch::Receiver<Option<String>>;

struct Gate {
    open: bool,
    /// Connections of an earlier generation are cut.
    generation: u64,
}

/// A forwarder from one node to another.
pub struct Link {
    address: String,
    gate: watch::Sender<Gate>,
    task: AbortHandle,
}

impl Link {
    pub async fn new(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let gate = watch::Sender::new(Gate { open: true, generation: 0 });
        let task = tokio::spawn(accept(listener, target, gate.subscribe())).abort_handle();
        Self { address, gate, task }
    }

    /// Where the near end connects.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Bytes wait while a link is held, as on a network that loses every packet; they arrive when it is let go.
    pub fn hold(&self, held: bool) {
        self.gate.send_modify(|gate| gate.open = !held);
    }

    /// Ends all connections.
    pub fn cut(&self) {
        self.gate.send_modify(|gate| gate.generation += 1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: Target, gate: watch::Receiver<Gate>) {
    while let Ok((near, _)) = listener.accept().await {
        let (target, gate) = (target.clone(), gate.clone());
        tokio::spawn(async move {
            let born = gate.borrow().generation;
            let end = gate.clone();
            tokio::select! {
                () = carry(near, target, gate, born) => {}
                () = cut_off(end, born) => {}
            }
        });
    }
}

/// Waits until the connections of a generation are cut, or the link is gone.
async fn cut_off(mut gate: watch::Receiver<Gate>, born: u64) {
    let _ = gate.wait_for(|gate| gate.generation != born).await;
}

/// Waits until bytes may pass; false once the connection is cut.
async fn passes(gate: &mut watch::Receiver<Gate>, born: u64) -> bool {
    let passed = gate.wait_for(|gate| gate.open || gate.generation != born).await;
    passed.is_ok_and(|gate| gate.generation == born)
}

async fn carry(near: TcpStream, target: Target, mut gate: watch::Receiver<Gate>, born: u64) {
    if !passes(&mut gate, born).await {
        return;
    }
    let address = target.borrow().clone();
    let Some(address) = address else { return };
    let Ok(far) = TcpStream::connect(address).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::join!(pump(near_read, far_write, gate.clone(), born), pump(far_read, near_write, gate, born));
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut gate: watch::Receiver<Gate>, born: u64) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let count = from.read(&mut bytes).await.unwrap_or(0);
        if !passes(&mut gate, born).await {
            return;
        }
        if count == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
