//! Revealing: a party gets its missing component from one holder and a digest of it from the other.
//!
//! ABY3 (Mohassel and Rindal, CCS 2018, section 3.2), with the digest of Furukawa et al. (EUROCRYPT 2017), which is one
//! frame more and shows a holder that departs from the protocol at the last step.

use mpc_core::{Abort, words};
use zeroize::Zeroizing;

use crate::{Rep3, Ring, Shared};

const DIGEST: usize = 32;

impl Rep3 {
    fn component_digest(&self, ring: &str, to: usize, bytes: &[u8]) -> Vec<u8> {
        self.ctx.digest("heqi/mpc/rep3/reveal/1", &[ring.as_bytes(), &[to as u8], bytes]).to_vec()
    }

    /// The missing component, if it has the other holder's digest.
    fn checked(&self, ring: &str, got: &[Vec<u8>]) -> Result<Vec<u64>, Abort> {
        let [bytes, digest] = got else {
            return Err(self.ctx.name(Abort::local("a round without its messages")));
        };
        if *digest != self.component_digest(ring, self.me(), bytes) {
            let (before, after) = (self.before(), self.after());
            let why = format!("the component from party {before} has not the digest from party {after}: one is false");
            return Err(self.ctx.name(Abort::peer(before, why)));
        }
        Ok(words::decode(bytes))
    }

    /// Gives one party the component that it misses, in words; nothing elsewhere. One round. A job reveals its answer once, so what is read
    /// and hashed here is wiped; what [`Rep3::open`] opens on the way is public.
    pub(crate) async fn missing_component(
        &mut self,
        ring: &str,
        own: &[u64],
        next: &[u64],
        to: usize,
    ) -> Result<Option<Zeroizing<Vec<u64>>>, Abort> {
        let (before, after) = (self.before(), self.after());
        if to == self.me() {
            let expect = [(before, words::bytes(own.len())), (after, DIGEST)];
            let got = Zeroizing::new(self.round(vec![], &expect).await?);
            let checked = self.checked(ring, &got).map(Zeroizing::new);
            return self.noted(checked).map(Some);
        }
        let message = if to == after {
            words::encode(own)
        } else {
            self.component_digest(ring, to, &Zeroizing::new(words::encode(next)))
        };
        self.round(vec![(to, message)], &[]).await?;
        Ok(None)
    }

    /// Reveals a vector to one party: `Some` there, `None` at the others. One round.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves, or the two holders of the missing component disagree.
    pub async fn reveal<R: Ring>(&mut self, x: &Shared<R>, to: usize) -> Result<Option<Vec<u64>>, Abort> {
        let missing = self.missing_component(R::NAME, &x.own, &x.next, to).await?;
        Ok(missing.map(|missing| joined(x, &missing)))
    }

    /// Reveals a vector to all three parties. One round. What is opened must be independent of the inputs, or granted.
    ///
    /// # Errors
    /// As [`Rep3::reveal`].
    pub async fn open<R: Ring>(&mut self, x: &Shared<R>) -> Result<Vec<u64>, Abort> {
        let (before, after) = (self.before(), self.after());
        let digest = self.component_digest(R::NAME, before, &words::encode(&x.next));
        let out = vec![(after, words::encode(&x.own)), (before, digest)];
        let got = self.round(out, &[(before, words::bytes(x.len())), (after, DIGEST)]).await?;
        let checked = self.checked(R::NAME, &got);
        Ok(joined(x, &self.noted(checked)?))
    }
}

/// The three components added up.
fn joined<R: Ring>(x: &Shared<R>, missing: &[u64]) -> Vec<u64> {
    let two = x.own.iter().zip(&x.next).map(|(own, next)| R::add(*own, *next));
    two.zip(missing).map(|(two, third)| R::add(two, *third)).collect()
}
