//! Inputs: the owner of a value sends one word to one party, the rest follows from a common stream.
//!
//! As ABY3 (Mohassel and Rindal, CCS 2018, section 3.2), with one component of every input 0 and one drawn from the
//! stream that the owner `o` has in common with the party before it: `x_o = F(k_o)`, `x_{o+1} = x - x_o`,
//! `x_{o+2} = 0`. The party after the owner does not know `k_o`, the one before does not receive.

use mpc_core::Abort;

use crate::shared::zip;
use crate::{Rep3, Ring, Shared};

impl Rep3 {
    /// Shares every party's inputs in one round: `counts` says how many words each party inputs, `mine` are this
    /// party's. The answer has one vector a party.
    ///
    /// # Errors
    /// [`Abort`] with blame on this party when `mine` has another length than announced, else when a peer is gone or
    /// misbehaves.
    pub async fn input<R: Ring>(&mut self, counts: [usize; 3], mine: &[u64]) -> Result<[Shared<R>; 3], Abort> {
        let (me, after, before) = (self.me(), self.after(), self.before());
        if mine.len() != counts[me] {
            let why = format!("{} words of input where {} are due", mine.len(), counts[me]);
            return Err(self.ctx.name(Abort::local(why)));
        }
        let mask = self.own.words(counts[me]);
        let masked = zip(mine, &mask, R::sub);
        // Held as shares before the round, so that an abort wipes them too.
        let (own, mut theirs) = (Shared::new(mask, masked), Shared::zeros(counts[before]));
        self.pass(Some((after, own.next.as_slice())), Some((before, theirs.own.as_mut_slice()))).await?;
        let mut out = [Shared::zeros(0), Shared::zeros(0), Shared::zeros(0)];
        out[me] = own;
        out[before] = theirs;
        out[after] = Shared::new(vec![0; counts[after]], self.next.words(counts[after]));
        Ok(out)
    }
}
