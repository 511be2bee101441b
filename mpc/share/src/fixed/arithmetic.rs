//! Products, orders and magnitudes of fixed-point numbers in any engine: exact, or right to one truncation.

use mpc_core::Abort;

use super::{Column, Engine, Fixed};
use crate::interval::{Overflow, Range};

/// A number of an engine.
type Number<E> = Fixed<<E as Engine>::Integers>;

/// [`super::Functions::fixed_mul`].
pub(super) async fn mul<E: Engine>(engine: &mut E, x: &Number<E>, y: &Number<E>) -> Result<Number<E>, Abort> {
    dot(engine, &[(x, y)]).await
}

/// [`super::Functions::fixed_dot`].
pub(super) async fn dot<E: Engine>(engine: &mut E, pairs: &[(&Number<E>, &Number<E>)]) -> Result<Number<E>, Abort> {
    let Some((first, _)) = pairs.first() else {
        return Err(engine.refuse(Overflow { operation: "sum of products", why: "there is no product" }));
    };
    pairs.iter().for_each(|(x, y)| [x, y].into_iter().for_each(|x| x.same_scale(first)));
    let ranges: Vec<_> = pairs.iter().map(|(x, y)| (x.range, y.range)).collect();
    let range = Range::products(&ranges, first.frac).map_err(|overflow| engine.refuse(overflow))?;
    let factors: Vec<_> = pairs.iter().map(|(x, y)| (&x.raw, &y.raw)).collect();
    let sum = engine.dot(&factors).await?;
    Ok(first.with(engine.truncate(&sum, first.frac).await?, range))
}

/// [`super::Functions::fixed_matmul`].
pub(super) async fn matmul<E: Engine>(
    engine: &mut E,
    x: &Number<E>,
    y: &Number<E>,
    size: [usize; 3],
) -> Result<Number<E>, Abort> {
    x.same_scale(y);
    let terms = i64::try_from(size[1]).unwrap_or(i64::MAX);
    let range = x.range.scaled(terms.max(1)).and_then(|sums| Range::products(&[(sums, y.range)], x.frac));
    let range = range.map_err(|overflow| engine.refuse(overflow))?;
    let product = engine.matmul(&x.raw, &y.raw, size).await?;
    Ok(x.with(engine.truncate(&product, x.frac).await?, range))
}

/// [`super::Functions::fixed_less`].
pub(super) async fn less<E: Engine>(engine: &mut E, x: &Number<E>, y: &Number<E>) -> Result<E::Bits, Abort> {
    x.same_scale(y);
    engine.less(&x.raw, &y.raw).await
}

/// [`super::Functions::fixed_min_max`].
pub(super) async fn min_max<E: Engine>(
    engine: &mut E,
    x: &Number<E>,
    y: &Number<E>,
) -> Result<(Number<E>, Number<E>), Abort> {
    let range = x.range.or(y.range);
    let less = less(engine, x, y).await?;
    let difference = x.raw.sub(&y.raw);
    let smaller = engine.select(&less, &difference).await?.add(&y.raw);
    let larger = x.raw.add(&y.raw).sub(&smaller);
    Ok((x.with(smaller, range), x.with(larger, range)))
}

/// [`super::Functions::fixed_abs_relu`].
pub(super) async fn abs_relu<E: Engine>(engine: &mut E, x: &Number<E>) -> Result<(Number<E>, Number<E>), Abort> {
    let hi = i64::try_from(x.range.magnitude()).unwrap_or(i64::MAX);
    let range = Range::new(0, hi).map_err(|overflow| engine.refuse(overflow))?;
    let zeros = E::Integers::zeros(x.len());
    let negative = engine.less(&x.raw, &zeros).await?;
    let below = engine.select(&negative, &x.raw).await?;
    let positive = x.raw.sub(&below);
    Ok((x.with(positive.scale(2).sub(&x.raw), range), x.with(positive, range)))
}
