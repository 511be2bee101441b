//! COMPUTE: a user's program, and for each argument of it the SELECT that gives its rows.
//!
//! ```text
//! COMPUTE $$ pub fn main(a: u32, b: [u16; 3]) -> bool { … } $$
//! WITH a = (SELECT amount FROM bids WHERE lot = 7), b = (SELECT weight FROM visits WHERE person_id = 12) ELSE 0
//! ```
//!
//! In the place of Garble may stand a circuit by its name, such as `circuit sm4;`, or as Bristol-fashion text; behind
//! `COMPUTE VECTORS` a program over vectors, see `mpc_vector`.

use base_types::fault::{Code, Fault};
use sqlparser::{
    keywords::Keyword,
    tokenizer::{Location, Token, TokenWithSpan},
};

use crate::{
    hints::is_hint,
    items::MAX_ITEMS,
    parse::{Parsed, select, tokens},
    refuse::{placed, unsupported},
};

const WORD: &str = "COMPUTE";
const VECTORS: &str = "VECTORS";
const FORM: &str = "write COMPUTE $$ pub fn main(…) -> … { … } $$ WITH argument = (SELECT …) ELSE 0, argument = (SELECT …), \
                    or `circuit sm4;` in place of the function, or COMPUTE VECTORS $$ scale 16; input x[…]; … return …; $$ WITH …";

/// A program and where its arguments come from.
pub(crate) struct Compute {
    pub(crate) source: String,
    /// Where the source begins.
    pub(crate) at: Location,
    /// Whether it is one over vectors.
    pub(crate) vectors: bool,
    pub(crate) inputs: Vec<Input>,
}

impl Compute {
    /// The inputs in the order of the program's arguments, each given once.
    pub(crate) fn in_order(&self, names: &[&str]) -> Result<Vec<&Input>, Fault> {
        for (place, input) in self.inputs.iter().enumerate() {
            if !names.contains(&input.name.as_str()) {
                let known: Vec<&str> = names.iter().take(MAX_ITEMS).copied().collect();
                let what = format!("the program has no argument {}; it has {}", input.name, known.join(", "));
                return Err(placed(Code::QueryUnknownName, input.at, what));
            }
            if self.inputs.iter().take(place).any(|before| before.name == input.name) {
                return Err(unsupported(input.at, format!("{} twice", input.name), "give each argument once"));
            }
        }
        let given = |name: &&str| {
            self.inputs.iter().find(|input| input.name == **name).ok_or_else(|| {
                let what = format!("the argument {name} without a source");
                unsupported(self.at, what, format!("add {name} = (SELECT …) to WITH"))
            })
        };
        names.iter().map(given).collect()
    }
}

/// Where one argument comes from.
pub(crate) struct Input {
    /// The argument's name, such as `bids[2]`.
    pub(crate) name: String,
    pub(crate) at: Location,
    pub(crate) query: Parsed,
    /// What stands for NULL and for rows that are missing.
    pub(crate) absent: Option<i64>,
}

/// Whether a text asks for a program, in circuits or over vectors.
pub fn is_program(sql: &str) -> bool {
    sql.trim_start().split_at_checked(WORD.len()).is_some_and(|(word, rest)| {
        word.eq_ignore_ascii_case(WORD) && !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
    })
}

/// Takes the text apart; the circuit is not compiled here.
pub(crate) fn parse(sql: &str) -> Result<Compute, Fault> {
    let mut tokens = tokens(sql)?;
    // Comments go before the parser sees them, and a hint that nobody heeds is no comment.
    if let Some(hint) = tokens.iter().find(|token| is_hint(&token.token)) {
        let instead = "leave the hint out: hints say how owners' keys are compared";
        return Err(unsupported(hint.span.start, "a hint for a program or its arguments", instead));
    }
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let mut cursor = Cursor { tokens: &tokens, next: 1 };
    let vectors = cursor.word(VECTORS);
    let (source, at) = cursor.source()?;
    if !cursor.keyword(Keyword::WITH) {
        return Err(cursor.expected());
    }
    let mut inputs = vec![cursor.input()?];
    while cursor.sign(&Token::Comma) {
        inputs.push(cursor.input()?);
    }
    cursor.sign(&Token::SemiColon);
    match cursor.token() {
        None => Ok(Compute { source, at, vectors, inputs }),
        Some(_) => Err(cursor.expected()),
    }
}

/// A place among the words and signs.
struct Cursor<'a> {
    tokens: &'a [TokenWithSpan],
    next: usize,
}

impl<'a> Cursor<'a> {
    fn token(&self) -> Option<&'a Token> {
        self.tokens.get(self.next).map(|token| &token.token)
    }

    /// Where the next word stands, or the last one ends.
    fn place(&self) -> Location {
        let next = self.tokens.get(self.next).map(|token| token.span.start);
        let end = self.tokens.last().map(|token| token.span.end);
        next.or(end).unwrap_or(Location { line: 1, column: 1 })
    }

    fn expected(&self) -> Fault {
        placed(Code::QuerySyntax, self.place(), FORM)
    }

    /// Goes past a sign if it is the next.
    fn sign(&mut self, sign: &Token) -> bool {
        let found = self.token() == Some(sign);
        self.next += usize::from(found);
        found
    }

    fn need(&mut self, sign: &Token) -> Result<(), Fault> {
        if self.sign(sign) { Ok(()) } else { Err(self.expected()) }
    }

    /// Goes past a keyword if it is the next.
    fn keyword(&mut self, keyword: Keyword) -> bool {
        let found = matches!(self.token(), Some(Token::Word(word)) if word.keyword == keyword);
        self.next += usize::from(found);
        found
    }

    /// Goes past a word that is no keyword if it is the next.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.token(), Some(Token::Word(next)) if next.value.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    /// The source and where it begins, behind its quotes.
    fn source(&mut self) -> Result<(String, Location), Fault> {
        let (text, quotes) = match self.token() {
            Some(Token::DollarQuotedString(text)) => {
                (&text.value, 2 + text.tag.as_ref().map_or(0, |tag| tag.chars().count()))
            }
            Some(Token::SingleQuotedString(text)) => (text, 1),
            _ => return Err(self.expected()),
        };
        let Location { line, column } = self.place();
        self.next += 1;
        Ok((text.clone(), Location { line, column: column + quotes as u64 }))
    }

    fn input(&mut self) -> Result<Input, Fault> {
        let at = self.place();
        let name = self.name()?;
        self.need(&Token::Eq)?;
        self.need(&Token::LParen)?;
        let query = self.inside()?;
        Ok(Input { name, at, query, absent: self.absent()? })
    }

    /// A name, or an element of an array such as `bids[2]`.
    fn name(&mut self) -> Result<String, Fault> {
        let Some(Token::Word(word)) = self.token() else { return Err(self.expected()) };
        self.next += 1;
        if !self.sign(&Token::LBracket) {
            return Ok(word.value.clone());
        }
        let Some(Token::Number(digits, _)) = self.token() else { return Err(self.expected()) };
        self.next += 1;
        self.need(&Token::RBracket)?;
        Ok(format!("{}[{digits}]", word.value))
    }

    /// The SELECT up to the parenthesis that closes it.
    fn inside(&mut self) -> Result<Parsed, Fault> {
        let (start, mut open) = (self.next, 1_usize);
        while open > 0 {
            match self.token() {
                Some(Token::LParen) => open += 1,
                Some(Token::RParen) => open -= 1,
                Some(_) => {}
                None => return Err(self.expected()),
            }
            self.next += 1;
        }
        let inside = self.tokens.get(start..self.next - 1).unwrap_or_default();
        if inside.is_empty() {
            return Err(self.expected());
        }
        select(inside.to_vec())
    }

    /// The number after ELSE, if there is one.
    fn absent(&mut self) -> Result<Option<i64>, Fault> {
        if !self.keyword(Keyword::ELSE) {
            return Ok(None);
        }
        let at = self.place();
        let sign = if self.sign(&Token::Minus) { -1 } else { 1 };
        let number = match self.token() {
            Some(Token::Number(digits, _)) => digits.parse::<i64>().ok().map(|number| sign * number),
            Some(Token::Word(word)) if word.keyword == Keyword::TRUE => Some(1),
            Some(Token::Word(word)) if word.keyword == Keyword::FALSE => Some(0),
            _ => None,
        };
        self.next += 1;
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(placed(Code::QuerySyntax, at, "after ELSE write a whole number, TRUE or FALSE")),
        }
    }
}
