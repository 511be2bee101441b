//! Checks that the entries tell one whole story: proposed, approved by all, started, read, transferred, received.

use std::collections::BTreeMap;

use base_types::{Digest, OrgId};
use base_wire::Decode;
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_terms::{DeliveredBody, Outcome, ProposalBody, ReadBody, ReceiptBody, Stream, TransferBody};
use serde::Serialize;

use crate::chain::Links;

/// What a sound bundle tells; consent and transfers, not that the arithmetic was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The job.
    pub job: String,
    /// Who asked.
    pub analyst: String,
    /// What for.
    pub purpose: String,
    /// Who received the answer.
    pub receiver: String,
    /// Data sets used.
    pub datasets: Vec<String>,
    /// Owners that approved.
    pub approved_by: Vec<String>,
    /// Bytes that crossed between the parties in the last attempt.
    pub bytes: u64,
    /// `done`, or how the last attempt ended, or how far the job came.
    pub outcome: String,
}

type Told<'a> = (&'a Record, Entry);

fn body<T: Decode>(entry: &Entry) -> Result<T, String> {
    T::from_wire(&entry.body).map_err(|e| e.to_string())
}

/// Walks the story's links.
pub(crate) fn check(job: &Digest, entries: &[Told<'_>], links: &mut Links) -> Result<Summary, ()> {
    let proposal = proposal(entries);
    let told = proposal.as_ref().map(|p| format!("{} for {}", p.analyst, p.purpose)).map_err(Clone::clone);
    links.check("proposal", "提案", told)?;
    let proposal = proposal.map_err(|_| ())?;
    let approvers = entries.first().map(|(r, _)| r.parties.clone()).unwrap_or_default();
    let approved: Vec<OrgId> = of(entries, EntryKind::Approved).map(|(r, _)| r.sender.org()).collect();
    let attempt = of(entries, EntryKind::Started).map(|(r, _)| r.attempt).max().unwrap_or(0);
    links.check("approvals", "批准", approvals(entries, &approvers, &approved, attempt))?;
    let mut bytes = 0;
    let mut outcome = if attempt == 0 { "not started".to_owned() } else { "running".to_owned() };
    if attempt > 0 {
        links.check("reads", "数据读取", reads(entries, &proposal, attempt))?;
        links.check("transfers", "数据流转", transfers(entries, attempt, &mut bytes))?;
        links.check("receipts", "回执", receipts(entries, &proposal, attempt, &mut outcome))?;
    }
    Ok(Summary {
        job: job.to_string(),
        analyst: proposal.analyst.to_string(),
        purpose: proposal.purpose.clone(),
        receiver: proposal.receiver.to_string(),
        datasets: proposal.datasets.iter().map(ToString::to_string).collect(),
        approved_by: approved.iter().map(ToString::to_string).collect(),
        bytes,
        outcome,
    })
}

fn of<'a>(entries: &'a [Told<'a>], kind: EntryKind) -> impl Iterator<Item = &'a Told<'a>> {
    entries.iter().filter(move |(record, _)| record.kind == kind)
}

fn at<'a>(entries: &'a [Told<'a>], kind: EntryKind, attempt: u32) -> impl Iterator<Item = &'a Told<'a>> {
    entries.iter().filter(move |(record, _)| record.kind == kind && record.attempt == attempt)
}

fn proposal(entries: &[Told<'_>]) -> Result<ProposalBody, String> {
    let (record, entry) = entries.first().ok_or("there is no entry")?;
    if record.kind != EntryKind::Proposed {
        return Err("the first entry is not a proposal".into());
    }
    let proposal: ProposalBody = body(entry)?;
    if proposal.analyst == record.sender { Ok(proposal) } else { Err("another sent it than the analyst".into()) }
}

fn approvals(entries: &[Told<'_>], approvers: &[OrgId], approved: &[OrgId], attempt: u32) -> Result<String, String> {
    if attempt == 0 {
        return Ok(format!("{} of {} approved; not started", approved.len(), approvers.len()));
    }
    if let Some(missing) = approvers.iter().find(|org| !approved.contains(org)) {
        return Err(format!("started without the approval of {missing}"));
    }
    let start = of(entries, EntryKind::Started).map(|(r, _)| r.seq).min().unwrap_or(0);
    if of(entries, EntryKind::Approved).any(|(r, _)| r.seq > start) {
        return Err("started before all had approved".into());
    }
    Ok(format!("all {} owners approved before the start", approvers.len()))
}

fn reads(entries: &[Told<'_>], proposal: &ProposalBody, attempt: u32) -> Result<String, String> {
    let mut seen = Vec::new();
    for (record, entry) in at(entries, EntryKind::Read, attempt) {
        let read: ReadBody = body(entry)?;
        if read.dataset.owner() != record.sender.org() || !proposal.datasets.contains(&read.dataset) {
            return Err(format!("{} read {}, which is not in the plan", record.sender, read.dataset));
        }
        if seen.contains(&read.dataset) {
            return Err(format!("{} was read twice in one attempt", read.dataset));
        }
        seen.push(read.dataset);
    }
    Ok(format!("{} of {} data sets read, each once", seen.len(), proposal.datasets.len()))
}

/// Both ends of a stream must have seen the same; an aborted attempt's streams may differ by what was under way.
fn transfers(entries: &[Told<'_>], attempt: u32, bytes: &mut u64) -> Result<String, String> {
    let done = at(entries, EntryKind::Receipt, attempt)
        .all(|(_, entry)| body::<ReceiptBody>(entry).is_ok_and(|r| r.outcome == Outcome::Done));
    let mut sent: BTreeMap<(OrgId, OrgId), Stream> = BTreeMap::new();
    let mut received = BTreeMap::new();
    for (record, entry) in at(entries, EntryKind::Transferred, attempt) {
        for stream in body::<TransferBody>(entry)?.streams {
            let me = record.sender.org();
            let ends = (stream.from.clone(), stream.to.clone());
            let side = if stream.from == me { &mut sent } else { &mut received };
            if stream.from != me && stream.to != me || side.insert(ends, stream).is_some() {
                return Err(format!("{me} reports a stream that is not its own, or twice"));
            }
        }
    }
    for (ends, stream) in &sent {
        *bytes += stream.bytes;
        if let Some(other) = received.get(ends).filter(|other| done && *other != stream) {
            let (from, to) = ends;
            return Err(format!("{from} sent {} bytes to {to}, which saw {}", stream.bytes, other.bytes));
        }
    }
    Ok(format!("{} streams, {bytes} bytes, both ends agree", sent.len()))
}

fn receipts(
    entries: &[Told<'_>],
    proposal: &ProposalBody,
    attempt: u32,
    outcome: &mut String,
) -> Result<String, String> {
    let mut done = Vec::new();
    for (record, entry) in at(entries, EntryKind::Receipt, attempt) {
        let receipt: ReceiptBody = body(entry)?;
        match receipt.outcome {
            Outcome::Done => done.push(record.sender.org()),
            Outcome::Aborted { code, blamed, step } => {
                let by = blamed.map_or_else(|| "nobody".to_owned(), |b| b.to_string());
                *outcome = format!("aborted: {} reports {code} at '{step}', blaming {by}", record.sender.org());
                return Ok(outcome.clone());
            }
        }
    }
    for (record, entry) in at(entries, EntryKind::Delivered, attempt) {
        let delivered: DeliveredBody = body(entry)?;
        if delivered.receiver != proposal.receiver || record.sender.org() != proposal.receiver {
            return Err(format!("{} received the answer, which the plan does not say", delivered.receiver));
        }
    }
    if let Some(missing) = proposal.nodes.iter().find(|n| !done.contains(n)) {
        return Ok(format!("{} of {} parties ended; {missing} has not yet", done.len(), proposal.nodes.len()));
    }
    if at(entries, EntryKind::Delivered, attempt).count() != 1 {
        return Err("the answer's delivery is not recorded once".into());
    }
    "done".clone_into(outcome);
    Ok(format!("all {} parties ended as planned", proposal.nodes.len()))
}
