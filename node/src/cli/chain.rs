//! `heqi chain` and `heqi stats`: what the ledger holds and how data was used.

use base_types::{Digest, Height, fault::Fault};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Local, Show, items, table, text};

#[derive(Subcommand)]
pub enum ChainCommand {
    /// Height, validators, genesis hash.
    Status(Local),
    /// One block.
    Block(BlockArgs),
    /// One transaction.
    Tx(TxArgs),
}

#[derive(Args)]
pub struct BlockArgs {
    /// Its height.
    height: Height,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct TxArgs {
    /// Its digest.
    digest: Digest,
    #[command(flatten)]
    local: Local,
}

/// A JSON object, one field a line.
fn fields(value: &Value) -> String {
    let Some(object) = value.as_object() else { return value.to_string() };
    let rows: Vec<_> = object
        .iter()
        .map(|(name, v)| vec![name.clone(), v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)])
        .collect();
    table(&rows)
}

pub fn run(command: ChainCommand, show: Show) -> Result<(), Fault> {
    let value = match command {
        ChainCommand::Status(local) => local.client()?.get("/api/chain")?,
        ChainCommand::Block(args) => args.local.client()?.get(&format!("/api/chain/blocks/{}", args.height))?,
        ChainCommand::Tx(args) => args.local.client()?.get(&format!("/api/chain/transactions/{}", args.digest))?,
    };
    show.value(&value, fields);
    Ok(())
}

pub fn stats(local: &Local, show: Show) -> Result<(), Fault> {
    let stats = local.client()?.get("/api/stats")?;
    show.value(&stats, |v| {
        let section = |name: &str, title: &str, columns: &[&str]| {
            let mut rows = vec![vec![title.to_owned()]];
            rows.extend(items(v, name).iter().map(|item| columns.iter().map(|c| text(item, c)).collect()));
            table(&rows)
        };
        [
            section("datasets", show.pick("数据集（按组织）", "data sets by organisation"), &["org", "count"]),
            section("jobs", show.pick("任务（按状态）", "jobs by status"), &["status", "count"]),
            section("uses", show.pick("用途", "use"), &["receiver", "dataset", "purpose", "runs"]),
            section("refused", show.pick("被拦截", "refused"), &["code", "count"]),
            section("columns", show.pick("列（按类与级）", "columns by class and grade"), &["class", "grade", "count"]),
            section("nodes", show.pick("节点", "nodes"), &["org", "reachable", "height"]),
        ]
        .join("\n\n")
    });
    Ok(())
}
