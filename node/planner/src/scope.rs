//! The tables of a query and what names mean among them.

use base_types::{
    column::ColumnMeta,
    fault::{Code, Fault},
};
use notary_terms::Source;
use sqlparser::{
    ast::{Expr, Ident},
    tokenizer::Location,
};

use crate::{
    names::nearest,
    refuse::{placed, unknown},
};

/// How a table entered the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    /// First in FROM.
    From,
    /// By INNER JOIN.
    Inner,
    /// By LEFT JOIN: its columns are NULL where it has no partner.
    Left,
}

/// A table of the query.
pub(crate) struct Table<'a> {
    pub(crate) source: &'a Source,
    pub(crate) alias: String,
    pub(crate) at: Location,
    pub(crate) entered: Entered,
    /// Place of the join key among the source's columns.
    pub(crate) key: Option<usize>,
    /// Conditions of its ON besides the key's equality.
    pub(crate) conditions: Vec<&'a Expr>,
    /// Places of the columns that the plan reads, in the order of first use.
    pub(crate) columns: Vec<usize>,
}

impl Table<'_> {
    /// Place among the columns read, which grow by it when it is new.
    pub(crate) fn read(&mut self, column: usize) -> usize {
        if let Some(place) = self.columns.iter().position(|c| *c == column) {
            return place;
        }
        self.columns.push(column);
        self.columns.len() - 1
    }

    /// Whether rows of the join can lack it.
    pub(crate) fn nullable(&self) -> bool {
        self.entered == Entered::Left
    }

    /// The published facts of a column.
    pub(crate) fn meta(&self, column: usize) -> Option<&ColumnMeta> {
        self.source.columns.get(column)
    }

    fn find(&self, name: &Ident) -> Option<usize> {
        let columns = &self.source.columns;
        let exact = columns.iter().position(|c| c.name == name.value);
        exact.or_else(|| columns.iter().position(|c| c.name.eq_ignore_ascii_case(&name.value)))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.source.columns.iter().map(|c| c.name.as_str())
    }
}

/// All tables of the query so far.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub(crate) tables: Vec<Table<'a>>,
}

impl Scope<'_> {
    /// The table and the place in its source of a column `x`, `alias.x` or `owner.table.x`.
    pub(crate) fn lookup(&self, name: &[Ident], at: Location) -> Result<(usize, usize), Fault> {
        match name {
            [column] => self.anywhere(column, at),
            [table, column] => {
                let found = self.tables.iter().position(|t| t.alias.eq_ignore_ascii_case(&table.value));
                self.in_table(found, &table.value, column, at)
            }
            [owner, table, column] => {
                let wanted = format!("{}/{}", owner.value, table.value);
                let found = self.tables.iter().position(|t| t.source.dataset.as_str().eq_ignore_ascii_case(&wanted));
                self.in_table(found, &format!("{}.{}", owner.value, table.value), column, at)
            }
            _ => Err(unknown(at, "a name of more than three parts", None)),
        }
    }

    fn in_table(
        &self,
        found: Option<usize>,
        name: &str,
        column: &Ident,
        at: Location,
    ) -> Result<(usize, usize), Fault> {
        let (place, table) = found.and_then(|place| Some((place, self.tables.get(place)?))).ok_or_else(|| {
            let near = nearest(name, self.tables.iter().map(|t| t.alias.as_str()));
            unknown(at, format!("no table of this query is called {name}"), near)
        })?;
        let column = table.find(column).ok_or_else(|| {
            let near = nearest(&column.value, table.names());
            unknown(at, format!("{} has no column {}", table.source.dataset, column.value), near)
        })?;
        Ok((place, column))
    }

    fn anywhere(&self, column: &Ident, at: Location) -> Result<(usize, usize), Fault> {
        let hits: Vec<_> =
            self.tables.iter().enumerate().filter_map(|(place, table)| Some((place, table.find(column)?))).collect();
        match hits.as_slice() {
            [hit] => Ok(*hit),
            [] => {
                let near = nearest(&column.value, self.tables.iter().flat_map(|t| t.names()));
                Err(unknown(at, format!("no table of this query has a column {}", column.value), near))
            }
            _ => {
                let forms: Vec<_> = hits
                    .iter()
                    .filter_map(|(place, _)| Some(format!("{}.{}", self.tables.get(*place)?.alias, column.value)))
                    .collect();
                let what = format!("{} is a column of several tables; write {}", column.value, forms.join(" or "));
                Err(placed(Code::QueryUnknownName, at, what))
            }
        }
    }

    /// The alias of a table, for messages.
    pub(crate) fn alias(&self, place: usize) -> &str {
        self.tables.get(place).map_or("?", |t| t.alias.as_str())
    }
}
