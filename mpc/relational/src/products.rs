//! Products of several columns each, in as many rounds as the longest has levels.

use mpc_core::Abort;
use mpc_share::Arith;

use crate::Scheme;

/// The product of each list of columns (of one length); an empty list has none and is left out by the callers.
pub(crate) async fn products<S: Scheme>(party: &mut S, mut terms: Vec<Vec<Arith>>) -> Result<Vec<Arith>, Abort> {
    while terms.iter().any(|factors| factors.len() > 1) {
        let pairs = |factors: &'_ Vec<Arith>| factors.len() / 2;
        let counts: Vec<usize> = terms.iter().map(pairs).collect();
        let views: Vec<_> = terms
            .iter()
            .flat_map(|factors| factors.as_chunks::<2>().0.iter().map(|[x, y]| (x.view(), y.view())))
            .collect();
        let mut done = party.mul_many(&views).await?.into_iter();
        drop(views);
        for (factors, count) in terms.iter_mut().zip(counts) {
            let rest = factors.split_off(2 * count);
            *factors = done.by_ref().take(count).chain(rest).collect();
        }
    }
    Ok(terms.into_iter().flatten().collect())
}

/// Whether each row equals the one before it in all of the columns of bits: 1 or 0, and 0 for the first row.
///
/// `extra` are further factors of that product, one value a row but the first.
pub(crate) async fn equals_before<S: Scheme>(
    party: &mut S,
    bits: &[&Arith],
    rows: usize,
    extra: Vec<Arith>,
) -> Result<Arith, Abort> {
    let later = rows.saturating_sub(1);
    let differ: Vec<Arith> = bits.iter().map(|bit| bit.range(1..rows).minus(bit.range(0..later))).collect();
    let squares: Vec<_> = differ.iter().map(|x| (x.view(), x.view())).collect();
    let squares = party.mul_many(&squares).await?;
    let mut factors: Vec<Arith> = squares.iter().map(|square| party.not(square)).collect();
    factors.extend(extra);
    if factors.is_empty() {
        factors.push(party.integers(1, later));
    }
    let equal = products(party, vec![factors]).await?;
    Ok(Arith::concat(std::iter::once(Arith::zeros(1).view()).chain(equal.iter().map(Arith::view))))
}
