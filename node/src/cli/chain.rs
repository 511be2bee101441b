//! `heqi chain` and `heqi stats`: what the ledger holds, how it is kept, how its rules change, and how data was used.

use base_types::{Digest, Height, fault::Fault};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Local, Show, govern, items, keep, member, revoke, state, table, text};

#[derive(Subcommand)]
pub enum ChainCommand {
    /// Height, epoch, engine, validators, genesis hash.
    Status(Local),
    /// One block.
    Block(BlockArgs),
    /// One transaction.
    Tx(TxArgs),
    /// One header, verified on this machine if asked to.
    Header(state::HeaderArgs),
    /// A value of the newest or an earlier state, with its proof if asked to.
    State(state::ValueArgs),
    /// Propose other validators, another engine or another interval.
    Propose(govern::ProposeArgs),
    /// Vote on a change, for the own organisation.
    Vote(govern::VoteArgs),
    /// What was proposed and what became of it.
    Changes(govern::ChangesArgs),
    /// Register, change or remove a member of the own organisation.
    Member(member::MemberArgs),
    /// End a certificate or a person's key of the own organisation.
    Revoke(revoke::RevokeArgs),
    /// Copy the ledger into a new folder while the node serves.
    Backup(keep::BackupArgs),
    /// Give a running node's ledger a further disk; three are the most, and none can be taken away again.
    AddDisk(keep::AddDiskArgs),
    /// Put a backup into the folder of a stopped node, once everything in it is proven.
    Restore(keep::RestoreArgs),
    /// Prove the ledger of a stopped node: checksums, certificates, and the state's root from its leaves.
    Verify(keep::StoppedArgs),
    /// Move a stopped node's damaged ledger aside, so that its next start fetches everything from the peers.
    Repair(keep::StoppedArgs),
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

/// A JSON object, one field a line; the fields of an object in it follow its name.
pub fn fields(value: &Value) -> String {
    let Some(object) = value.as_object() else { return value.to_string() };
    let mut rows = Vec::new();
    for (name, value) in object {
        match value {
            Value::Object(inner) => {
                rows.extend(inner.iter().map(|(field, v)| vec![format!("{name}.{field}"), word(v)]))
            }
            other => rows.push(vec![name.clone(), word(other)]),
        }
    }
    table(&rows)
}

/// A value as people read it: a text without its quotes.
pub fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

pub fn run(command: ChainCommand, show: Show) -> Result<(), Fault> {
    let value = match command {
        ChainCommand::Status(local) => local.client()?.get("/api/chain")?,
        ChainCommand::Block(args) => args.local.client()?.get(&format!("/api/chain/blocks/{}", args.height))?,
        ChainCommand::Tx(args) => args.local.client()?.get(&format!("/api/chain/transactions/{}", args.digest))?,
        ChainCommand::Header(args) => state::header(&args, show)?,
        ChainCommand::State(args) => state::value(&args, show)?,
        ChainCommand::Propose(args) => govern::propose(&args)?,
        ChainCommand::Vote(args) => govern::vote(&args)?,
        ChainCommand::Changes(args) => return govern::changes(&args, show),
        ChainCommand::Member(args) => member::member(&args)?,
        ChainCommand::Revoke(args) => revoke::revoke(&args)?,
        ChainCommand::Backup(args) => keep::backup(&args)?,
        ChainCommand::AddDisk(args) => keep::add_disk(&args, show)?,
        ChainCommand::Restore(args) => keep::restore(&args, show)?,
        ChainCommand::Verify(args) => keep::verify(&args, show)?,
        ChainCommand::Repair(args) => keep::repair(&args, show)?,
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
