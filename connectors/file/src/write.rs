//! A table as a Parquet file: every word exact in a type of its own, NULL as NULL.

use base_types::{
    column::{Column, ColumnType, Table},
    fault::{Code, Fault},
};
use polars::prelude::{DataFrame, DataType, IntoSeries, NamedFrom, ParquetWriter, PolarsResult, Series};

/// Digits that hold every word.
const PRECISION: usize = 19;

/// The bytes of a Parquet file with the table's columns in their order: integers of 64 bits, decimals of 19 digits with the column's scale,
/// texts, booleans and dates.
///
/// # Errors
/// [`Code::BadRequest`] when two columns have one name, columns differ in their length, or a day is beyond a date's 32 bits.
pub fn parquet_of(table: &Table) -> Result<Vec<u8>, Fault> {
    let written = || -> PolarsResult<Vec<u8>> {
        let columns = table.columns.iter().map(|column| series(column).map(Into::into));
        let mut frame = DataFrame::new(table.rows, columns.collect::<PolarsResult<Vec<_>>>()?)?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame)?;
        Ok(bytes)
    };
    written().map_err(|why| Fault::new(Code::BadRequest, "make a Parquet file", why.to_string()))
}

fn series(column: &Column) -> PolarsResult<Series> {
    let name = column.name.as_str().into();
    let rows = 0..column.len();
    let words = rows.clone().map(|row| column.get(row));
    Ok(match column.ty {
        ColumnType::Int => Series::new(name, words.collect::<Vec<Option<i64>>>()),
        ColumnType::Decimal { scale } => {
            let wide: Vec<Option<i128>> = words.map(|word| word.map(i128::from)).collect();
            let plain = Series::new(name, wide);
            plain.i128()?.clone().into_decimal(PRECISION, usize::from(scale))?.into_series()
        }
        ColumnType::Text => Series::new(name, rows.map(|row| column.text(row)).collect::<Vec<Option<&str>>>()),
        ColumnType::Bool => {
            Series::new(name, words.map(|word| word.map(|word| word != 0)).collect::<Vec<Option<bool>>>())
        }
        ColumnType::Date => {
            let days = Series::new(name, words.collect::<Vec<Option<i64>>>());
            days.strict_cast(&DataType::Int32)?.cast(&DataType::Date)?
        }
    })
}
