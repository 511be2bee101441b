//! An in-memory network: every party in one process, for tests, doctests and benchmarks.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{Abort, Context, Prg, Transport};

struct Memory {
    senders: Vec<Option<UnboundedSender<Vec<u8>>>>,
    receivers: Vec<Option<Mutex<UnboundedReceiver<Vec<u8>>>>>,
}

/// Links `parties` parties with each other; the transport at place `i` belongs to party `i`. A party that drops its
/// transport closes its links.
pub fn network(parties: usize) -> Vec<Arc<dyn Transport>> {
    let mut ends: Vec<Memory> = (0..parties)
        .map(|_| Memory {
            senders: (0..parties).map(|_| None).collect(),
            receivers: (0..parties).map(|_| None).collect(),
        })
        .collect();
    for from in 0..parties {
        for to in (0..parties).filter(|to| *to != from) {
            let (sender, receiver) = unbounded_channel();
            ends[from].senders[to] = Some(sender);
            ends[to].receivers[from] = Some(Mutex::new(receiver));
        }
    }
    ends.into_iter().map(|end| Arc::new(end) as Arc<dyn Transport>).collect()
}

/// One context a party over the given transports, with entropy that follows from the seed: for tests and benchmarks
/// only, since whoever knows the seed knows every share.
pub fn contexts(transports: Vec<Arc<dyn Transport>>, seed: [u8; 32]) -> Vec<Context> {
    let parties = transports.len();
    let context = |(me, transport)| {
        let mut own = seed;
        own[0] ^= me as u8 + 1;
        let mut prg = Prg::new(&own);
        Context::new(seed, me, parties, transport, Box::new(move |out: &mut [u8]| prg.fill(out)))
    };
    transports.into_iter().enumerate().map(context).collect()
}

#[async_trait]
impl Transport for Memory {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        let Some(Some(sender)) = self.senders.get(to) else {
            return Err(Abort::local(format!("there is no link to party {to}")));
        };
        sender.send(frame).map_err(|_| Abort::network(to, "the link is closed"))
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let Some(Some(receiver)) = self.receivers.get(from) else {
            return Err(Abort::local(format!("there is no link from party {from}")));
        };
        let frame = receiver.lock().await.recv().await.ok_or_else(|| Abort::network(from, "the link is closed"))?;
        if frame.len() > max_len {
            return Err(Abort::peer(from, format!("a frame of {} bytes where at most {max_len} are due", frame.len())));
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;

    #[tokio::test]
    async fn frames_arrive_whole_and_in_order_until_the_peer_is_gone() {
        let mut ends = network(3);
        let (two, _one, zero) = (ends.pop().unwrap(), ends.pop().unwrap(), ends.pop().unwrap());
        zero.send(2, vec![1]).await.unwrap();
        zero.send(2, vec![2, 3]).await.unwrap();
        zero.send(2, vec![4; 9]).await.unwrap();
        drop(zero);
        assert_eq!(two.recv(0, 8).await, Ok(vec![1]));
        assert_eq!(two.recv(0, 8).await, Ok(vec![2, 3]));
        assert_eq!(two.recv(0, 8).await.unwrap_err().blame, Blame::Peer(0));
        assert_eq!(two.recv(0, 8).await.unwrap_err().blame, Blame::Network(0));
        assert_eq!(two.send(0, vec![]).await.unwrap_err().blame, Blame::Network(0));
        assert_eq!(two.send(2, vec![]).await.unwrap_err().blame, Blame::Local);
    }
}
