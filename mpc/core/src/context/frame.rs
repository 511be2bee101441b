//! Messages that are written where they are sent from and read where they were received: no copy in between.

use std::sync::atomic::Ordering;

use super::{Context, HEADER, MAX_PAYLOAD, body, header};
use crate::Abort;

/// A message behind room for its frame's header. It travels as the same message does in [`Context::round`]; one that is longer than
/// [`MAX_PAYLOAD`] is copied into several frames.
pub struct Frame(Vec<u8>);

impl Frame {
    /// A message of `len` bytes, all zero.
    pub fn new(len: usize) -> Self {
        Self(vec![0; HEADER + len])
    }

    /// An empty message with room for `len` bytes.
    pub fn with_capacity(len: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + len);
        bytes.resize(HEADER, 0);
        Self(bytes)
    }

    /// The message.
    pub fn payload(&self) -> &[u8] {
        self.0.get(HEADER..).unwrap_or_default()
    }

    /// The message, to be written.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.0.get_mut(HEADER..).unwrap_or_default()
    }

    /// Adds bytes at the message's end.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

impl Context {
    /// One round that sends one message to a peer; an empty one is not sent.
    ///
    /// # Errors
    /// As [`Context::round`].
    pub async fn send_frame(&mut self, to: usize, frame: Frame) -> Result<(), Abort> {
        if frame.payload().len() > MAX_PAYLOAD {
            return self.round(vec![(to, frame.payload().to_vec())], &[]).await.map(|_| ());
        }
        let framed = self.framed(to, frame).map_err(|abort| self.name(abort))?;
        if let Some(frame) = framed {
            let transport = self.common.transport.clone();
            transport.send(to, frame).await.map_err(|abort| self.name(abort))?;
        }
        Ok(())
    }

    /// One round that waits for one message of exactly `len` bytes from a peer; none is waited for when `len` is 0.
    ///
    /// # Errors
    /// As [`Context::round`].
    pub async fn receive_frame(&mut self, from: usize, len: usize) -> Result<Frame, Abort> {
        if len > MAX_PAYLOAD {
            let mut frame = Frame::with_capacity(0);
            let got = self.round(Vec::new(), &[(from, len)]).await?;
            got.iter().for_each(|message| frame.extend_from_slice(message));
            return Ok(frame);
        }
        let got = self.awaited(from, len).await;
        got.map_err(|abort| self.name(abort))
    }

    /// The frame with its header; `None` for an empty message.
    fn framed(&mut self, to: usize, frame: Frame) -> Result<Option<Vec<u8>>, Abort> {
        self.check_peer(to)?;
        let Frame(mut bytes) = frame;
        let len = bytes.len().saturating_sub(HEADER);
        self.common.rounds.fetch_add(1, Ordering::Relaxed);
        if len == 0 {
            return Ok(None);
        }
        let header = header(&self.id, &mut self.sent[to])?;
        bytes[..HEADER].copy_from_slice(&header);
        self.common.sent.fetch_add(len as u64, Ordering::Relaxed);
        Ok(Some(bytes))
    }

    async fn awaited(&mut self, from: usize, len: usize) -> Result<Frame, Abort> {
        self.check_peer(from)?;
        self.common.rounds.fetch_add(1, Ordering::Relaxed);
        if len == 0 {
            return Ok(Frame::new(0));
        }
        let due = HEADER + len;
        let header = header(&self.id, &mut self.received[from])?;
        let frame = self.common.transport.recv(from, due).await?;
        body(from, &frame, &header, due)?;
        Ok(Frame(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Blame, memory};

    #[tokio::test]
    async fn a_frame_is_a_message_of_a_round_and_counted_alike() {
        let mut both = memory::contexts(memory::network(2), [5; 32]);
        let (mut one, mut zero) = (both.pop().unwrap(), both.pop().unwrap());
        let mut frame = Frame::with_capacity(4);
        frame.extend_from_slice(&[1, 2, 3]);
        frame.payload_mut()[0] = 7;
        zero.send_frame(1, frame).await.unwrap();
        zero.round(vec![(1, vec![4; 5])], &[]).await.unwrap();
        assert_eq!(one.round(vec![], &[(0, 3)]).await.unwrap(), [vec![7, 2, 3]]);
        assert_eq!(one.receive_frame(0, 5).await.unwrap().payload(), [4; 5]);
        assert_eq!((zero.rounds(), zero.bytes_sent(), one.rounds()), (2, 8, 2));
        zero.send_frame(1, Frame::new(0)).await.unwrap();
        assert!(one.receive_frame(0, 0).await.unwrap().payload().is_empty());
        let foreign = zero.send_frame(0, Frame::new(1)).await.unwrap_err();
        assert_eq!(foreign.blame, Blame::Local);
        let long = MAX_PAYLOAD + 1;
        zero.send_frame(1, Frame::new(long)).await.unwrap();
        assert_eq!(one.receive_frame(0, long).await.unwrap().payload().len(), long);
        zero.send_frame(1, Frame::new(4)).await.unwrap();
        assert_eq!(one.receive_frame(0, 5).await.err().unwrap().blame, Blame::Peer(0));
    }
}
