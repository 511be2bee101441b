//! One stream of a connection: what has arrived for it, and how much either side may still send.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::LinkFault;

/// What a side may send beyond what the other's program has taken, in bytes: as much as the engines' longest frame. More
/// is never held for a stream.
pub(super) const WINDOW: usize = 4 << 20;
/// Counted for every cell besides its bytes, so that frames of nothing are bounded too.
const CELL_COST: usize = 64;

/// What a piece of that many bytes takes of the window.
pub(super) fn cost(bytes: usize) -> usize {
    bytes + CELL_COST
}

/// A piece of a frame.
pub(super) enum Piece {
    /// The first, after the frame's length.
    Begin(usize, Vec<u8>),
    /// A later one.
    More(Vec<u8>),
}

struct State {
    /// Both programs have opened it.
    open: bool,
    /// What the accepting side answered.
    answer: Option<Vec<u8>>,
    arrived: VecDeque<Piece>,
    /// Bytes of the frame under way that have not arrived yet.
    rest: usize,
    /// What the peer may still send.
    window: usize,
    /// What this side may still send.
    credit: usize,
    /// The peer sends no more frames.
    ended: bool,
    /// The peer reads no more frames.
    stopped: bool,
    /// Nobody on this side reads any more.
    deaf: bool,
    /// The connection has ended.
    fault: Option<LinkFault>,
}

pub(super) struct Stream {
    state: Mutex<State>,
    arrival: Notify,
    grant: Notify,
}

fn garbage(why: &str) -> LinkFault {
    LinkFault::Garbage(why.to_owned())
}

impl Stream {
    pub(super) fn new() -> Self {
        let state = State {
            open: false,
            answer: None,
            arrived: VecDeque::new(),
            rest: 0,
            window: WINDOW,
            credit: WINDOW,
            ended: false,
            stopped: false,
            deaf: false,
            fault: None,
        };
        Self { state: Mutex::new(state), arrival: Notify::new(), grant: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This side's program opens a stream that the peer's has opened; false when that one has given up meanwhile.
    pub(super) fn open(&self) -> bool {
        let mut state = self.lock();
        state.open = state.is_live();
        state.open
    }

    /// Whether the peer still takes part.
    pub(super) fn is_live(&self) -> bool {
        self.lock().is_live()
    }

    /// The peer's program has opened it too.
    pub(super) fn answer(&self, hello: Vec<u8>) -> Result<(), LinkFault> {
        let mut state = self.lock();
        if state.open {
            return Err(garbage("a link is answered twice"));
        }
        state.open = true;
        state.answer = Some(hello);
        self.arrival.notify_one();
        Ok(())
    }

    /// Waits for the peer's answer.
    pub(super) async fn answered(&self) -> Result<Vec<u8>, LinkFault> {
        loop {
            {
                let mut state = self.lock();
                if let Some(answer) = state.answer.take() {
                    return Ok(answer);
                }
                if !state.is_live() {
                    return Err(state.fault.clone().unwrap_or(LinkFault::Gone));
                }
            }
            self.arrival.notified().await;
        }
    }

    /// Takes in a piece.
    pub(super) fn push(&self, piece: Piece) -> Result<(), LinkFault> {
        let mut state = self.lock();
        if !state.open || state.ended {
            return Err(garbage("a frame on a link that is not open"));
        }
        let len = match &piece {
            Piece::Begin(total, bytes) if state.rest == 0 && bytes.len() <= *total => {
                state.rest = total - bytes.len();
                bytes.len()
            }
            Piece::More(bytes) if bytes.len() <= state.rest => {
                state.rest -= bytes.len();
                bytes.len()
            }
            _ => return Err(garbage("a frame's pieces do not make its length")),
        };
        state.window = state.window.checked_sub(cost(len)).ok_or_else(|| garbage("more bytes than were allowed"))?;
        if !state.deaf {
            state.arrived.push_back(piece);
            self.arrival.notify_one();
        }
        Ok(())
    }

    /// The next piece; after the last one, why there is none.
    pub(super) async fn next(&self) -> Result<Piece, LinkFault> {
        loop {
            {
                let mut state = self.lock();
                if let Some(piece) = state.arrived.pop_front() {
                    return Ok(piece);
                }
                if let Some(fault) = &state.fault {
                    return Err(fault.clone());
                }
                if state.ended {
                    return Err(LinkFault::Gone);
                }
            }
            self.arrival.notified().await;
        }
    }

    /// Lets the peer send so much more.
    pub(super) fn widen(&self, bytes: usize) {
        self.lock().window += bytes;
    }

    /// Forgets what has arrived: nobody reads it.
    pub(super) fn deafen(&self) {
        let mut state = self.lock();
        state.deaf = true;
        state.arrived = VecDeque::new();
    }

    /// This side may send so much more.
    pub(super) fn grant(&self, bytes: u32) -> Result<(), LinkFault> {
        let mut state = self.lock();
        let credit = state.credit + bytes as usize;
        if credit > WINDOW {
            return Err(garbage("more credit than a link has"));
        }
        state.credit = credit;
        self.grant.notify_one();
        Ok(())
    }

    /// Takes credit for a piece of at most `wanted` bytes, waiting for some; says how many it may have.
    pub(super) async fn reserve(&self, wanted: usize) -> Result<usize, LinkFault> {
        loop {
            {
                let mut state = self.lock();
                if let Some(fault) = &state.fault {
                    return Err(fault.clone());
                }
                if state.stopped {
                    return Err(LinkFault::Gone);
                }
                let allowed = state.credit.checked_sub(CELL_COST).map(|bytes| bytes.min(wanted));
                if let Some(bytes) = allowed.filter(|bytes| *bytes > 0 || wanted == 0) {
                    state.credit -= cost(bytes);
                    return Ok(bytes);
                }
            }
            self.grant.notified().await;
        }
    }

    /// The peer sends no more.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.arrival.notify_one();
    }

    /// The peer reads no more.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.wake();
    }

    /// The connection has ended; what has arrived can still be read.
    pub(super) fn fail(&self, fault: &LinkFault) {
        self.lock().fault = Some(fault.clone());
        self.wake();
    }

    fn wake(&self) {
        self.arrival.notify_one();
        self.grant.notify_one();
    }
}

impl State {
    fn is_live(&self) -> bool {
        self.fault.is_none() && !self.ended && !self.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Stream {
        let stream = Stream::new();
        assert!(stream.open());
        stream
    }

    #[tokio::test]
    async fn pieces_that_do_not_fit_together_are_garbage() {
        let closed = Stream::new();
        assert!(closed.push(Piece::Begin(0, vec![])).is_err(), "not open");
        let none = open();
        assert!(none.push(Piece::More(vec![1])).is_err(), "no frame is under way");
        let long = open();
        assert!(long.push(Piece::Begin(1, vec![1, 2])).is_err());
        let twice = open();
        twice.push(Piece::Begin(3, vec![1])).unwrap();
        assert!(twice.push(Piece::Begin(1, vec![1])).is_err(), "the frame before has not ended");
        twice.push(Piece::More(vec![2, 3])).unwrap();
        assert!(twice.push(Piece::More(vec![4])).is_err());
        twice.end();
        assert!(twice.push(Piece::Begin(0, vec![])).is_err(), "after the end");
    }

    #[tokio::test]
    async fn no_more_is_held_than_the_window_also_of_empty_frames() {
        let stream = open();
        let mut held = 0;
        while stream.push(Piece::Begin(0, vec![])).is_ok() {
            held += 1;
        }
        assert_eq!(held, WINDOW / CELL_COST);
        let stream = open();
        stream.push(Piece::Begin(WINDOW - CELL_COST, vec![0; WINDOW - CELL_COST])).unwrap();
        assert!(stream.push(Piece::Begin(0, vec![])).is_err());
        stream.widen(CELL_COST);
        stream.push(Piece::Begin(0, vec![])).unwrap();
    }

    #[tokio::test]
    async fn credit_is_what_was_granted_and_never_above_the_window() {
        let stream = open();
        assert!(stream.grant(1).is_err());
        assert_eq!(stream.reserve(0).await, Ok(0));
        assert_eq!(stream.reserve(usize::MAX).await, Ok(WINDOW - 2 * CELL_COST));
        stream.grant(CELL_COST as u32 + 5).unwrap();
        assert_eq!(stream.reserve(100).await, Ok(5));
        stream.stop();
        assert_eq!(stream.reserve(1).await, Err(LinkFault::Gone));
    }
}
