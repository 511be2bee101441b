//! `heqi chain propose`, `vote` and `changes`: the chain's engine, interval and validators, changed by vote.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use base_gm::sm2::{PublicKey, SecretKey};
use base_types::{
    Digest, Height, OrgId,
    fault::{Code, Fault},
};
use base_wire::Encode;
use clap::{Args, ValueEnum};
use ledger_chain::Executed;
use ledger_light::{BFT, Epoch, RAFT, Validator};
use ledger_vm::{
    Command, NativeContract,
    govern::{Action, ChangeRecord, ChangeStatus, EpochChange, change_key, changes_key, now_epoch_key},
};
use serde_json::{Value, json};

use super::{Local, Show, Signed, items, table, text};
use crate::{
    config::bad,
    init::{Card, Newcomer},
    ledger_client::Ledger,
    wiring::portal::engine_word,
};

#[derive(Clone, Copy, ValueEnum)]
enum EngineWord {
    Bft,
    Raft,
}

#[derive(Args)]
pub struct ProposeArgs {
    /// The consensus engine from then on; the present one, if not given.
    #[arg(long, value_enum)]
    engine: Option<EngineWord>,
    /// Time between blocks from then on, in milliseconds; the present one, if not given.
    #[arg(long, value_name = "MS")]
    interval: Option<u32>,
    /// All validators from then on; the present ones and those who join, if not given.
    #[arg(long, value_delimiter = ',', value_name = "ORG")]
    validators: Vec<OrgId>,
    /// The card of an organisation that joins; may be repeated.
    #[arg(long, value_name = "CARD")]
    join: Vec<PathBuf>,
    /// An organisation that no longer validates; may be repeated.
    #[arg(long, value_name = "ORG")]
    leave: Vec<OrgId>,
    /// Another key of a validator's node, which belongs to it on the ledger already; may be repeated.
    #[arg(long = "replace-key", value_name = "ORG=KEY")]
    replace_key: Vec<String>,
    /// Last height at which votes and validators' being ready count, or how many heights from now.
    #[arg(long, value_name = "+N|HEIGHT", default_value = "+1000")]
    deadline: String,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct VoteArgs {
    /// The change, by its digest.
    change: Digest,
    /// Vote against it.
    #[arg(long)]
    against: bool,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct ChangesArgs {
    /// At most so many, the newest last.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    local: Local,
}

/// A request that makes no sense.
pub fn wrong(step: &str, why: impl Into<String>) -> Fault {
    Fault::new(Code::BadRequest, step, why)
}

/// Sends an action to the government; its refusal is a fault.
///
/// # Errors
/// The node's fault, or [`Code::TransactionRefused`].
pub fn act(ledger: &Ledger, key: &SecretKey, step: &str, action: &Action) -> Result<(Digest, Executed), Fault> {
    let to = NativeContract::Government.address();
    ledger.done(step, key, &Command::Call { to, input: action.to_wire(), gas: 0 })
}

/// Proposes a change.
///
/// # Errors
/// [`Code::BadRequest`] when the change cannot be made of what was given; the node's fault; the contract's refusal.
pub fn propose(args: &ProposeArgs) -> Result<Value, Fault> {
    let (ledger, key) = args.signed.ledger()?;
    let change = args.change(&ledger)?;
    let (engine, deadline) = (engine_word(change.engine), change.deadline);
    let validators: Vec<_> = change.validators.iter().map(|v| v.org.to_string()).collect();
    let (digest, executed) = act(&ledger, &key, PROPOSE, &Action::Propose(change))?;
    Ok(json!({
        "change": digest,
        "height": executed.height,
        "deadline": deadline,
        "engine": engine,
        "validators": validators,
    }))
}

/// The step that faults of a proposal name.
const PROPOSE: &str = "propose change";

impl ProposeArgs {
    /// The present epoch with the changes asked for.
    fn change(&self, ledger: &Ledger) -> Result<EpochChange, Fault> {
        let (height, _) = ledger.status()?;
        let now: Option<Epoch> = ledger.read(now_epoch_key())?;
        let now = now.ok_or_else(|| Fault::new(Code::PeerMisbehaved, PROPOSE, "the node knows no epoch"))?;
        let newcomers = self.join.iter().map(|path| card(path)?.newcomer(PROPOSE));
        let newcomers = newcomers.collect::<Result<Vec<Newcomer>, Fault>>()?;
        let validators = self.named(&now, known_keys(ledger, &now)?, &newcomers)?;
        let (mut organisations, mut members) = (Vec::new(), Vec::new());
        for Newcomer { organisation, members: own, validator: _ } in newcomers {
            organisations.push(organisation);
            members.extend(own);
        }
        organisations.sort_by(|a, b| a.id.cmp(&b.id));
        let engine = match self.engine {
            None => now.engine,
            Some(EngineWord::Bft) => BFT,
            Some(EngineWord::Raft) => RAFT,
        };
        let deadline = until(&self.deadline, height).ok_or_else(|| wrong(PROPOSE, "a deadline is a height or +N"))?;
        let interval_ms = self.interval.unwrap_or(now.interval_ms);
        Ok(EpochChange { engine, interval_ms, validators, organisations, members, deadline })
    }

    /// The validators from then on, with their keys, sorted by organisation.
    fn named(
        &self,
        now: &Epoch,
        mut keys: BTreeMap<OrgId, PublicKey>,
        newcomers: &[Newcomer],
    ) -> Result<Vec<Validator>, Fault> {
        keys.extend(newcomers.iter().map(|newcomer| (newcomer.validator.org.clone(), newcomer.validator.key)));
        let mut named: BTreeSet<OrgId> = self.validators.iter().cloned().collect();
        if named.is_empty() {
            let joining = newcomers.iter().map(|newcomer| &newcomer.validator);
            named.extend(now.validators.iter().chain(joining).map(|validator| validator.org.clone()));
        }
        for org in &self.leave {
            if !named.remove(org) {
                return Err(wrong(PROPOSE, format!("{org} is no validator")));
            }
        }
        for text in &self.replace_key {
            let (org, key) = replaced(text).ok_or_else(|| wrong(PROPOSE, format!("'{text}' is not ORG=KEY")))?;
            if !named.contains(&org) {
                return Err(wrong(PROPOSE, format!("{org} is no validator")));
            }
            keys.insert(org, key);
        }
        let validator = |org: OrgId| match keys.get(&org) {
            Some(key) => Ok(Validator { key: *key, org }),
            None => Err(wrong(PROPOSE, format!("the key of {org} is not known: give --join or --replace-key"))),
        };
        named.into_iter().map(validator).collect()
    }
}

/// The newest key of every organisation that validates or once did.
fn known_keys(ledger: &Ledger, now: &Epoch) -> Result<BTreeMap<OrgId, PublicKey>, Fault> {
    let (genesis, handovers) = ledger.epochs()?;
    let epochs = [&genesis.epoch].into_iter().chain(handovers.iter().map(|handover| &handover.epoch)).chain([now]);
    Ok(epochs.flat_map(|epoch| &epoch.validators).map(|v| (v.org.clone(), v.key)).collect())
}

fn card(path: &Path) -> Result<Card, Fault> {
    let text = std::fs::read_to_string(path).map_err(|why| bad(path, &why))?;
    serde_json::from_str(&text).map_err(|why| bad(path, &why))
}

fn replaced(text: &str) -> Option<(OrgId, PublicKey)> {
    let (org, key) = text.split_once('=')?;
    Some((org.parse().ok()?, PublicKey::from_hex(key).ok()?))
}

/// A deadline as it is given: a height, or `+N` from the present one.
fn until(text: &str, height: Height) -> Option<Height> {
    match text.strip_prefix('+') {
        Some(more) => height.checked_add(more.parse().ok()?),
        None => text.parse().ok(),
    }
}

/// Votes on a change.
///
/// # Errors
/// The node's fault, or the contract's refusal.
pub fn vote(args: &VoteArgs) -> Result<Value, Fault> {
    let (ledger, key) = args.signed.ledger()?;
    let action = Action::Vote { change: args.change, approve: !args.against };
    let (digest, executed) = act(&ledger, &key, "vote", &action)?;
    let record: Option<ChangeRecord> = ledger.read(change_key(&args.change))?;
    let status = record.as_ref().map(|record| status_word(&record.status));
    Ok(json!({"change": args.change, "transaction": digest, "height": executed.height, "status": status}))
}

fn status_word(status: &ChangeStatus) -> &'static str {
    match status {
        ChangeStatus::Voting => "voting",
        ChangeStatus::Passed => "passed",
        ChangeStatus::Scheduled { .. } => "scheduled",
        ChangeStatus::Lapsed { .. } => "lapsed",
    }
}

/// Lists what was proposed, the newest last.
///
/// # Errors
/// The node's fault.
pub fn changes(args: &ChangesArgs, show: Show) -> Result<(), Fault> {
    let ledger = args.local.ledger()?;
    let all: Vec<Digest> = ledger.read(changes_key())?.unwrap_or_default();
    let mut told = Vec::new();
    for digest in all.iter().skip(all.len().saturating_sub(args.limit)) {
        if let Some(record) = ledger.read::<ChangeRecord>(change_key(digest))? {
            told.push(change_json(digest, &record));
        }
    }
    show.value(&json!({"changes": told}), changes_text);
    Ok(())
}

fn change_json(digest: &Digest, record: &ChangeRecord) -> Value {
    let ChangeRecord { change, proposer, height, yes, no, ready, status } = record;
    let EpochChange { engine, interval_ms, validators, organisations, members: _, deadline } = change;
    let (reason, first_height) = match status {
        ChangeStatus::Lapsed { why } => (Some(why), None),
        ChangeStatus::Scheduled { first_height } => (None, Some(first_height)),
        ChangeStatus::Voting | ChangeStatus::Passed => (None, None),
    };
    json!({
        "change": digest,
        "status": status_word(status),
        "proposer": proposer,
        "height": height,
        "engine": engine_word(*engine),
        "interval_ms": interval_ms,
        "validators": validators.iter().map(|v| &v.org).collect::<Vec<_>>(),
        "joins": organisations.iter().map(|o| &o.id).collect::<Vec<_>>(),
        "deadline": deadline,
        "yes": yes,
        "no": no,
        "ready": ready,
        "reason": reason,
        "first_height": first_height,
    })
}

fn changes_text(changes: &Value) -> String {
    let names = ["change", "status", "engine", "interval", "validators", "yes", "no", "ready", "deadline", ""];
    let mut rows = vec![names.map(ToOwned::to_owned).to_vec()];
    for change in items(changes, "changes") {
        let list = |name: &str| items(change, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        let mut row = ["change", "status", "engine", "interval_ms"].map(|name| text(change, name)).to_vec();
        row.extend(["validators", "yes", "no", "ready"].map(list));
        row.extend(["deadline", "reason"].map(|name| text(change, name)));
        rows.push(row);
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_heights_or_so_many_from_now() {
        assert_eq!(["+5", "7", "+0"].map(|text| until(text, 10)), [Some(15), Some(7), Some(10)]);
        assert_eq!(["", "+", "-5", "x", "+18446744073709551615"].map(|text| until(text, 10)), [None; 5]);
    }

    #[test]
    fn a_replaced_key_names_its_organisation() {
        let key = SecretKey::from_seed(b"new").public();
        let (org, read) = replaced(&format!("civil={}", key.to_hex())).unwrap();
        assert_eq!((org.as_str(), read), ("civil", key));
        for bad in ["civil", "civil=", "civil=00", &format!("Civil={}", key.to_hex())] {
            assert!(replaced(bad).is_none(), "{bad}");
        }
    }
}
