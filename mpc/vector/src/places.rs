//! Where the elements of a value come from when they are only moved: pure, for vectors that lie row by row.

use crate::form::Form;
use crate::step::Pick;

/// For every element of a value of that shape, row by row.
fn each(rows: usize, columns: usize, from: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let mut places = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        places.extend((0..columns).map(|column| from(row, column)));
    }
    places
}

/// Places among the elements of `from`.
pub(crate) fn picked(from: &Form, pick: Pick, to: &Form) -> Vec<usize> {
    let width = from.columns;
    match pick {
        Pick::Spread => {
            let one = |own: usize, at: usize| if own == 1 { 0 } else { at };
            each(to.rows, to.columns, |row, column| one(from.rows, row) * width + one(width, column))
        }
        Pick::Transpose => each(to.rows, to.columns, |row, column| column * width + row),
        Pick::Column(place) => each(to.rows, 1, |row, _| row * width + place),
        Pick::Rows(first) => each(to.rows, to.columns, |row, column| (first + row) * width + column),
    }
}

/// Places among the elements of two values one after the other, whose columns come to stand side by side.
pub(crate) fn beside(left: &Form, right: &Form) -> Vec<usize> {
    each(left.rows, left.columns + right.columns, |row, column| match column.checked_sub(left.columns) {
        None => row * left.columns + column,
        Some(column) => left.len() + row * right.columns + column,
    })
}

/// One column after the other.
pub(crate) fn by_columns(form: &Form) -> Vec<usize> {
    each(form.columns, form.rows, |column, row| row * form.columns + column)
}

/// Back from one column after the other.
pub(crate) fn by_rows(form: &Form) -> Vec<usize> {
    each(form.rows, form.columns, |row, column| column * form.rows + row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(rows: usize, columns: usize) -> Form {
        Form::truth(rows, columns)
    }

    #[test]
    fn elements_move_as_their_matrices_say() {
        let two = form(2, 3);
        assert_eq!(picked(&two, Pick::Transpose, &form(3, 2)), [0, 3, 1, 4, 2, 5]);
        assert_eq!(picked(&two, Pick::Column(1), &form(2, 1)), [1, 4]);
        assert_eq!(picked(&two, Pick::Rows(1), &form(1, 3)), [3, 4, 5]);
        assert_eq!(picked(&form(1, 3), Pick::Spread, &two), [0, 1, 2, 0, 1, 2]);
        assert_eq!(picked(&form(2, 1), Pick::Spread, &two), [0, 0, 0, 1, 1, 1]);
        assert_eq!(picked(&form(1, 1), Pick::Spread, &two), [0; 6]);
        assert_eq!(beside(&form(2, 1), &form(2, 2)), [0, 2, 3, 1, 4, 5]);
        assert_eq!(by_columns(&two), [0, 3, 1, 4, 2, 5]);
        let (there, back) = (by_columns(&two), by_rows(&two));
        assert_eq!(back.iter().map(|place| there[*place]).collect::<Vec<_>>(), (0..6).collect::<Vec<_>>());
    }
}
