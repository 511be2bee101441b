//! One column's value in a key, and its canonical encoding.

/// Bytes of a number's encoding, the longest of those that have one length.
const NUMBER: usize = 2 + 8;
/// Bytes in front of text and of bytes: a tag and their length.
const LENGTHS: usize = 1 + 8;

/// One column's value in a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// No value; the row matches nothing.
    Null,
    /// An integer.
    Int(i64),
    /// A decimal: `value / 10^scale`.
    Decimal {
        /// The value times 10^scale.
        value: i64,
        /// Digits behind the point.
        scale: u8,
    },
    /// A truth value.
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i64),
    /// Text, by its bytes in UTF-8.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Part<'_> {
    /// Most bytes of the encoding.
    pub(super) fn room(&self) -> usize {
        match *self {
            Self::Text(text) => LENGTHS + text.len(),
            Self::Bytes(value) => LENGTHS + value.len(),
            _ => NUMBER,
        }
    }

    /// Appends the encoding: a tag, then a fixed number of bytes or a length and bytes, so that keys are equal where
    /// their encodings are. False for NULL, which has none.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> bool {
        match *self {
            Self::Null => return false,
            Self::Int(value) => number(value, 0, out),
            Self::Decimal { value, scale } => number(value, scale, out),
            Self::Bool(value) => out.extend_from_slice(&[2, u8::from(value)]),
            Self::Date(days) => {
                out.push(3);
                out.extend_from_slice(&days.to_be_bytes());
            }
            Self::Text(text) => bytes(4, text.as_bytes(), out),
            Self::Bytes(value) => bytes(5, value, out),
        }
        true
    }
}

/// A number with the fewest digits behind the point.
fn number(mut value: i64, mut scale: u8, out: &mut Vec<u8>) {
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    out.extend_from_slice(&[1, scale]);
    out.extend_from_slice(&value.to_be_bytes());
}

fn bytes(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(value.len() as u64).to_be_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(parts: &[Part<'_>]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        parts.iter().all(|part| part.encode(&mut out)).then_some(out)
    }

    #[test]
    fn equal_numbers_have_one_encoding_whatever_their_scale() {
        let one = encoded(&[Part::Int(12)]);
        for (value, scale) in [(12, 0), (120, 1), (12_000_000_000, 9)] {
            assert_eq!(encoded(&[Part::Decimal { value, scale }]), one);
        }
        assert_ne!(encoded(&[Part::Decimal { value: 12, scale: 1 }]), one);
        assert_eq!(encoded(&[Part::Decimal { value: 0, scale: 9 }]), encoded(&[Part::Int(0)]));
        assert!(encoded(&[Part::Int(i64::MIN)]) != encoded(&[Part::Int(i64::MAX)]));
    }

    #[test]
    fn different_keys_have_different_encodings_and_null_has_none() {
        let keys: Vec<Vec<Part<'_>>> = vec![
            vec![],
            vec![Part::Int(1)],
            vec![Part::Bool(true)],
            vec![Part::Date(1)],
            vec![Part::Text("1")],
            vec![Part::Bytes(b"1")],
            vec![Part::Text("ab"), Part::Text("c")],
            vec![Part::Text("a"), Part::Text("bc")],
            vec![Part::Text("abc")],
            vec![Part::Text("abc"), Part::Text("")],
            vec![Part::Int(1), Part::Int(1)],
        ];
        let all: Vec<Option<Vec<u8>>> = keys.iter().map(|key| encoded(key)).collect();
        for (at, one) in all.iter().enumerate() {
            assert!(one.is_some() && all[at + 1..].iter().all(|other| other != one), "{at}");
        }
        assert_eq!(encoded(&[Part::Int(1), Part::Null, Part::Int(2)]), None);
    }

    #[test]
    fn no_encoding_is_longer_than_the_room_that_is_made_for_it() {
        let (decimal, text) = (Part::Decimal { value: 7, scale: 3 }, Part::Text("合 x"));
        let parts = [Part::Int(i64::MIN), decimal, Part::Bool(true), Part::Date(-1), text, Part::Bytes(&[7; 40])];
        for part in parts {
            assert!(encoded(&[part]).is_some_and(|bytes| bytes.len() <= part.room()));
        }
        assert_eq!(encoded(&[text]).map(|bytes| bytes.len()), Some(text.room()));
    }
}
