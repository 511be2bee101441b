//! Running sums, maxima and first values within segments of a vector, by an ordered tree.
//!
//! As three parties do it (Blelloch, "Prefix Sums and Their Applications", CMU-CS-90-190, section 1.5): neighbours are combined, the
//! half as long vector is scanned, and every second element takes in what lies before it. Flags are bits here, so that an element is
//! chosen by two transfers where a product would take 128.

use mpc_core::Abort;
use mpc_share::Carried;

use super::{Two, same};
use crate::shares::{Additive, BitShares};

/// Elements with even numbers, the first of which is `first`, and those with odd ones, in turn.
fn in_turn(first: &Additive, even: &Additive, odd: &Additive) -> Additive {
    let (even, odd) = (Additive::concat([first, even]), odd.words());
    let at = |at: usize| if at.is_multiple_of(2) { even.words()[at / 2] } else { odd[at / 2] };
    Additive::of((0..even.len() + odd.len()).map(at).collect())
}

impl Two {
    /// For every element: what is carried from the start of its segment to it, itself included. `same` says of every element
    /// whether it belongs to the segment of the element before it (the first one's is not looked at). Three rounds for each doubling of the
    /// length, for [`Carried::Max`] 17; about 40 bytes an element and party, for [`Carried::Max`] a kilobyte more.
    ///
    /// # Errors
    /// As all operations.
    pub async fn scan(
        &mut self,
        what: Carried,
        same_segment: &BitShares,
        values: &Additive,
    ) -> Result<Additive, Abort> {
        same(same_segment.len(), values.len())?;
        let (mut levels, mut current) = (Vec::new(), (same_segment.clone(), values.clone()));
        while current.1.len() > 1 {
            let (flags, values) = &current;
            let paired = values.len() / 2 * 2;
            let (even, odd) = (|| (0..paired).step_by(2), || (1..paired).step_by(2));
            let later = flags.picked(odd());
            let combined = self.take_in(what, &later, &values.picked(even()), &values.picked(odd())).await?;
            let joined = self.and(&later, &flags.picked(even())).await?;
            levels.push(std::mem::replace(&mut current, (joined, combined)));
        }
        let mut scanned = current.1;
        for (flags, values) in levels.into_iter().rev() {
            let even = || (2..values.len()).step_by(2);
            let flags = flags.picked(even());
            let before = scanned.range(0..flags.len());
            let later = self.take_in(what, &flags, &before, &values.picked(even())).await?;
            scanned = in_turn(&values.range(0..1), &later, &scanned);
        }
        Ok(scanned)
    }

    /// The later value, with the earlier one taken in where the flag is set.
    async fn take_in(
        &mut self,
        what: Carried,
        flags: &BitShares,
        earlier: &Additive,
        later: &Additive,
    ) -> Result<Additive, Abort> {
        let gain = match what {
            Carried::Sum => self.select(flags, earlier).await?,
            Carried::First => self.select(flags, &earlier.sub(later)).await?,
            Carried::Max => {
                let larger = self.less(later, earlier).await?;
                let both = self.and(flags, &larger).await?;
                self.select(&both, &earlier.sub(later)).await?
            }
        };
        Ok(later.add(&gain))
    }
}
