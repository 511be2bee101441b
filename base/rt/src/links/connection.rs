//! One TLS connection between two nodes and the streams on it; a task of its own reads it, keeps it alive and ends it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base_types::OrgId;
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt, ReadHalf},
    runtime::Handle,
    sync::Notify,
    time::{Instant, interval, timeout},
};

use super::{
    Link, LinkFault, STALL, Wire,
    cell::{Cell, HEADER_BYTES, Kind, LENGTH_BYTES},
    door::Door,
    frame::Ends,
    hello::Hello,
    outbox::Outbox,
    stream::{Piece, Stream},
};

/// A connection that has said nothing for so long is asked whether it lives.
const PING_AFTER: Duration = Duration::from_secs(20);
/// How long the other direction may take to tell why one has broken.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Whose connection it is.
pub(super) struct Peer {
    pub(super) org: OrgId,
    /// What it showed in the handshake.
    pub(super) certificate: CertificateDer<'static>,
    /// Where it was dialled; `None` for one that dialled here.
    pub(super) address: Option<String>,
}

pub(super) struct Connection {
    peer: Peer,
    outbox: Outbox,
    table: Mutex<Table>,
    close: Notify,
    born: Instant,
    /// When a cell last came, in nanoseconds since the birth.
    heard: AtomicU64,
}

#[derive(Default)]
struct Table {
    streams: BTreeMap<u32, Arc<Stream>>,
    /// The highest number that a stream had so far.
    newest: u32,
    /// No stream is opened any more; it ends with its last one.
    retired: bool,
    /// Why it has ended.
    over: Option<LinkFault>,
}

fn garbage(why: impl Into<String>) -> LinkFault {
    LinkFault::Garbage(why.into())
}

/// On an established stream a broken TLS record is the network's doing until proven otherwise; blame needs a whole cell.
fn established(error: &io::Error) -> LinkFault {
    match LinkFault::from(error) {
        LinkFault::Garbage(why) => LinkFault::Other(why),
        fault => fault,
    }
}

fn of<T>(read: Result<Infallible, T>) -> T {
    match read {
        Err(fault) => fault,
    }
}

impl Connection {
    /// Takes over a stream after its handshake. With a `door` the peer opens links and this side answers; without one it
    /// is the other way round.
    pub(super) fn start(runtime: &Handle, wire: Wire, peer: Peer, door: Option<Door>) -> Arc<Self> {
        let (read, write) = tokio::io::split(wire);
        let (outbox, table, close) = (Outbox::new(write), Mutex::default(), Notify::new());
        let connection = Arc::new(Self { peer, outbox, table, close, born: Instant::now(), heard: AtomicU64::new(0) });
        runtime.spawn(run(connection.clone(), read, door));
        connection
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether links can be opened on it.
    pub(super) fn is_open(&self) -> bool {
        let table = self.table();
        table.over.is_none() && !table.retired
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.table().over.is_some()
    }

    /// How many streams there are.
    pub(super) fn streams(&self) -> usize {
        self.table().streams.len()
    }

    /// When a cell last came.
    pub(super) fn heard(&self) -> Instant {
        self.born + Duration::from_nanos(self.heard.load(Ordering::Relaxed))
    }

    /// Asks for a sign of life.
    pub(super) fn ping(&self) {
        self.outbox.say(0, Kind::Ping);
    }

    /// Begins a stream with the peer, which may take until its program opens it.
    pub(super) fn open(self: &Arc<Self>, hello: &Hello) -> Result<Link, LinkFault> {
        let hello = hello.to_bytes();
        let mut table = self.table();
        if let Some(fault) = &table.over {
            return Err(fault.clone());
        }
        let Some(number) = table.newest.checked_add(1).filter(|_| !table.retired) else {
            table.retired = true;
            return Err(LinkFault::Gone);
        };
        let link = self.enlist(&mut table, number);
        // Within the lock, so that streams are announced in the order of their numbers.
        self.outbox.put(&Cell::new(number, Kind::Open, hello.len()).to_bytes(), &hello);
        drop(table);
        Ok(link)
    }

    fn enlist(self: &Arc<Self>, table: &mut Table, number: u32) -> Link {
        let stream = Arc::new(Stream::new());
        table.newest = number;
        table.streams.insert(number, stream.clone());
        Link::new(Ends::new(self.clone(), stream, number))
    }

    /// Drops a stream whose both directions are done with here.
    pub(super) fn forget(&self, number: u32) {
        let mut table = self.table();
        table.streams.remove(&number);
        if table.retired && table.streams.is_empty() {
            self.close.notify_one();
        }
    }

    /// Opens no more streams; those that there are go on.
    pub(super) fn retire(&self) {
        let mut table = self.table();
        table.retired = true;
        if table.streams.is_empty() {
            self.close.notify_one();
        }
    }

    /// Ends it once what waits has left.
    pub(super) fn close(&self) {
        self.close.notify_one();
    }

    fn end(&self, fault: LinkFault) {
        let mut table = self.table();
        let streams = std::mem::take(&mut table.streams);
        let fault = table.over.get_or_insert(fault).clone();
        drop(table);
        streams.values().for_each(|stream| stream.fail(&fault));
        self.outbox.shut();
    }

    /// Reads cells for as long as they come.
    async fn read(self: &Arc<Self>, mut half: ReadHalf<Wire>, door: Option<&Door>) -> Result<Infallible, LinkFault> {
        loop {
            let mut header = [0; HEADER_BYTES];
            half.read_exact(&mut header).await.map_err(|error| established(&error))?;
            self.heard.store(u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
            let cell = Cell::read(header)?;
            let (mut total, mut left) = ([0; LENGTH_BYTES], cell.len);
            if cell.kind == Kind::Begin {
                half.read_exact(&mut total).await.map_err(|error| established(&error))?;
                left -= LENGTH_BYTES;
            }
            let mut body = Vec::with_capacity(left);
            while body.len() < left {
                let more = (left - body.len()) as u64;
                let read = (&mut half).take(more).read_buf(&mut body).await.map_err(|error| established(&error))?;
                if read == 0 {
                    return Err(LinkFault::Gone);
                }
            }
            self.take(cell, u32::from_be_bytes(total) as usize, body, door)?;
        }
    }

    fn take(self: &Arc<Self>, cell: Cell, total: usize, body: Vec<u8>, door: Option<&Door>) -> Result<(), LinkFault> {
        let number = cell.stream;
        match cell.kind {
            Kind::Open => self.knock(number, &body, door),
            Kind::Accept if door.is_some() => Err(garbage("it answers where it should ask")),
            Kind::Accept => self.with(number, |stream| stream.answer(body)),
            Kind::Begin => self.with(number, |stream| stream.push(Piece::Begin(total, body))),
            Kind::More => self.with(number, |stream| stream.push(Piece::More(body))),
            Kind::Credit => {
                let bytes = body.iter().fold(0, |bytes: u32, byte| bytes << 8 | u32::from(*byte));
                self.with(number, |stream| stream.grant(bytes))
            }
            Kind::End => self.with(number, |stream| {
                stream.end();
                Ok(())
            }),
            Kind::Stop => self.with(number, |stream| {
                stream.stop();
                Ok(())
            }),
            Kind::Ping => {
                self.outbox.pong();
                Ok(())
            }
            Kind::Pong => Ok(()),
        }
    }

    /// Acts on a stream; what comes for one that is done with here was sent before the peer knew.
    fn with(&self, number: u32, act: impl FnOnce(&Stream) -> Result<(), LinkFault>) -> Result<(), LinkFault> {
        let table = self.table();
        let (stream, newest) = (table.streams.get(&number).cloned(), table.newest);
        drop(table);
        match stream {
            Some(stream) => act(&stream),
            None if number <= newest => Ok(()),
            None => Err(garbage(format!("a cell of stream {number}, which nobody has opened"))),
        }
    }

    /// The peer opens a stream.
    fn knock(self: &Arc<Self>, number: u32, hello: &[u8], door: Option<&Door>) -> Result<(), LinkFault> {
        let door = door.ok_or_else(|| garbage("it opens a link where it should wait"))?;
        let hello = Hello::read(hello)?;
        let mut table = self.table();
        if number <= table.newest {
            return Err(garbage(format!("stream {number} is opened after stream {}", table.newest)));
        }
        let link = self.enlist(&mut table, number);
        drop(table);
        door.knock(&self.peer, hello, link);
        Ok(())
    }

    /// Watches over it: asks a silent peer, and returns when it is to be given up or closed.
    async fn watch(&self) {
        let mut look = interval(PING_AFTER / 2);
        loop {
            tokio::select! {
                () = self.close.notified() => {
                    let _ = timeout(LAST_WORD, self.outbox.drained()).await;
                    return;
                }
                _ = look.tick() => {}
            }
            let silent = self.heard().elapsed();
            if silent > STALL || self.outbox.is_stalled(STALL) {
                return;
            }
            if silent > PING_AFTER {
                self.ping();
            }
        }
    }
}

/// The connection's task.
async fn run(connection: Arc<Connection>, half: ReadHalf<Wire>, door: Option<Door>) {
    let fault = {
        let mut reading = pin!(connection.read(half, door.as_ref()));
        tokio::select! {
            read = &mut reading => of(read),
            // Why it broke, a refused certificate for one, is known to the side that reads.
            () = connection.outbox.driven() => timeout(LAST_WORD, &mut reading).await.map_or(LinkFault::Gone, of),
            () = connection.watch() => LinkFault::Gone,
        }
    };
    tracing::debug!(peer = %connection.peer.org, %fault, "a connection between nodes has ended");
    connection.end(fault);
}
