//! What leaves on a connection: cells of all streams, in turn, encrypted and sent by whoever adds them.
//!
//! A cell is taken as a whole or not at all, so that a send that is dropped half-way harms its own stream only. What the
//! socket does not take at once waits here and is sent by the connection's task, whose waker every write uses. A piece of a frame is
//! waited for until the socket has all of it: a program that computes next may keep the connection's task from running, and its
//! peer would wait all that time for a frame's last bytes.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, WriteHalf},
    sync::Notify,
    time::Instant,
};

use super::{
    Wire,
    cell::{Cell, Kind},
};

/// While more than this waits to leave, the peer hears of this side anyway.
const BUSY: usize = 256 << 10;
/// Cells that ask for no room are short and few; a peer that makes them pile up to this much is cut off.
const MAX_WAITING: usize = 4 << 20;

pub(super) struct Outbox {
    out: Mutex<Out>,
    /// Who may add the next piece of a frame: streams take turns in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    room: Notify,
}

struct Out {
    /// `None` once the connection has ended.
    write: Option<WriteHalf<Wire>>,
    waiting: Vec<u8>,
    sent: usize,
    /// The socket has all that TLS was given.
    flushed: bool,
    task: Waker,
    /// When something last left, or began to wait.
    moved: Instant,
}

impl Out {
    fn backlog(&self) -> usize {
        self.waiting.len() - self.sent
    }

    /// Whether the socket has not taken all that was added.
    fn is_behind(&self) -> bool {
        self.write.is_some() && (self.backlog() > 0 || !self.flushed)
    }

    /// Adds a cell and sends what can be sent now.
    fn add(&mut self, context: &mut Context<'_>, head: &[u8], body: &[u8]) -> Poll<io::Result<()>> {
        let mut taken = 0;
        if self.waiting.is_empty() {
            self.moved = Instant::now();
            if let Some(write) = &mut self.write {
                let parts = [IoSlice::new(head), IoSlice::new(body)];
                if let Poll::Ready(accepted) = Pin::new(write).poll_write_vectored(context, &parts) {
                    taken = accepted?;
                }
            }
        } else if self.sent > self.waiting.len() / 2 {
            self.waiting.drain(..self.sent);
            self.sent = 0;
        }
        self.waiting.extend_from_slice(head.get(taken..).unwrap_or_default());
        self.waiting.extend_from_slice(body.get(taken.saturating_sub(head.len())..).unwrap_or_default());
        if self.backlog() > MAX_WAITING {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer reads nothing")));
        }
        self.drive(context)
    }

    /// Sends until all has left, or the socket takes no more.
    fn drive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(write) = &mut self.write else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let mut write = Pin::new(write);
        self.flushed = false;
        while self.sent < self.waiting.len() {
            match ready!(write.as_mut().poll_write(context, &self.waiting[self.sent..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => self.sent += taken,
            }
            self.moved = Instant::now();
        }
        self.waiting.clear();
        self.sent = 0;
        ready!(write.poll_flush(context))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn shut(&mut self) {
        self.write = None;
        self.waiting = Vec::new();
        self.sent = 0;
    }
}

impl Outbox {
    pub(super) fn new(write: WriteHalf<Wire>) -> Self {
        let (waiting, task) = (Vec::new(), Waker::noop().clone());
        let out = Out { write: Some(write), waiting, sent: 0, flushed: true, task, moved: Instant::now() };
        Self { out: Mutex::new(out), turn: tokio::sync::Mutex::new(()), room: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a cell: its header (with what belongs to it) and the rest. After the connection's end it is dropped.
    pub(super) fn put(&self, head: &[u8], body: &[u8]) {
        let mut out = self.lock();
        if out.write.is_none() {
            return;
        }
        let (task, behind) = (out.task.clone(), out.is_behind());
        let added = out.add(&mut Context::from_waker(&task), head, body);
        if matches!(added, Poll::Ready(Err(_))) {
            out.shut();
            task.wake_by_ref();
        }
        self.tell_room(&out, behind);
    }

    /// Adds a cell of nothing but a header.
    pub(super) fn say(&self, stream: u32, kind: Kind) {
        self.put(&Cell::new(stream, kind, 0).to_bytes(), &[]);
    }

    /// Answers a ping, unless so much is under way that the peer hears of this side anyway.
    pub(super) fn pong(&self) {
        let busy = self.lock().backlog() > BUSY;
        if !busy {
            self.say(0, Kind::Pong);
        }
    }

    fn tell_room(&self, out: &Out, was_behind: bool) {
        if was_behind && !out.is_behind() {
            self.room.notify_one();
        }
    }

    /// Adds a piece of a frame once it is this stream's turn; done when the socket has it, or the connection has ended.
    pub(super) async fn put_in_turn(&self, head: &[u8], body: &[u8]) {
        let turn = self.turn.lock().await;
        self.put(head, body);
        while self.lock().is_behind() {
            self.room.notified().await;
        }
        drop(turn);
    }

    /// Sends what waits, for as long as the connection lives; done when it can send no more. For the connection's task.
    pub(super) async fn driven(&self) {
        poll_fn(|context| {
            let mut out = self.lock();
            out.task.clone_from(context.waker());
            let behind = out.is_behind();
            let failed = matches!(out.drive(context), Poll::Ready(Err(_)));
            if failed {
                out.shut();
            }
            self.tell_room(&out, behind);
            if failed { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until everything has left. For the connection's task.
    pub(super) async fn drained(&self) {
        let _ = poll_fn(|context| self.lock().drive(context)).await;
    }

    /// Whether something waits and nothing has left for so long.
    pub(super) fn is_stalled(&self, time: Duration) -> bool {
        let out = self.lock();
        out.backlog() > 0 && out.moved.elapsed() > time
    }

    /// Ends it: nothing leaves any more, and the socket is closed as far as it is held here.
    pub(super) fn shut(&self) {
        let mut out = self.lock();
        out.shut();
        drop(out);
        self.room.notify_one();
    }
}
