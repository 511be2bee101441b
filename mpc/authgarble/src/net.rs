//! One party among all of a run: rounds with every peer, values that all commit to before any is opened, agreement.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::bits;

/// Bytes of a digest, of a salt and of a seed.
const DIGEST: usize = 32;

/// This party's place in a fork that all parties have.
pub(crate) struct Net {
    ctx: Context,
    /// Commitments and agreements so far: part of every hash.
    number: u64,
}

impl Net {
    pub(crate) fn new(ctx: Context) -> Self {
        Self { ctx, number: 0 }
    }

    pub(crate) fn me(&self) -> usize {
        self.ctx.me()
    }

    pub(crate) fn parties(&self) -> usize {
        self.ctx.parties()
    }

    /// The other parties.
    pub(crate) fn peers(&self) -> impl Iterator<Item = usize> + Send + use<> {
        let me = self.me();
        (0..self.parties()).filter(move |party| *party != me)
    }

    /// Names the step that an abort from here on reports.
    pub(crate) fn enter(&mut self, step: &'static str) {
        self.ctx.enter(step);
    }

    /// Tells the transport that a phase begins here.
    pub(crate) fn phase(&self, phase: &'static str) {
        self.ctx.phase(phase);
    }

    /// Fills `out` with this party's own randomness.
    pub(crate) fn random(&self, out: &mut [u8]) {
        self.ctx.random(out);
    }

    /// A block of this party's own randomness.
    pub(crate) fn random_block(&self) -> Block {
        let mut bytes = Zeroizing::new([0_u8; 16]);
        self.random(&mut *bytes);
        Block::from_bytes(*bytes)
    }

    /// An abort that holds `peer` responsible.
    pub(crate) fn blame(&self, peer: usize, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::peer(peer, why))
    }

    /// An abort because of something that only a cheating peer causes. Between two parties it is clear which; among more the
    /// check covers what all of them sent together, and nobody is accused without knowing.
    pub(crate) fn cheated(&self, why: &str) -> Abort {
        let mut peers = self.peers();
        match (peers.next(), peers.next()) {
            (Some(peer), None) => self.blame(peer, why),
            _ => self.ctx.name(Abort::others(why)),
        }
    }

    /// One round: messages to some peers, and messages of the given lengths from some.
    pub(crate) async fn exchange(
        &mut self,
        out: Vec<(usize, Vec<u8>)>,
        expect: &[(usize, usize)],
    ) -> Result<Vec<Vec<u8>>, Abort> {
        self.ctx.round(out, expect).await
    }

    /// One round: to every peer the message at its place, from every peer `due(peer)` bytes, put at its place; this party's own
    /// place is empty in both.
    pub(crate) async fn scatter(
        &mut self,
        out: Vec<Vec<u8>>,
        due: impl Fn(usize) -> usize + Send,
    ) -> Result<Vec<Vec<u8>>, Abort> {
        let me = self.me();
        let expect: Vec<(usize, usize)> = self.peers().map(|peer| (peer, due(peer))).collect();
        let out = out.into_iter().enumerate().filter(|(party, _)| *party != me).collect();
        let mut got = self.ctx.round(out, &expect).await?;
        got.insert(me, Vec::new());
        Ok(got)
    }

    /// One round: the same message to every peer, `due(peer)` bytes from each; this party's message stands at its place.
    pub(crate) async fn broadcast(
        &mut self,
        message: Vec<u8>,
        due: impl Fn(usize) -> usize + Send,
    ) -> Result<Vec<Vec<u8>>, Abort> {
        let me = self.me();
        let mut got = self.scatter(vec![message.clone(); self.parties()], due).await?;
        got[me] = message;
        Ok(got)
    }

    /// One round: every party opens its shares of bits; the sum of all.
    pub(crate) async fn open(&mut self, shares: &[u8]) -> Result<Vec<u8>, Abort> {
        let due = bits::bytes(shares.len());
        let got = self.broadcast(bits::pack(shares), |_| due).await?;
        let mut sum = vec![0; shares.len()];
        for (party, packed) in got.iter().enumerate() {
            bits::add_packed(&mut sum, packed).ok_or_else(|| self.blame(party, "bits behind the last"))?;
        }
        Ok(sum)
    }

    /// Every party's `value`, all of one length, so that nobody chooses its own by another's: commit, then open. With their
    /// openings the parties compare what was committed to, so all see the same values.
    pub(crate) async fn together(&mut self, value: Vec<u8>) -> Result<Vec<Vec<u8>>, Abort> {
        let (me, len) = (self.me(), value.len());
        self.number += 1;
        let mut opening = vec![0; DIGEST];
        self.random(&mut opening);
        opening.extend_from_slice(&value);
        let own = self.commitment(me, &opening);
        let commitments = self.broadcast(own.to_vec(), |_| DIGEST).await?;
        let seen = self.digest("heqi/mpc/authgarble/commitments/1", &commitments);
        opening.extend_from_slice(&seen);
        let mut opened = self.broadcast(opening, |_| DIGEST + len + DIGEST).await?;
        for (party, opening) in opened.iter_mut().enumerate() {
            let (committed, theirs) = opening.split_at(DIGEST + len);
            if self.commitment(party, committed)[..] != commitments[party][..] {
                return Err(self.blame(party, "an opening that does not belong to its commitment"));
            }
            if theirs != seen {
                return Err(self.cheated("parties saw different commitments"));
            }
            *opening = committed[DIGEST..].to_vec();
        }
        Ok(opened)
    }

    /// 32 random bytes that no party chose.
    pub(crate) async fn coin(&mut self) -> Result<[u8; 32], Abort> {
        let mut own = vec![0; DIGEST];
        self.random(&mut own);
        let all = self.together(own).await?;
        Ok(sum(all.iter().map(Vec::as_slice)))
    }

    /// Makes sure that all parties saw the same messages. Two parties need no round for it: what one broadcasts has one reader.
    pub(crate) async fn agree(&mut self, messages: &[Vec<u8>]) -> Result<(), Abort> {
        self.number += 1;
        if self.parties() == 2 {
            return Ok(());
        }
        let seen = self.digest("heqi/mpc/authgarble/agreement/1", messages);
        let all = self.broadcast(seen.to_vec(), |_| DIGEST).await?;
        if all.iter().any(|theirs| theirs[..] != seen[..]) {
            return Err(self.cheated("parties saw different messages"));
        }
        Ok(())
    }

    /// A digest of messages that all parties have, bound to the fork and to the step.
    pub(crate) fn digest(&self, domain: &str, messages: &[Vec<u8>]) -> [u8; 32] {
        let number = self.number.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&number];
        parts.extend(messages.iter().map(Vec::as_slice));
        self.ctx.digest(domain, &parts)
    }

    fn commitment(&self, party: usize, opening: &[u8]) -> [u8; 32] {
        let (number, party) = (self.number.to_be_bytes(), (party as u64).to_be_bytes());
        self.ctx.digest("heqi/mpc/authgarble/commitment/1", &[&number, &party, opening])
    }
}

/// The sum (exclusive or) of values of 32 bytes.
pub(crate) fn sum<'a>(values: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut sum = [0; 32];
    for value in values {
        sum.iter_mut().zip(value).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

/// The two blocks of 32 bytes.
pub(crate) fn halves(bytes: &[u8; 32]) -> [Block; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [Block::from_bytes(halves[0]), Block::from_bytes(halves[1])]
}
