//! The rules: roles by kind, then what the job's state allows.

use base_gm::sm3::sm3;
use base_types::{Digest, OrgId};
use base_wire::{Decode, Encode};
use ledger_light::{Member, Role};

use super::{
    Entry, EntryKind, Job, MAX_BODY, MAX_PARTIES, MAX_SHORT_BODY, Record, count_key,
    job::{job_key, refuse, run_key},
    record_key,
};
use crate::{Change, Env, Native, Refusal, StateView, Stop, member_key, native::read, organisation_key};

/// Most roles of a member.
const MAX_ROLES: usize = 16;

/// The notary contract.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notary;

impl Native for Notary {
    fn execute(&self, view: &dyn StateView, env: &Env, payload: &[u8]) -> Result<Vec<Change>, Stop> {
        let Ok(entry) = Entry::from_wire(payload) else { return stop("the payload is not an entry") };
        check_form(view, &entry)?;
        check_role(&env.sender, entry.kind)?;
        let seq: u32 = read(view, &count_key(&entry.subject))?.unwrap_or(0);
        let Some(count) = seq.checked_add(1) else { return stop("the subject is full") };
        let mut changes = judge(view, env, &entry, seq)?;
        let record = record(env, entry, seq);
        changes.push((record_key(&record.subject, seq), Some(record.to_wire())));
        changes.push((count_key(&record.subject), Some(count.to_wire())));
        Ok(changes)
    }
}

fn stop<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Refusal(why.into()).into())
}

fn record(env: &Env, entry: Entry, seq: u32) -> Record {
    let Entry { subject, kind, attempt, parties, expires, body } = entry;
    let Env { chain: _, height, time, tx, sender } = env;
    Record {
        subject,
        seq,
        kind,
        attempt,
        sender: sender.id.clone(),
        tx: *tx,
        height: *height,
        time: *time,
        expires,
        parties,
        body: sm3(&body),
    }
}

fn check_form(view: &dyn StateView, entry: &Entry) -> Result<(), Stop> {
    let longest = longest_body(entry.kind);
    if entry.body.len() > longest {
        return stop(format!("the body is longer than {longest} bytes"));
    }
    if entry.parties.len() > MAX_PARTIES {
        return stop(format!("more than {MAX_PARTIES} parties are named"));
    }
    for (at, org) in entry.parties.iter().enumerate() {
        if entry.parties.iter().skip(at + 1).any(|other| other == org) {
            return stop(format!("{org} is named twice"));
        }
        if view.get(&organisation_key(org))?.is_none() {
            return stop(format!("{org} is not an organisation of this chain"));
        }
    }
    Ok(())
}

/// A plan, a registration and a rule set may be long.
fn longest_body(kind: EntryKind) -> usize {
    match kind {
        EntryKind::Proposed | EntryKind::SourceRegistered | EntryKind::RuleSet => MAX_BODY,
        _ => MAX_SHORT_BODY,
    }
}

/// Roles that may make an entry; an empty list stands for every member.
fn roles(kind: EntryKind) -> &'static [Role] {
    use EntryKind as K;
    match kind {
        K::Started | K::Read | K::Transferred | K::Delivered | K::Receipt => &[Role::Node],
        K::Approved | K::Rejected => &[Role::Owner, Role::Node],
        K::SourceRegistered | K::RuleSet | K::RuleRevoked => &[Role::Owner],
        K::Proposed => &[Role::Analyst],
        K::MemberAdded => &[Role::Administrator],
        K::Refused | K::EvidenceExported | K::Cancelled => &[],
    }
}

fn check_role(sender: &Member, kind: EntryKind) -> Result<(), Refusal> {
    if sender.roles.is_empty() {
        return refuse(format!("{} is no longer a member", sender.id));
    }
    let allowed = roles(kind);
    if allowed.is_empty() || sender.roles.iter().any(|role| allowed.contains(role)) {
        return Ok(());
    }
    refuse(format!("{} has no role that may make this entry", sender.id))
}

/// Judges by what went before on the subject; returns the changes besides the record.
fn judge(view: &dyn StateView, env: &Env, entry: &Entry, before: u32) -> Result<Vec<Change>, Stop> {
    use EntryKind as K;
    let org = env.sender.id.org();
    match entry.kind {
        // What every member may write does not stand among a job's entries: nobody can swell another's evidence.
        K::Refused | K::EvidenceExported | K::SourceRegistered | K::RuleSet | K::RuleRevoked => {
            no_job(view, &entry.subject)?;
            Ok(Vec::new())
        }
        K::MemberAdded => {
            no_job(view, &entry.subject)?;
            Ok(vec![add_member(view, &org, &entry.body)?])
        }
        K::Proposed => Ok(vec![propose(env, org, entry, before)?]),
        K::Read | K::Transferred | K::Delivered | K::Receipt => {
            let key = run_key(&entry.subject, entry.attempt, entry.kind, &org);
            let made: u32 = read(view, &key)?.unwrap_or(0);
            job(view, &entry.subject)?.account(&org, entry.attempt, made)?;
            Ok(vec![(key, Some(made.saturating_add(1).to_wire()))])
        }
        K::Approved | K::Rejected | K::Started | K::Cancelled => {
            let mut job = job(view, &entry.subject)?;
            match entry.kind {
                K::Started => job.start(&org, entry.attempt, env.time)?,
                K::Cancelled => job.cancel(&org)?,
                kind => job.decide(&org, kind == K::Approved, env.time)?,
            }
            Ok(vec![(job_key(&entry.subject), Some(job.to_wire()))])
        }
    }
}

fn job(view: &dyn StateView, subject: &Digest) -> Result<Job, Stop> {
    match read(view, &job_key(subject))? {
        Some(job) => Ok(job),
        None => stop("there is no such job"),
    }
}

fn no_job(view: &dyn StateView, subject: &Digest) -> Result<(), Stop> {
    if view.get(&job_key(subject))?.is_some() { stop("the subject is a job") } else { Ok(()) }
}

fn propose(env: &Env, proposer: OrgId, entry: &Entry, before: u32) -> Result<Change, Refusal> {
    if entry.parties.is_empty() {
        return refuse("a proposal names its parties");
    }
    if entry.expires <= env.time {
        return refuse("the proposal has expired");
    }
    if before > 0 {
        return refuse("the subject is used already");
    }
    let (parties, expires) = (entry.parties.clone(), entry.expires);
    let job = Job { proposer, parties, expires, approved: vec![], rejected: vec![], cancelled: false, attempts: 0 };
    Ok((job_key(&entry.subject), Some(job.to_wire())))
}

fn add_member(view: &dyn StateView, org: &OrgId, body: &[u8]) -> Result<Change, Stop> {
    let Ok(member) = Member::from_wire(body) else { return stop("the body is not a member") };
    if &member.id.org() != org {
        return stop(format!("{org} does not vouch for {}", member.id));
    }
    if member.roles.len() > MAX_ROLES {
        return stop("the member has too many roles");
    }
    let key = member_key(&member.key);
    if let Some(known) = read::<Member>(view, &key)?
        && known.id != member.id
    {
        return stop(format!("the key belongs to {}", known.id));
    }
    Ok((key, Some(member.to_wire())))
}
