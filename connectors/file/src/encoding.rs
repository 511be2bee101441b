//! From a file's bytes to text: byte order marks, UTF-8, GB18030, or the encoding the owner names.

use base_types::fault::Code;
use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::Problem;

/// Decodes the whole file; a byte order mark is dropped.
pub(crate) fn decode(bytes: Vec<u8>, named: Option<&str>) -> Result<String, Problem> {
    let (encoding, marked, mark) = match (Encoding::for_bom(&bytes), named) {
        (Some((encoding, length)), _) => (Some(encoding), true, length),
        (None, Some(name)) => (Some(by_name(name)?), false, 0),
        (None, None) => (None, false, 0),
    };
    let body = bytes.get(mark..).unwrap_or_default();
    let text = match encoding {
        Some(encoding) => valid(encoding, body).ok_or_else(|| not_text(encoding, marked))?,
        None => valid(UTF_8, body)
            .or_else(|| valid(GB18030, body))
            .ok_or_else(|| Problem::new(Code::SourceEncoding, "the file is neither UTF-8 nor GB18030 text"))?,
    };
    match text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')) {
        true => Err(Problem::new(Code::SourceEncoding, "the file holds control characters: it is no text")),
        false => Ok(text),
    }
}

fn by_name(name: &str) -> Result<&'static Encoding, Problem> {
    Encoding::for_label_no_replacement(name.as_bytes())
        .ok_or_else(|| Problem::new(Code::SourceEncoding, format!("no encoding is named '{name}'")))
}

fn valid(encoding: &'static Encoding, body: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(body).map(|text| text.into_owned())
}

fn not_text(encoding: &'static Encoding, marked: bool) -> Problem {
    let source = if marked { "as its byte order mark says" } else { "as stated" };
    Problem::new(Code::SourceEncoding, format!("the file is not valid {} {source}", encoding.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], named: Option<&str>) -> Result<String, Code> {
        decode(bytes.to_vec(), named).map_err(|problem| problem.0)
    }

    #[test]
    fn marks_names_and_guesses() {
        let gb = GB18030.encode("省份,人数\n浙江,3").0.into_owned();
        assert_eq!(decoded(&gb, None).as_deref(), Ok("省份,人数\n浙江,3"));
        assert_eq!(decoded(&gb, Some("GB18030")).as_deref(), Ok("省份,人数\n浙江,3"));
        assert_eq!(decoded(&gb, Some("utf-8")), Err(Code::SourceEncoding));
        assert_eq!(decoded(b"\xef\xbb\xbfa,b", None).as_deref(), Ok("a,b"));
        assert_eq!(decoded(b"\xff\xfea\0,\0", None).as_deref(), Ok("a,"));
        assert_eq!(decoded("é".as_bytes(), None).as_deref(), Ok("é"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(decoded(b"PAR1\x15\x04\x15", None), Err(Code::SourceEncoding));
        assert_eq!(decoded(b"a,b\n\xff\xff", None), Err(Code::SourceEncoding));
        assert_eq!(decoded(b"a,b", Some("klingon")), Err(Code::SourceEncoding));
        assert_eq!(decoded(b"\xef\xbb\xbf\xff", None), Err(Code::SourceEncoding));
    }
}
