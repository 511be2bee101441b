//! Into the shares and out of them.

use std::mem::take;

use mpc_core::Abort;
use zeroize::Zeroizing;

use super::{Two, same};
use crate::shares::{Additive, BitShares};

fn exists(party: usize) -> Result<(), Abort> {
    if party < 2 { Ok(()) } else { Err(Abort::local(format!("there is no party {party}"))) }
}

impl Two {
    /// Shares `len` values of party `owner`, which the other party passes as an empty slice. One message.
    ///
    /// # Errors
    /// As all operations.
    pub async fn input(&mut self, owner: usize, values: &[u64], len: usize) -> Result<Additive, Abort> {
        exists(owner)?;
        same(values.len(), if owner == self.me { len } else { 0 })?;
        let mut party = self.open()?;
        let mut line = party.line("input", &[owner, len]);
        let share: Vec<u64> = if owner == party.me() {
            let theirs = Zeroizing::new(party.prg.words(len));
            line.words(&theirs, 0).await?;
            values.iter().zip(theirs.iter()).map(|(value, share)| value.wrapping_sub(*share)).collect()
        } else {
            line.words(&[], len).await?
        };
        self.close(party);
        Ok(Additive::of(share))
    }

    /// Public values as shares.
    pub fn constant(&self, values: &[u64]) -> Additive {
        if self.me == 0 { Additive::of(values.to_vec()) } else { Additive::zeros(values.len()) }
    }

    /// Tells party `to` the values; the other party gets `None`. One message.
    ///
    /// # Errors
    /// As all operations.
    pub async fn reveal(&mut self, to: usize, x: &Additive) -> Result<Option<Vec<u64>>, Abort> {
        let theirs = self.shares_to(to, "reveal", x.words(), x.len()).await?;
        Ok(theirs.map(|theirs| theirs.iter().zip(x.words()).map(|(x, y)| x.wrapping_add(*y)).collect()))
    }

    /// Tells party `to` the bits; the other party gets `None`. One message.
    ///
    /// # Errors
    /// As all operations.
    pub async fn reveal_bits(&mut self, to: usize, x: &BitShares) -> Result<Option<Vec<bool>>, Abort> {
        let theirs = self.shares_to(to, "reveal bits", x.words(), x.len()).await?;
        Ok(theirs.map(|mut theirs| {
            let open = x.xor(&BitShares::of(take(&mut *theirs), x.len()));
            (0..x.len()).map(|at| open.get(at)).collect()
        }))
    }

    /// Sends this party's words to party `to`, which gets the peer's.
    async fn shares_to(
        &mut self,
        to: usize,
        operation: &str,
        mine: &[u64],
        len: usize,
    ) -> Result<Option<Zeroizing<Vec<u64>>>, Abort> {
        exists(to)?;
        let mut party = self.open()?;
        let mut line = party.line(operation, &[to, len]);
        let theirs = if to == party.me() {
            Some(Zeroizing::new(line.words(&[], mine.len()).await?))
        } else {
            line.words(mine, 0).await?;
            None
        };
        self.close(party);
        Ok(theirs)
    }
}
