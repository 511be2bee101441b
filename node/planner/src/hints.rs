//! Hints: what a query says in `/*+ … */` behind SELECT of how owners' keys are compared; the answer is the same.
//!
//! They stand in the query's text, so that everything that shows, signs and seals a query carries them too.

use base_types::{column::ColumnType, fault::Fault};
use notary_terms::{BUCKET_KEYS, CellForm, Intersect, Label, MAX_BUCKETS, MAX_KEY_ROWS, Spares};
use sqlparser::{
    ast::OptimizerHint,
    tokenizer::{Location, Token, Whitespace},
};

use crate::refuse::unsupported;

const FORM: &str = "write /*+ LOW_TRAFFIC */, /*+ BUCKETS */, /*+ BUCKETS(65536) */ or /*+ ROWS(4) */, or leave it out";

/// Most bytes that the rows of one key bring, in the longest texts.
const MAX_MATCH: u64 = 4096;

/// Memory in bytes that the keys of one bucket and what they bring may take at a node, and that all keys may take where they
/// are compared at once.
const BUCKET_BYTES: u64 = 1 << 28;
const AT_ONCE_BYTES: u64 = 1 << 30;
/// Bytes that the protocol keeps for a key, besides what it brings.
const KEY_BYTES: u64 = 250;

/// What a query hints at.
pub(crate) struct Hints {
    at: Location,
    low_traffic: bool,
    buckets: Buckets,
    /// Most rows of the other owner that have one key and are shown.
    rows: Option<u8>,
}

/// Whether keys are dealt out to buckets.
enum Buckets {
    /// Where they are too many to be held at once.
    Needed,
    /// In any case.
    Asked,
    /// So many keys in each.
    Of(u32),
}

impl Hints {
    /// The hints of a SELECT that stands at `at`.
    pub(crate) fn of(hints: &[OptimizerHint], at: Location) -> Result<Self, Fault> {
        let mut found = Self { at, low_traffic: false, buckets: Buckets::Needed, rows: None };
        for hint in hints {
            if !hint.prefix.is_empty() {
                return Err(unsupported(at, format!("hints of {}", hint.prefix), FORM));
            }
            let words = hint.text.split(|sign: char| sign.is_whitespace() || sign == ',');
            for word in words.filter(|word| !word.is_empty()) {
                found.add(word)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, word: &str) -> Result<(), Fault> {
        match word.to_ascii_uppercase().as_str() {
            "LOW_TRAFFIC" => self.low_traffic = true,
            "BUCKETS" => self.buckets = Buckets::Asked,
            other => match other.strip_suffix(')').and_then(|call| call.split_once('(')) {
                Some(("BUCKETS", keys)) => {
                    let (least, most) = (BUCKET_KEYS.start(), BUCKET_KEYS.end());
                    let instead = format!("let a bucket have {least} to {most} keys");
                    let sized = keys.parse::<u32>().ok().filter(|keys| BUCKET_KEYS.contains(keys));
                    self.buckets = Buckets::Of(sized.ok_or_else(|| unsupported(self.at, word, instead))?);
                }
                Some(("ROWS", rows)) => {
                    let instead = format!("let a key have 1 to {MAX_KEY_ROWS} rows");
                    let some = rows.parse::<u8>().ok().filter(|rows| (1..=MAX_KEY_ROWS).contains(rows));
                    self.rows = Some(some.ok_or_else(|| unsupported(self.at, word, instead))?);
                }
                _ => return Err(unsupported(self.at, format!("the hint {word}"), FORM)),
            },
        }
        Ok(())
    }

    /// The label with room for as many rows of a key as the query says.
    fn with_rows(&self, label: Label) -> Result<Label, Fault> {
        match (self.rows, label) {
            (None, label) => Ok(label),
            (Some(rows), Label::Row { cells, .. }) => {
                let bytes: u64 = cells.iter().map(|cell| u64::from(cell.bytes)).sum();
                if u64::from(rows) * bytes > MAX_MATCH {
                    let what = format!("{rows} rows of up to {bytes} bytes for one key");
                    return Err(unsupported(self.at, what, format!("show at most {MAX_MATCH} bytes of all")));
                }
                Ok(Label::Row { cells, rows })
            }
            (Some(_), Label::Nothing | Label::Count) => {
                let what = "ROWS without a column of the other owner";
                Err(unsupported(self.at, what, "leave the hint out: all rows of a key count"))
            }
        }
    }

    /// Whether they say how keys are compared within a run.
    pub(crate) fn say_how(&self) -> bool {
        self.low_traffic || !matches!(self.buckets, Buckets::Needed)
    }

    /// Refuses hints that nothing would heed.
    pub(crate) fn none(&self) -> Result<(), Fault> {
        if !self.say_how() && self.rows.is_none() {
            return Ok(());
        }
        let what = "LOW_TRAFFIC, BUCKETS or ROWS for aggregates among three nodes";
        Err(unsupported(self.at, what, "leave the hint out"))
    }

    /// What a run spares that compares all keys at once and brings nothing of the other owners' rows; refuses the hints on
    /// buckets and rows, which nothing would heed.
    pub(crate) fn spares(&self) -> Result<Spares, Fault> {
        if matches!(self.buckets, Buckets::Needed) && self.rows.is_none() {
            return Ok(self.thrift());
        }
        let what = "BUCKETS or ROWS for other than rows of two owners";
        Err(unsupported(self.at, what, "leave the hint out; LOW_TRAFFIC may stay"))
    }

    fn thrift(&self) -> Spares {
        if self.low_traffic { Spares::Bytes } else { Spares::Time }
    }

    /// The intersection that brings this label, of sets of at most `larger` rows.
    pub(crate) fn intersect(&self, label: Label, larger: u32) -> Result<Intersect, Fault> {
        let label = self.with_rows(label)?;
        let bucket_keys = match self.buckets {
            Buckets::Needed if u64::from(larger) * bytes_a_key(&label) <= AT_ONCE_BYTES => None,
            Buckets::Needed | Buckets::Asked => Some(fitting(&label)),
            Buckets::Of(keys) => Some(keys),
        };
        if bucket_keys.is_some_and(|keys| larger.div_ceil(keys) > MAX_BUCKETS) {
            let least = larger.div_ceil(MAX_BUCKETS).next_power_of_two();
            let what = format!("more than {MAX_BUCKETS} buckets for up to {larger} rows");
            return Err(unsupported(self.at, what, format!("write BUCKETS({least})")));
        }
        Ok(Intersect { label, spares: self.thrift(), bucket_keys })
    }
}

/// Whether a comment is a hint to the parser: letters and digits, if any, and a plus sign.
pub(crate) fn is_hint(token: &Token) -> bool {
    let (Token::Whitespace(Whitespace::SingleLineComment { comment, .. })
    | Token::Whitespace(Whitespace::MultiLineComment(comment))) = token
    else {
        return false;
    };
    comment.split_once('+').is_some_and(|(before, _)| before.chars().all(|sign| sign.is_ascii_alphanumeric()))
}

/// As many keys as fit into the memory for a bucket, a power of two.
fn fitting(label: &Label) -> u32 {
    let keys: u32 = 1 << (BUCKET_BYTES / bytes_a_key(label)).max(1).ilog2();
    keys.clamp(*BUCKET_KEYS.start(), *BUCKET_KEYS.end())
}

/// Memory that a key takes with what it brings.
pub(crate) fn bytes_a_key(label: &Label) -> u64 {
    let brought: u64 = match label {
        Label::Nothing => 0,
        Label::Count => 4,
        Label::Row { cells, rows } => {
            let row = |cell: &CellForm| if cell.ty == ColumnType::Text { 3 + u64::from(cell.bytes) } else { 9 };
            u64::from(*rows > 1) + u64::from(*rows) * cells.iter().map(row).sum::<u64>()
        }
    };
    KEY_BYTES + brought
}

/// Memory in MiB that `keys` keys take with what they bring.
pub(crate) fn memory_mib(keys: u32, label: &Label) -> u64 {
    (u64::from(keys) * bytes_a_key(label)).div_ceil(1 << 20)
}
