//! A peer's outgoing messages: bounded in number and bytes, the oldest dropped when full, sent in batches.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::wire::Frame;

const MAX_FRAMES: usize = 4096;
const MAX_BYTES: usize = 64 << 20;
/// A batch ends at this size, so that a long queue does not make one huge message.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_FRAMES: usize = 512;

#[derive(Default)]
struct State {
    frames: VecDeque<Frame>,
    bytes: usize,
    dropped: u64,
}

impl State {
    /// Drops the oldest until the rest fits.
    fn trim(&mut self) {
        while self.frames.len() > MAX_FRAMES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.body.len();
            self.dropped += 1;
        }
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, frame: Frame) {
        let mut state = self.lock();
        state.bytes += frame.body.len();
        state.frames.push_back(frame);
        state.trim();
        drop(state);
        self.filled.notify_one();
    }

    /// Puts a batch that was not sent back where it was taken from.
    pub(crate) fn put_back(&self, batch: Vec<Frame>) {
        let mut state = self.lock();
        for frame in batch.into_iter().rev() {
            state.bytes += frame.body.len();
            state.frames.push_front(frame);
        }
        state.trim();
    }

    /// How many messages were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn take(&self) -> Vec<Frame> {
        let mut state = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = state.frames.front() {
            let more = bytes + next.body.len();
            if !batch.is_empty() && (more > BATCH_BYTES || batch.len() == BATCH_FRAMES) {
                break;
            }
            bytes = more;
            batch.extend(state.frames.pop_front());
        }
        state.bytes -= bytes;
        batch
    }

    /// The oldest messages, once there are any. For one waiting task.
    pub(crate) async fn next_batch(&self) -> Vec<Frame> {
        loop {
            let batch = self.take();
            if !batch.is_empty() {
                return batch;
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize, mark: u32) -> Frame {
        let mut body = vec![0; len.max(4)];
        body[..4].copy_from_slice(&mark.to_be_bytes());
        Frame { channel: "c".into(), body }
    }

    fn marks(batch: &[Frame]) -> Vec<u32> {
        batch.iter().map(|f| u32::from_be_bytes(f.body[..4].try_into().unwrap())).collect()
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_large() {
        let queue = Queue::default();
        (0..MAX_FRAMES as u32 + 3).for_each(|i| queue.push(frame(4, i)));
        assert_eq!((queue.dropped(), marks(&queue.take())[0]), (3, 3));
        let queue = Queue::default();
        (0..10).for_each(|i| queue.push(frame(MAX_BYTES / 8, i)));
        assert_eq!((queue.dropped(), marks(&queue.take())), (2, vec![2]));
    }

    #[tokio::test]
    async fn batches_keep_the_order_also_when_put_back() {
        let queue = Queue::default();
        (0..4).for_each(|i| queue.push(frame(BATCH_BYTES / 2, i)));
        let first = queue.next_batch().await;
        assert_eq!(marks(&first), [0, 1]);
        queue.put_back(first);
        queue.push(frame(4, 4));
        assert_eq!(marks(&queue.next_batch().await), [0, 1]);
        assert_eq!(marks(&queue.next_batch().await), [2, 3]);
        assert_eq!(marks(&queue.next_batch().await), [4]);
        assert_eq!(queue.lock().bytes, 0);
        assert_eq!(queue.dropped(), 0);
        (0..BATCH_FRAMES as u32 + 1).for_each(|i| queue.push(frame(4, i)));
        assert_eq!(queue.next_batch().await.len(), BATCH_FRAMES);
    }
}
