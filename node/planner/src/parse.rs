//! From text to the parts of one SELECT; clauses that this planner does not know are refused here.

use base_types::fault::{Code, Fault};
use sqlparser::{
    ast::{
        Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Statement,
        TableWithJoins, Value,
    },
    dialect::PostgreSqlDialect,
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer},
};

use crate::{
    hints::Hints,
    refuse::{place_of, placed, strip, unsupported},
};

/// Longest query in bytes and in tokens; they also bound how deep its tree can be.
const MAX_BYTES: usize = 32 << 10;
const MAX_TOKENS: usize = 3000;

/// The parts of a query that are planned.
pub(crate) struct Parsed {
    pub(crate) items: Vec<SelectItem>,
    pub(crate) from: TableWithJoins,
    pub(crate) condition: Option<Expr>,
    pub(crate) group_by: Vec<Expr>,
    pub(crate) order_by: Vec<OrderByExpr>,
    pub(crate) limit: Option<u32>,
    pub(crate) hints: Hints,
    pub(crate) words: Keywords,
}

/// Where each keyword stands, for clauses of which the parser keeps no place.
pub(crate) struct Keywords(Vec<(Keyword, Location)>);

impl Keywords {
    /// The place of the first of these keywords, else of the first word.
    pub(crate) fn place(&self, wanted: &[Keyword]) -> Location {
        let found = self.0.iter().find(|(keyword, _)| wanted.contains(keyword)).or(self.0.first());
        found.map_or(Location { line: 1, column: 1 }, |(_, at)| *at)
    }
}

/// The words and signs of a text, with their places.
pub(crate) fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, Fault> {
    let start = Location { line: 1, column: 1 };
    if sql.len() > MAX_BYTES {
        return Err(unsupported(start, "the query is too long", format!("write at most {MAX_BYTES} bytes")));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|fault| placed(Code::QuerySyntax, fault.location, fault.message))?;
    let count = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count();
    if count > MAX_TOKENS {
        return Err(unsupported(start, "the query is too long", format!("write at most {MAX_TOKENS} words and signs")));
    }
    Ok(tokens)
}

/// The one SELECT that these words and signs are.
pub(crate) fn select(tokens: Vec<TokenWithSpan>) -> Result<Parsed, Fault> {
    let words = keywords(&tokens);
    let dialect = PostgreSqlDialect {};
    let statements =
        Parser::new(&dialect).with_tokens_with_locations(tokens).parse_statements().map_err(|fault| syntax(&fault))?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Query(query)), None) => from_query(*query, words),
        (None, _) => Err(placed(Code::QuerySyntax, words.place(&[]), "the query is empty; write one SELECT")),
        (Some(Statement::Query(_)), Some(_)) => {
            Err(unsupported(words.place(&[]), "several statements", "write one SELECT"))
        }
        (Some(_), _) => Err(unsupported(words.place(&[]), "a statement that is no SELECT", "write one SELECT")),
    }
}

fn keywords(tokens: &[TokenWithSpan]) -> Keywords {
    let words = tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some((word.keyword, token.span.start)),
        _ => None,
    });
    Keywords(words.collect())
}

/// The parser writes places as ` at Line: 1, Column: 5` at the end of its message.
fn syntax(fault: &ParserError) -> Fault {
    let message = match fault {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
        ParserError::RecursionLimitExceeded => "the query is nested too deep; use fewer parentheses",
    };
    let place = message.rsplit_once(" at Line: ").and_then(|(what, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((what, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    });
    let (what, at) = place.unwrap_or((message, Location { line: 1, column: 1 }));
    placed(Code::QuerySyntax, at, what)
}

fn from_query(query: Query, words: Keywords) -> Result<Parsed, Fault> {
    let Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } =
        query;
    if with.is_some() {
        return Err(unsupported(words.place(&[Keyword::WITH]), "WITH", "write one SELECT over the data sets"));
    }
    if fetch.is_some() {
        return Err(unsupported(words.place(&[Keyword::FETCH]), "FETCH", "write LIMIT n"));
    }
    let others = !locks.is_empty() || for_clause.is_some() || settings.is_some() || format_clause.is_some();
    if others || !pipe_operators.is_empty() {
        return Err(unsupported(words.place(&[Keyword::FOR]), "a clause after the SELECT", "leave it out"));
    }
    let mut select = match *body {
        SetExpr::Select(select) => *select,
        SetExpr::SetOperation { .. } => {
            let at = words.place(&[Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT]);
            return Err(unsupported(at, "UNION, EXCEPT or INTERSECT", "submit each SELECT as a query of its own"));
        }
        _ => return Err(unsupported(words.place(&[]), "a query that is no plain SELECT", "write one SELECT")),
    };
    let order_by = match order_by {
        None => Vec::new(),
        Some(order) => match order.kind {
            OrderByKind::Expressions(list) if order.interpolate.is_none() => list,
            _ => return Err(unsupported(words.place(&[Keyword::ORDER]), "ORDER BY ALL", "name the columns")),
        },
    };
    let limit = limit_clause.map(|clause| limit(clause, &words)).transpose()?.flatten();
    refuse_rest(&select, &words)?;
    let from = from(std::mem::take(&mut select.from), &words)?;
    let group_by = group_by(select.group_by, &words)?;
    let hints = Hints::of(&select.optimizer_hints, words.place(&[Keyword::SELECT]))?;
    Ok(Parsed { items: select.projection, from, condition: select.selection, group_by, order_by, limit, hints, words })
}

fn refuse_rest(select: &Select, words: &Keywords) -> Result<(), Fault> {
    let refuse = |keyword, what: &str, instead: &str| Err(unsupported(words.place(&[keyword]), what, instead));
    if select.distinct.is_some() {
        return refuse(Keyword::DISTINCT, "DISTINCT", "name the columns in GROUP BY");
    }
    if let Some(having) = &select.having {
        let at = place_of(having, words.place(&[Keyword::HAVING]));
        return Err(unsupported(at, "HAVING", "leave it out and filter the rows of the answer"));
    }
    if !select.named_window.is_empty() || select.qualify.is_some() {
        return refuse(Keyword::WINDOW, "window functions", "write aggregates with GROUP BY");
    }
    if select.top.is_some() {
        return refuse(Keyword::TOP, "TOP", "write LIMIT n");
    }
    if select.into.is_some() {
        return refuse(Keyword::INTO, "SELECT INTO", "leave INTO out: the answer goes to the receiver");
    }
    let rest = select.select_modifiers.as_ref().is_some_and(|m| m.is_any_set())
        || select.exclude.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.value_table_mode.is_some();
    if rest {
        return refuse(
            Keyword::SELECT,
            "a clause of this SELECT",
            "use SELECT, FROM, JOIN, WHERE, GROUP BY, ORDER BY, LIMIT",
        );
    }
    Ok(())
}

/// Trees are moved, never cloned: a clone recurses, and a chain of operators can be deep.
fn from(tables: Vec<TableWithJoins>, words: &Keywords) -> Result<TableWithJoins, Fault> {
    let mut tables = tables.into_iter();
    match (tables.next(), tables.next()) {
        (Some(table), None) => Ok(table),
        (None, _) => {
            Err(unsupported(words.place(&[Keyword::SELECT]), "SELECT without FROM", "name a data set in FROM"))
        }
        (Some(_), Some(_)) => {
            let at = words.place(&[Keyword::FROM]);
            Err(unsupported(at, "several tables separated by commas", "write FROM a JOIN b ON a.key = b.key"))
        }
    }
}

fn group_by(clause: GroupByExpr, words: &Keywords) -> Result<Vec<Expr>, Fault> {
    match clause {
        GroupByExpr::Expressions(list, modifiers) if modifiers.is_empty() => Ok(list),
        _ => Err(unsupported(words.place(&[Keyword::GROUP]), "GROUP BY ALL, ROLLUP or CUBE", "name the columns")),
    }
}

fn limit(clause: LimitClause, words: &Keywords) -> Result<Option<u32>, Fault> {
    let at = words.place(&[Keyword::LIMIT]);
    let limit = match clause {
        LimitClause::LimitOffset { limit, offset: None, limit_by } if limit_by.is_empty() => limit,
        _ => {
            return Err(unsupported(
                words.place(&[Keyword::OFFSET, Keyword::LIMIT]),
                "OFFSET or LIMIT BY",
                "write LIMIT n alone",
            ));
        }
    };
    let Some(limit) = limit else { return Ok(None) };
    let number = match strip(&limit) {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let refused = || unsupported(place_of(&limit, at), "a LIMIT that is no whole number", "write LIMIT 10, say");
    number.map(Some).ok_or_else(refused)
}
