//! A source's settings as its owner's node stores them; they never reach the ledger.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use base_secret::Password;
use base_types::{DatasetId, column::ColumnType};
use serde::{Deserialize, Serialize};

/// Where a data set lies and how it is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceConfig {
    /// The data set's identifier.
    pub dataset: DatasetId,
    /// A title for people.
    pub title: String,
    /// Where the rows lie.
    pub location: Location,
}

/// The kinds of sources.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Location {
    /// A text file of separated values with a header line.
    Csv {
        /// The file.
        path: PathBuf,
        /// The delimiter; `None` finds it among comma, semicolon, tab and bar.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delimiter: Option<char>,
        /// The encoding's name; `None` goes by the byte order mark, then tries UTF-8, then GB18030.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<String>,
        /// Types that the owner states instead of having them found.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        types: BTreeMap<String, ColumnType>,
    },
    /// An Apache Parquet file.
    Parquet {
        /// The file.
        path: PathBuf,
    },
    /// A table or view of an SQLite database.
    Sqlite {
        /// The database's file.
        path: PathBuf,
        /// The table or view.
        table: String,
    },
    /// A table or view of a PostgreSQL database.
    Postgres {
        /// Name of the environment variable that holds the address; preferred, for then no password is stored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url_env: Option<String>,
        /// The address itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<ConnectionUrl>,
        /// The schema.
        #[serde(default = "public")]
        schema: String,
        /// The table or view.
        table: String,
    },
}

fn public() -> String {
    "public".to_owned()
}

impl Location {
    /// The kind's name in settings and in the catalogue.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::Parquet { .. } => "parquet",
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// The place in words for the owner's own people; without an address, which may hold a password.
    pub fn place(&self) -> String {
        match self {
            Self::Csv { path, .. } | Self::Parquet { path } => path.display().to_string(),
            Self::Sqlite { path, table } => format!("{}, table {table}", path.display()),
            Self::Postgres { schema, table, .. } => format!("PostgreSQL, table {schema}.{table}"),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.place())
    }
}

/// A database's address, which may hold a password: not printable, wiped when dropped.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct ConnectionUrl(Arc<Password>);

impl ConnectionUrl {
    /// Lends the address out; every call is a place to review.
    pub fn expose(&self) -> &str {
        self.0.expose_str()
    }
}

impl From<String> for ConnectionUrl {
    fn from(url: String) -> Self {
        Self(Arc::new(Password::new(url)))
    }
}

impl Serialize for ConnectionUrl {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.expose())
    }
}
