//! Revealing: after a check, a party gets its missing component from one holder and an authentication of it from the other.
//!
//! The receiver and the other holder have a stream in common that the sender does not know; it gives a one-time key
//! `(r, s)`, and the tag of blocks `m_1 … m_n` is `m_1 r^n + … + m_n r + s` in GF(2^128) (Wegman and Carter, Journal of
//! Computer and System Sciences 22(3), 1981; the polynomial as in GHASH). A false component has the right tag with
//! probability at most `n/2^128`.

use mpc_block::{Block, blocks_of, gf_dot};
use mpc_core::{Abort, words};
use mpc_share::Shared;
use zeroize::Zeroizing;

use crate::party::{Checkable, Checked};
use crate::stream::Stream;

/// Bytes of a tag.
const TAG: usize = 16;
/// Blocks that are added to the tag at once.
const STEP: usize = 8;

/// The tag of words under the next key of a stream. Both sides know how many there are, so what is missing from the last block
/// may be zero.
fn tag(stream: &mut Stream, words: &[u64]) -> Block {
    let key = Zeroizing::new(stream.blocks(2));
    let mut powers = Zeroizing::new([key[0]; STEP]);
    for at in (0..STEP - 1).rev() {
        powers[at] = powers[at + 1].gf_mul(key[0]);
    }
    let mut sum = Block::ZERO;
    for piece in words.chunks(2 * STEP) {
        let mut blocks = [Block::ZERO; STEP];
        for (block, pair) in blocks.iter_mut().zip(piece.chunks(2)) {
            let high = pair.get(1).copied().unwrap_or(0);
            *block = Block::from_u128(u128::from(pair[0]) | u128::from(high) << 64);
        }
        sum = sum.gf_mul(powers[0]) ^ gf_dot(&powers[..], &blocks);
    }
    sum ^ key[1]
}

impl Checked {
    /// Reveals a vector to one party: `Some` there, `None` at the others. One round after the check.
    ///
    /// # Errors
    /// [`Abort`] when something that was computed so far is false, a peer is gone or misbehaves, or the two holders of the
    /// missing component disagree.
    pub async fn reveal<R: Checkable>(&mut self, x: &Shared<R>, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        self.begin()?;
        let outcome = self.reveal_verified(x, to).await;
        self.end(outcome)
    }

    /// Reveals a vector to all three parties. One round after the check. What is opened must be independent of the inputs, or
    /// granted.
    ///
    /// # Errors
    /// As [`Checked::reveal`].
    pub async fn open<R: Checkable>(&mut self, x: &Shared<R>) -> Result<Vec<u64>, Abort> {
        self.begin()?;
        let outcome = self.open_verified(x).await;
        self.end(outcome)
    }

    async fn reveal_verified<R: Checkable>(&mut self, x: &Shared<R>, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        self.verify_pending().await?;
        self.enter("reveal");
        let (before, after) = (self.link.before(), self.link.after());
        if to == self.me() {
            let got = self.link.ctx.round(vec![], &[(before, words::bytes(x.len())), (after, TAG)]).await?;
            return self.join(x, &Zeroizing::new(got)).map(Some);
        }
        let (own, next) = x.parts();
        let message = if to == after { words::encode(own) } else { tag(&mut self.link.own, next).to_bytes().to_vec() };
        self.link.ctx.round(vec![(to, message)], &[]).await?;
        Ok(None)
    }

    async fn open_verified<R: Checkable>(&mut self, x: &Shared<R>) -> Result<Vec<u64>, Abort> {
        self.verify_pending().await?;
        self.enter("open");
        let (before, after) = (self.link.before(), self.link.after());
        let (own, next) = x.parts();
        let tag = tag(&mut self.link.own, next).to_bytes().to_vec();
        let out = vec![(after, words::encode(own)), (before, tag)];
        let got = self.link.ctx.round(out, &[(before, words::bytes(x.len())), (after, TAG)]).await?;
        self.join(x, &got)
    }

    /// Compares the missing component with the other holder's tag and adds the three components up.
    fn join<R: Checkable>(&mut self, x: &Shared<R>, got: &[Vec<u8>]) -> Result<Vec<u64>, Abort> {
        let (own, next) = x.parts();
        let missing = Zeroizing::new(got.first().map(|bytes| words::decode(bytes)).unwrap_or_default());
        let theirs = got.get(1).and_then(|bytes| blocks_of(bytes)).and_then(|blocks| blocks.first().copied());
        let due = tag(&mut self.link.next, &missing);
        let right = theirs.is_some_and(|theirs| theirs.ct_eq(due)) && missing.len() == own.len();
        if !right {
            let (before, after) = (self.link.before(), self.link.after());
            let why = format!("the component from party {before} has not the tag from party {after}: one is false");
            return Err(self.link.undecided(why));
        }
        let two = own.iter().zip(next).map(|(own, next)| R::add(*own, *next));
        Ok(two.zip(missing.iter()).map(|(two, third)| R::add(two, *third)).collect())
    }
}
