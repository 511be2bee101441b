//! The reference: Polars over the merged files, as one database would answer that held all of them.
#![allow(deprecated, reason = "Polars has no other grouping without its lazy engine")]

use std::{collections::BTreeMap, path::Path};

use polars::prelude::{
    AnyValue, Column, CsvReadOptions, DataFrame, DataFrameJoinOps, DataType, IntoColumn, JoinArgs, JoinType, NamedFrom,
    SerReader, Series,
};
use runner::AnswerCell;

/// An aggregate over an integer column of the joined frame.
#[derive(Clone, Copy)]
pub enum Of<'a> {
    Rows,
    Count(&'a str),
    Sum(&'a str),
    /// The mean with that many digits more.
    Avg(&'a str, u32),
}

/// A file as Polars reads it; the named decimals become integers with that many digits.
pub fn file(path: impl AsRef<Path>, decimals: &[(&str, i32)]) -> DataFrame {
    let options = CsvReadOptions::default()
        .with_infer_schema_length(None)
        .map_parse_options(|options| options.with_try_parse_dates(true));
    let reader = options.try_into_reader_with_file_path(Some(path.as_ref().to_path_buf())).expect("a file");
    let mut frame = reader.finish().expect("a table");
    for (name, digits) in decimals {
        let column = frame.column(name).expect("a column").cast(&DataType::Float64).expect("numbers");
        let scaled = column.f64().expect("numbers").iter().map(|x| x.map(|x| (x * 10f64.powi(*digits)).round() as i64));
        put(&mut frame, name, scaled.collect());
    }
    frame
}

/// Adds or replaces an integer column.
pub fn put(frame: &mut DataFrame, name: &str, words: Vec<Option<i64>>) {
    frame.with_column(Series::new(name.into(), words).into_column()).expect("as many rows");
}

/// An integer column.
pub fn words(frame: &DataFrame, name: &str) -> Vec<Option<i64>> {
    let column = frame.column(name).expect("a column").cast(&DataType::Int64).expect("integers");
    column.i64().expect("integers").iter().collect()
}

/// A column computed from another.
pub fn map(frame: &mut DataFrame, from: &str, to: &str, f: impl Fn(Option<i64>) -> Option<i64>) {
    let out = words(frame, from).into_iter().map(f).collect();
    put(frame, to, out);
}

/// The rows in which a condition on a column holds.
pub fn keep(frame: &DataFrame, column: &str, condition: impl Fn(Option<i64>) -> Option<bool>) -> DataFrame {
    let mask = words(frame, column).into_iter().map(|word| condition(word) == Some(true)).collect();
    frame.filter(&mask).expect("a mask")
}

/// A join on `person_id`; the right frame's rows are marked in `here`.
pub fn join(left: &DataFrame, right: &DataFrame, how: JoinType, here: &str) -> DataFrame {
    let mut right = right.clone();
    let ones = vec![Some(1); right.height()];
    put(&mut right, here, ones);
    left.join(&right, ["person_id"], ["person_id"], JoinArgs::new(how), None).expect("joined")
}

fn cell(value: &AnyValue<'_>) -> AnswerCell {
    match value {
        AnyValue::Null => AnswerCell::Null,
        AnyValue::Int64(word) => AnswerCell::Number(*word),
        AnyValue::Date(days) => AnswerCell::Number(i64::from(*days)),
        AnyValue::Boolean(truth) => AnswerCell::Number(i64::from(*truth)),
        AnyValue::String(text) => AnswerCell::Text((*text).to_owned()),
        other => panic!("no group is made by {other:?}"),
    }
}

type PerGroup<T> = BTreeMap<Vec<AnswerCell>, T>;

/// One column of a grouped frame by the groups' values.
fn by_group<T>(frame: &DataFrame, groups: &[&str], last: impl Fn(&AnyValue<'_>) -> T) -> PerGroup<T> {
    let columns: Vec<&Column> = groups.iter().map(|name| frame.column(name).expect("a group column")).collect();
    let value = frame.columns().last().expect("a column");
    let row = |at: usize| {
        let group = columns.iter().map(|column| cell(&column.get(at).expect("a row"))).collect();
        (group, last(&value.get(at).expect("a row")))
    };
    (0..frame.height()).map(row).collect()
}

fn integer(value: &AnyValue<'_>) -> i64 {
    value.extract::<i64>().expect("an integer")
}

/// Half away from zero, at that many digits more.
fn mean(sum: i64, count: i64, digits: u32) -> i64 {
    let (scaled, count) = (i128::from(sum) * 10i128.pow(digits), i128::from(count));
    let rounded = (2 * scaled.abs() + count) / (2 * count) * scaled.signum();
    i64::try_from(rounded).expect("a mean fits")
}

/// One aggregate's cells of all groups; a cell with fewer than `least` persons behind it is suppressed.
fn aggregate(joined: &DataFrame, groups: &[&str], of: Of<'_>, least: i64) -> PerGroup<AnswerCell> {
    let name = match of {
        Of::Rows => "one",
        Of::Count(name) | Of::Sum(name) | Of::Avg(name, _) => name,
    };
    let known = keep(joined, name, |word| Some(word.is_some()));
    let grouped = || known.group_by(groups.iter().copied()).expect("grouped");
    let people = by_group(&grouped().select(["person_id"]).n_unique().expect("counted"), groups, integer);
    let sums = by_group(&grouped().select([name]).sum().expect("summed"), groups, integer);
    let counts = by_group(&grouped().select(["one"]).sum().expect("summed"), groups, integer);
    let means = by_group(&grouped().select([name]).mean().expect("averaged"), groups, |value| {
        value.extract::<f64>().expect("a mean")
    });
    let cells = people.into_iter().map(|(group, people)| {
        let (sum, count) = (sums[&group], counts[&group]);
        let cell = match of {
            _ if people < least => AnswerCell::Suppressed,
            Of::Rows | Of::Count(_) => AnswerCell::Number(count),
            Of::Sum(_) => AnswerCell::Number(sum),
            Of::Avg(_, digits) => {
                let exact = mean(sum, count, digits);
                let polars = means[&group] * 10f64.powi(digits as i32);
                assert!((exact as f64 - polars).abs() < 0.51 + polars.abs() * 1e-9, "{exact} is not {polars}");
                AnswerCell::Number(exact)
            }
        };
        (group, cell)
    });
    cells.collect()
}

/// The rows of the answer: the groups' values, then one cell an aggregate.
pub fn grouped(joined: &DataFrame, groups: &[&str], aggregates: &[Of<'_>], least: i64) -> Vec<Vec<AnswerCell>> {
    let mut joined = joined.clone();
    let rows = joined.height();
    put(&mut joined, "one", vec![Some(1); rows]);
    put(&mut joined, "all", vec![Some(0); rows]);
    let by = if groups.is_empty() { vec!["all"] } else { groups.to_vec() };
    let cells: Vec<_> = aggregates.iter().map(|of| aggregate(&joined, &by, *of, least)).collect();
    let all = aggregate(&joined, &by, Of::Rows, least);
    // Nobody contributes to an aggregate of a group in which its argument is always NULL.
    let row = |group: &Vec<AnswerCell>| {
        let values = cells.iter().map(|cells| cells.get(group).cloned().unwrap_or(AnswerCell::Suppressed));
        group.iter().take(groups.len()).cloned().chain(values).collect()
    };
    all.keys().map(row).collect()
}
