//! Revealing: a party gets its missing component from one holder and a digest of it from the other.
//!
//! ABY3 (Mohassel and Rindal, CCS 2018, section 3.2), with the digest of Furukawa et al. (EUROCRYPT 2017), which is one
//! frame more and shows a holder that departs from the protocol at the last step.

use mpc_core::{Abort, words};

use crate::{Rep3, Ring, Shared};

const DIGEST: usize = 32;

impl Rep3 {
    fn component_digest<R: Ring>(&self, to: usize, bytes: &[u8]) -> Vec<u8> {
        self.ctx.digest("heqi/mpc/rep3/reveal/1", &[R::NAME.as_bytes(), &[to as u8], bytes]).to_vec()
    }

    /// Compares the missing component with the other holder's digest and adds the three components up.
    fn join<R: Ring>(&self, x: &Shared<R>, got: &[Vec<u8>]) -> Result<Vec<u64>, Abort> {
        let [bytes, digest] = got else {
            return Err(self.ctx.name(Abort::local("a round without its messages")));
        };
        if *digest != self.component_digest::<R>(self.me(), bytes) {
            let (before, after) = (self.before(), self.after());
            let why = format!("the component from party {before} has not the digest from party {after}: one is false");
            return Err(self.ctx.name(Abort::peer(before, why)));
        }
        let missing = words::decode(bytes);
        let two = x.own.iter().zip(&x.next).map(|(own, next)| R::add(*own, *next));
        Ok(two.zip(missing).map(|(two, third)| R::add(two, third)).collect())
    }

    /// Reveals a vector to one party: `Some` there, `None` at the others. One round.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves, or the two holders of the missing component disagree.
    pub async fn reveal<R: Ring>(&mut self, x: &Shared<R>, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        let (before, after) = (self.before(), self.after());
        if to == self.me() {
            let expect = [(before, words::bytes(x.len())), (after, DIGEST)];
            let got = self.ctx.round(vec![], &expect).await?;
            return self.join(x, &got).map(Some);
        }
        let message =
            if to == after { words::encode(&x.own) } else { self.component_digest::<R>(to, &words::encode(&x.next)) };
        self.ctx.round(vec![(to, message)], &[]).await?;
        Ok(None)
    }

    /// Reveals a vector to all three parties. One round. What is opened must be independent of the inputs, or granted.
    ///
    /// # Errors
    /// As [`Rep3::reveal`].
    pub async fn open<R: Ring>(&mut self, x: &Shared<R>) -> Result<Vec<u64>, Abort> {
        let (before, after) = (self.before(), self.after());
        let digest = self.component_digest::<R>(before, &words::encode(&x.next));
        let out = vec![(after, words::encode(&x.own)), (before, digest)];
        let got = self.ctx.round(out, &[(before, words::bytes(x.len())), (after, DIGEST)]).await?;
        self.join(x, &got)
    }
}
