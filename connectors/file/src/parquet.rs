//! Parquet files: integers, decimals, booleans, dates and text word for word; floats only where they are exact decimals.

use std::{fs::File, path::PathBuf};

use async_trait::async_trait;
use base_types::{
    column::{Column, ColumnType, Table},
    fault::{Code, Fault},
};
use connectors_api::{Backend, Expect, Progress, Stage, Ticket, date, text::Misfit};
use polars::{
    datatypes::ArrowDataType,
    prelude::{DataType, ParquetReader, PolarsResult, SerReader, Series, TimeUnit},
};

use crate::{off_thread, unreadable};

/// A Parquet file.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    pub path: PathBuf,
}

impl ParquetFile {
    /// The reader, the columns' names and the number of rows.
    fn open(&self, ticket: &Ticket) -> Result<(ParquetReader<File>, Vec<(String, bool)>, usize), Fault> {
        let file = File::open(&self.path).map_err(|error| unreadable(ticket, &self.path, &error))?;
        let damaged = |_| ticket.fault(Code::SourceMissing, "the file is no Parquet file");
        let mut reader = ParquetReader::new(file);
        let schema = reader.schema().map_err(damaged)?;
        let columns = schema.iter_values().map(|field| (field.name.to_string(), is_read(&field.dtype))).collect();
        let rows = reader.num_rows().map_err(damaged)?;
        Ok((reader, columns, rows))
    }

    fn read(&self, ticket: &Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let (reader, columns, rows) = self.open(ticket)?;
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let wanted: Vec<_> = ticket.select(&names)?.into_iter().filter_map(|place| columns.get(place)).collect();
        if let Some((name, _)) = wanted.iter().find(|(_, known)| !known) {
            let detail = format!("column '{name}' is of a type that is not read; store it as a decimal or as text");
            return Err(ticket.fault(Code::SourceMixedTypes, detail));
        }
        if ticket.row_limit().is_some_and(|limit| rows as u64 >= limit) {
            return Err(ticket.fault(Code::SourceChanged, "the source has more rows than its bound"));
        }
        progress(Stage { name: "parse", done: 0, of: rows as u64 });
        let wanted: Vec<String> = wanted.into_iter().map(|(name, _)| name.clone()).collect();
        let damaged = |_| ticket.fault(Code::SourceMissing, "the file is damaged");
        let frame = reader.with_columns(Some(wanted.clone())).finish().map_err(damaged)?;
        let mut table = Table { columns: Vec::with_capacity(wanted.len()), rows };
        for (done, name) in wanted.iter().enumerate() {
            progress(Stage { name: "columns", done: done as u64, of: wanted.len() as u64 });
            let series = frame.column(name).map_err(damaged)?.as_materialized_series();
            table.columns.push(column(ticket, name, series)?);
        }
        Ok(table)
    }
}

/// Types that are read; the others would have no exact words.
fn is_read(ty: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    match ty {
        T::Null | T::Boolean | T::Date32 | T::Decimal(..) | T::Timestamp(..) => true,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => true,
        T::Float32 | T::Float64 | T::Utf8 | T::LargeUtf8 | T::Utf8View => true,
        _ => false,
    }
}

/// What a series turns into.
enum Cells {
    Words(ColumnType, Vec<Option<Result<i64, Misfit>>>),
    Texts(Expect, Vec<Option<String>>),
}

fn column(ticket: &Ticket, name: &str, series: &Series) -> Result<Column, Fault> {
    let cells = cells(series)
        .map_err(|_| ticket.fault(Code::SourceMixedTypes, format!("column '{name}' is of a type that is not read")))?;
    match cells {
        Cells::Texts(expect, texts) => ticket.column(name, expect, texts),
        Cells::Words(ty, words) => {
            let fits = |(row, word): (usize, Option<Result<i64, Misfit>>)| {
                word.transpose().map_err(|misfit| ticket.misfit(name, row, ty, misfit))
            };
            ticket.words(name, ty, words.into_iter().enumerate().map(fits).collect::<Result<_, _>>()?)
        }
    }
}

fn cells(series: &Series) -> PolarsResult<Cells> {
    let narrow = |wide: i128| i64::try_from(wide).map_err(|_| Misfit::Range);
    Ok(match series.dtype() {
        DataType::Null => Cells::Texts(Expect::Any, vec![None; series.len()]),
        DataType::Boolean => {
            Cells::Words(ColumnType::Bool, series.bool()?.iter().map(|v| v.map(|v| Ok(i64::from(v)))).collect())
        }
        DataType::Date => {
            let days = series.date()?.physical().iter().map(|v| v.map(|v| Ok(i64::from(v)))).collect();
            Cells::Words(ColumnType::Date, days)
        }
        DataType::Decimal(_, scale) if *scale <= 9 => {
            let ty = match u8::try_from(*scale).unwrap_or(0) {
                0 => ColumnType::Int,
                scale => ColumnType::Decimal { scale },
            };
            Cells::Words(ty, series.decimal()?.physical().iter().map(|v| v.map(narrow)).collect())
        }
        DataType::Decimal(_, scale) => {
            let texts = series.decimal()?.physical().iter().map(|v| v.map(|v| decimal_text(v, *scale))).collect();
            Cells::Texts(Expect::Number, texts)
        }
        DataType::UInt64 => {
            let words = series.u64()?.iter().map(|v| v.map(|v| narrow(i128::from(v)))).collect();
            Cells::Words(ColumnType::Int, words)
        }
        ty if ty.is_integer() => {
            let wide = series.cast(&DataType::Int64)?;
            Cells::Words(ColumnType::Int, wide.i64()?.iter().map(|v| v.map(Ok)).collect())
        }
        // The shortest decimal that names the float is what its writer meant.
        DataType::Float32 => {
            Cells::Texts(Expect::Number, series.f32()?.iter().map(|v| v.map(|v| v.to_string())).collect())
        }
        DataType::Float64 => {
            Cells::Texts(Expect::Number, series.f64()?.iter().map(|v| v.map(|v| v.to_string())).collect())
        }
        DataType::Datetime(unit, _) => {
            let times = series.datetime()?.physical().iter().map(|v| v.map(|v| moment(v, *unit))).collect();
            Cells::Texts(Expect::Exactly(ColumnType::Text), times)
        }
        _ => {
            let texts = series.str()?.iter().map(|v| v.map(str::to_owned)).collect();
            Cells::Texts(Expect::Exactly(ColumnType::Text), texts)
        }
    })
}

fn decimal_text(word: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", word.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if word < 0 { "-" } else { "" })
}

/// A moment as ISO 8601 text.
fn moment(value: i64, unit: TimeUnit) -> String {
    let (second, digits) = match unit {
        TimeUnit::Nanoseconds => (1_000_000_000, 9),
        TimeUnit::Microseconds => (1_000_000, 6),
        TimeUnit::Milliseconds => (1_000, 3),
    };
    let (seconds, part) = (value.div_euclid(second), value.rem_euclid(second));
    let (day, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let day = date::format(day).unwrap_or_else(|| format!("day {day}"));
    format!("{day}T{:02}:{:02}:{:02}.{part:0digits$}", clock / 3600, clock / 60 % 60, clock % 60)
}

#[async_trait]
impl Backend for ParquetFile {
    async fn scan(&self, ticket: Ticket, progress: Progress<'_>) -> Result<Table, Fault> {
        let file = self.clone();
        off_thread(ticket, progress, move |ticket, progress| file.read(ticket, progress)).await
    }

    async fn test(&self, ticket: Ticket) -> Result<(), Fault> {
        let file = self.clone();
        let look = move |ticket: &Ticket, _: Progress<'_>| {
            let (_, columns, _) = file.open(ticket)?;
            let names: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
            ticket.select(&names).map(|_| ())
        };
        off_thread(ticket, &mut |_| (), look).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_decimals_and_moments_are_told_exactly() {
        assert_eq!(decimal_text(-5, 12), "-0.000000000005");
        assert_eq!(decimal_text(1_500_000_000_000, 12), "1.500000000000");
        assert_eq!(decimal_text(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
        assert_eq!(moment(-1, TimeUnit::Milliseconds), "1969-12-31T23:59:59.999");
        assert_eq!(moment(86_400_000_001, TimeUnit::Microseconds), "1970-01-02T00:00:00.000001");
    }
}
