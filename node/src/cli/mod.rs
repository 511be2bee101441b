//! The command line: what a person can ask, and how answers are shown.

mod abi;
mod alarms;
mod chain;
mod contract;
mod events;
mod evidence;
mod govern;
mod init;
mod keep;
mod member;
mod plan;
mod program;
pub mod query;
mod result;
mod revoke;
pub mod source;
mod state;

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use base_secret::Password;
use base_types::{
    TimeMs,
    fault::{Code, Fault},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::Value;

use crate::{client::Client, config::Folder, ledger_client::Ledger};

/// Heqi 合契: organisations that may not show each other their data answer questions together.
#[derive(Parser)]
#[command(name = "heqi", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Language of messages; from LANG when not given.
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum Lang {
    Zh,
    En,
}

#[derive(Subcommand)]
enum Command {
    /// Found an organisation, a consortium's genesis, a node's folder; asks for what is not given.
    Init(init::InitArgs),
    /// Run this organisation's node until Ctrl-C.
    Node(NodeArgs),
    /// Register, test and list data sources.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Let a party learn columns in stated ways, for a purpose.
    Grant(source::GrantArgs),
    /// Check, submit and follow joint queries.
    #[command(subcommand)]
    Query(query::QueryCommand),
    /// Check a program of your own, in Garble or as a circuit, before you query with it.
    #[command(subcommand)]
    Program(program::ProgramCommand),
    /// Approve a proposal with your own key.
    Approve(query::VoteArgs),
    /// Reject a proposal with your own key.
    Reject(query::RejectArgs),
    /// Call off a job of your organisation, also while it runs.
    Cancel(query::RejectArgs),
    /// Show, export and verify a job's chain of evidence.
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Look at the ledger, and change its rules by vote.
    #[command(subcommand)]
    Chain(chain::ChainCommand),
    /// Deploy, call and read contracts.
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// What happened on the ledger, one line a transaction.
    Events(events::EventsArgs),
    /// Who used what for which purpose, how often; refused attempts; nodes.
    Stats(Local),
    /// What the node itself finds wrong, now or in the past.
    Alarms(alarms::AlarmsArgs),
    /// What is wrong on this machine and what to do.
    Doctor(DoctorArgs),
    /// Four departments on this machine answer a joint question.
    Demo(crate::demo::DemoArgs),
}

/// Which node, as whom.
#[derive(Args, Clone)]
pub struct Local {
    /// The node's folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// Act as this person, such as `statistics/analyst`; from --key when that is given.
    #[arg(long = "as", value_name = "PERSON")]
    person: Option<String>,
}

/// Which node, and the key to sign with.
#[derive(Args, Clone)]
pub struct Signed {
    #[command(flatten)]
    local: Local,
    /// Your key file; it is opened here and never leaves.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file with the key's password; otherwise HEQI_PASSWORD or the terminal.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Local {
    fn client(&self) -> Result<Client, Fault> {
        let folder = Folder(self.dir.clone());
        let person = match &self.person {
            Some(person) => person.clone(),
            None => format!("{}/operator", folder.read_config()?.org),
        };
        Client::local(&folder, &person)
    }

    /// The ledger of the folder's node.
    fn ledger(&self) -> Result<Ledger, Fault> {
        Ledger::open(&Folder(self.dir.clone()))
    }
}

impl Signed {
    fn open(&self) -> Result<(Client, base_gm::sm2::SecretKey), Fault> {
        let (person, key) = crate::client::person_key(&self.key, self.password_file.as_deref())?;
        Ok((Client::local(&Folder(self.local.dir.clone()), &person)?, key))
    }

    /// The ledger of the folder's node, and the key.
    fn ledger(&self) -> Result<(Ledger, base_gm::sm2::SecretKey), Fault> {
        let (_, key) = crate::client::person_key(&self.key, self.password_file.as_deref())?;
        Ok((self.local.ledger()?, key))
    }
}

#[derive(Args)]
struct NodeArgs {
    /// The node's folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// A file with the node key's password; otherwise HEQI_NODE_PASSWORD or the terminal.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// End when standard input does: so no node outlives the program that started it.
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

#[derive(Args)]
struct DoctorArgs {
    /// The node's folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

/// How answers are shown.
#[derive(Clone, Copy)]
pub struct Show {
    /// One JSON value instead of text.
    pub json: bool,
    /// Chinese.
    pub zh: bool,
}

impl Show {
    /// Prints JSON, or the text that `human` makes of it.
    pub fn value(self, value: &Value, human: impl FnOnce(&Value) -> String) {
        let text = if self.json { value.to_string() } else { tame(&human(value), &['\n', '\t']) };
        // A closed pipe is the reader's wish, not an error.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    }
    /// Picks the language.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self.zh { zh } else { en }
    }
}

/// Milliseconds since the epoch, for what the command line itself stamps.
pub fn now_ms() -> TimeMs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// A password from a file, an environment variable or the terminal, in this order.
///
/// # Errors
/// [`Code::WrongPassword`] when there is none.
pub fn password(file: Option<&Path>, variable: &str, what: &str) -> Result<Password, Fault> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|e| crate::config::bad(path, &e))?;
        return Ok(Password::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if let Ok(text) = std::env::var(variable) {
        return Ok(Password::new(text));
    }
    if std::io::stdin().is_terminal() {
        let asked = rpassword::prompt_password(format!("Password / 口令 ({what}): "));
        return asked.map(Password::new).map_err(|e| Fault::new(Code::WrongPassword, what, e.to_string()));
    }
    Err(Fault::new(Code::WrongPassword, what, format!("give --password-file or {variable}")))
}

/// Runs the command line; the process ends with the code returned.
pub fn main() -> i32 {
    let cli = Cli::parse();
    let zh = cli
        .lang
        .map_or_else(|| std::env::var("LANG").is_ok_and(|l| l.starts_with("zh")), |lang| matches!(lang, Lang::Zh));
    let show = Show { json: cli.json, zh };
    // A node begins its log itself, once it knows whether traces are wanted.
    if !matches!(cli.command, Command::Node(_)) {
        crate::observe::traces::log();
    }
    match run(cli.command, show) {
        Ok(good) => i32::from(!good),
        Err(fault) => {
            if show.json {
                println!("{}", fault_json(&fault));
            } else {
                eprintln!("{}", tame(&fault.tell(zh), &['\n', '\t']));
            }
            1
        }
    }
}

/// Whether all is well, where nothing failed.
fn run(command: Command, show: Show) -> Result<bool, Fault> {
    let done = match command {
        Command::Doctor(args) => return Ok(crate::doctor::run(&Folder(args.dir), show)),
        Command::Init(args) => init::run(args, show),
        Command::Node(args) => {
            let password = password(args.password_file.as_deref(), "HEQI_NODE_PASSWORD", "node")?;
            crate::serve::main(&Folder(args.dir), &password, show, args.until_input_ends)
        }
        Command::Source(command) => source::run(command, show),
        Command::Grant(args) => source::grant(&args, show),
        Command::Query(command) => query::run(command, show),
        Command::Program(command) => program::run(&command, show),
        Command::Approve(args) => query::approve(&args, show),
        Command::Reject(args) => query::reject(&args, show),
        Command::Cancel(args) => query::cancel(&args, show),
        Command::Evidence(command) => evidence::run(command, show),
        Command::Chain(command) => chain::run(command, show),
        Command::Contract(command) => contract::run(command, show),
        Command::Events(args) => events::run(&args, show),
        Command::Stats(local) => chain::stats(&local, show),
        Command::Alarms(args) => alarms::run(&args, show),
        Command::Demo(args) => crate::demo::run(args, show),
    };
    done.map(|()| true)
}

/// A JSON field as text; numbers and booleans as they print, nothing for NULL.
pub fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The items of a JSON list field.
pub fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that moves no cursor and paints nothing: other organisations write some of what is shown. Control characters but `kept` ones are
/// shown as a string in a program has them.
fn tame(text: &str, kept: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !kept.contains(&character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Rows in columns wide enough for the terminal's wide characters; no cell makes a line of its own.
pub fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| tame(cell, &[])).collect()).collect();
    let width = |text: &str| text.chars().map(|c| if (c as u32) >= 0x1100 { 2 } else { 1 }).sum::<usize>();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|c| rows.iter().filter_map(|r| r.get(c)).map(|t| width(t)).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, w)| format!("{cell}{}", " ".repeat(w - width(cell))));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A fault as `--json` prints it: the same fields as the portal's.
pub fn fault_json(fault: &Fault) -> Value {
    serde_json::json!({
        "number": fault.code.number(),
        "title": fault.code.title(false),
        "detail": fault.detail,
        "party": fault.party,
        "step": fault.step,
        "remedy": fault.code.remedy(false),
        "message_zh": fault.tell(true),
        "message_en": fault.tell(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_moves_no_cursor_and_makes_no_row() {
        let rows = [["name", "n"], ["a\u{1b}[2Jb\nc\u{9b}1m", "1"], ["北\t区", "2"]];
        let shown = table(&rows.map(|row| row.map(ToOwned::to_owned).to_vec()));
        let lines: Vec<&str> = shown.lines().map(|line| line.split("  ").next().unwrap_or_default()).collect();
        assert_eq!(lines, ["name", r"a\u{1b}[2Jb\nc\u{9b}1m", r"北\t区"]);
        assert_eq!(tame("one\r\n\ttwo\u{7}", &['\n', '\t']), "one\\r\n\ttwo\\u{7}");
    }
}
