//! Moving rows to secret places.
//!
//! Rows are shuffled together with their destinations, then the destinations are opened and every party moves its shares (Chida
//! et al., ePrint 2019/695, algorithm 4): what is opened is a uniformly random permutation.

use mpc_core::Abort;

use crate::shuffle::Columns;
use crate::{Arith, Rep3, Ring, Shared};

impl Rep3 {
    /// Moves row `j` of equally long columns to the secret place `to[j]`; `to` is a permutation. Four rounds.
    ///
    /// # Errors
    /// [`Abort`] when `to` is no permutation, or a peer is gone or misbehaves.
    pub async fn scatter<R: Ring>(&mut self, columns: Vec<Shared<R>>, to: Arith) -> Result<Vec<Shared<R>>, Abort> {
        let mut moved = self.shuffle_both(Columns { first: columns, second: vec![to] }).await?;
        let to = moved.second.pop().unwrap_or_else(|| Arith::zeros(0));
        let opened = self.open_once(&to).await?;
        let to = self.checked_permutation(&opened)?;
        Ok(moved.first.iter().map(|column| column.permuted(&to)).collect())
    }

    /// Puts at place `j` the row `from[j]` of equally long columns; `from` is a secret permutation. Eight rounds.
    ///
    /// # Errors
    /// As [`Rep3::scatter`].
    pub async fn gather<R: Ring>(&mut self, columns: Vec<Shared<R>>, from: Arith) -> Result<Vec<Shared<R>>, Abort> {
        let numbers: Arith = self.public(&(0..from.len() as u64).collect::<Vec<_>>());
        let mut inverse = self.scatter(vec![numbers], from).await?;
        let to = inverse.pop().unwrap_or_else(|| Arith::zeros(0));
        self.scatter(columns, to).await
    }

    /// Opens what is uniformly random whatever the inputs are, without the digests of [`Rep3::open`]. One round.
    pub(crate) async fn open_once<R: Ring>(&mut self, x: &Shared<R>) -> Result<Vec<u64>, Abort> {
        let (before, after) = (self.before(), self.after());
        let mut missing = vec![0; x.len()];
        self.pass(Some((after, x.own.as_slice())), Some((before, missing.as_mut_slice()))).await?;
        let two = x.own.iter().zip(&x.next).map(|(own, next)| R::add(*own, *next));
        missing.iter_mut().zip(two).for_each(|(word, two)| *word = R::add(*word, two));
        Ok(missing)
    }

    /// The opened words as a permutation.
    pub(crate) fn checked_permutation(&mut self, opened: &[u64]) -> Result<Vec<u32>, Abort> {
        let checked = permutation(opened).ok_or_else(|| {
            let why = "the destinations are no permutation: a peer has departed from the protocol";
            self.ctx.name(Abort::peer(self.before(), why))
        });
        self.noted(checked)
    }
}

/// The words as a permutation of `0..len`, if they are one.
pub fn permutation(words: &[u64]) -> Option<Vec<u32>> {
    let mut seen = vec![false; words.len()];
    let place = |word: &u64| {
        let place = seen.get_mut(usize::try_from(*word).ok()?)?;
        (!std::mem::replace(place, true)).then_some(u32::try_from(*word).ok()?)
    };
    words.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::permutation;

    #[test]
    fn only_permutations_are_accepted() {
        assert_eq!(permutation(&[2, 0, 1]), Some(vec![2, 0, 1]));
        assert_eq!(permutation(&[]), Some(vec![]));
        for bad in [&[0, 0][..], &[0, 2], &[u64::MAX, 0], &[1 << 32, 0]] {
            assert_eq!(permutation(bad), None, "{bad:?}");
        }
    }
}
