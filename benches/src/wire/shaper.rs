//! The shaping proxy: a wide-area network of 100 Mb/s and 10 ms each way, before one party's listener.
//!
//! Each direction of a connection has its own clock: a piece of `n` bytes leaves `n / rate` after the piece before it at
//! the earliest, and arrives one delay later. What waits is bounded by the channel, so a sender that is faster than the
//! network feels it, as with a router's queue.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// Bits a second of a direction.
pub const RATE: u64 = 100_000_000;
/// How long a byte is under way.
pub const DELAY: Duration = Duration::from_millis(10);
/// Bytes that move as one: 1.3 ms at the rate.
const PIECE: usize = 16 << 10;
/// Pieces under way or waiting in a direction: 1 MiB, eight times what rate and delay hold.
const QUEUE: usize = 64;

/// A running proxy. It serves connections until the program ends.
pub struct Shaper {
    address: SocketAddr,
}

impl Shaper {
    /// Starts one before `target`.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn before(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                // A target that is not there closes the connection: its peer dials again.
                if let Ok(far) = TcpStream::connect(target) {
                    let _ = join(near, far);
                }
            }
        });
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn join(near: TcpStream, far: TcpStream) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    for (from, to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        let (sender, receiver) = sync_channel(QUEUE);
        thread::spawn(move || take(from, &sender));
        thread::spawn(move || give(to, &receiver));
    }
    Ok(())
}

/// Reads what comes and says when it is to arrive.
fn take(mut from: TcpStream, out: &SyncSender<(Instant, Vec<u8>)>) {
    let mut free = Instant::now();
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        let now = Instant::now();
        free = free.max(now) + Duration::from_nanos(read as u64 * 8 * 1_000_000_000 / RATE);
        if out.send((free + DELAY, piece[..read].to_vec())).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Read);
}

/// Writes it then.
fn give(mut to: TcpStream, pieces: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, piece)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
