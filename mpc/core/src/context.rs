//! A party's place in a session: whom it talks to, under which identifier, with which randomness.

mod frame;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base_gm::sm3::tagged;
use zeroize::Zeroizing;

pub use frame::Frame;

use crate::{Abort, Passing, Transport, words};

/// Longest payload of one frame, in bytes; a longer message travels in several frames.
pub const MAX_PAYLOAD: usize = 4 << 20;
/// Words that [`Context::stream`] and [`Context::pass`] put into one frame: 512 KiB, so that a piece is made, framed and sent while
/// it is still in the processor's cache.
pub const PIECE_WORDS: usize = 1 << 16;
/// Four bytes of the fork's identifier, four of the frame's number: a lost or stray frame is noticed at once.
const HEADER: usize = 8;

type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

struct Common {
    session: [u8; 32],
    transport: Arc<dyn Transport>,
    entropy: Mutex<Entropy>,
    rounds: AtomicU64,
    sent: AtomicU64,
}

/// A session, or a fork of it, at one party.
///
/// All parties make the same forks in the same order, so their identifiers agree without a message; what they must
/// agree on (shapes, parameters) is bound into the identifier, so parties that disagree abort at the first frame.
/// The forks of a session share its links: one fork at a time exchanges messages.
pub struct Context {
    id: [u8; 32],
    path: String,
    step: &'static str,
    me: usize,
    parties: usize,
    forks: u64,
    sent: Vec<u32>,
    received: Vec<u32>,
    common: Arc<Common>,
}

impl Context {
    /// The root of a session. `session` is fresh for every attempt; `entropy` fills its argument with random bytes.
    pub fn new(
        session: [u8; 32],
        me: usize,
        parties: usize,
        transport: Arc<dyn Transport>,
        entropy: Box<dyn FnMut(&mut [u8]) + Send>,
    ) -> Self {
        let common = Common {
            session,
            transport,
            entropy: Mutex::new(entropy),
            rounds: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        };
        let id = tagged("heqi/mpc/session/1", &[&session, &(parties as u64).to_be_bytes()]).0;
        Self::with(id, String::new(), me, parties, Arc::new(common))
    }

    fn with(id: [u8; 32], path: String, me: usize, parties: usize, common: Arc<Common>) -> Self {
        Self { id, path, step: "", me, parties, forks: 0, sent: vec![0; parties], received: vec![0; parties], common }
    }

    /// A part of the session with an identifier and frame numbers of its own.
    pub fn fork(&mut self, label: &str) -> Self {
        self.fork_bound(label, &[])
    }

    /// A fork whose identifier also binds the public parameters that all parties must agree on.
    pub fn fork_bound(&mut self, label: &str, parameters: &[u8]) -> Self {
        let ordinal = self.forks.to_be_bytes();
        self.forks += 1;
        let id = tagged("heqi/mpc/fork/1", &[&self.id, label.as_bytes(), &ordinal, parameters]).0;
        let path = if self.path.is_empty() { label.to_owned() } else { format!("{}/{label}", self.path) };
        Self::with(id, path, self.me, self.parties, self.common.clone())
    }

    /// This party's number.
    pub fn me(&self) -> usize {
        self.me
    }

    /// How many parties there are.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// The identifier of this fork, equal at all parties.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The session that this fork belongs to.
    pub fn session(&self) -> [u8; 32] {
        self.common.session
    }

    /// Rounds of messages so far, over all forks of the session.
    pub fn rounds(&self) -> u64 {
        self.common.rounds.load(Ordering::Relaxed)
    }

    /// Bytes this party has sent so far, over all forks of the session.
    pub fn bytes_sent(&self) -> u64 {
        self.common.sent.load(Ordering::Relaxed)
    }

    /// Names the step that an abort from here on reports.
    pub fn enter(&mut self, step: &'static str) {
        self.step = step;
    }

    /// Tells the transport that a phase of the job begins here. Phases are few and follow each other over all forks, steps are
    /// an abort's and may lie side by side.
    pub fn phase(&self, phase: &'static str) {
        self.common.transport.enter(phase);
    }

    /// A digest bound to this fork.
    pub fn digest(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = vec![&self.id];
        all.extend_from_slice(parts);
        tagged(domain, &all).0
    }

    /// Fills `out` with this party's own randomness.
    pub fn random(&self, out: &mut [u8]) {
        let mut entropy = self.common.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        (*entropy)(out);
    }

    /// Names this fork and step in an abort.
    pub fn name(&self, abort: Abort) -> Abort {
        abort.at(&if self.step.is_empty() { self.path.clone() } else { format!("{}: {}", self.path, self.step) })
    }

    /// One round: sends every message of `out` (`(to, bytes)`) and waits for every message of `expect` (`(from, exact
    /// length)`), at the same time, so that full links cannot lock the parties against each other.
    ///
    /// # Errors
    /// [`Abort`] that blames the peer whose frame is missing, has another length or belongs elsewhere.
    pub async fn round(
        &mut self,
        out: Vec<(usize, Vec<u8>)>,
        expect: &[(usize, usize)],
    ) -> Result<Vec<Vec<u8>>, Abort> {
        let mut frames = Vec::with_capacity(out.len());
        for (to, message) in out {
            self.frames(to, &Passing::new(message), &mut frames).map_err(|abort| self.name(abort))?;
        }
        self.common.rounds.fetch_add(1, Ordering::Relaxed);
        let transport = self.common.transport.clone();
        let sending = async {
            for (to, frame) in frames {
                transport.send(to, frame.handed_over()).await?;
            }
            Ok(())
        };
        let receiving = async {
            let mut messages = Vec::with_capacity(expect.len());
            for (from, len) in expect {
                messages.push(self.collect(*from, *len).await?);
            }
            Ok(messages)
        };
        let ended = tokio::try_join!(sending, receiving);
        ended.map(|((), messages)| messages).map_err(|abort| self.name(abort))
    }

    /// One round that sends a few words to one peer and receives some from one; the bytes in between are wiped, for many words use
    /// [`Context::pass`].
    ///
    /// # Errors
    /// As [`Context::round`].
    pub async fn exchange(&mut self, to: usize, out: &[u64], from: usize, expect: usize) -> Result<Vec<u64>, Abort> {
        let expected = [(from, words::bytes(expect))];
        let got = Zeroizing::new(self.round(vec![(to, words::encode(out))], &expected).await?);
        Ok(got.first().map(|bytes| words::decode(bytes)).unwrap_or_default())
    }

    /// One round of words without a copy in between: sends those of `out` (`(to, words)`), then waits for as many as `into`
    /// (`(from, words)`) has room for. Words travel in frames of [`PIECE_WORDS`], so the other end uses this method or
    /// [`Context::stream`] too.
    ///
    /// # Errors
    /// As [`Context::round`].
    pub async fn pass(&mut self, out: Option<(usize, &[u64])>, into: Option<(usize, &mut [u64])>) -> Result<(), Abort> {
        for peer in [out.as_ref().map(|(to, _)| *to), into.as_ref().map(|(from, _)| *from)].into_iter().flatten() {
            self.check_peer(peer).map_err(|abort| self.name(abort))?;
        }
        self.begin_words(out.map_or(0, |(_, words)| words.len()));
        let (id, transport) = (self.id, self.common.transport.clone());
        let (sent, received) = (&mut self.sent, &mut self.received);
        let sending = async {
            if let Some((to, words)) = out {
                for piece in words.chunks(PIECE_WORDS) {
                    transport.send(to, words::frame(&header(&id, &mut sent[to])?, piece)).await?;
                }
            }
            Ok::<(), Abort>(())
        };
        let receiving = async {
            if let Some((from, words)) = into {
                for piece in words.chunks_mut(PIECE_WORDS) {
                    let due = HEADER + words::bytes(piece.len());
                    let header = header(&id, &mut received[from])?;
                    let frame = Passing::new(transport.recv(from, due).await?);
                    words::read(body(from, &frame, &header, due)?, piece);
                }
            }
            Ok::<(), Abort>(())
        };
        let ended = tokio::try_join!(sending, receiving);
        ended.map(|((), ())| ()).map_err(|abort| self.name(abort))
    }

    /// One round of words that are made on their way out: `make` fills each piece (its argument is the piece's first place), which
    /// is sent at once, while words from a peer come in. The `made` words are appended to `out`, the `due` ones to `into`; vectors
    /// with room for them do not grow, so no copy stays behind. The other end uses this method or [`Context::pass`] too.
    ///
    /// # Errors
    /// As [`Context::round`].
    pub async fn stream(
        &mut self,
        (to, made, out): (usize, usize, &mut Vec<u64>),
        (from, due, into): (usize, usize, &mut Vec<u64>),
        mut make: impl FnMut(usize, &mut [u64]) + Send,
    ) -> Result<(), Abort> {
        self.check_peer(to).and_then(|()| self.check_peer(from)).map_err(|abort| self.name(abort))?;
        self.begin_words(made);
        let (id, transport) = (self.id, self.common.transport.clone());
        let (sent, received) = (&mut self.sent[to], &mut self.received[from]);
        let sending = async {
            for at in (0..made).step_by(PIECE_WORDS) {
                let start = out.len();
                out.resize(start + PIECE_WORDS.min(made - at), 0);
                let piece = &mut out[start..];
                make(at, piece);
                transport.send(to, words::frame(&header(&id, sent)?, piece)).await?;
            }
            Ok::<(), Abort>(())
        };
        let receiving = async {
            for at in (0..due).step_by(PIECE_WORDS) {
                let due = HEADER + words::bytes(PIECE_WORDS.min(due - at));
                let header = header(&id, received)?;
                let frame = Passing::new(transport.recv(from, due).await?);
                words::append(body(from, &frame, &header, due)?, into);
            }
            Ok::<(), Abort>(())
        };
        let ended = tokio::try_join!(sending, receiving);
        ended.map(|((), ())| ()).map_err(|abort| self.name(abort))
    }

    fn begin_words(&self, sent: usize) {
        self.common.rounds.fetch_add(1, Ordering::Relaxed);
        self.common.sent.fetch_add(words::bytes(sent) as u64, Ordering::Relaxed);
    }

    fn check_peer(&self, peer: usize) -> Result<(), Abort> {
        if peer < self.parties && peer != self.me { Ok(()) } else { Err(Abort::local(format!("no peer {peer}"))) }
    }

    fn frames(&mut self, to: usize, message: &[u8], frames: &mut Vec<(usize, Passing)>) -> Result<(), Abort> {
        self.check_peer(to)?;
        for payload in message.chunks(MAX_PAYLOAD) {
            let header = header(&self.id, &mut self.sent[to])?;
            frames.push((to, Passing::new([&header, payload].concat())));
        }
        self.common.sent.fetch_add(message.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn collect(&mut self, from: usize, len: usize) -> Result<Vec<u8>, Abort> {
        self.check_peer(from)?;
        let mut message = Vec::new();
        while message.len() < len {
            let due = HEADER + (len - message.len()).min(MAX_PAYLOAD);
            let header = header(&self.id, &mut self.received[from])?;
            let mut frame = self.common.transport.recv(from, due).await?;
            body(from, &frame, &header, due)?;
            if due == HEADER + len {
                frame.drain(..HEADER);
                return Ok(frame);
            }
            message.extend_from_slice(&frame[HEADER..]);
        }
        Ok(message)
    }
}

/// The next frame's header.
fn header(id: &[u8; 32], number: &mut u32) -> Result<[u8; HEADER], Abort> {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&id[..4]);
    header[4..].copy_from_slice(&number.to_be_bytes());
    *number = number.checked_add(1).ok_or_else(|| Abort::local("a fork has no frame number left"))?;
    Ok(header)
}

/// The payload of a frame that has the length and the header that are due.
fn body<'a>(from: usize, frame: &'a [u8], header: &[u8; HEADER], due: usize) -> Result<&'a [u8], Abort> {
    if frame.len() != due {
        return Err(Abort::peer(from, format!("a frame of {} bytes where {due} are due", frame.len())));
    }
    frame.strip_prefix(header).ok_or_else(|| Abort::peer(from, "a frame of another session, shape, step or number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Blame, memory};

    fn pair() -> (Context, Context) {
        let mut both = memory::contexts(memory::network(2), [5; 32]);
        let one = both.pop().unwrap();
        (both.pop().unwrap(), one)
    }

    #[tokio::test]
    async fn a_message_longer_than_a_frame_arrives_whole() {
        let (mut zero, mut one) = pair();
        let long = vec![3; MAX_PAYLOAD + 5];
        let expect = [(0, long.len())];
        let (sent, got) = tokio::join!(zero.round(vec![(1, long.clone())], &[]), one.round(vec![], &expect));
        assert!(sent.is_ok());
        assert_eq!(got.unwrap(), [long]);
        assert_eq!((zero.rounds(), zero.bytes_sent()), (1, MAX_PAYLOAD as u64 + 5));
    }

    #[tokio::test]
    async fn another_length_or_another_fork_is_the_peers_fault() {
        for other in [7, 9] {
            let (mut zero, mut one) = pair();
            zero.round(vec![(1, vec![0; other])], &[]).await.unwrap();
            let abort = one.fork("x").round(vec![], &[(0, 8)]).await.unwrap_err();
            assert_eq!((abort.blame, abort.step.as_str()), (Blame::Peer(0), "x"));
        }
        let (mut zero, mut one) = pair();
        zero.fork_bound("x", b"rows=3").exchange(1, &[1], 1, 0).await.unwrap();
        let abort = one.fork_bound("x", b"rows=4").exchange(0, &[], 0, 1).await.unwrap_err();
        assert_eq!(abort.blame, Blame::Peer(0));
        assert!(abort.why.contains("shape"));
    }

    #[tokio::test]
    async fn words_made_on_the_way_arrive_and_are_counted_as_one_round() {
        let (mut zero, mut one) = pair();
        let (mut made, mut back, len) = (vec![7], Vec::new(), PIECE_WORDS + 3);
        let (mut got, reply) = (vec![0; len], vec![9; 5]);
        let count = |at: usize, piece: &mut [u64]| piece.iter_mut().zip(at as u64..).for_each(|(word, at)| *word = at);
        let (sent, passed) = tokio::join!(
            zero.stream((1, len, &mut made), (1, 5, &mut back), count),
            one.pass(Some((0, &reply[..])), Some((0, &mut got[..])))
        );
        assert_eq!((sent, passed), (Ok(()), Ok(())));
        assert_eq!(got, (0..len as u64).collect::<Vec<_>>());
        assert_eq!(back, [9; 5]);
        assert!(made[0] == 7 && made[1..] == got[..]);
        assert_eq!((zero.rounds(), zero.bytes_sent()), (1, 8 * len as u64));
        zero.pass(Some((1, &reply[..2])), None).await.unwrap();
        let abort = one.stream((0, 0, &mut made), (0, 5, &mut back), |_, _| ()).await.unwrap_err();
        assert_eq!(abort.blame, Blame::Peer(0));
    }

    #[tokio::test]
    async fn a_lost_frame_is_noticed_by_its_number() {
        let transports = memory::network(2);
        let mut both = memory::contexts(transports.clone(), [5; 32]);
        both[0].round(vec![(1, vec![1; 8])], &[]).await.unwrap();
        both[0].round(vec![(1, vec![2; 8])], &[]).await.unwrap();
        transports[1].recv(0, 64).await.unwrap();
        assert_eq!(both[1].round(vec![], &[(0, 8)]).await.unwrap_err().blame, Blame::Peer(0));
    }

    #[tokio::test]
    async fn forks_agree_and_differ_and_own_randomness_differs() {
        let (mut zero, mut one) = pair();
        let (a, b) = (zero.fork("a"), zero.fork("a"));
        assert_eq!(a.id(), one.fork("a").id());
        assert_ne!(a.id(), b.id());
        let (mut mine, mut theirs) = ([0; 32], [0; 32]);
        zero.random(&mut mine);
        one.random(&mut theirs);
        assert_ne!(mine, theirs);
        assert_eq!(zero.round(vec![(0, vec![1])], &[]).await.unwrap_err().blame, Blame::Local);
    }
}
