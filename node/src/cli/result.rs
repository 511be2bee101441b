//! `heqi query result`: an answer on the terminal, or in a CSV or Parquet file.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use base_types::{
    JobId,
    column::{Column, ColumnType, Table},
    fault::{Code, Fault},
};
use clap::Args;
use connectors_api::text::{parse, text_column, word_column};
use connectors_file::parquet_of;
use serde_json::{Value, json};

use super::{Local, Show, items, query::answer_text, text};
use crate::config::write_file;

const STEP: &str = "write the answer";

/// What stands in a CSV file for a cell that too few people stand behind.
const SUPPRESSED: &str = "suppressed";
/// What a spreadsheet takes for the beginning of a formula, also behind quotes; some take the wide signs too.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

#[derive(Args)]
pub struct ResultArgs {
    /// The job.
    job: JobId,
    /// Write the answer to a CSV file (RFC 4180, UTF-8, only you can read it): NULL is an empty field, an empty text is "", a suppressed cell
    /// is the word suppressed, and a text that a spreadsheet would take for a formula has ' before it.
    #[arg(long, value_name = "FILE", conflicts_with = "parquet")]
    csv: Option<PathBuf>,
    /// Write the answer to a Parquet file (only you can read it), with the answer's types: NULL and suppressed cells are NULL; a column with
    /// suppressed cells is followed by COLUMN_suppressed, which tells them.
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    local: Local,
}

pub fn run(args: &ResultArgs, show: Show) -> Result<(), Fault> {
    let path = args.csv.as_ref().or(args.parquet.as_ref());
    // Before anything is asked: an answer is for the receiver's people, and asking may take a while.
    path.map_or(Ok(()), |path| free(path, args.force))?;
    let client = args.local.client()?;
    let answer = client.get(&format!("/api/jobs/{}/result", args.job))?;
    let Some(path) = path else {
        show.value(&answer, |v| answer_text(v, show));
        return Ok(());
    };
    let bytes = if args.csv.is_some() {
        csv(&answer).into_bytes()
    } else {
        parquet(&answer, &client.get(&format!("/api/jobs/{}", args.job))?)?
    };
    free(path, args.force)?;
    write_file(path, &bytes, true)?;
    let rows = items(&answer, "rows").len();
    let file = path.display().to_string();
    show.value(&json!({"file": file, "rows": rows, "bytes": bytes.len()}), |_| {
        format!("{file} ({rows} {})", show.pick("行", "rows"))
    });
    Ok(())
}

/// Refuses a place where something is, be it a link that leads nowhere, unless that is to be overwritten.
fn free(path: &Path, force: bool) -> Result<(), Fault> {
    if force || path.symlink_metadata().is_err() {
        return Ok(());
    }
    let why = format!("{} exists; --force overwrites it", path.display());
    Err(Fault::new(Code::BadRequest, STEP, why))
}

fn suppressed(cell: &Value) -> bool {
    cell.get("suppressed") == Some(&Value::Bool(true))
}

fn value(cell: &Value) -> Option<&str> {
    cell.get("value").and_then(Value::as_str)
}

/// The answer as RFC 4180 has it, with a line of names. A text that would read as NULL or as a suppressed cell is quoted too.
fn csv(answer: &Value) -> String {
    let cell = |cell: &Value| {
        if suppressed(cell) { SUPPRESSED.to_owned() } else { value(cell).map(field).unwrap_or_default() }
    };
    let names = items(answer, "columns").iter().map(|name| field(name.as_str().unwrap_or_default()));
    let mut out = line(names);
    for row in items(answer, "rows") {
        out += &line(row.as_array().map_or(&[][..], Vec::as_slice).iter().map(cell));
    }
    out
}

fn line(fields: impl Iterator<Item = String>) -> String {
    fields.collect::<Vec<_>>().join(",") + "\r\n"
}

fn field(text: &str) -> String {
    let text = guarded(text);
    if text.is_empty() || text == SUPPRESSED || text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.into_owned()
}

/// Another owner's texts are not to run in the spreadsheet of who opens the file, so what looks like a formula has an apostrophe before it.
/// A text that has such ones already gets one more, so that taking one away gives back every text.
fn guarded(text: &str) -> Cow<'_, str> {
    let formula = text.trim_start_matches('\'').starts_with(FORMULA);
    if formula && !number(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a text is a number, as the node writes them.
fn number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

/// The answer in the types that the job's plan names.
fn parquet(answer: &Value, job: &Value) -> Result<Vec<u8>, Fault> {
    let outputs = job.get("explanation").map_or(&[][..], |explained| items(explained, "outputs"));
    let (rows, names) = (items(answer, "rows"), items(answer, "columns"));
    if outputs.len() != names.len() {
        let why = "the node does not tell the types of the answer; --csv needs none";
        return Err(Fault::new(Code::NotFound, STEP, why));
    }
    let mut columns = Vec::new();
    for (at, output) in outputs.iter().enumerate() {
        let cells: Vec<&Value> = rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null)).collect();
        let name = text(output, "name");
        columns.push(column(&name, output.get("ty").unwrap_or(&Value::Null), &cells)?);
        if cells.iter().any(|cell| suppressed(cell)) {
            let told = cells.iter().map(|cell| Some(i64::from(suppressed(cell)))).collect();
            columns.push(word_column(&format!("{name}_{SUPPRESSED}"), ColumnType::Bool, told));
        }
    }
    parquet_of(&Table { columns, rows: rows.len() })
}

fn column(name: &str, ty: &Value, cells: &[&Value]) -> Result<Column, Fault> {
    let odd = |what: &str| Fault::new(Code::Internal, STEP, format!("column '{name}': {what}"));
    let ty: ColumnType = serde_json::from_value(ty.clone()).map_err(|_| odd("a type that is not known here"))?;
    let texts = cells.iter().map(|cell| value(cell));
    if ty == ColumnType::Text {
        return Ok(text_column(name, texts.map(|text| text.map(ToOwned::to_owned)).collect()));
    }
    let words = texts.map(|text| text.map(|text| parse(ty, text)).transpose()).collect::<Result<Vec<_>, _>>();
    Ok(word_column(name, ty, words.map_err(|_| odd("a cell that is no value of its type"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Value {
        let cell = |text: Option<&str>| json!({"value": text, "suppressed": false});
        let hidden = json!({"value": null, "suppressed": true});
        json!({
            "columns": ["name, of a ward", "mean"],
            "rows": [
                [cell(Some("a \"quiet\" one")), cell(Some("12.50"))],
                [cell(Some("two\nlines")), cell(None)],
                [cell(Some("")), hidden.clone()],
                [cell(None), cell(Some("-0.25"))],
                [cell(Some("suppressed")), hidden],
                [cell(Some("北 区")), cell(Some("7.00"))],
            ],
        })
    }

    #[test]
    fn a_csv_tells_null_empty_suppressed_and_what_says_so_apart() {
        let lines = [
            "\"name, of a ward\",mean",
            "\"a \"\"quiet\"\" one\",12.50",
            "\"two\nlines\",",
            "\"\",suppressed",
            ",-0.25",
            "\"suppressed\",suppressed",
            "北 区,7.00",
            "",
        ];
        assert_eq!(csv(&answer()), lines.join("\r\n"));
    }

    #[test]
    fn no_text_of_another_owner_is_a_formula_in_a_csv_and_each_can_be_had_back() {
        for text in [
            "=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "-", "-1.", "--1", "-1.5.2", "-.5", "'=1",
            "''-a",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "-1", "-0.25", "12.50", "a=1", "'s-Hertogenbosch", "'", "2026-11-27", "suppressed", "北 区"]
        {
            assert_eq!(guarded(text), text);
        }
        let cell = json!({"value": "=HYPERLINK(\"http://x\",\"y\")", "suppressed": false});
        let answer = json!({"columns": ["=1", "n"], "rows": [[cell, {"value": "-7", "suppressed": false}]]});
        assert_eq!(csv(&answer), "'=1,n\r\n\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",-7\r\n");
    }

    #[test]
    fn a_parquet_file_needs_the_types_and_cells_of_them() {
        let job = |ty: Value| {
            let outputs = json!([{"name": "name, of a ward", "ty": "text"}, {"name": "mean", "ty": ty}]);
            json!({"explanation": {"outputs": outputs}})
        };
        let bytes = parquet(&answer(), &job(json!({"decimal": {"scale": 2}}))).expect("a file");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        let code = |job: &Value| parquet(&answer(), job).expect_err("refused").code;
        assert_eq!(code(&json!({"explanation": null})), Code::NotFound);
        assert_eq!(code(&job(json!("int"))), Code::Internal);
        assert_eq!(code(&job(json!("roman numerals"))), Code::Internal);
    }

    #[test]
    fn what_exists_is_overwritten_by_force_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answer.csv");
        assert_eq!(free(&path, false), Ok(()));
        std::fs::write(&path, "kept").expect("written");
        assert_eq!(free(&path, false).map_err(|fault| fault.code), Err(Code::BadRequest));
        assert_eq!(free(&path, true), Ok(()));
    }
}
