//! Values as JSON and as bits: numbers and Booleans, arrays and tuples as arrays, structs as objects, enums by their variants.
//!
//! A variant without fields is its name, one with fields an object of one entry, its name with the array of its fields. Numbers
//! are integers within the range of their type; nothing is rounded or cut.

use serde_json::{Map, Value};

use crate::error::ProgramError;
use crate::kind::{Kind, tag_bits};

/// Appends the bits of a value; `path` is where it stands.
pub(crate) fn encode(kind: &Kind, value: &Value, path: &str, bits: &mut Vec<bool>) -> Result<(), ProgramError> {
    let fault = || ProgramError::Value { path: path.to_owned(), due: kind.to_string() };
    match kind {
        Kind::Bool => bits.push(value.as_bool().ok_or_else(fault)?),
        Kind::Unsigned(width) => {
            let number = value.as_u64().filter(|number| *width == 64 || number >> width == 0);
            append(number.ok_or_else(fault)?, *width, bits);
        }
        Kind::Signed(width) => {
            let fits = |number: &i64| (*number << (64 - width)) >> (64 - width) == *number;
            append(value.as_i64().filter(fits).ok_or_else(fault)? as u64, *width, bits);
        }
        Kind::Array(element, len) => {
            let elements = value.as_array().filter(|elements| elements.len() as u64 == *len).ok_or_else(fault)?;
            for (at, value) in elements.iter().enumerate() {
                encode(element, value, &format!("{path}[{at}]"), bits)?;
            }
        }
        Kind::Tuple(fields) => {
            let values = value.as_array().filter(|values| values.len() == fields.len()).ok_or_else(fault)?;
            encode_all(fields, values, path, bits)?;
        }
        Kind::Struct(fields) => {
            let values = value.as_object().filter(|values| values.len() == fields.len()).ok_or_else(fault)?;
            for (name, kind) in fields {
                encode(kind, values.get(name).ok_or_else(fault)?, &format!("{path}.{name}"), bits)?;
            }
        }
        Kind::Enum(variants) => {
            let due = bits.len() as u64 + kind.bits();
            let (tag, fields, values) = variant(variants, value).ok_or_else(fault)?;
            append(tag as u64, tag_bits(variants.len()), bits);
            encode_all(fields, values, path, bits)?;
            bits.resize(due as usize, false);
        }
    }
    Ok(())
}

fn encode_all(kinds: &[Kind], values: &[Value], path: &str, bits: &mut Vec<bool>) -> Result<(), ProgramError> {
    for (at, (kind, value)) in kinds.iter().zip(values).enumerate() {
        encode(kind, value, &format!("{path}.{at}"), bits)?;
    }
    Ok(())
}

/// The number of the variant that a value names, its fields' types and their values.
fn variant<'a>(
    variants: &'a [(String, Option<Vec<Kind>>)],
    value: &'a Value,
) -> Option<(usize, &'a [Kind], &'a [Value])> {
    let (name, values) = match value {
        Value::String(name) => (name, None),
        Value::Object(entries) if entries.len() == 1 => {
            let (name, values) = entries.iter().next()?;
            (name, Some(values.as_array()?.as_slice()))
        }
        _ => return None,
    };
    let tag = variants.iter().position(|(variant, _)| variant == name)?;
    match (variants[tag].1.as_deref(), values) {
        (None, None) => Some((tag, &[], &[])),
        (Some(fields), Some(values)) if fields.len() == values.len() => Some((tag, fields, values)),
        _ => None,
    }
}

/// Appends the bits of a number, the most significant first.
fn append(number: u64, width: u32, bits: &mut Vec<bool>) {
    bits.extend((0..width).rev().map(|at| number >> at & 1 == 1));
}

/// Reads a value off the front of `bits`.
pub(crate) fn decode(kind: &Kind, bits: &mut &[bool]) -> Result<Value, ProgramError> {
    Ok(match kind {
        Kind::Bool => Value::Bool(take(kind, 1, bits)? == 1),
        Kind::Unsigned(width) => Value::from(take(kind, *width, bits)?),
        Kind::Signed(width) => {
            let number = take(kind, *width, bits)? as i64;
            Value::from((number << (64 - width)) >> (64 - width))
        }
        Kind::Array(element, len) => {
            Value::Array((0..*len).map(|_| decode(element, bits)).collect::<Result<_, ProgramError>>()?)
        }
        Kind::Tuple(fields) => decode_all(fields, bits)?,
        Kind::Struct(fields) => {
            let fields = fields.iter().map(|(name, kind)| Ok((name.clone(), decode(kind, bits)?)));
            Value::Object(fields.collect::<Result<Map<String, Value>, ProgramError>>()?)
        }
        Kind::Enum(variants) => {
            let fault = || ProgramError::Bits(kind.to_string());
            let behind = bits.get(kind.bits() as usize..).ok_or_else(fault)?;
            let tag = take(kind, tag_bits(variants.len()), bits)? as usize;
            // A party may put in a tag that no variant has, and a program may give it back.
            let (name, fields) = variants.get(tag).ok_or_else(fault)?;
            let value = match fields {
                None => Value::String(name.clone()),
                Some(fields) => Value::Object(Map::from_iter([(name.clone(), decode_all(fields, bits)?)])),
            };
            *bits = behind;
            value
        }
    })
}

fn decode_all(kinds: &[Kind], bits: &mut &[bool]) -> Result<Value, ProgramError> {
    Ok(Value::Array(kinds.iter().map(|kind| decode(kind, bits)).collect::<Result<_, ProgramError>>()?))
}

/// Reads a number off the front, the most significant bit first.
fn take(kind: &Kind, width: u32, bits: &mut &[bool]) -> Result<u64, ProgramError> {
    let (own, behind) = bits.split_at_checked(width as usize).ok_or_else(|| ProgramError::Bits(kind.to_string()))?;
    *bits = behind;
    Ok(number(own))
}

/// The number that bits are, the most significant first; of more than 64 bits the last ones.
pub(crate) fn number(bits: &[bool]) -> u64 {
    bits.iter().fold(0, |number, bit| number << 1 | u64::from(*bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> Kind {
        let shape = vec![
            ("Circle".to_owned(), Some(vec![Kind::Unsigned(16)])),
            ("Point".to_owned(), None),
            ("Box".to_owned(), Some(vec![Kind::Unsigned(8), Kind::Signed(8)])),
        ];
        Kind::Struct(vec![
            ("id".to_owned(), Kind::Unsigned(64)),
            ("change".to_owned(), Kind::Array(Box::new(Kind::Signed(32)), 2)),
            ("pair".to_owned(), Kind::Tuple(vec![Kind::Bool, Kind::Enum(shape)])),
        ])
    }

    #[test]
    fn values_come_back_from_their_bits() {
        for text in [
            r#"{"id":18446744073709551615,"change":[-2147483648,2147483647],"pair":[true,{"Box":[255,-128]}]}"#,
            r#"{"id":0,"change":[0,-1],"pair":[false,"Point"]}"#,
            r#"{"id":9007199254740993,"change":[1,2],"pair":[false,{"Circle":[65535]}]}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let mut bits = Vec::new();
            encode(&kind(), &value, "x", &mut bits).unwrap();
            assert_eq!(bits.len() as u64, kind().bits());
            let mut rest = bits.as_slice();
            assert_eq!(decode(&kind(), &mut rest).unwrap(), value);
            assert!(rest.is_empty());
            for len in 0..bits.len() {
                assert!(decode(&kind(), &mut &bits[..len]).is_err(), "{len}");
            }
        }
    }

    #[test]
    fn values_of_other_types_are_refused_where_they_stand() {
        let fault = |text: &str| {
            let value: Value = serde_json::from_str(text).unwrap();
            match encode(&kind(), &value, "x", &mut Vec::new()).unwrap_err() {
                ProgramError::Value { path, .. } => path,
                other => panic!("{other}"),
            }
        };
        assert_eq!(fault(r#"{"id":-1,"change":[0,0],"pair":[true,"Point"]}"#), "x.id");
        assert_eq!(fault(r#"{"id":1.0,"change":[0,0],"pair":[true,"Point"]}"#), "x.id");
        assert_eq!(fault(r#"{"id":1,"change":[0,2147483648],"pair":[true,"Point"]}"#), "x.change[1]");
        assert_eq!(fault(r#"{"id":1,"change":[0],"pair":[true,"Point"]}"#), "x.change");
        assert_eq!(fault(r#"{"id":1,"change":[0,0],"pair":[1,"Point"]}"#), "x.pair.0");
        assert_eq!(fault(r#"{"id":1,"change":[0,0],"pair":[true,"Line"]}"#), "x.pair.1");
        assert_eq!(fault(r#"{"id":1,"change":[0,0],"pair":[true,{"Box":[1]}]}"#), "x.pair.1");
        assert_eq!(fault(r#"{"id":1,"change":[0,0],"pair":[true,{"Box":[256,0]}]}"#), "x.pair.1.0");
        assert_eq!(fault(r#"{"id":1,"change":[0,0],"pair":[true,"Point"],"more":1}"#), "x");
    }

    #[test]
    fn a_tag_without_a_variant_is_no_value() {
        let kind = Kind::Enum(vec![("A".to_owned(), None), ("B".to_owned(), None), ("C".to_owned(), None)]);
        assert_eq!(decode(&kind, &mut &[true, false][..]).unwrap(), "C");
        assert!(decode(&kind, &mut &[true, true][..]).is_err());
        assert_eq!([0, 1, 2, 3, 4, 5, 8, 9].map(tag_bits), [0, 0, 1, 2, 2, 3, 3, 4]);
    }
}
