//! A party's keys and columns, and how rows of one key become one row.

use mpc_block::{Block, bytes_of_mut};
use mpc_core::Context;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Refused, Side};
use crate::element::Elements;

/// A column before rows are put together: one value a row.
#[derive(Clone, Copy)]
pub struct Column<'a> {
    /// The values; where a row has none, anything.
    pub values: &'a [i64],
    /// Which rows have a value; without it all have.
    pub valid: Option<&'a [bool]>,
}

/// Distinct keys with their columns. Wiped when dropped.
///
/// A key is a hash of what is compared ([`crate::element`]); a row with a NULL in it has no key and is
/// left out. SQL joins rows, not values: with several rows of a key on each side every pair of them counts. Put
/// together by [`Self::by_key`], each side has one row a key, and for the pairs of rows of a join
///
/// * `COUNT(*)` is the product of both sides' [`Self::ROWS`],
/// * `SUM(x)` and `COUNT(x)` are the product of [`Self::sum_of`] or [`Self::count_of`] with the other side's [`Self::ROWS`],
/// * `SUM(x * y)` is the product of both sides' [`Self::sum_of`]
///
/// (eager aggregation: Yan and Larson, VLDB 1995).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Input {
    keys: Vec<Block>,
    columns: Vec<Vec<i64>>,
}

impl Input {
    /// The column of [`Self::by_key`] that counts the rows of a key.
    pub const ROWS: usize = 0;

    /// The column of [`Self::by_key`] that sums the values of column `column`.
    pub const fn sum_of(column: usize) -> usize {
        1 + 2 * column
    }

    /// The column of [`Self::by_key`] that counts the values of column `column` that are not NULL.
    pub const fn count_of(column: usize) -> usize {
        2 + 2 * column
    }

    /// Keys that are distinct already, with one value a key and column.
    ///
    /// # Errors
    /// [`Refused::Repeated`] and [`Refused::Uneven`].
    pub fn new(keys: Vec<Block>, columns: Vec<Vec<i64>>) -> Result<Self, Refused> {
        let made = Self { keys, columns };
        if made.columns.iter().any(|column| column.len() != made.keys.len()) {
            return Err(Refused::Uneven);
        }
        if distinct(&made.keys) { Ok(made) } else { Err(Refused::Repeated) }
    }

    /// Puts the rows of each key together: a column that counts them, and for every column given one of sums and one that
    /// counts the values that are not NULL.
    ///
    /// # Errors
    /// [`Refused::Uneven`] when a column ends before the rows, [`Refused::Overflow`] when a sum does not fit 64 bits.
    pub fn by_key(elements: &Elements, columns: &[Column<'_>]) -> Result<Self, Refused> {
        let keys = elements.blocks().to_vec();
        let mut out = Self { columns: Vec::with_capacity(1 + 2 * columns.len()), keys };
        out.columns.resize_with(1 + 2 * columns.len(), || Vec::with_capacity(elements.blocks().len()));
        for element in 0..elements.blocks().len() {
            let rows = elements.rows_of(element);
            out.columns[Self::ROWS].push(rows.len() as i64);
            for (at, column) in columns.iter().enumerate() {
                let (sum, count) = folded(column, rows)?;
                out.columns[Self::sum_of(at)].push(sum);
                out.columns[Self::count_of(at)].push(count);
            }
        }
        Ok(out)
    }

    /// Adds random keys, which match nothing, with zeros up to `size` keys, so that the plan can name a bound instead of how
    /// many keys there are.
    ///
    /// # Errors
    /// [`Refused::Shape`] when there are more than `size` keys already.
    pub fn padded(mut self, size: usize, ctx: &Context) -> Result<Self, Refused> {
        let missing = size.checked_sub(self.keys.len()).ok_or(Refused::Shape)?;
        let mut extra = vec![Block::ZERO; missing];
        ctx.random(bytes_of_mut(&mut extra));
        lengthen(&mut self.keys, &extra);
        let zeros = vec![0; missing];
        self.columns.iter_mut().for_each(|column| lengthen(column, &zeros));
        Ok(self)
    }

    /// The keys.
    pub fn keys(&self) -> &[Block] {
        &self.keys
    }

    /// One column, in the order of the keys.
    pub fn column(&self, column: usize) -> Option<&[i64]> {
        self.columns.get(column).map(Vec::as_slice)
    }

    /// Whether the input has the declared shape and keeps within the declared ranges.
    pub(super) fn keeps(&self, side: &Side) -> Result<(), Refused> {
        let Side { keys, columns } = side;
        if self.keys.len() != *keys || self.columns.len() != columns.len() {
            return Err(Refused::Shape);
        }
        for (column, bound) in self.columns.iter().zip(columns) {
            let each = column.iter().map(|value| value.unsigned_abs()).max().unwrap_or_default();
            let total: u128 = column.iter().map(|value| u128::from(value.unsigned_abs())).sum();
            if each > bound.each || total > u128::from(bound.total) {
                return Err(Refused::Range);
            }
        }
        Ok(())
    }
}

/// Sum and number of the values that these rows have.
fn folded(column: &Column<'_>, rows: &[u32]) -> Result<(i64, i64), Refused> {
    let (mut sum, mut count) = (0_i64, 0);
    for row in rows {
        let row = *row as usize;
        let value = column.values.get(row).ok_or(Refused::Uneven)?;
        let valid = column.valid.map_or(Some(&true), |valid| valid.get(row)).ok_or(Refused::Uneven)?;
        if *valid {
            sum = sum.checked_add(*value).ok_or(Refused::Overflow)?;
            count += 1;
        }
    }
    Ok((sum, count))
}

fn distinct(keys: &[Block]) -> bool {
    if keys.is_sorted_by(|x, y| x.to_u128() < y.to_u128()) {
        return true;
    }
    let mut sorted: Zeroizing<Vec<u128>> = Zeroizing::new(keys.iter().map(|key| key.to_u128()).collect());
    sorted.sort_unstable();
    sorted.is_sorted_by(|x, y| x < y)
}

/// Adds to a secret vector without leaving a copy behind.
fn lengthen<T: Copy + Zeroize>(secret: &mut Vec<T>, more: &[T]) {
    let mut longer = Vec::with_capacity(secret.len() + more.len());
    longer.extend_from_slice(secret);
    longer.extend_from_slice(more);
    secret.zeroize();
    *secret = longer;
}

#[cfg(test)]
mod tests {
    use mpc_core::memory;

    use super::*;
    use crate::circuit::Bound;
    use crate::element::{Builder, Part};

    fn keys(numbers: &[u128]) -> Vec<Block> {
        numbers.iter().map(|number| Block::from_u128(*number)).collect()
    }

    fn elements(numbers: &[Option<i64>]) -> Elements {
        let mut builder = Builder::new(&[8; 32]);
        numbers.iter().for_each(|number| builder.row(&[number.map_or(Part::Null, Part::Int)]));
        builder.finish()
    }

    #[test]
    fn rows_of_one_key_become_one_and_nulls_are_neither_summed_nor_counted() {
        let valid = [true, false, true, true, false, true];
        let columns = [
            Column { values: &[5, 6, -7, 8, 9, 99], valid: None },
            Column { values: &[1, 2, 3, 4, 5, 99], valid: Some(&valid) },
        ];
        let elements = elements(&[Some(3), Some(1), Some(3), Some(3), Some(9), None]);
        let input = Input::by_key(&elements, &columns).unwrap();
        assert!(input.keys() == elements.blocks() && input.keys().len() == 3);
        for (row, due) in [(0, [3, 6, 3, 8, 3]), (1, [1, 6, 1, 0, 0]), (4, [1, 9, 1, 0, 0])] {
            let element = (0..3).find(|element| elements.rows_of(*element).contains(&row)).unwrap();
            let names = [Input::ROWS, Input::sum_of(0), Input::count_of(0), Input::sum_of(1), Input::count_of(1)];
            assert_eq!(names.map(|column| input.column(column).unwrap()[element]), due, "row {row}");
        }
        assert_eq!(input.column(5), None);
        assert!(Input::by_key(&self::elements(&[]), &[]).is_ok_and(|none| none.keys().is_empty()));
    }

    #[test]
    fn repeated_keys_uneven_columns_and_sums_beyond_64_bits_are_refused() {
        assert_eq!(Input::new(keys(&[4, 1, 4]), vec![]).err(), Some(Refused::Repeated));
        assert_eq!(Input::new(keys(&[4, 1]), vec![vec![1]]).err(), Some(Refused::Uneven));
        assert!(Input::new(keys(&[4, 1]), vec![vec![1, 2]]).is_ok());
        let most = [Column { values: &[i64::MAX, 1], valid: None }];
        assert_eq!(Input::by_key(&elements(&[Some(4), Some(4)]), &most).err(), Some(Refused::Overflow));
        assert!(Input::by_key(&elements(&[Some(4), Some(5)]), &most).is_ok());
        assert_eq!(Input::by_key(&elements(&[Some(4), Some(5), Some(6)]), &most).err(), Some(Refused::Uneven));
        let short = [Column { values: &[1, 2], valid: Some(&[true]) }];
        assert_eq!(Input::by_key(&elements(&[Some(4), Some(5)]), &short).err(), Some(Refused::Uneven));
    }

    #[test]
    fn values_beyond_their_declared_range_are_refused() {
        let side = |each, total| Side { keys: 2, columns: vec![Bound { each, total }] };
        let input = Input::new(keys(&[1, 2]), vec![vec![-5, 3]]).unwrap();
        assert_eq!(input.keeps(&side(5, 8)), Ok(()));
        assert_eq!(input.keeps(&side(4, 8)), Err(Refused::Range));
        assert_eq!(input.keeps(&side(5, 7)), Err(Refused::Range));
        assert_eq!(input.keeps(&Side { keys: 2, columns: vec![] }), Err(Refused::Shape));
        assert_eq!(input.keeps(&Side { keys: 3, columns: side(5, 8).columns }), Err(Refused::Shape));
        let least = Input::new(keys(&[1, 2]), vec![vec![i64::MIN, 0]]).unwrap();
        assert_eq!(least.keeps(&side(1 << 63, 1 << 63)), Ok(()));
    }

    #[test]
    fn padding_adds_distinct_keys_with_nothing() {
        let contexts = memory::contexts(memory::network(2), [8; 32]);
        let input = Input::new(keys(&[4, 1]), vec![vec![1, 2]]).unwrap().padded(5, &contexts[0]).unwrap();
        assert_eq!(input.column(0), Some([1, 2, 0, 0, 0].as_slice()));
        assert!(distinct(input.keys()) && input.keys()[..2] == keys(&[4, 1]));
        assert_eq!(input.padded(4, &contexts[0]).err(), Some(Refused::Shape));
    }
}
