//! Canonical bounded codec: one value has one encoding, lengths are checked before memory is taken, and nothing may follow.
//!
//! Integers are big-endian and fixed-width; a sequence is a `u32` count and its items; an option is one byte; an enum is
//! one tag byte and its fields. `from_wire` refuses trailing bytes, so two different byte strings never decode to one value.

#[macro_use]
mod macros;
mod read;
mod scalar;

pub use read::{Reader, WireError};

/// Longest single encoded value a peer may make us read, in bytes (64 MiB).
pub const MAX_BYTES: usize = 64 << 20;

/// A value with one canonical encoding.
pub trait Encode {
    /// Appends the encoding of `self` to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding of `self` alone.
    fn to_wire(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// A value that is parsed at the wire: what decodes is well-formed.
pub trait Decode: Sized {
    /// Fewest bytes any value of this type takes; bounds a sequence's count before memory is reserved.
    const MIN_BYTES: usize = 1;

    /// Reads one value from `input`.
    ///
    /// # Errors
    /// [`WireError`] when the bytes end early or are not canonical.
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError>;

    /// Reads exactly one value from `bytes`.
    ///
    /// # Errors
    /// [`WireError::Trailing`] when bytes are left over, [`WireError::TooLong`] above [`MAX_BYTES`].
    fn from_wire(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_BYTES {
            return Err(WireError::TooLong { what: "message", len: bytes.len(), max: MAX_BYTES });
        }
        let mut input = Reader::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Point {
        x: u32,
        tags: Vec<String>,
        at: Option<[u8; 4]>,
    }
    wire_struct!(Point { x, tags, at });

    #[derive(Debug, PartialEq)]
    enum Shape {
        Empty,
        Dot(Point),
        Line { from: Point, to: Point },
    }
    wire_enum!(Shape { 0 => Empty, 1 => Dot(point), 2 => Line { from, to } });

    fn point(x: u32) -> Point {
        Point { x, tags: vec!["a".into(), "合".into()], at: Some([1, 2, 3, 4]) }
    }

    #[test]
    fn values_come_back() {
        for shape in [Shape::Empty, Shape::Dot(point(7)), Shape::Line { from: point(1), to: point(2) }] {
            assert_eq!(Shape::from_wire(&shape.to_wire()), Ok(shape));
        }
    }

    #[test]
    fn every_truncation_and_every_extension_is_refused() {
        let bytes = Shape::Line { from: point(1), to: point(2) }.to_wire();
        for cut in 0..bytes.len() {
            assert!(Shape::from_wire(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Shape::from_wire(&longer), Err(WireError::Trailing { left: 1 }));
    }

    #[test]
    fn a_count_larger_than_the_bytes_left_takes_no_memory() {
        assert!(Vec::<u64>::from_wire(&[0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn booleans_options_and_tags_have_one_form() {
        assert!(bool::from_wire(&[2]).is_err());
        assert!(Option::<u8>::from_wire(&[2, 0]).is_err());
        assert!(Shape::from_wire(&[9]).is_err());
        assert!(String::from_wire(&[0, 0, 0, 1, 0xff]).is_err());
    }
}
