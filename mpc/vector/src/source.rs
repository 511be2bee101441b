//! A program's text up to its statements: the scale of its numbers and its inputs.

use crate::form::{Column, Declared, Kind, MOST_COLUMNS, MOST_ELEMENTS};
use crate::problem::{Place, Problem, Why};
use crate::token::{Literal, Token, tokens};

/// Most inputs of a program.
const MOST_INPUTS: usize = 32;
/// Longest name, which a plan repeats for every column that is returned.
const MOST_NAME: usize = 64;
/// Words that are no names.
const RESERVED: [&str; 6] = ["scale", "input", "return", "and", "or", "not"];
const HEAD: &str = "begin with `scale 16;`, the fractional bits of every number, 1 to 20";
const INPUT: &str = "declare inputs as `input x[200, 3];` with rows and columns, then if need be `truth` or `wide`, then if need be a \
                     range such as `from -1.5 to 250`";

/// A program that is taken apart but not checked: its numbers have no ranges yet.
#[derive(Debug, Clone)]
pub struct Source {
    pub(crate) scale: u32,
    pub(crate) inputs: Vec<Declared>,
    pub(crate) tokens: Vec<(Token, Place)>,
    pub(crate) end: Place,
    /// The first token of the statements.
    pub(crate) body: usize,
}

impl Source {
    /// Reads the scale and the inputs.
    ///
    /// # Errors
    /// [`Problem`] with the place in the text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let (tokens, end) = tokens(text)?;
        let mut cursor = Cursor { tokens: &tokens, end, next: 0 };
        if !cursor.word("scale") {
            return Err(Problem::syntax(cursor.at(), HEAD));
        }
        let most = mpc_share::fixed::MAX_FRAC as usize;
        let scale = cursor.whole(1, most, HEAD)?;
        cursor.need(";")?;
        let mut inputs: Vec<Declared> = Vec::new();
        while cursor.word("input") {
            let input = declared(&mut cursor)?;
            if inputs.iter().any(|before| before.name == input.name) {
                return Err(Problem::unsupported(
                    input.at,
                    format!("the input {} twice; give each its name", input.name),
                ));
            }
            inputs.push(input);
        }
        if !(1..=MOST_INPUTS).contains(&inputs.len()) {
            return Err(Problem::syntax(cursor.at(), format!("1 to {MOST_INPUTS} inputs are due; {INPUT}")));
        }
        let body = cursor.next;
        Ok(Self { scale: scale as u32, inputs, tokens, end, body })
    }

    /// Fractional bits of every number.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// The inputs, in the order of the text.
    pub fn inputs(&self) -> &[Declared] {
        &self.inputs
    }
}

/// An input behind its word.
fn declared(cursor: &mut Cursor<'_>) -> Result<Declared, Problem> {
    let at = cursor.at();
    let name = cursor.name()?;
    let (mut rows, mut columns) = (1, 1);
    if cursor.sign("[") {
        rows = cursor.whole(1, MOST_ELEMENTS, INPUT)?;
        if cursor.sign(",") {
            columns = cursor.whole(1, MOST_COLUMNS, INPUT)?;
        }
        cursor.need("]")?;
    }
    if rows * columns > MOST_ELEMENTS {
        let what = format!("{} elements of {name}; take at most {MOST_ELEMENTS}", rows * columns);
        return Err(Problem::unsupported(at, what));
    }
    let kinds = [Kind::Number, Kind::Truth, Kind::Wide];
    let kind = kinds.into_iter().find(|kind| cursor.word(kind.word())).unwrap_or(Kind::Number);
    let range = if cursor.word("from") { Some(range(cursor)?) } else { None };
    cursor.need(";")?;
    if kind == Kind::Truth && range.is_some() {
        return Err(Problem::unsupported(at, format!("a range of truth values; leave it out of {name}")));
    }
    Ok(Declared { name, kind, rows, columns, range, at })
}

/// `LOW to HIGH`.
fn range(cursor: &mut Cursor<'_>) -> Result<Column, Problem> {
    let at = cursor.at();
    let low = cursor.signed();
    let to = cursor.word("to");
    let (Some(low), true, Some(high)) = (low, to, cursor.signed()) else {
        return Err(Problem::syntax(at, INPUT));
    };
    let digits = low.digits.max(high.digits);
    let word = |one: Literal| one.mantissa.checked_mul(10i64.pow(u32::from(digits - one.digits)));
    match (word(low), word(high)) {
        (Some(low), Some(high)) if low <= high => Ok(Column { digits, low, high }),
        _ => Err(Problem::syntax(at, "write a range from the lower to the higher number, of fewer digits")),
    }
}

/// A place among the tokens.
pub(crate) struct Cursor<'a> {
    pub(crate) tokens: &'a [(Token, Place)],
    pub(crate) end: Place,
    pub(crate) next: usize,
}

impl Cursor<'_> {
    pub(crate) fn token(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    /// Where the next token stands.
    pub(crate) fn at(&self) -> Place {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    /// Goes past a sign if it is the next.
    pub(crate) fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.token(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    pub(crate) fn need(&mut self, sign: &str) -> Result<(), Problem> {
        let at = self.at();
        if self.sign(sign) { Ok(()) } else { Err(Problem::syntax(at, format!("write `{sign}` here"))) }
    }

    /// Goes past a word if it is the next.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.token(), Some(Token::Word(next)) if next == word);
        self.next += usize::from(found);
        found
    }

    /// A name.
    pub(crate) fn name(&mut self) -> Result<String, Problem> {
        let at = self.at();
        match self.token() {
            Some(Token::Word(name)) if !RESERVED.contains(&name.as_str()) && name.len() <= MOST_NAME => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(Problem::syntax(at, format!("write a name here: letters, digits and _, at most {MOST_NAME}"))),
        }
    }

    /// A whole number between two others.
    pub(crate) fn whole(&mut self, least: usize, most: usize, form: &str) -> Result<usize, Problem> {
        let at = self.at();
        let number = match self.token() {
            Some(Token::Number(Literal { mantissa, digits: 0 })) => usize::try_from(*mantissa).ok(),
            _ => None,
        };
        self.next += 1;
        match number.filter(|number| (least..=most).contains(number)) {
            Some(number) => Ok(number),
            None => Err(Problem::new(Why::Syntax, at, format!("a whole number from {least} to {most} is due; {form}"))),
        }
    }

    /// A number that may have a sign.
    fn signed(&mut self) -> Option<Literal> {
        let minus = self.sign("-");
        let Some(Token::Number(number)) = self.token() else { return None };
        let number = *number;
        self.next += 1;
        Some(if minus { number.negated() } else { number })
    }
}
