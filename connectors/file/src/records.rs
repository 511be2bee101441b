//! The shape of separated values: records, their delimiter and header, so that only a whole table reaches the parser.
//!
//! Parsers fill short rows with NULLs and guess at stray quotes. Here such a file is refused with the line it breaks at.

use std::ops::Range;

use base_types::fault::Code;

use crate::Problem;

/// Delimiters that are tried.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records looked at to find the delimiter.
const SAMPLE: usize = 200;

/// A file's shape.
#[derive(Debug)]
pub(crate) struct Layout {
    pub delimiter: u8,
    pub header: Vec<String>,
    /// The records after the header, a line feed after each, without blank lines.
    pub body: String,
    pub rows: usize,
}

/// One record: where its fields lie and on which line it starts.
struct Record {
    fields: Vec<Range<usize>>,
    line: usize,
}

impl Record {
    fn is_blank(&self) -> bool {
        matches!(self.fields.as_slice(), [field] if field.is_empty())
    }
    fn range(&self) -> Range<usize> {
        self.fields.first().map_or(0, |f| f.start)..self.fields.last().map_or(0, |f| f.end)
    }
}

/// Finds or checks the delimiter and lays the file out.
pub(crate) fn layout(text: &str, stated: Option<char>) -> Result<Layout, Problem> {
    let delimiter = match stated {
        Some(delimiter) => u8::try_from(delimiter)
            .ok()
            .filter(|d| d.is_ascii() && !matches!(d, b'"' | b'\n' | b'\r'))
            .ok_or_else(|| Problem::new(Code::SourceDelimiter, "a delimiter is one ASCII character, not a quote"))?,
        None => detect(text).unwrap_or(b','),
    };
    let mut records = split(text, delimiter, usize::MAX)?.into_iter().skip_while(Record::is_blank);
    let header = records.next().ok_or_else(|| Problem::new(Code::SourceMissing, "the file is empty"))?;
    if header.fields.len() == 1 {
        one_column(text, delimiter)?;
    }
    let names = header.fields.iter().map(|field| unquoted(text, field).trim().to_owned()).collect();
    let (body, rows) = body(text, records, header.fields.len())?;
    Ok(Layout { delimiter, header: names, body, rows })
}

/// The delimiter under which most columns appear, preferring those under which all sampled records agree.
fn detect(text: &str) -> Option<u8> {
    let width = |delimiter: &u8| {
        let records = split(text, *delimiter, SAMPLE).ok()?;
        let mut widths = records.iter().filter(|r| !r.is_blank()).map(|r| r.fields.len());
        let header = widths.next().filter(|width| *width > 1)?;
        Some((widths.all(|width| width == header), header, *delimiter))
    };
    // Of equals the first in the list wins, for max_by_key keeps the last.
    DELIMITERS.iter().rev().filter_map(width).max_by_key(|(agree, header, _)| (*agree, *header)).map(|(.., d)| d)
}

/// A single column is refused when any delimiter would split any of its records.
fn one_column(text: &str, delimiter: u8) -> Result<(), Problem> {
    for other in DELIMITERS {
        let Ok(records) = split(text, other, usize::MAX) else { continue };
        if let Some(record) = records.iter().find(|record| record.fields.len() > 1) {
            let detail = format!(
                "one column under '{}', but line {} has {} fields under '{}'",
                shown(delimiter),
                record.line,
                record.fields.len(),
                shown(other)
            );
            return Err(Problem::new(Code::SourceDelimiter, detail));
        }
    }
    Ok(())
}

fn shown(delimiter: u8) -> String {
    char::from(delimiter).escape_default().to_string()
}

/// Copies the records, checking that each has as many fields as the header.
fn body(text: &str, records: impl Iterator<Item = Record>, width: usize) -> Result<(String, usize), Problem> {
    let (mut body, mut rows) = (String::with_capacity(text.len()), 0);
    for record in records {
        match record.is_blank() {
            true if width > 1 => continue,
            // A blank line in a single column is a row; quotes keep the parser from skipping it.
            true => body.push_str("\"\""),
            false if record.fields.len() != width => {
                let detail =
                    format!("line {} has {} fields where the header has {width}", record.line, record.fields.len());
                return Err(Problem::new(Code::SourceDelimiter, detail));
            }
            false => body.push_str(text.get(record.range()).unwrap_or_default()),
        }
        body.push('\n');
        rows += 1;
    }
    Ok((body, rows))
}

fn unquoted(text: &str, field: &Range<usize>) -> String {
    let field = text.get(field.clone()).unwrap_or_default();
    match field.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}

/// Where the scanner stands.
enum Place {
    Start,
    Plain,
    Quoted,
    AfterQuote,
}

/// Splits up to `most` records by RFC 4180's rules: quotes only around whole fields.
fn split(text: &str, delimiter: u8, most: usize) -> Result<Vec<Record>, Problem> {
    let (mut records, mut fields) = (Vec::new(), Vec::new());
    let (mut place, mut start, mut line, mut first_line) = (Place::Start, 0, 1, 1);
    let mut bytes = text.bytes().enumerate().peekable();
    let stray = |line: usize| Problem::new(Code::SourceDelimiter, format!("line {line}: a quote that opens no field"));
    while let Some((at, byte)) = bytes.next() {
        let ends = byte == b'\n' || (byte == b'\r' && bytes.peek().is_some_and(|(_, next)| *next == b'\n'));
        match (&place, byte) {
            (Place::Quoted, b'"') => place = Place::AfterQuote,
            (Place::Quoted, _) => line += usize::from(byte == b'\n'),
            (Place::AfterQuote, b'"') => place = Place::Quoted,
            (Place::Start, b'"') => place = Place::Quoted,
            (Place::Plain, b'"') => return Err(stray(line)),
            _ if byte == delimiter => {
                fields.push(start..at);
                (place, start) = (Place::Start, at + 1);
            }
            _ if ends => {
                fields.push(start..at);
                records.push(Record { fields: std::mem::take(&mut fields), line: first_line });
                if records.len() >= most {
                    return Ok(records);
                }
                let feed = if byte == b'\r' { bytes.next().map_or(at, |(feed, _)| feed) } else { at };
                line += 1;
                (place, start, first_line) = (Place::Start, feed + 1, line);
            }
            (Place::AfterQuote, _) => return Err(stray(line)),
            (_, b'\r') => return Err(Problem::new(Code::SourceDelimiter, format!("line {line}: a stray line end"))),
            _ => place = Place::Plain,
        }
    }
    if matches!(place, Place::Quoted) {
        return Err(Problem::new(Code::SourceDelimiter, format!("line {first_line}: a quote is never closed")));
    }
    if start < text.len() || !fields.is_empty() {
        fields.push(start..text.len());
        records.push(Record { fields, line: first_line });
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, stated: Option<char>) -> (Code, String) {
        let problem = layout(text, stated).expect_err("refused");
        (problem.0, problem.1)
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter, width) in [
            ("a,b\n1,2\n", b',', 2),
            ("a;b\n1,5;2,5\n", b';', 2),
            ("a\tb\tc\n1, x\t2, y\t3\n", b'\t', 3),
            ("a|b\n1|2", b'|', 2),
            ("\"a;x\",\"b;y\"\n1,2\n", b',', 2),
            ("a\n1\n", b',', 1),
        ] {
            let layout = layout(text, None).expect("laid out");
            assert_eq!((layout.delimiter, layout.header.len(), layout.rows), (delimiter, width, 1), "{text}");
        }
    }

    #[test]
    fn quotes_blank_lines_and_line_ends() {
        let layout = layout("\r\n\"a \"\"x\"\"\", b \r\n\"1\n,2\",3\r\n\r\n4,\"\"", None).expect("laid out");
        assert_eq!(layout.header, ["a \"x\"", "b"]);
        assert_eq!((layout.body.as_str(), layout.rows), ("\"1\n,2\",3\n4,\"\"\n", 2));
        let single = super::layout("a\n1\n\n2\n", None).expect("laid out");
        assert_eq!((single.body.as_str(), single.rows), ("1\n\"\"\n2\n", 3));
    }

    #[test]
    fn wrong_delimiters_are_refused() {
        for (text, stated) in
            [("a,b\n1,2\n", Some(';')), ("a\n1;2\n", None), ("a\nx,y\n", Some(';')), ("a,b\n", Some('，'))]
        {
            assert_eq!(refused(text, stated).0, Code::SourceDelimiter, "{text}");
        }
    }

    #[test]
    fn broken_shapes_are_refused_with_their_line() {
        for (text, detail) in [
            ("a,b\n1,2\n3\n", "line 3 has 1 fields where the header has 2"),
            ("a,b\n\"1\n1\",2\n3,4,5\n", "line 4 has 3 fields where the header has 2"),
            ("a,b\n1,\"2\n", "line 2: a quote is never closed"),
            ("a,b\n1,2\"x\n", "line 2: a quote that opens no field"),
            ("a,b\n1,\"2\"x\n", "line 2: a quote that opens no field"),
            ("a,b\r1,2\r", "line 1: a stray line end"),
        ] {
            assert_eq!(refused(text, Some(',')), (Code::SourceDelimiter, detail.to_owned()));
        }
        for text in ["", "\n", "\r\n\n"] {
            assert_eq!(refused(text, None).0, Code::SourceMissing);
        }
    }
}
