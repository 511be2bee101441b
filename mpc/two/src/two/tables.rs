//! Tables of secret rows: shuffled, moved to secret places, those that count put first.

use mpc_core::Abort;
use zeroize::Zeroizing;

use super::{Two, same};
use crate::convert::Words;
use crate::shares::{Additive, BitShares};
use crate::shuffle::{MAX_ROWS, scatter, shuffle};

/// The words of equally long columns.
pub(super) fn words(columns: &[Additive]) -> Result<Vec<Words>, Abort> {
    let rows = columns.first().map_or(0, Additive::len);
    columns.iter().try_for_each(|column| same(column.len(), rows))?;
    if rows > MAX_ROWS {
        return Err(Abort::local(format!("{rows} rows, {MAX_ROWS} at most")));
    }
    Ok(columns.iter().map(|column| Zeroizing::new(column.words().to_vec())).collect())
}

/// The inverse of [`words`].
pub(super) fn additive(columns: Vec<Words>) -> Vec<Additive> {
    columns.into_iter().map(|mut column| Additive::of(std::mem::take(&mut *column))).collect()
}

impl Two {
    /// Puts the rows of equally long columns into a uniformly random order that neither party knows. At most 2^20 rows. Three
    /// rounds for each 2^22 switches, of which there are about `log2 n - 1` a row and column; 16 bytes a switch and party over
    /// [`crate::Network::Lan`].
    ///
    /// # Errors
    /// As all operations.
    pub async fn shuffle(&mut self, columns: Vec<Additive>) -> Result<Vec<Additive>, Abort> {
        let mut table = words(&columns)?;
        let mut party = self.open()?;
        shuffle(&mut party, &mut table).await?;
        self.close(party);
        Ok(additive(table))
    }

    /// Moves row `j` of equally long columns to the secret place `to[j]`; `to` is a permutation. A round more than
    /// [`Two::shuffle`] of a column more.
    ///
    /// # Errors
    /// As all operations; with blame on the peer when `to` is no permutation.
    pub async fn scatter(&mut self, columns: Vec<Additive>, to: &Additive) -> Result<Vec<Additive>, Abort> {
        let mut table = words(&columns)?;
        if let Some(column) = columns.first() {
            same(column.len(), to.len())?;
        }
        let mut places = words(std::slice::from_ref(to))?;
        let mut party = self.open()?;
        scatter(&mut party, &mut table, places.pop().unwrap_or_else(|| Zeroizing::new(Vec::new()))).await?;
        self.close(party);
        Ok(additive(table))
    }

    /// Moves the rows whose `valid` is set before the others; both keep their order. Two rounds more than [`Two::scatter`].
    ///
    /// # Errors
    /// As all operations.
    pub async fn compact(&mut self, columns: Vec<Additive>, valid: &BitShares) -> Result<Vec<Additive>, Abort> {
        let rows = valid.len();
        columns.iter().try_for_each(|column| same(column.len(), rows))?;
        let sums = self.to_arith(valid).await?.prefix_sums();
        let numbers = self.constant(&(0..rows as u64).collect::<Vec<_>>());
        let ones = self.constant(&vec![1; rows]);
        // Of the rows that count as many come before as were counted, before the others all of these as well.
        let others = sums.last_repeated().add(&numbers).sub(&sums);
        let first = sums.sub(&ones);
        let to = self.select(valid, &first.sub(&others)).await?.add(&others);
        self.scatter(columns, &to).await
    }
}
