//! Cells of matching rows as they cross to the receiver: every row's are equally long.

use base_types::column::ColumnType;
use notary_terms::{CellForm, formula::Value};

use crate::AnswerCell;

/// Bytes of one row's cells.
pub(crate) fn length(forms: &[CellForm]) -> usize {
    forms.iter().map(cell_length).sum()
}

/// A byte that says whether there is a value; then a number's eight bytes, or a text's length in two bytes and its room.
fn cell_length(form: &CellForm) -> usize {
    match form.ty {
        ColumnType::Text => 3 + usize::from(form.bytes),
        _ => 9,
    }
}

/// A formula's value as a cell of the answer.
pub(crate) fn cell(value: Value) -> AnswerCell {
    match value {
        Value::Null => AnswerCell::Null,
        Value::Number(word) => AnswerCell::Number(word),
        Value::Bool(truth) => AnswerCell::Number(i64::from(truth)),
        Value::Text(text) => AnswerCell::Text(text),
    }
}

/// Appends a value; false when it is not of the form that the plan gives it.
pub(crate) fn write(form: &CellForm, value: Value, out: &mut Vec<u8>) -> bool {
    let end = out.len() + cell_length(form);
    match (cell(value), form.ty) {
        (AnswerCell::Null, _) => {}
        (AnswerCell::Text(text), ColumnType::Text) => match u16::try_from(text.len()) {
            Ok(length) if length <= form.bytes => {
                out.push(1);
                out.extend(length.to_be_bytes());
                out.extend(text.as_bytes());
            }
            _ => return false,
        },
        (AnswerCell::Number(word), ty) if ty != ColumnType::Text => {
            out.push(1);
            out.extend(word.to_be_bytes());
        }
        _ => return false,
    }
    out.resize(end, 0);
    true
}

/// Reads a row's cells; `None` when no honest owner writes them so.
pub(crate) fn read(forms: &[CellForm], bytes: &[u8]) -> Option<Vec<AnswerCell>> {
    let mut rest = bytes;
    let mut cells = Vec::with_capacity(forms.len());
    for form in forms {
        let (mine, after) = rest.split_at_checked(cell_length(form))?;
        rest = after;
        cells.push(read_cell(form, mine)?);
    }
    rest.is_empty().then_some(cells)
}

fn read_cell(form: &CellForm, bytes: &[u8]) -> Option<AnswerCell> {
    let (known, body) = bytes.split_first()?;
    match (*known, form.ty) {
        (0, _) => body.iter().all(|byte| *byte == 0).then_some(AnswerCell::Null),
        (1, ColumnType::Text) => {
            let (length, room) = body.split_first_chunk::<2>()?;
            let text = room.get(..usize::from(u16::from_be_bytes(*length)))?;
            String::from_utf8(text.to_vec()).ok().map(AnswerCell::Text)
        }
        (1, _) => Some(AnswerCell::Number(i64::from_be_bytes(body.try_into().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [CellForm; 2] =
        [CellForm { ty: ColumnType::Int, bytes: 8 }, CellForm { ty: ColumnType::Text, bytes: 4 }];

    fn written(number: Value, text: Value) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        (write(&FORMS[0], number, &mut out) && write(&FORMS[1], text, &mut out)).then_some(out)
    }

    #[test]
    fn every_row_is_equally_long_and_comes_back_as_it_was() {
        for (number, text) in [
            (Value::Number(-7), Value::Text("合".into())),
            (Value::Null, Value::Null),
            (Value::Bool(true), Value::Text(String::new())),
        ] {
            let bytes = written(number.clone(), text.clone()).unwrap();
            assert_eq!(bytes.len(), length(&FORMS));
            assert_eq!(read(&FORMS, &bytes), Some(vec![cell(number), cell(text)]));
        }
    }

    #[test]
    fn values_of_another_form_are_not_written() {
        for (number, text) in [
            (Value::Text("7".into()), Value::Null),
            (Value::Null, Value::Number(7)),
            (Value::Null, Value::Text("12345".into())),
        ] {
            assert_eq!(written(number, text), None);
        }
    }

    #[test]
    fn false_cells_are_refused_not_a_panic() {
        let good = written(Value::Number(7), Value::Text("ab".into())).unwrap();
        let twists: [fn(&mut Vec<u8>); 6] =
            [|b| b[0] = 2, |b| b[0] = 0, |b| b[11] = 5, |b| b[12] = 0xff, |b| _ = b.pop(), |b| b.push(0)];
        for (number, twist) in twists.into_iter().enumerate() {
            let mut bytes = good.clone();
            twist(&mut bytes);
            assert_eq!(read(&FORMS, &bytes), None, "twist {number}");
        }
    }
}
