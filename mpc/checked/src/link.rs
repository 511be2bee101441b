//! The three parties' links, the streams of neighbours, and the coins that no prover knows before its message is there.

use mpc_core::{Abort, Context};

use crate::stream::Stream;

/// A digest's length in bytes.
const DIGEST: usize = 32;

/// This party's end of the session. The stream `own` is known to the party before, `next` to the one after.
pub(crate) struct Link {
    pub(crate) ctx: Context,
    pub(crate) own: Stream,
    pub(crate) next: Stream,
    transcript: [u8; DIGEST],
}

impl Link {
    pub(crate) fn new(ctx: Context, own: Stream, next: Stream) -> Self {
        let transcript = ctx.digest("heqi/mpc/checked/transcript/1", &[]);
        Self { ctx, own, next, transcript }
    }

    pub(crate) fn me(&self) -> usize {
        self.ctx.me()
    }

    pub(crate) fn after(&self) -> usize {
        (self.me() + 1) % 3
    }

    pub(crate) fn before(&self) -> usize {
        (self.me() + 2) % 3
    }

    /// An abort that one of the two others is responsible for, where this party cannot tell which.
    pub(crate) fn undecided(&self, why: impl Into<String>) -> Abort {
        self.ctx.name(Abort::one_of(self.before(), self.after(), why))
    }

    async fn swap(&mut self, to: usize, message: Vec<u8>, from: usize) -> Result<Vec<u8>, Abort> {
        let due = message.len();
        let got = self.ctx.round(vec![(to, message)], &[(from, due)]).await?;
        Ok(got.into_iter().next().unwrap_or_default())
    }

    /// Sends to the party after and receives as much from the one before.
    pub(crate) async fn pass_on(&mut self, message: Vec<u8>) -> Result<Vec<u8>, Abort> {
        let (after, before) = (self.after(), self.before());
        self.swap(after, message, before).await
    }

    /// Sends to the party before and receives as much from the one after.
    pub(crate) async fn pass_back(&mut self, message: Vec<u8>) -> Result<Vec<u8>, Abort> {
        let (after, before) = (self.after(), self.before());
        self.swap(before, message, after).await
    }

    /// Tosses a coin: a stream that all three parties know, and that party `i` could not know before the party after it had
    /// all that was due from party `i`.
    ///
    /// It follows from three parts, one of each neighbours' stream. The part that party `i` does not know comes from the
    /// party after it, which sends it when it has got here, so after party `i`'s message of the step before.
    pub(crate) async fn coin(&mut self, step: &str) -> Result<Stream, Abort> {
        let mut parts = [[0; DIGEST]; 3];
        let (me, after, before) = (self.me(), self.after(), self.before());
        parts[me].copy_from_slice(&self.own.bytes(DIGEST));
        parts[after].copy_from_slice(&self.next.bytes(DIGEST));
        let got = self.pass_back(parts[after].to_vec()).await?;
        parts[before].iter_mut().zip(got).for_each(|(to, from)| *to = from);
        self.bind(step, &[&parts[0], &parts[1], &parts[2]]);
        Ok(Stream::new(&self.ctx.digest("heqi/mpc/checked/coin/1", &[&self.transcript])))
    }

    /// Takes what all parties know into the transcript.
    pub(crate) fn bind(&mut self, step: &str, parts: &[&[u8]]) {
        let mut all: Vec<&[u8]> = vec![&self.transcript[..], step.as_bytes()];
        all.extend_from_slice(parts);
        self.transcript = self.ctx.digest("heqi/mpc/checked/bind/1", &all);
    }

    /// Waits until the party after has come to this step with this party's transcript: the same coins, the same shapes.
    pub(crate) async fn agree(&mut self, step: &str) -> Result<(), Abort> {
        self.bind(step, &[]);
        let got = self.pass_back(self.transcript.to_vec()).await?;
        if got != self.transcript {
            return Err(self.undecided(format!("party {} has not this party's coins or shapes", self.after())));
        }
        Ok(())
    }

    /// Waits until both others have come to this step with this party's transcript: for them all is well until here.
    pub(crate) async fn confirm(&mut self) -> Result<(), Abort> {
        self.bind("confirm", &[]);
        let (after, before) = (self.after(), self.before());
        let (mine, due) = (self.transcript.to_vec(), DIGEST);
        let out = vec![(after, mine.clone()), (before, mine.clone())];
        let got = self.ctx.round(out, &[(after, due), (before, due)]).await?;
        match got.iter().zip([after, before]).find(|(digest, _)| **digest != mine) {
            Some((_, peer)) => Err(self.undecided(format!("party {peer} has another transcript"))),
            None => Ok(()),
        }
    }
}
