//! Queries of the supported subset as values, and their SQL text.

use std::fmt::{self, Display, Formatter};

/// A value of a table: what a CSV cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Val {
    Null,
    /// A number with digits after the point; a date in days, a truth value as 0 or 1.
    Num(i128, u32),
    Text(String),
}

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    Int,
    /// Two digits after the point.
    Money,
    Text,
    Bool,
    Date,
}

/// A table: column 0 is the key, which may be NULL and may repeat.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(&'static str, Ty)>,
    pub rows: Vec<Vec<Val>>,
}

/// A row expression over one table of FROM.
#[derive(Debug, Clone)]
pub enum Expr {
    Column(usize, usize, &'static str),
    Number(i128, u32),
    Null,
    Add(Box<Expr>, Box<Expr>),
    Sub(Box<Expr>, Box<Expr>),
    Mul(Box<Expr>, Box<Expr>),
    Neg(Box<Expr>),
    Case(Box<Cond>, Box<Expr>, Box<Expr>),
    Coalesce(Box<Expr>, Box<Expr>),
    Truth(Box<Cond>),
}

/// A comparison's operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A condition over one table of FROM.
#[derive(Debug, Clone)]
pub enum Cond {
    Compare(Cmp, Expr, Expr),
    /// A text column and a text.
    Is(Cmp, Expr, &'static str),
    /// A date column and days.
    Dated(Cmp, Expr, i128),
    Between(Expr, Expr, Expr, bool),
    Within(Expr, Vec<Expr>, bool),
    Null(Expr, bool),
    Holds(Expr),
    /// TRUE, FALSE or NULL.
    Constant(Option<bool>),
    And(Box<Cond>, Box<Cond>),
    Or(Box<Cond>, Box<Cond>),
    Not(Box<Cond>),
}

/// How a table enters the query after the first.
#[derive(Debug, Clone)]
pub struct Joined {
    pub left: bool,
    /// The earlier table whose key it meets.
    pub with: usize,
    pub and: Option<Cond>,
}

/// An item of SELECT.
#[derive(Debug, Clone)]
pub enum Item {
    /// The GROUP BY column of that place.
    Group(usize),
    CountRows,
    Count(Expr),
    Sum(Expr),
    Avg(Expr),
}

/// A whole query; `from` names tables by place, aliases are `a`, `b`, `c`.
#[derive(Debug, Clone)]
pub struct Query {
    pub from: Vec<usize>,
    pub joins: Vec<Joined>,
    pub filter: Vec<Cond>,
    /// Table and columns of GROUP BY.
    pub group: (usize, Vec<usize>),
    pub items: Vec<Item>,
    /// Item, whether it falls, whether NULLs come first if that is said.
    pub order: Vec<(usize, bool, Option<bool>)>,
    pub limit: Option<usize>,
}

pub const ALIASES: [&str; 4] = ["a", "b", "c", "d"];

/// A number as SQL and CSV write it.
pub fn number(word: i128, scale: u32) -> String {
    if scale == 0 {
        return word.to_string();
    }
    let digits = format!("{:0>width$}", word.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    format!("{}{whole}.{fraction}", if word < 0 { "-" } else { "" })
}

/// Days since 1970-01-01 as a date of that year: the tables' dates lie in January 1970.
pub fn date(days: i128) -> String {
    format!("1970-01-{:02}", days + 1)
}

impl Display for Cmp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        })
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(table, _, name) => write!(f, "{}.{name}", ALIASES[*table]),
            Self::Number(word, scale) if *word < 0 => write!(f, "({})", number(*word, *scale)),
            Self::Number(word, scale) => f.write_str(&number(*word, *scale)),
            Self::Null => f.write_str("NULL"),
            Self::Add(x, y) => write!(f, "({x} + {y})"),
            Self::Sub(x, y) => write!(f, "({x} - {y})"),
            Self::Mul(x, y) => write!(f, "({x} * {y})"),
            Self::Neg(x) => write!(f, "(- {x})"),
            Self::Case(when, then, other) => write!(f, "CASE WHEN {when} THEN {then} ELSE {other} END"),
            Self::Coalesce(x, y) => write!(f, "COALESCE({x}, {y})"),
            Self::Truth(cond) => write!(f, "{cond}"),
        }
    }
}

impl Display for Cond {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::Compare(op, x, y) => write!(f, "({x} {op} {y})"),
            Self::Is(op, x, text) => write!(f, "({x} {op} '{text}')"),
            Self::Dated(op, x, days) => write!(f, "({x} {op} DATE '{}')", date(*days)),
            Self::Between(x, low, high, negated) => write!(f, "({x} {}BETWEEN {low} AND {high})", not(negated)),
            Self::Within(x, items, negated) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "({x} {}IN ({}))", not(negated), items.join(", "))
            }
            Self::Null(x, negated) => write!(f, "({x} IS {}NULL)", not(negated)),
            Self::Holds(x) => write!(f, "{x}"),
            Self::Constant(truth) => f.write_str(truth.map_or("NULL", |truth| if truth { "TRUE" } else { "FALSE" })),
            Self::And(x, y) => write!(f, "({x} AND {y})"),
            Self::Or(x, y) => write!(f, "({x} OR {y})"),
            Self::Not(x) => write!(f, "(NOT {x})"),
        }
    }
}

impl Query {
    fn group_names(&self, tables: &[Table]) -> Vec<String> {
        let (table, columns) = &self.group;
        let name = |column: &usize| format!("{}.{}", ALIASES[*table], tables[self.from[*table]].columns[*column].0);
        columns.iter().map(name).collect()
    }

    /// The text.
    pub fn sql(&self, tables: &[Table]) -> String {
        let groups = self.group_names(tables);
        let item = |(place, item): (usize, &Item)| {
            let what = match item {
                Item::Group(group) => groups[*group].clone(),
                Item::CountRows => "COUNT(*)".to_owned(),
                Item::Count(x) => format!("COUNT({x})"),
                Item::Sum(x) => format!("SUM({x})"),
                Item::Avg(x) => format!("AVG({x})"),
            };
            format!("{what} AS o{place}")
        };
        let items: Vec<_> = self.items.iter().enumerate().map(item).collect();
        let mut sql = format!("SELECT {} FROM {} a", items.join(", "), tables[self.from[0]].name);
        for (place, Joined { left, with, and }) in self.joins.iter().enumerate() {
            let (table, alias) = (&tables[self.from[place + 1]].name, ALIASES[place + 1]);
            let kind = if *left { "LEFT JOIN" } else { "JOIN" };
            sql += &format!(" {kind} {table} {alias} ON {alias}.k = {}.k", ALIASES[*with]);
            sql += &and.as_ref().map_or_else(String::new, |cond| format!(" AND {cond}"));
        }
        let clause = |word: &str, parts: Vec<String>, by: &str| {
            if parts.is_empty() { String::new() } else { format!(" {word} {}", parts.join(by)) }
        };
        sql += &clause("WHERE", self.filter.iter().map(ToString::to_string).collect(), " AND ");
        sql += &clause("GROUP BY", groups, ", ");
        let key = |(item, falls, nulls): &(usize, bool, Option<bool>)| {
            let nulls = nulls.map_or("", |first| if first { " NULLS FIRST" } else { " NULLS LAST" });
            format!("o{item}{}{nulls}", if *falls { " DESC" } else { "" })
        };
        sql += &clause("ORDER BY", self.order.iter().map(key).collect(), ", ");
        sql + &self.limit.map_or_else(String::new, |n| format!(" LIMIT {n}"))
    }
}
