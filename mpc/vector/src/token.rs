//! A program's text as words, numbers and signs, each with its place.

use std::iter::Peekable;
use std::str::Chars;

use crate::problem::{Place, Problem};

/// Longest text, in bytes.
const MOST_BYTES: usize = 1 << 16;
/// Most digits of a number, and most of them behind the point.
const MOST_DIGITS: usize = 17;
const MOST_DECIMALS: u8 = 9;
/// Signs of two characters, then those of one.
const LONG_SIGNS: [&str; 4] = ["==", "!=", "<=", ">="];
const SIGNS: [&str; 12] = ["(", ")", "[", "]", ",", ";", "=", "<", ">", "+", "-", "*"];
/// `/` begins a comment where another one follows.
const SLASH: &str = "/";

/// A number as it is written: an integer divided by a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) mantissa: i64,
    /// Digits behind the point, at most 9.
    pub(crate) digits: u8,
}

impl Literal {
    pub(crate) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    /// Ten to the number of digits.
    pub(crate) fn divisor(self) -> i128 {
        10i128.pow(u32::from(self.digits))
    }
}

/// One word, number or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Number(Literal),
    Sign(&'static str),
}

/// The text as tokens, comments and spaces left out; the last place is that of the text's end.
pub(crate) fn tokens(text: &str) -> Result<(Vec<(Token, Place)>, Place), Problem> {
    let mut reader = Reader { rest: text.chars().peekable(), at: Place { line: 1, column: 1 } };
    if text.len() > MOST_BYTES {
        return Err(Problem::unsupported(reader.at, format!("a program of more than {MOST_BYTES} bytes; write less")));
    }
    let mut tokens = Vec::new();
    while let Some(next) = reader.rest.peek().copied() {
        let at = reader.at;
        if next.is_whitespace() {
            reader.step();
        } else if next.is_ascii_alphabetic() || next == '_' {
            tokens.push((Token::Word(reader.run(|c| c.is_ascii_alphanumeric() || c == '_')), at));
        } else if next.is_ascii_digit() {
            tokens.push((Token::Number(reader.number(at)?), at));
        } else if let Some(sign) = reader.sign(at)? {
            tokens.push((Token::Sign(sign), at));
        }
    }
    Ok((tokens, reader.at))
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    at: Place,
}

impl Reader<'_> {
    fn step(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.at = Place { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(next)
    }

    /// The characters up to the first that does not belong.
    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut run = String::new();
        while self.rest.peek().is_some_and(|next| belongs(*next)) {
            run.extend(self.step());
        }
        run
    }

    fn number(&mut self, at: Place) -> Result<Literal, Problem> {
        let mut digits = self.run(|c| c.is_ascii_digit());
        let mut behind = 0;
        if self.rest.peek() == Some(&'.') {
            self.step();
            let fraction = self.run(|c| c.is_ascii_digit());
            behind = fraction.len();
            digits += &fraction;
        }
        let form = format!("write a number of at most {MOST_DIGITS} digits, {MOST_DECIMALS} of them behind the point");
        if digits.len() > MOST_DIGITS {
            return Err(Problem::syntax(at, form));
        }
        let decimals = u8::try_from(behind).ok().filter(|behind| *behind <= MOST_DECIMALS);
        match (digits.parse::<i64>(), decimals) {
            (Ok(mantissa), Some(digits)) => Ok(Literal { mantissa, digits }),
            _ => Err(Problem::syntax(at, form)),
        }
    }

    /// A sign; `None` for a comment, which is passed.
    fn sign(&mut self, at: Place) -> Result<Option<&'static str>, Problem> {
        let Some(first) = self.step() else { return Ok(None) };
        if let Some(second) = self.rest.peek().copied() {
            if first == '/' && second == '/' {
                self.run(|c| c != '\n');
                return Ok(None);
            }
            let both: String = [first, second].into_iter().collect();
            if let Some(sign) = LONG_SIGNS.iter().find(|sign| **sign == both) {
                self.step();
                return Ok(Some(*sign));
            }
        }
        let first = first.to_string();
        let known = SIGNS.iter().chain([&SLASH]).find(|sign| **sign == first);
        match known {
            Some(sign) => Ok(Some(*sign)),
            None => Err(Problem::syntax(at, format!("the sign {first}, which no program has"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_signs_have_their_places() {
        let (tokens, end) = tokens("a = 1.50 // one\n  b<=a;").unwrap();
        let place = |line, column| Place { line, column };
        let due = [
            (Token::Word("a".into()), place(1, 1)),
            (Token::Sign("="), place(1, 3)),
            (Token::Number(Literal { mantissa: 150, digits: 2 }), place(1, 5)),
            (Token::Word("b".into()), place(2, 3)),
            (Token::Sign("<="), place(2, 4)),
            (Token::Word("a".into()), place(2, 6)),
            (Token::Sign(";"), place(2, 7)),
        ];
        assert_eq!((tokens.as_slice(), end), (&due[..], place(2, 8)));
    }

    #[test]
    fn what_no_program_has_is_refused_at_its_place() {
        for (text, column) in [("a = €", 5), ("x 1.0000000000", 3), ("123456789012345678", 1), ("a ! b", 3)] {
            let problem = tokens(text).unwrap_err();
            assert_eq!((problem.at.line, problem.at.column), (1, column), "{text}: {problem}");
        }
        assert!(tokens(&" ".repeat(MOST_BYTES + 1)).is_err());
    }
}
