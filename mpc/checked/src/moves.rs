//! Moving rows to secret places.
//!
//! By shuffle and reveal, algorithm 4 of Chida et al. (ePrint 2019/695). A destination is opened only after a shuffle and after
//! everything that it follows from has been verified, so what is opened is a uniformly random permutation whatever one party does,
//! as long as the destinations are one: those of a sort ([`mpc_share::Replicated::sort`]) are if the key's columns hold bits.

use mpc_core::Abort;
use mpc_share::{Arith, permutation};

use crate::party::Checked;

impl Checked {
    /// Moves row `j` of equally long columns to the secret place `to[j]`; `to` is a permutation. Four rounds and a check.
    ///
    /// # Errors
    /// [`Abort`] when something that was computed so far is false, `to` is no permutation, or a peer is gone or misbehaves.
    pub async fn scatter(&mut self, mut columns: Vec<Arith>, to: Arith) -> Result<Vec<Arith>, Abort> {
        columns.push(to);
        let mut moved = self.shuffle(columns).await?;
        let to = moved.pop().unwrap_or_else(|| Arith::zeros(0));
        let opened = self.open(&to).await?;
        self.begin()?;
        let places = permutation(&opened).ok_or_else(|| self.link.undecided("the destinations are no permutation"));
        let places = self.end(places)?;
        Ok(moved.iter().map(|column| column.permuted(&places)).collect())
    }
}
