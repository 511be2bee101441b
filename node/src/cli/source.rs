//! `heqi source` and `heqi grant`: an owner's data sets and who may learn what of them.

use std::path::PathBuf;

use base_gm::sm2::SecretKey;
use base_types::{
    DatasetId,
    fault::{Code, Fault},
};
use base_wire::Decode;
use clap::{Args, Subcommand};
use ledger_vm::notary::{Entry, EntryKind};
use notary_terms::{RuleSet, Source};
use serde_json::{Value, json};

use super::{Local, Show, Signed, items, now_ms, table, text};
use crate::{client::Client, config::Folder};

#[derive(Subcommand)]
pub enum SourceCommand {
    /// Register a source: the platform finds columns, types, rows, NULLs and keys.
    Add(AddArgs),
    /// Open a source and show what the platform finds; nothing is written.
    Test(TestArgs),
    /// List this organisation's data sets, or all of them.
    List(ListArgs),
}

#[derive(Args, Clone)]
struct Where {
    /// The table's name in queries, such as `visits`.
    name: String,
    /// A CSV or Parquet file, or a SQLite database.
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    file: Option<PathBuf>,
    /// A PostgreSQL address; its password may come from an environment variable, see --url-env.
    #[arg(long)]
    url: Option<String>,
    /// The environment variable of the node that holds the PostgreSQL address.
    #[arg(long, conflicts_with_all = ["url", "file"])]
    url_env: Option<String>,
    /// The table in a database.
    #[arg(long)]
    table: Option<String>,
    /// The schema in PostgreSQL.
    #[arg(long, default_value = "public")]
    schema: String,
    /// The CSV's delimiter; found when not given.
    #[arg(long)]
    delimiter: Option<char>,
    /// The CSV's encoding, `utf-8` or `gb18030`; found when not given.
    #[arg(long)]
    encoding: Option<String>,
    /// Register a column as text although it looks otherwise; may be repeated.
    #[arg(long = "text", value_name = "COLUMN")]
    texts: Vec<String>,
    /// A title for people.
    #[arg(long, default_value = "")]
    title: String,
}

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    place: Where,
    /// A column's class and grade, such as `sbp=health:3`; may be repeated.
    #[arg(long = "class", value_name = "COLUMN=CLASS:GRADE")]
    classes: Vec<String>,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct TestArgs {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct ListArgs {
    /// Every organisation's.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct GrantArgs {
    /// The data set, such as `health/visits`.
    dataset: DatasetId,
    /// Columns, separated by commas; `*` for all.
    #[arg(value_delimiter = ',')]
    columns: Vec<String>,
    /// The organisation that may learn them.
    #[arg(long)]
    to: Option<String>,
    /// In which ways: plaintext, after_join, join_payload, after_group_by, after_aggregate, after_compare, encrypted_only,
    /// program.
    #[arg(long = "use", value_delimiter = ',')]
    uses: Vec<String>,
    /// For which purpose; `*` for all.
    #[arg(long, default_value = "*")]
    purpose: String,
    /// For how many days.
    #[arg(long, default_value_t = 365)]
    days: u64,
    /// For how many runs; 0 for any number.
    #[arg(long, default_value_t = 0)]
    runs: u32,
    /// Who approves proposals: `auto` (the node, by rule) or `person`.
    #[arg(long)]
    approval: Option<String>,
    /// Fewest people behind a shown aggregate.
    #[arg(long)]
    min_group: Option<u32>,
    /// Nodes that may hold shares of this data set.
    #[arg(long, value_delimiter = ',')]
    holders: Option<Vec<String>>,
    #[command(flatten)]
    signed: Signed,
}

impl Where {
    fn config(&self, folder: &Folder) -> Result<Value, Fault> {
        let dataset = format!("{}/{}", folder.read_config()?.org, self.name);
        let bad = |why: &str| Fault::new(Code::BadRequest, format!("source {dataset}"), why);
        let table = || self.table.clone().ok_or_else(|| bad("give --table"));
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let location = match (&self.file, &self.url, &self.url_env) {
            (Some(file), None, None) => match file.extension().and_then(|e| e.to_str()).unwrap_or("csv") {
                "parquet" => json!({"kind": "parquet", "path": absolute(file)}),
                "sqlite" | "db" | "sqlite3" => json!({"kind": "sqlite", "path": absolute(file), "table": table()?}),
                _ => {
                    let types: serde_json::Map<_, _> = self.texts.iter().map(|c| (c.clone(), json!("text"))).collect();
                    json!({"kind": "csv", "path": absolute(file), "delimiter": self.delimiter,
                           "encoding": self.encoding, "types": types})
                }
            },
            (None, url, url_env) if url.is_some() || url_env.is_some() => {
                json!({"kind": "postgres", "url": url, "url_env": url_env, "schema": self.schema, "table": table()?})
            }
            _ => return Err(bad("give --file, --url or --url-env")),
        };
        let title = if self.title.is_empty() { &self.name } else { &self.title };
        Ok(json!({"dataset": dataset, "title": title, "location": location}))
    }
}

fn class(text: &str) -> Result<Value, Fault> {
    let parts = text.split_once('=').and_then(|(column, rest)| Some((column, rest.split_once(':')?)));
    let (column, (class, grade)) =
        parts.ok_or_else(|| Fault::new(Code::BadRequest, "class", format!("'{text}' is not COLUMN=CLASS:GRADE")))?;
    let grade: u8 = grade.parse().unwrap_or(0);
    if !(1..=4).contains(&grade) {
        return Err(Fault::new(Code::BadRequest, "class", "a grade is 1 to 4"));
    }
    Ok(json!({"column": column, "class": class, "grade": grade}))
}

pub fn run(command: SourceCommand, show: Show) -> Result<(), Fault> {
    match command {
        SourceCommand::Add(args) => {
            let folder = Folder(args.signed.local.dir.clone());
            let classes = args.classes.iter().map(|c| class(c)).collect::<Result<Vec<_>, _>>()?;
            let config = args.place.config(&folder)?;
            let (client, key) = args.signed.open()?;
            let body = json!({"config": config, "classes": classes});
            let done = register(&client, &key, &body)?;
            show.value(&done, |v| {
                format!("{} {}", show.pick("已登记，高度", "registered at height"), text(v, "height"))
            });
        }
        SourceCommand::Test(args) => {
            let config = args.place.config(&Folder(args.local.dir.clone()))?;
            let found = args.local.client()?.post("/api/sources/test", &config)?;
            show.value(&found, found_table);
        }
        SourceCommand::List(args) => {
            let catalogue = args.local.client()?.get("/api/catalogue")?;
            let own = |s: &&Value| args.all || s.get("own") == Some(&Value::Bool(true));
            let sources: Vec<_> = items(&catalogue, "sources").iter().filter(own).cloned().collect();
            show.value(&json!({"sources": sources}), |v| {
                items(v, "sources").iter().map(source_text).collect::<Vec<_>>().join("\n\n")
            });
        }
    }
    Ok(())
}

/// Registers a source; what is signed is a registration of the data set that was meant.
///
/// # Errors
/// The node's fault, or the ledger's refusal.
pub fn register(client: &Client, key: &SecretKey, body: &Value) -> Result<Value, Fault> {
    let dataset = body.get("config").map(|c| text(c, "dataset")).unwrap_or_default();
    let meant = |entry: &Entry| Source::from_wire(&entry.body).is_ok_and(|s| s.dataset.as_str() == dataset);
    client.change("/api/sources/prepare", body, key, EntryKind::SourceRegistered, &meant)
}

/// Sets a data set's rules; what is signed are exactly these.
///
/// # Errors
/// [`Code::BadRequest`] for words that are none of the rules'; the node's fault, or the ledger's refusal.
pub fn set_rules(client: &Client, key: &SecretKey, set: &Value) -> Result<Value, Fault> {
    let bad = |e: serde_json::Error| Fault::new(Code::BadRequest, "grant", e.to_string());
    let rules: RuleSet = serde_json::from_value(set.clone()).map_err(bad)?;
    let meant = |entry: &Entry| RuleSet::from_wire(&entry.body).is_ok_and(|r| r == rules);
    client.change("/api/rules/prepare", set, key, EntryKind::RuleSet, &meant)
}

fn found_table(found: &Value) -> String {
    let mut rows = vec![["column", "type", "nulls", "unique"].map(ToOwned::to_owned).to_vec()];
    for column in items(found, "columns") {
        rows.push(["name", "ty", "nulls", "unique"].map(|f| text(column, f)).to_vec());
    }
    format!("{} rows\n{}", text(found, "rows"), table(&rows))
}

fn source_text(source: &Value) -> String {
    let columns: Vec<_> = items(source, "columns").iter().map(|c| text(c, "name")).collect();
    format!(
        "{}  {} ({}, at most {} rows)\n  {}",
        text(source, "dataset"),
        text(source, "title"),
        text(source, "kind"),
        text(source, "rows_bound"),
        columns.join(", ")
    )
}

/// Adds to the data set's rules as they stand, and signs the whole new set.
pub fn grant(args: &GrantArgs, show: Show) -> Result<(), Fault> {
    let (client, key) = args.signed.open()?;
    let catalogue = client.get("/api/catalogue")?;
    let dataset = args.dataset.to_string();
    let source = items(&catalogue, "sources").iter().find(|s| text(s, "dataset") == dataset);
    let source = source.ok_or_else(|| Fault::new(Code::NotFound, "grant", format!("no data set {dataset}")))?;
    let old = source.get("rules").cloned().unwrap_or(Value::Null);
    let mut rules = items(&old, "rules").to_vec();
    if let Some(to) = &args.to {
        let expires = now_ms() + args.days * 86_400_000;
        rules.extend(args.columns.iter().map(|column| {
            json!({"column": column, "party": to, "purpose": args.purpose, "uses": args.uses,
                   "expires": expires, "runs": args.runs})
        }));
    }
    let kept = |name: &str, default: Value| old.get(name).filter(|v| !v.is_null()).cloned().unwrap_or(default);
    let set = json!({
        "dataset": dataset,
        "approval": args.approval.clone().map_or_else(|| kept("approval", json!("person")), |a| json!(a)),
        "min_group": args.min_group.map_or_else(|| kept("min_group", json!(5)), |m| json!(m)),
        "holders": args.holders.clone().map_or_else(|| kept("holders", json!([])), |h| json!(h)),
        "rules": rules,
    });
    let done = set_rules(&client, &key, &set)?;
    show.value(&done, |v| {
        format!("{} {}", show.pick("规则已生效，高度", "rules in force at height"), text(v, "height"))
    });
    Ok(())
}
