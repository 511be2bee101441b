//! Expressions as the checker reads them: from truth values that are connected down to single values and calls.

use crate::check::{Checker, Item, What};
use crate::problem::{Problem, Why};
use crate::token::Token;

/// Deepest nesting of parentheses and calls.
const MOST_DEPTH: usize = 48;
/// The operators of comparison.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

impl Checker<'_> {
    pub(crate) fn expression(&mut self) -> Result<Item, Problem> {
        if self.depth == MOST_DEPTH {
            let what = format!("more than {MOST_DEPTH} parentheses inside each other; give parts names of their own");
            return Err(Problem::unsupported(self.cursor.at(), what));
        }
        self.depth += 1;
        let mut left = self.conjunction()?;
        while self.cursor.word("or") {
            let right = self.conjunction()?;
            left = self.or(left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Item, Problem> {
        let mut left = self.negation()?;
        while self.cursor.word("and") {
            let right = self.negation()?;
            left = self.and(left, right)?;
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Item, Problem> {
        let mut turned = None;
        while self.cursor.word("not") {
            turned = Some(!turned.unwrap_or(false));
        }
        let value = self.comparison()?;
        match turned {
            None => Ok(value),
            Some(true) => self.not(value),
            Some(false) => self.not(value).and_then(|once| self.not(once)),
        }
    }

    fn comparison(&mut self) -> Result<Item, Problem> {
        let left = self.sum()?;
        match COMPARISONS.into_iter().find(|sign| self.cursor.sign(sign)) {
            Some(sign) => {
                let right = self.sum()?;
                self.compare(sign, left, right)
            }
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Result<Item, Problem> {
        let mut left = self.term()?;
        loop {
            let minus = self.cursor.sign("-");
            if !minus && !self.cursor.sign("+") {
                return Ok(left);
            }
            let right = self.term()?;
            left = self.add(left, right, minus)?;
        }
    }

    fn term(&mut self) -> Result<Item, Problem> {
        let mut left = self.factor()?;
        loop {
            if self.cursor.sign("*") {
                let right = self.factor()?;
                left = self.multiply(left, right)?;
            } else if self.cursor.sign("/") {
                let right = self.factor()?;
                left = self.divide(left, right)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn factor(&mut self) -> Result<Item, Problem> {
        let (at, mut minus) = (self.cursor.at(), false);
        while self.cursor.sign("-") {
            minus = !minus;
        }
        let value = self.atom()?;
        match value.what {
            _ if !minus => Ok(value),
            What::Literal(literal) => Ok(Item { what: What::Literal(literal.negated()), at }),
            What::Step(step) => self.times(step, (-1, 1), at),
        }
    }

    fn atom(&mut self) -> Result<Item, Problem> {
        let at = self.cursor.at();
        if self.cursor.sign("(") {
            let inner = self.expression()?;
            self.cursor.need(")")?;
            return Ok(inner);
        }
        if let Some(Token::Number(literal)) = self.cursor.token() {
            let literal = *literal;
            self.cursor.next += 1;
            return Ok(Item { what: What::Literal(literal), at });
        }
        let name = self.cursor.name()?;
        if !self.cursor.sign("(") {
            let what = || format!("nothing is called {name} so far; declare it by `input` or give it a value before");
            let step = self.names.get(&name).ok_or_else(|| Problem::new(Why::Unknown, at, what()))?;
            return Ok(Item { what: What::Step(*step), at });
        }
        let mut arguments = vec![self.expression()?];
        while self.cursor.sign(",") {
            arguments.push(self.expression()?);
        }
        self.cursor.need(")")?;
        self.call(&name, at, &arguments)
    }
}
