//! Checks that the entries tell one whole story: proposed, approved by all who were asked, started, run, ended.

use base_types::{Digest, OrgId};
use base_wire::Decode;
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_terms::{ApprovalBody, ProposalBody, StartBody};
use serde::Serialize;

use crate::{chain::Links, run::Run};

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
    /// Organisations that approved.
    pub approved_by: Vec<String>,
    /// Bytes that crossed between the parties in the last attempt.
    pub bytes: u64,
    /// `done`, or how the last attempt ended, or how far the job came.
    pub outcome: String,
}

/// What the state recorded, and the entry that was signed.
pub(crate) type Told<'a> = (&'a Record, Entry);

pub(crate) fn body<T: Decode>(entry: &Entry) -> Result<T, String> {
    T::from_wire(&entry.body).map_err(|e| format!("the body of an entry '{}' cannot be read: {e}", entry.kind.word()))
}

/// A text of a peer's, fit for a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(200).collect()
}

/// Walks the story's links.
pub(crate) fn check(job: &Digest, entries: &[Told<'_>], links: &mut Links) -> Result<Summary, ()> {
    let proposal = proposal(entries);
    let told = proposal.as_ref().map(|(_, p)| format!("{} for {}", p.analyst, printable(&p.purpose)));
    links.check("proposal", "提案", told.map_err(Clone::clone))?;
    let (proposed, proposal) = proposal.map_err(|_| ())?;
    links.check("approvals", "批准", approvals(entries, proposed, &proposal))?;
    links.check("start", "启动", starts(entries, proposed))?;
    let attempts = entries.iter().filter(|(r, _)| r.kind == EntryKind::Started).map(|(r, _)| r.attempt);
    let runs: Vec<Run<'_>> = attempts.map(|attempt| Run::of(attempt, &proposal, entries)).collect();
    let (mut bytes, mut outcome) = (0, before_start(entries));
    if !runs.is_empty() {
        links.check("reads", "数据读取", each(&runs, Run::reads))?;
        links.check("transfers", "数据流转", each(&runs, |run| run.transfers(&mut bytes)))?;
        links.check("delivery", "结果交付", each(&runs, Run::delivery))?;
        let ended = each(&runs, Run::receipts);
        outcome = with_end(entries, ended.clone().unwrap_or(outcome));
        links.check("receipts", "回执", ended)?;
    }
    let approved = entries.iter().filter(|(r, _)| r.kind == EntryKind::Approved);
    Ok(Summary {
        job: job.to_string(),
        analyst: proposal.analyst.to_string(),
        purpose: printable(&proposal.purpose),
        receiver: proposal.receiver.to_string(),
        datasets: proposal.datasets.iter().map(ToString::to_string).collect(),
        approved_by: approved.map(|(r, _)| r.sender.org().to_string()).collect(),
        bytes,
        outcome,
    })
}

/// Checks every run and tells of the last one; an earlier run's false story spoils the whole.
fn each<'a>(runs: &[Run<'a>], mut look: impl FnMut(&Run<'a>) -> Result<String, String>) -> Result<String, String> {
    runs.iter().try_fold(String::new(), |_, run| look(run))
}

fn proposal<'a>(entries: &[Told<'a>]) -> Result<(&'a Record, ProposalBody), String> {
    let (record, entry) = entries.first().ok_or("there is no entry")?;
    if record.kind != EntryKind::Proposed {
        return Err("the first entry is not a proposal".into());
    }
    if entries.iter().filter(|(r, _)| r.kind == EntryKind::Proposed).count() > 1 {
        return Err("the job is proposed twice".into());
    }
    let proposal: ProposalBody = body(entry)?;
    if proposal.analyst == record.sender {
        Ok((record, proposal))
    } else {
        Err("another sent it than the analyst".into())
    }
}

/// How the last attempt ended, and who called the job off unless it had ended as planned.
fn with_end(entries: &[Told<'_>], ended: String) -> String {
    let off = entries.iter().find(|(record, _)| record.kind == EntryKind::Cancelled);
    match off {
        Some((record, _)) if ended != "done" => format!("called off by {}; {ended}", record.sender.org()),
        _ => ended,
    }
}

/// How far a job came that was not started.
fn before_start(entries: &[Told<'_>]) -> String {
    let ended = entries.iter().map(|(r, _)| (r.kind, r.sender.org()));
    let told = ended.filter_map(|(kind, org)| match kind {
        EntryKind::Rejected => Some(format!("rejected by {org}")),
        EntryKind::Cancelled => Some(format!("called off by {org}")),
        _ => None,
    });
    told.last().unwrap_or_else(|| "not started".to_owned())
}

/// Who was asked approved once and in time, and nothing was started before all had, or against anybody's word.
fn approvals(entries: &[Told<'_>], proposed: &Record, proposal: &ProposalBody) -> Result<String, String> {
    let (asked, mut approved, mut against) = (&proposed.parties, Vec::<OrgId>::new(), None);
    for (record, entry) in entries {
        let org = record.sender.org();
        match record.kind {
            EntryKind::Approved => {
                body::<ApprovalBody>(entry)?;
                if !asked.contains(&org) || approved.contains(&org) {
                    return Err(format!("{org} approved without being asked, or twice"));
                }
                if record.time > proposed.expires {
                    return Err(format!("{org} approved after the proposal had expired"));
                }
                approved.push(org);
            }
            EntryKind::Rejected | EntryKind::Cancelled => against = Some((record.kind.word(), org)),
            EntryKind::Started => {
                if let Some(missing) = asked.iter().find(|org| !approved.contains(org)) {
                    return Err(format!("started without the approval of {missing}"));
                }
                if let Some((word, by)) = against {
                    return Err(format!("started although it was {word} by {by}"));
                }
                let owners = proposal.datasets.iter().map(|d| d.owner());
                if let Some(org) = owners.chain(proposal.nodes.iter().cloned()).find(|org| !asked.contains(org)) {
                    return Err(format!("{org} takes part and was not asked"));
                }
            }
            _ => {}
        }
    }
    Ok(format!("{} of the {} parties asked approved", approved.len(), asked.len()))
}

/// Attempts are numbered from 1, begin in time, rest on exactly the approvals, and nothing is told of any other.
fn starts(entries: &[Told<'_>], proposed: &Record) -> Result<String, String> {
    let (mut last, mut approvals) = (0, Vec::new());
    for (record, entry) in entries {
        let (sender, attempt) = (&record.sender, record.attempt);
        match record.kind {
            EntryKind::Approved => approvals.push(record.tx),
            EntryKind::Started => {
                if attempt.checked_sub(1) != Some(last) {
                    return Err(format!("attempt {attempt} was started after attempt {last}"));
                }
                if record.time > proposed.expires {
                    return Err(format!("{sender} started it after the proposal had expired"));
                }
                approvals.sort();
                if body::<StartBody>(entry)?.approvals != approvals {
                    return Err(format!("the start of {sender} does not rest on the approvals"));
                }
                last = attempt;
            }
            EntryKind::Read | EntryKind::Transferred | EntryKind::Delivered | EntryKind::Receipt
                if attempt == 0 || attempt > last =>
            {
                return Err(format!("{sender} tells of attempt {attempt}, which was not started"));
            }
            _ => {}
        }
    }
    Ok(if last == 0 { "not started".into() } else { format!("attempt {last} was started on these approvals") })
}
