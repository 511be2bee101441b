//! Few rows against many: when the other owner's keys are published as a table that the receiver keeps between jobs.

use base_types::{column::ColumnType, fault::Fault};
use notary_terms::{CellForm, Label, Plan, Program, Published, Read};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::{
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    refuse::unsupported,
};

pub(crate) mod told;

/// What a query ends with whose asker wants the table: it stays at the receiver, so nobody gets one by the sizes alone.
const WORDS: [&str; 3] = ["AGAINST", "PUBLISHED", "KEYS"];

/// Most keys that a job asks for, most bytes of what is sealed under a key, and most bytes of a table.
const MAX_ASKED: u32 = 1 << 20;
const MAX_SEALED: u64 = 4096;
const MAX_TABLE: u64 = 1 << 28;

/// Bytes of a key's mark in its slot; slots are a quarter more than keys.
const BYTES_MARK: u64 = 8;
/// Bytes that cross for each key asked: blinded, and evaluated.
const BYTES_ASKED: u64 = 64;
/// Keys that an owner's machine puts into a table in a millisecond, and that are asked for in a millisecond.
const PUBLISHED_MILLI: u64 = 20;
const ASKED_MILLI: u64 = 4;
/// Messages that wait for each other beside the batches of keys, and keys of a batch.
const ROUNDS: u64 = 5;
const BATCH: u64 = 1024;

/// Takes the words at the end of a query that ask for a published table; where they stood.
pub(crate) fn asked(tokens: &mut Vec<TokenWithSpan>) -> Option<Location> {
    let idle = |token: &Token| matches!(token, Token::Whitespace(_) | Token::SemiColon | Token::EOF);
    let mut last = tokens.iter().enumerate().rev().filter(|(_, token)| !idle(&token.token));
    let mut first = None;
    for word in WORDS.iter().rev() {
        first = Some(last.next().filter(|(_, token)| is(&token.token, word))?);
    }
    let (place, at) = first.map(|(place, token)| (place, token.span.start))?;
    tokens.truncate(place);
    Some(at)
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// What is said where the words stand at a query that is no intersection of two owners.
pub(crate) fn refused(at: Location) -> Fault {
    unsupported(at, "published keys where no rows of two owners are matched", "leave AGAINST PUBLISHED KEYS out")
}

/// The plan with a published table, which is asked for at a place. `hinted` says that the query has hints on how keys are compared,
/// which a table would not heed.
pub(crate) fn chosen(mut plan: Plan, asked: Location, hinted: bool) -> Result<Plan, Fault> {
    let (Program::Intersect(intersect), [own, other]) = (&plan.program, plan.reads.as_slice()) else {
        return Err(refused(asked));
    };
    if hinted {
        let what = "published keys with LOW_TRAFFIC or BUCKETS";
        return Err(unsupported(asked, what, "leave the hints or AGAINST PUBLISHED KEYS out"));
    }
    let label = intersect.label.clone();
    if let Some((what, instead)) = obstacle(own, other, &label) {
        return Err(unsupported(asked, what, instead));
    }
    plan.program = Program::Published(Published { label });
    Ok(plan)
}

/// Why there can be no table, and what to do instead.
fn obstacle(own: &Read, other: &Read, label: &Label) -> Option<(String, &'static str)> {
    if own.rows_bound > MAX_ASKED {
        let what = format!("asking for up to {} keys of {}", own.rows_bound, own.dataset);
        return Some((what, "leave AGAINST PUBLISHED KEYS out"));
    }
    let (sealed, table) = (sealed_bytes(label), table_bytes(other, label));
    if sealed > MAX_SEALED || table > MAX_TABLE {
        let what = format!("a table of {} with {sealed} bytes a key", other.dataset);
        return Some((what, "show fewer of its columns, or leave AGAINST PUBLISHED KEYS out"));
    }
    None
}

/// Bytes that are sealed under a key, as the runner writes them.
fn sealed_bytes(label: &Label) -> u64 {
    let cell = |form: &CellForm| match form.ty {
        ColumnType::Text => 3 + u64::from(form.bytes),
        _ => 9,
    };
    match label {
        Label::Nothing => 0,
        Label::Count => 4,
        Label::Row { cells, rows } => u64::from(*rows > 1) + u64::from(*rows) * cells.iter().map(cell).sum::<u64>(),
    }
}

/// About how many bytes the table of a read has.
pub(crate) fn table_bytes(other: &Read, label: &Label) -> u64 {
    u64::from(other.rows_bound).saturating_mul(BYTES_MARK + sealed_bytes(label)).saturating_mul(5) / 4
}

/// What a first run costs, in which the table is made and fetched.
pub(crate) fn cost(plan: &Plan, published: &Published) -> Cost {
    let [own, other] = plan.reads.as_slice() else { return Cost { bytes: 0, rounds: 0, millis: 0 } };
    let (asked, keys) = (u64::from(own.rows_bound), u64::from(other.rows_bound));
    let bytes = table_bytes(other, &published.label).saturating_add(asked * BYTES_ASKED);
    let rounds = ROUNDS + asked.div_ceil(BATCH);
    let millis = rounds / ROUNDS_MILLI + keys / PUBLISHED_MILLI + asked / ASKED_MILLI + bytes / BYTES_MILLI;
    Cost { bytes, rounds, millis }
}
