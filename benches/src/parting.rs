//! A network between the validators that can part: each dials the others through forwarders, one a way, which clients pass by.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    thread,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Builder,
    sync::{oneshot, watch},
};

/// Bytes that are carried at once.
const PIECE: usize = 64 << 10;

/// The validator that is parted from all others, if one is.
type Parted = watch::Receiver<Option<usize>>;

/// The forwarders, on a thread of their own. They end with this.
pub struct Network {
    parted: watch::Sender<Option<usize>>,
    _end: oneshot::Sender<()>,
}

/// The way from one validator to another.
struct Way {
    ends: [usize; 2],
    listener: TcpListener,
    target: String,
    parted: Parted,
}

impl Network {
    /// Forwarders between validators that listen, now or later, at these addresses; with them, for each validator, where it
    /// finds all of them. Its own address stands there as it is.
    ///
    /// # Errors
    /// When the system gives no sockets.
    pub fn between(addresses: &[String]) -> io::Result<(Self, Vec<Vec<String>>)> {
        let (parted, _) = watch::channel(None);
        let (mut ways, mut known) = (Vec::new(), Vec::new());
        for from in 0..addresses.len() {
            let mut found = Vec::new();
            for (to, target) in addresses.iter().enumerate() {
                if from == to {
                    found.push(target.clone());
                    continue;
                }
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                found.push(listener.local_addr()?.to_string());
                ways.push(Way { ends: [from, to], listener, target: target.clone(), parted: parted.subscribe() });
            }
            known.push(found);
        }
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let (_end, ended) = oneshot::channel::<()>();
        thread::spawn(move || {
            runtime.block_on(async {
                for way in ways {
                    tokio::spawn(forward(way));
                }
                let _ = ended.await;
            });
        });
        Ok((Self { parted, _end }, known))
    }

    /// Nothing passes any more between this validator and the others, as on a network that loses every packet: connections
    /// stay open, and what is under way arrives once it heals.
    pub fn part(&self, at: usize) {
        self.parted.send_replace(Some(at));
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.parted.send_replace(None);
    }
}

async fn forward(way: Way) -> io::Result<()> {
    let Way { ends, listener, target, parted } = way;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (near, _) = listener.accept().await?;
        tokio::spawn(carry(near, target.clone(), ends, parted.clone()));
    }
}

/// Waits until something may pass between two validators; false once the network has gone.
async fn passes(ends: [usize; 2], parted: &mut Parted) -> bool {
    parted.wait_for(|parted| parted.is_none_or(|at| !ends.contains(&at))).await.is_ok()
}

async fn carry(near: TcpStream, target: String, ends: [usize; 2], mut parted: Parted) -> io::Result<()> {
    if !passes(ends, &mut parted).await {
        return Ok(());
    }
    // Where nobody listens, the connection that was made here ends, and is made again.
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::try_join!(pump(near_read, far_write, ends, parted.clone()), pump(far_read, near_write, ends, parted))?;
    Ok(())
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, ends: [usize; 2], mut parted: Parted) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).await?;
        if !passes(ends, &mut parted).await {
            return Ok(());
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..count]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Sends a byte from one validator to another and waits for it to arrive; false when it does not.
    async fn arrives(sending: &mut TcpStream, receiving: &mut TcpStream, byte: u8) -> bool {
        sending.write_all(&[byte]).await.unwrap();
        timeout(LONG, receiving.read_u8()).await.is_ok_and(|read| read.unwrap() == byte)
    }

    /// Sends a byte that does not arrive, at least not soon.
    async fn is_held(sending: &mut TcpStream, receiving: &mut TcpStream, byte: u8) -> bool {
        sending.write_all(&[byte]).await.unwrap();
        timeout(Duration::from_millis(200), receiving.read_u8()).await.is_err()
    }

    #[tokio::test]
    async fn one_is_parted_from_the_others_and_what_was_under_way_arrives_when_it_heals() {
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let addresses: Vec<String> = listeners.iter().map(|l| l.local_addr().unwrap().to_string()).collect();
        let (network, known) = Network::between(&addresses).unwrap();
        assert_eq!(known[1][1], addresses[1]);
        let mut from_0 = TcpStream::connect(&known[0][1]).await.unwrap();
        let (mut at_1, _) = listeners[1].accept().await.unwrap();
        let mut from_2 = TcpStream::connect(&known[2][1]).await.unwrap();
        let (mut also_1, _) = listeners[1].accept().await.unwrap();
        assert!(arrives(&mut from_0, &mut at_1, 1).await && arrives(&mut at_1, &mut from_0, 2).await);
        network.part(0);
        assert!(is_held(&mut from_0, &mut at_1, 3).await && is_held(&mut at_1, &mut from_0, 4).await);
        assert!(arrives(&mut from_2, &mut also_1, 5).await, "the others go on");
        let mut direct = TcpStream::connect(&addresses[0]).await.unwrap();
        let (mut served, _) = listeners[0].accept().await.unwrap();
        assert!(arrives(&mut direct, &mut served, 6).await, "clients pass the forwarders by");
        network.heal();
        assert_eq!((at_1.read_u8().await.unwrap(), from_0.read_u8().await.unwrap()), (3, 4));
        assert!(arrives(&mut from_0, &mut at_1, 7).await);
    }
}
