//! A peer's outgoing messages: numbered, bounded in number and bytes, the oldest dropped when full, sent in batches.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base_rt::{Entropy, OsEntropy};
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
    /// The number given last.
    number: u64,
}

impl State {
    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Drops the oldest until the rest fits.
    fn trim(&mut self) {
        while self.frames.len() > MAX_FRAMES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.body.len();
            self.dropped += 1;
            let Frame { channel, run, number, .. } = oldest;
            tracing::debug!(%channel, run, number, "a message was pushed out by newer ones");
        }
    }
}

pub(crate) struct Queue {
    /// Tells this queue's numbers from those of any other to the same peer, before and after a restart.
    run: u64,
    state: Mutex<State>,
    filled: Notify,
}

impl Queue {
    /// An empty queue with a run of its own.
    pub(crate) fn new() -> Self {
        let mut run = [0; 8];
        OsEntropy.fill(&mut run);
        // A frame without a run has 0 there.
        Self { run: u64::from_be_bytes(run).max(1), state: Mutex::default(), filled: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame that does not wait here, under a number of this run.
    pub(crate) fn numbered(&self, channel: &str, body: Vec<u8>) -> Frame {
        let number = self.lock().next_number();
        Frame { channel: channel.to_owned(), body, run: self.run, number }
    }

    pub(crate) fn push(&self, channel: &str, body: Vec<u8>) {
        let channel = channel.to_owned();
        let mut state = self.lock();
        state.bytes += body.len();
        // Under one lock with the place in the queue: the receiver passes over what comes after a higher number.
        let number = state.next_number();
        state.frames.push_back(Frame { channel, body, run: self.run, number });
        state.trim();
        drop(state);
        self.filled.notify_one();
    }

    /// Puts a batch that was not acknowledged back where it was taken from, under its old numbers.
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

    fn push(queue: &Queue, len: usize, mark: u32) {
        let mut body = vec![0; len.max(4)];
        body[..4].copy_from_slice(&mark.to_be_bytes());
        queue.push("c", body);
    }

    fn marks(batch: &[Frame]) -> Vec<u32> {
        batch.iter().map(|f| u32::from_be_bytes(f.body[..4].try_into().unwrap())).collect()
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_large() {
        let queue = Queue::new();
        (0..MAX_FRAMES as u32 + 3).for_each(|i| push(&queue, 4, i));
        assert_eq!((queue.dropped(), marks(&queue.take())[0]), (3, 3));
        let queue = Queue::new();
        (0..10).for_each(|i| push(&queue, MAX_BYTES / 8, i));
        assert_eq!((queue.dropped(), marks(&queue.take())), (2, vec![2]));
    }

    #[tokio::test]
    async fn batches_keep_the_order_also_when_put_back() {
        let queue = Queue::new();
        (0..4).for_each(|i| push(&queue, BATCH_BYTES / 2, i));
        let first = queue.next_batch().await;
        assert_eq!(marks(&first), [0, 1]);
        queue.put_back(first);
        push(&queue, 4, 4);
        assert_eq!(marks(&queue.next_batch().await), [0, 1]);
        assert_eq!(marks(&queue.next_batch().await), [2, 3]);
        assert_eq!(marks(&queue.next_batch().await), [4]);
        assert_eq!(queue.lock().bytes, 0);
        assert_eq!(queue.dropped(), 0);
        (0..BATCH_FRAMES as u32 + 1).for_each(|i| push(&queue, 4, i));
        assert_eq!(queue.next_batch().await.len(), BATCH_FRAMES);
    }

    #[tokio::test]
    async fn numbers_rise_by_one_are_kept_when_put_back_and_belong_to_one_run() {
        let queue = Queue::new();
        (0..3).for_each(|i| push(&queue, 4, i));
        assert_eq!(queue.numbered("c", vec![]).number, 4);
        push(&queue, 4, 3);
        let numbers = |batch: &[Frame]| batch.iter().map(|f| f.number).collect::<Vec<_>>();
        let batch = queue.next_batch().await;
        assert_eq!(numbers(&batch), [1, 2, 3, 5]);
        assert!(batch.iter().all(|f| f.run == queue.run && f.run != 0));
        queue.put_back(batch.clone());
        assert_eq!(queue.next_batch().await, batch);
        assert_ne!(Queue::new().run, queue.run);
    }
}
