//! Arguments as rows of a table: one row or an array of rows, of numbers and truth values, and the JSON that says so.

use std::fmt::Write;

use zeroize::Zeroizing;

use crate::kind::Kind;

/// Characters of a number at most, with the signs around it and around its name.
const NUMBER: usize = 28;

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, where the row is a struct.
    pub name: Option<&'a str>,
    /// Whether it is a truth value; its words are 0 and 1.
    pub truth: bool,
    /// The lowest word that it can be.
    pub low: i128,
    /// The highest word that it can be.
    pub high: i128,
}

/// What a row is for its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// One value by itself.
    One,
    /// A tuple.
    Tuple,
    /// A struct.
    Struct,
}

/// An argument that rows of words can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<'a> {
    /// How many rows are due.
    pub count: u64,
    /// The values of each, in order; at least one.
    pub fields: Vec<Field<'a>>,
    row: Row,
    array: bool,
}

impl Kind {
    /// The argument as rows: a number, a truth value, a tuple or struct of such, or an array of one of these; `None` for all else.
    pub fn rows(&self) -> Option<Rows<'_>> {
        let (element, count, array) = match self {
            Self::Array(element, count) => (&**element, *count, true),
            one => (one, 1, false),
        };
        let (row, fields) = match element {
            Self::Tuple(fields) => (Row::Tuple, fields.iter().map(|kind| field(None, kind)).collect()),
            Self::Struct(fields) => (Row::Struct, fields.iter().map(|(name, kind)| field(Some(name), kind)).collect()),
            one => (Row::One, Some(vec![field(None, one)?])),
        };
        let fields: Vec<Field<'_>> = fields?;
        (count > 0 && !fields.is_empty()).then_some(Rows { count, fields, row, array })
    }
}

/// A number or a truth value with the words that it can be.
fn field<'a>(name: Option<&'a String>, kind: &Kind) -> Option<Field<'a>> {
    let name = name.map(String::as_str);
    let one = 1_i128;
    match kind {
        Kind::Bool => Some(Field { name, truth: true, low: 0, high: 1 }),
        Kind::Unsigned(bits @ 1..=64) => Some(Field { name, truth: false, low: 0, high: (one << bits) - 1 }),
        Kind::Signed(bits @ 1..=64) => {
            let end = one << (bits - 1);
            Some(Field { name, truth: false, low: -end, high: end - 1 })
        }
        _ => None,
    }
}

impl Rows<'_> {
    /// The argument's value as JSON, from the words of its rows one after the other; `None` for another number of words.
    /// Whether the words lie in their ranges is checked by [`crate::Program::encode`].
    pub fn json(&self, words: &[i64]) -> Option<Zeroizing<String>> {
        let width = self.fields.len();
        let due = usize::try_from(self.count).ok()?.checked_mul(width)?;
        if words.len() != due {
            return None;
        }
        let names: usize = self.fields.iter().map(|field| field.name.map_or(0, str::len)).sum();
        // A text that never grows leaves no copy behind.
        let room = (names + width * NUMBER + 4).checked_mul(due / width)?;
        let mut text = Zeroizing::new(String::with_capacity(room.checked_add(2)?));
        if self.array {
            text.push('[');
        }
        for (at, row) in words.chunks_exact(width).enumerate() {
            if at > 0 {
                text.push(',');
            }
            self.write(row, &mut text);
        }
        if self.array {
            text.push(']');
        }
        Some(text)
    }

    fn write(&self, words: &[i64], text: &mut String) {
        let (open, close) = match self.row {
            Row::One => ("", ""),
            Row::Tuple => ("[", "]"),
            Row::Struct => ("{", "}"),
        };
        text.push_str(open);
        for (at, (field, word)) in self.fields.iter().zip(words).enumerate() {
            if at > 0 {
                text.push(',');
            }
            // Names are identifiers, and writing to a text never fails.
            if let Some(name) = field.name {
                let _ = write!(text, "\"{name}\":");
            }
            let _ = match (field.truth, *word) {
                (true, 0 | 1) => write!(text, "{}", *word == 1),
                _ => write!(text, "{word}"),
            };
        }
        text.push_str(close);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Bounds, Program};

    fn compiled(arguments: &str) -> Program {
        let source = format!("struct P {{ age: u8, old: bool }}\npub fn main({arguments}) -> bool {{ true }}");
        Program::compile(&source, Bounds::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn rows_of_every_form_are_encoded_as_their_argument() {
        let program = compiled("a: i16, b: bool, c: (u8, i64), d: P, e: [u16; 3], f: [P; 2], g: [(u8, bool); 1]");
        let cases: [(&[i64], &str); 7] = [
            (&[-5], "-5"),
            (&[1], "true"),
            (&[7, i64::MIN], "[7,-9223372036854775808]"),
            (&[40, 0], r#"{"age":40,"old":false}"#),
            (&[1, 2, 3], "[1,2,3]"),
            (&[1, 0, 2, 1], r#"[{"age":1,"old":false},{"age":2,"old":true}]"#),
            (&[9, 1], "[[9,true]]"),
        ];
        for (at, (words, wanted)) in cases.into_iter().enumerate() {
            let rows = program.kinds()[at].rows().expect("rows");
            let text = rows.json(words).expect("as many words as are due");
            assert_eq!(text.as_str(), wanted);
            assert!(program.encode(at, &text).is_ok(), "{wanted}");
            assert_eq!(rows.json(&words[1..]), None);
        }
        let fields = program.kinds()[0].rows().expect("rows").fields;
        assert_eq!((fields[0].low, fields[0].high, fields[0].truth), (-32_768, 32_767, false));
        // A word out of its range is no value, whatever the planner said.
        assert!(program.encode(1, &program.kinds()[1].rows().expect("rows").json(&[2]).expect("words")).is_err());
    }

    #[test]
    fn what_a_table_cannot_give_is_no_rows() {
        let program = compiled("a: [[u8; 2]; 2], b: ((u8, u8), u8)");
        assert!(program.kinds().iter().all(|kind| kind.rows().is_none()));
    }
}
