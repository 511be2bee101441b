//! Running sums, maxima and first values within segments of a vector, in any three-party engine, by an ordered tree.
//!
//! The operator of segmented scans (Blelloch, "Prefix Sums and Their Applications", CMU-CS-90-190, section 1.5) is
//! associative: of two runs, the later one takes the earlier one in where they are of one segment. Neighbours are combined, the
//! half as long vector is scanned, and every second element takes in what lies before it: three products an element for a
//! sum, two rounds for each doubling of the length.

use mpc_core::Abort;

use crate::{Arith, Replicated};

/// What is carried along a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The sum of the values so far.
    Sum,
    /// The largest value so far, signed; differences must be of 64 bits too.
    Max,
    /// The segment's first value.
    First,
}

/// Every second element from `start` on.
fn every_second(x: &Arith, start: usize) -> Arith {
    let take = |words: &[u64]| words.iter().skip(start).step_by(2).copied().collect();
    Arith::new(take(&x.own), take(&x.next))
}

/// The inverse of [`every_second`]: elements with even numbers, then those with odd ones, in turn.
fn in_turn(even: &Arith, odd: &Arith) -> Arith {
    let merge = |even: &[u64], odd: &[u64]| {
        let len = even.len() + odd.len();
        (0..len).map(|at| if at % 2 == 0 { even[at / 2] } else { odd[at / 2] }).collect()
    };
    Arith::new(merge(&even.own, &odd.own), merge(&even.next, &odd.next))
}

/// Element by element: the product.
async fn mul<P: Replicated>(party: &mut P, x: &Arith, y: &Arith) -> Result<Arith, Abort> {
    let mut products = party.mul_many(&[(x.view(), y.view())]).await?;
    Ok(products.pop().unwrap_or_else(|| Arith::zeros(0)))
}

/// [`Replicated::scan`].
pub(crate) async fn scan<P: Replicated>(
    party: &mut P,
    what: Carried,
    same: &Arith,
    values: &Arith,
) -> Result<Arith, Abort> {
    assert_eq!(same.len(), values.len(), "flags and values have one length");
    let (mut levels, mut current) = (Vec::new(), (same.clone(), values.clone()));
    while current.1.len() > 1 {
        let (same, values) = &current;
        let odd_same = every_second(same, 1);
        let pairs = odd_same.len();
        let even_same = every_second(same, 0).range(0..pairs).to_shared();
        let before = every_second(values, 0).range(0..pairs).to_shared();
        let combined = take_in(party, what, &odd_same, &before, &every_second(values, 1)).await?;
        let joined = mul(party, &odd_same, &even_same).await?;
        levels.push(std::mem::replace(&mut current, (joined, combined)));
    }
    let mut scanned = current.1;
    for (same, values) in levels.into_iter().rev() {
        let (same, values) = (every_second(&same, 0), every_second(&values, 0));
        let (len, known) = (values.len(), values.range(0..1).to_shared());
        let before = scanned.range(0..len - 1).to_shared();
        let (same, values) = (same.range(1..len).to_shared(), values.range(1..len).to_shared());
        let later = take_in(party, what, &same, &before, &values).await?;
        scanned = in_turn(&Arith::concat([known.view(), later.view()]), &scanned);
    }
    Ok(scanned)
}

/// The later value, with the earlier one taken in where `same` is 1.
async fn take_in<P: Replicated>(
    party: &mut P,
    what: Carried,
    same: &Arith,
    earlier: &Arith,
    later: &Arith,
) -> Result<Arith, Abort> {
    let gain = match what {
        Carried::Sum => mul(party, same, earlier).await?,
        Carried::First => mul(party, same, &earlier.sub(later)).await?,
        Carried::Max => {
            let larger = party.less_integers(later, earlier).await?;
            let gain = mul(party, &larger, &earlier.sub(later)).await?;
            mul(party, same, &gain).await?
        }
    };
    Ok(later.add(&gain))
}
