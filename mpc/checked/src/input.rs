//! Inputs: the owner of a value sends one word to one party, the rest follows from a common stream.
//!
//! As ABY3 (Mohassel and Rindal, CCS 2018, section 3.2): of the owner `o`'s value, component `o` comes from the stream of
//! parties `o-1` and `o`, component `o+1` is the rest, which the owner sends to party `o+1`, component `o+2` is 0. Each
//! component that the two other parties hold in common is the constant 0, so nothing that a corrupt owner sends can make
//! them disagree: every word is an input.

use mpc_core::Abort;
use mpc_share::Shared;

use crate::party::{Checkable, Checked};

impl Checked {
    /// Shares every party's inputs in one round: `counts` says how many words each party inputs, `mine` are this party's. The
    /// answer has one vector a party.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when `mine` has another length than announced, else when a peer is gone or
    /// misbehaves.
    pub async fn input<R: Checkable>(&mut self, counts: [usize; 3], mine: &[u64]) -> Result<[Shared<R>; 3], Abort> {
        self.begin()?;
        let outcome = self.share_inputs(counts, mine).await;
        self.end(outcome)
    }

    async fn share_inputs<R: Checkable>(&mut self, counts: [usize; 3], mine: &[u64]) -> Result<[Shared<R>; 3], Abort> {
        let link = &mut self.link;
        let (me, after, before) = (link.me(), link.after(), link.before());
        if mine.len() != counts[me] {
            let why = format!("{} words of input where {} are due", mine.len(), counts[me]);
            return Err(link.ctx.name(Abort::local(why)));
        }
        let mask = link.own.words(counts[me]);
        let masked: Vec<u64> = mine.iter().zip(&mask).map(|(x, mask)| R::sub(*x, *mask)).collect();
        let mut got = vec![0; counts[before]];
        link.ctx.pass(Some((after, &masked[..])), Some((before, &mut got[..]))).await?;
        let mut out = [(); 3].map(|()| Shared::zeros(0));
        out[me] = Shared::from_parts(mask, masked);
        out[before] = Shared::from_parts(got, vec![0; counts[before]]);
        out[after] = Shared::from_parts(vec![0; counts[after]], link.next.words(counts[after]));
        Ok(out)
    }
}
