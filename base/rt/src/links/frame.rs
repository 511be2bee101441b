//! Frames on an open link: whole byte strings in order, bounded by the receiver, slowed down by a receiver that is slow.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    LinkFault, STALL,
    cell::{Cell, Kind, LENGTH_BYTES, MAX_BODY},
    connection::Connection,
    hello::Hello,
    stream::{Piece, Stream, WINDOW, cost},
};

/// The peer is told that it may send more when so much has been taken.
const CREDIT_STEP: usize = WINDOW / 4;
/// Memory that a frame of several pieces is given at once; beyond, with what has arrived.
const FIRST_RESERVE: usize = 1 << 20;

/// This node's end of a stream; both directions hold it.
pub(super) struct Ends {
    connection: Arc<Connection>,
    stream: Arc<Stream>,
    number: u32,
}

impl Ends {
    pub(super) fn new(connection: Arc<Connection>, stream: Arc<Stream>, number: u32) -> Arc<Self> {
        Arc::new(Self { connection, stream, number })
    }

    fn put(&self, kind: Kind, body: &[u8]) {
        self.connection.outbox().put(&Cell::new(self.number, kind, body.len()).to_bytes(), body);
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.connection.forget(self.number);
    }
}

/// An open link.
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    pub(super) fn new(ends: Arc<Ends>) -> Self {
        Self {
            sender: LinkSender { ends: ends.clone(), closed: false, broken: None },
            receiver: LinkReceiver { ends, frame: None, taken: 0, broken: None },
        }
    }

    /// Answers the peer that has opened it; false when that peer has given up meanwhile.
    pub(super) fn accept(&self, hello: &Hello) -> bool {
        let live = self.sender.ends.stream.open();
        if live {
            self.sender.ends.put(Kind::Accept, &hello.to_bytes());
        }
        live
    }

    /// Whether the peer still takes part.
    pub(super) fn is_live(&self) -> bool {
        self.sender.ends.stream.is_live()
    }

    /// Waits for the answer of the peer's program. `patience` bounds how long the peer's node may give no sign of life.
    pub(super) async fn accepted(&self, hello: &Hello, patience: Duration) -> Result<(), LinkFault> {
        let Ends { connection, stream, .. } = &*self.sender.ends;
        loop {
            let asked = Instant::now();
            connection.ping();
            match timeout(patience, stream.answered()).await {
                Ok(Ok(answer)) if answer == hello.to_bytes() => return Ok(()),
                Ok(Ok(_)) => return Err(LinkFault::Garbage("the answer to the hello names another link".into())),
                Ok(Err(fault)) => return Err(fault),
                Err(_) if connection.heard() < asked => return Err(LinkFault::Silent),
                Err(_) => {}
            }
        }
    }

    /// See [`LinkSender::send`].
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), LinkFault> {
        self.sender.send(frame).await
    }

    /// See [`LinkReceiver::recv`].
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn recv(&mut self, max_len: usize, silence: Duration) -> Result<Vec<u8>, LinkFault> {
        self.receiver.recv(max_len, silence).await
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }
}

/// The sending direction.
pub struct LinkSender {
    ends: Arc<Ends>,
    closed: bool,
    /// Set while a frame is under way and after a fault: what follows half a frame would be read as its rest.
    broken: Option<LinkFault>,
}

impl LinkSender {
    /// Sends one frame; done when all of it is on its way or waits for the network. A fault is final, and so is dropping
    /// the future before it is done; other links go on.
    ///
    /// # Errors
    /// [`LinkFault`]; `Silent` when the peer takes nothing for two minutes.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), LinkFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let too_long = || LinkFault::Other(format!("a frame of {} bytes cannot be sent", frame.len()));
        let total = u32::try_from(frame.len()).map_err(|_| too_long())?;
        self.broken = Some(LinkFault::Other("an earlier send was abandoned".into()));
        let outcome = self.pieces(frame, total).await;
        self.broken = outcome.clone().err();
        outcome
    }

    async fn pieces(&self, frame: &[u8], total: u32) -> Result<(), LinkFault> {
        let mut rest = frame;
        loop {
            let first = rest.len() == frame.len();
            let room = if first { MAX_BODY - LENGTH_BYTES } else { MAX_BODY };
            let piece = timeout(STALL, self.piece(rest, room, first.then_some(total)));
            let sent = piece.await.map_err(|_| LinkFault::Silent)??;
            rest = rest.get(sent..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Sends a piece of at most `room` bytes; says of how many.
    async fn piece(&self, rest: &[u8], room: usize, begins: Option<u32>) -> Result<usize, LinkFault> {
        let Ends { connection, stream, number } = &*self.ends;
        let len = stream.reserve(rest.len().min(room)).await?;
        let body = rest.get(..len).unwrap_or_default();
        match begins {
            Some(total) => connection.outbox().put_in_turn(&Cell::begin(*number, total, len), body).await,
            None => connection.outbox().put_in_turn(&Cell::new(*number, Kind::More, len).to_bytes(), body).await,
        }
        Ok(len)
    }

    /// Ends this direction properly; the peer then reads `Gone` after the last frame.
    pub async fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.ends.put(Kind::End, &[]);
        }
    }
}

impl Drop for LinkSender {
    fn drop(&mut self) {
        self.end();
    }
}

/// The receiving direction.
pub struct LinkReceiver {
    ends: Arc<Ends>,
    /// The frame being read, and its length: kept here, so that a receive that ran out of time loses nothing.
    frame: Option<(usize, Vec<u8>)>,
    /// What was taken and the peer does not know of.
    taken: usize,
    broken: Option<LinkFault>,
}

impl LinkReceiver {
    /// The next frame, of at most `max_len` bytes. After `Silent` the link may be asked again; other faults are final.
    ///
    /// # Errors
    /// [`LinkFault`]; `Silent` when the whole frame is not here after `silence`, `Garbage` when it is too long.
    pub async fn recv(&mut self, max_len: usize, silence: Duration) -> Result<Vec<u8>, LinkFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let outcome = timeout(silence, self.read_frame(max_len)).await.unwrap_or(Err(LinkFault::Silent));
        self.broken = outcome.as_ref().err().filter(|fault| **fault != LinkFault::Silent).cloned();
        outcome
    }

    async fn read_frame(&mut self, max_len: usize) -> Result<Vec<u8>, LinkFault> {
        loop {
            if let Some((len, body)) = self.frame.take_if(|(len, body)| *len > max_len || body.len() == *len) {
                if len > max_len {
                    return Err(LinkFault::Garbage(format!("a frame of {len} bytes where {max_len} are allowed")));
                }
                return Ok(body);
            }
            let piece = self.ends.stream.next().await?;
            self.count(&piece);
            match (piece, &mut self.frame) {
                (Piece::Begin(len, bytes), frame) => *frame = Some((len, bytes)),
                (Piece::More(bytes), Some((len, body))) => {
                    let left = len.saturating_sub(body.len());
                    body.reserve(left.min(FIRST_RESERVE.max(body.len())));
                    body.extend_from_slice(&bytes);
                }
                (Piece::More(_), None) => return Err(LinkFault::Other("a piece of no frame".into())),
            }
        }
    }

    /// Gives the peer credit for what has been taken, some pieces at a time.
    fn count(&mut self, piece: &Piece) {
        let (Piece::Begin(_, bytes) | Piece::More(bytes)) = piece;
        self.taken += cost(bytes.len());
        if self.taken >= CREDIT_STEP {
            self.ends.stream.widen(self.taken);
            self.ends.put(Kind::Credit, &u32::try_from(self.taken).unwrap_or(u32::MAX).to_be_bytes());
            self.taken = 0;
        }
    }
}

impl Drop for LinkReceiver {
    fn drop(&mut self) {
        self.ends.stream.deafen();
        self.ends.put(Kind::Stop, &[]);
    }
}
