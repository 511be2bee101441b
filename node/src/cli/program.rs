//! `heqi program` and `heqi query --program`: a user's own program, checked by itself, and joined with where its arguments come from.

use std::path::{Path, PathBuf};

use base_types::fault::{Code, Fault};
use clap::{Args, Subcommand};
use notary_terms::Tier;
use serde_json::Value;

use super::{Show, items, text};

#[derive(Subcommand)]
pub enum ProgramCommand {
    /// Compile it here: its arguments, and what a run takes. Nobody is asked, nothing is run.
    Check(CheckArgs),
}

#[derive(Args)]
pub struct CheckArgs {
    /// The source: in Garble with a public function main, or `circuit NAME;` with aes128, sm4, sha256(BYTES), sm3(BYTES), or bristol
    /// and the text behind it; or one over vectors, which begins with `scale BITS;` and here declares the range of every input.
    file: PathBuf,
    /// How many organisations take part, the receiver counted; one over vectors runs on three nodes, in tier A on two.
    #[arg(long, default_value_t = 2)]
    parties: usize,
    /// Of a program over vectors, the tier in which it is to run: b (the default), b+ or a.
    #[arg(long)]
    tier: Option<Tier>,
}

/// A program of one's own in place of a query.
#[derive(Args, Clone)]
pub struct Own {
    /// A source in Garble, or such as `circuit sm4;`, or one over vectors, which begins with `scale BITS;`; each argument of its
    /// function main or its circuit, or each input, takes an --input.
    #[arg(long, value_name = "FILE", requires = "inputs")]
    program: Option<PathBuf>,
    /// Where an argument comes from: `NAME=SELECT …`, or `NAME=(SELECT …) ELSE 0`, where the number stands for NULL and for rows
    /// that are missing.
    #[arg(long = "input", value_name = "NAME=SELECT", requires = "program")]
    inputs: Vec<String>,
}

impl Own {
    /// The query that they make together, if there is a program. Places in the source stay what they are in the file.
    pub fn text(&self) -> Result<Option<String>, Fault> {
        let Some(path) = &self.program else { return Ok(None) };
        let source = read(path)?;
        let inputs = self.inputs.iter().map(|input| input_text(input)).collect::<Result<Vec<_>, Fault>>()?;
        let vectors = if planner::is_vectors(&source) { "VECTORS " } else { "" };
        Ok(Some(format!("COMPUTE {vectors}$heqi${source}$heqi$\nWITH {}", inputs.join(",\n     "))))
    }
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| crate::config::bad(path, &error))
}

/// `name = (SELECT …)`.
fn input_text(input: &str) -> Result<String, Fault> {
    let bad = || Fault::new(Code::BadRequest, "query", format!("--input '{input}' is not NAME=SELECT …"));
    let (name, select) = input.split_once('=').ok_or_else(bad)?;
    let select = select.trim();
    let (open, close) = if select.starts_with('(') { ("", "") } else { ("(", ")") };
    Ok(format!("{} = {open}{select}{close}", name.trim()))
}

pub fn run(command: &ProgramCommand, show: Show) -> Result<(), Fault> {
    let ProgramCommand::Check(args) = command;
    let source = read(&args.file)?;
    let checked = match args.tier {
        None => planner::check_program(&source, args.parties)?,
        Some(tier) if planner::is_vectors(&source) => planner::check_vectors(&source, tier)?,
        Some(_) => {
            let why =
                "--tier is for programs over vectors; of one in circuits `heqi query check` tells what tier A takes";
            return Err(Fault::new(Code::BadRequest, "program", why));
        }
    };
    let value = serde_json::to_value(&checked).unwrap_or_default();
    show.value(&value, |value| {
        let argument = |argument: &Value| {
            let from = match argument.get("selectable") {
                Some(Value::Bool(true)) => "",
                _ => show.pick("（无法由 SELECT 提供）", " (no SELECT gives such a value)"),
            };
            format!("  {}: {}{from}", text(argument, "name"), text(argument, "ty"))
        };
        let mut lines = vec![show.pick("参数：", "Arguments:").to_owned()];
        lines.extend(items(value, "arguments").iter().map(argument));
        lines.push(told(value, show));
        lines.join("\n")
    });
    Ok(())
}

/// What a program returns and what a run of it takes.
pub fn told(program: &Value, show: Show) -> String {
    let size = |name: &str| program.get("size").and_then(|size| size.get(name)).and_then(Value::as_u64).unwrap_or(0);
    let (result, gates, memory) = (text(program, "result"), size("and_gates"), size("memory") / 1_000_000);
    let (kilobytes, rounds) = (size("bytes") / 1_000, size("rounds"));
    let (work_zh, work_en) = match program.get("products").and_then(Value::as_u64) {
        Some(products) => (format!("{products} 次乘法"), format!("{products} products")),
        None => (format!("{gates} 个与门"), format!("{gates} AND gates")),
    };
    let zh = format!("程序返回 {result}；{work_zh}，各方共发送约 {kilobytes} kB，{rounds} 轮，每方内存约 {memory} MB");
    let en = format!(
        "The program returns {result}; {work_en}, about {kilobytes} kB sent by all parties, {rounds} rounds, about {memory} MB of \
         memory a party"
    );
    let mut lines = vec![show.pick(&zh, &en)];
    let ranges: Vec<&str> = items(program, "ranges").iter().filter_map(Value::as_str).collect();
    if !ranges.is_empty() {
        lines.push(show.pick("各值的取值范围：", "Ranges of values:"));
        lines.extend(ranges);
    }
    lines.join("\n")
}
