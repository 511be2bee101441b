//! What a party does alone with a vector that is read as a matrix, row by row: picking elements, and sums down the columns.

use crate::{Ring, Shared, Wide};

fn picked<T: Copy>(words: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|place| words[*place]).collect()
}

fn sums<T: Copy + Default>(words: &[T], columns: usize, add: impl Fn(T, T) -> T) -> Vec<T> {
    let mut sums = vec![T::default(); columns];
    for row in words.chunks(columns.max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, word)| *sum = add(*sum, *word));
    }
    sums
}

impl<R: Ring> Shared<R> {
    /// The elements at these places, in their order; an element may be taken several times.
    ///
    /// # Panics
    /// When a place is not below the length.
    #[must_use]
    pub fn picked(&self, places: &[usize]) -> Self {
        Self::new(picked(&self.own, places), picked(&self.next, places))
    }

    /// The sum of each of so many columns.
    #[must_use]
    pub fn column_sums(&self, columns: usize) -> Self {
        Self::new(sums(&self.own, columns, R::add), sums(&self.next, columns, R::add))
    }
}

impl Wide {
    /// As [`Shared::picked`].
    ///
    /// # Panics
    /// As [`Shared::picked`].
    #[must_use]
    pub fn picked(&self, places: &[usize]) -> Self {
        Self::new(picked(&self.own, places), picked(&self.next, places))
    }

    /// As [`Shared::column_sums`].
    #[must_use]
    pub fn column_sums(&self, columns: usize) -> Self {
        Self::new(sums(&self.own, columns, u128::wrapping_add), sums(&self.next, columns, u128::wrapping_add))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Arith, Wide};

    #[test]
    fn both_components_move_and_add_up_alike() {
        let x = Arith::new(vec![1, 2, 3, u64::MAX], vec![5, 6, 7, 8]);
        let turned = x.picked(&[3, 0, 0]);
        assert_eq!((turned.own.as_slice(), turned.next.as_slice()), (&[u64::MAX, 1, 1][..], &[8, 5, 5][..]));
        let sums = x.column_sums(2);
        assert_eq!((sums.own.as_slice(), sums.next.as_slice()), (&[4, 1][..], &[12, 14][..]));
        let wide = Wide::new(vec![1, 2, u128::MAX], vec![4, 5, 6]);
        assert_eq!(wide.column_sums(1).own, [2]);
        assert_eq!(wide.picked(&[2]).next, [6]);
    }
}
