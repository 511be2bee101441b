//! Vectors of secrets that are wiped when dropped, in whole registers, and that leave nothing behind when they grow.

use std::ops::{Deref, DerefMut};

use zeroize::{DefaultIsZeroes, Zeroize};

/// A vector that is wiped when dropped. `Zeroizing` writes a vector's elements one by one; this writes them all at once, which
/// counts where every product has some twenty words.
#[derive(Clone, Default)]
pub(crate) struct Wiped<E: DefaultIsZeroes>(Vec<E>);

impl<E: DefaultIsZeroes> Wiped<E> {
    /// Takes a vector over.
    pub(crate) fn new(vector: Vec<E>) -> Self {
        Self(vector)
    }

    /// A vector of zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self(vec![E::default(); len])
    }
}

impl<E: DefaultIsZeroes> Deref for Wiped<E> {
    type Target = Vec<E>;

    fn deref(&self) -> &Vec<E> {
        &self.0
    }
}

impl<E: DefaultIsZeroes> DerefMut for Wiped<E> {
    fn deref_mut(&mut self) -> &mut Vec<E> {
        &mut self.0
    }
}

impl<E: DefaultIsZeroes> Drop for Wiped<E> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Takes a vector's elements away and wipes all of its memory, also what longer vectors before left there; it stays the vector's.
pub(crate) fn wipe<E: DefaultIsZeroes>(vector: &mut Vec<E>) {
    vector.clear();
    vector.spare_capacity_mut().zeroize();
}

/// Appends `more` zeros, for which there is room, and gives them.
pub(crate) fn extended<E: DefaultIsZeroes>(vector: &mut Vec<E>, more: usize) -> &mut [E] {
    let start = vector.len();
    vector.resize(start + more, E::default());
    &mut vector[start..]
}

/// Makes room for `more` elements; memory that is given up is wiped.
pub(crate) fn reserve<E: DefaultIsZeroes>(vector: &mut Vec<E>, more: usize) {
    let due = vector.len() + more;
    if due > vector.capacity() {
        let mut grown = Vec::with_capacity(due.max(2 * vector.capacity()));
        grown.extend_from_slice(vector);
        wipe(vector);
        *vector = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_keep_their_elements_when_they_grow_and_their_memory_when_they_are_wiped() {
        let mut vector = vec![1_u64, 2, 3];
        reserve(&mut vector, 100);
        assert!(vector == [1, 2, 3] && vector.capacity() >= 103);
        let memory = vector.as_ptr();
        reserve(&mut vector, 100);
        assert!(vector == [1, 2, 3] && vector.as_ptr() == memory);
        vector.truncate(1);
        *extended(&mut vector, 2).last_mut().expect("two elements") = 9;
        assert_eq!(vector, [1, 0, 9]);
        wipe(&mut vector);
        assert!(vector.is_empty() && vector.as_ptr() == memory);
        let mut wiped = Wiped::<u64>::zeros(2);
        wiped[1] = 5;
        assert_eq!(*wiped.clone(), [0, 5]);
        assert_eq!(std::mem::take(&mut *wiped), [0, 5]);
        assert!(wiped.is_empty() && Wiped::new(vec![7_u32])[0] == 7);
    }
}
