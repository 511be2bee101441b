//! The book: what all entries so far add up to. It is a pure fold over the ledger, so every node has the same.

use std::collections::BTreeMap;

use base_types::{DatasetId, Digest, Height, JobId, TimeMs};
use base_wire::Decode;
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_terms::{
    ApprovalBody, CancelBody, Catalogue, DeliveredBody, ProposalBody, ReadBody, ReceiptBody, RefusedBody, RejectBody,
    RevokeBody, RuleSet, Source, TransferBody,
};

use crate::job::{Ended, Job, Mark, Vote};

/// All that the notary's entries say.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Place of the newest entry: the place to read on from.
    pub cursor: u64,
    sources: BTreeMap<DatasetId, Vec<(Height, Source)>>,
    rules: BTreeMap<DatasetId, Vec<(Height, Digest, Option<RuleSet>)>>,
    jobs: BTreeMap<JobId, Job>,
    order: Vec<JobId>,
    /// Attempts that were refused before they became proposals.
    pub refused: Vec<(RefusedBody, Mark)>,
    /// Entries whose body was not what its kind says; they count for nothing.
    pub unreadable: u64,
}

impl Book {
    /// Adds the next entry. `cursor` is its place among all entries, from 1.
    pub fn apply(&mut self, cursor: u64, record: &Record, entry: &Entry) {
        self.cursor = self.cursor.max(cursor);
        if self.read(record, entry).is_none() {
            self.unreadable += 1;
        }
    }

    fn read(&mut self, record: &Record, entry: &Entry) -> Option<()> {
        let mark = Mark::of(record);
        if let Some(job) = self.jobs.get_mut(&record.subject) {
            job.entries.push((record.kind, mark.clone()));
            return note(job, record, entry, mark);
        }
        match record.kind {
            EntryKind::SourceRegistered => {
                let source = Source::from_wire(&entry.body).ok()?;
                // Only the owner speaks for a data set.
                (source.dataset.owner() == record.sender.org()).then_some(())?;
                self.sources.entry(source.dataset.clone()).or_default().push((record.height, source));
            }
            EntryKind::RuleSet => {
                let rules = RuleSet::from_wire(&entry.body).ok()?;
                (rules.dataset.owner() == record.sender.org()).then_some(())?;
                self.rules.entry(rules.dataset.clone()).or_default().push((record.height, record.tx, Some(rules)));
            }
            EntryKind::RuleRevoked => {
                let dataset = RevokeBody::from_wire(&entry.body).ok()?.dataset;
                (dataset.owner() == record.sender.org()).then_some(())?;
                self.rules.entry(dataset).or_default().push((record.height, record.tx, None));
            }
            EntryKind::Proposed => self.propose(record, entry, mark)?,
            EntryKind::Refused => self.refused.push((RefusedBody::from_wire(&entry.body).ok()?, mark)),
            _ => {}
        }
        Some(())
    }

    fn propose(&mut self, record: &Record, entry: &Entry, mark: Mark) -> Option<()> {
        let proposal = ProposalBody::from_wire(&entry.body).ok()?;
        (proposal.analyst == record.sender).then_some(())?;
        let job = Job {
            id: record.subject,
            proposal,
            approvers: entry.parties.clone(),
            expires: entry.expires,
            proposed: mark.clone(),
            votes: Vec::new(),
            starts: Vec::new(),
            reads: Vec::new(),
            streams: Vec::new(),
            delivered: None,
            receipts: Vec::new(),
            cancelled: None,
            entries: vec![(record.kind, mark)],
        };
        self.order.push(job.id);
        self.jobs.insert(job.id, job);
        Some(())
    }

    /// Sources and rules as they stood at a height.
    pub fn catalogue_at(&self, height: Height) -> Catalogue {
        let newest = |versions: &[(Height, Source)]| versions.iter().rfind(|v| v.0 <= height).map(|v| v.1.clone());
        let sources = self.sources.iter().filter_map(|(id, v)| Some((id.clone(), newest(v)?))).collect();
        let rules = self
            .rules
            .iter()
            .filter_map(|(id, v)| Some((id.clone(), v.iter().rfind(|v| v.0 <= height)?.2.clone()?)))
            .collect();
        Catalogue { height, sources, rules }
    }

    /// The transaction that set the rules in force.
    pub fn rules_transaction(&self, dataset: &DatasetId) -> Digest {
        self.rules.get(dataset).and_then(|v| v.last()).map(|v| v.1).unwrap_or_default()
    }

    /// A job.
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// All jobs, in the order of their proposals.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.order.iter().filter_map(|id| self.jobs.get(id))
    }

    /// How many runs have used a data set so far: one a start.
    pub fn runs(&self, dataset: &DatasetId) -> u32 {
        let using = self.jobs.values().filter(|j| j.proposal.datasets.contains(dataset));
        u32::try_from(using.map(|j| j.starts.len()).sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// Whether a job's last moment lies before `now`.
    pub fn expired(&self, id: &JobId, now: TimeMs) -> bool {
        self.jobs.get(id).is_some_and(|j| now > j.expires)
    }
}

fn note(job: &mut Job, record: &Record, entry: &Entry, mark: Mark) -> Option<()> {
    let org = record.sender.org();
    match record.kind {
        EntryKind::Approved => {
            let body = ApprovalBody::from_wire(&entry.body).ok()?;
            job.votes.push(Vote { org, rejected: None, by_rule: body.by_rule, mark });
        }
        EntryKind::Rejected => {
            let reason = RejectBody::from_wire(&entry.body).ok()?.reason;
            job.votes.push(Vote { org, rejected: Some(reason), by_rule: false, mark });
        }
        EntryKind::Started => job.starts.push((record.attempt, mark)),
        EntryKind::Read => job.reads.push((record.attempt, ReadBody::from_wire(&entry.body).ok()?, mark)),
        EntryKind::Transferred => {
            let streams = TransferBody::from_wire(&entry.body).ok()?.streams;
            job.streams.push((record.attempt, org, streams));
        }
        EntryKind::Delivered => job.delivered = Some((DeliveredBody::from_wire(&entry.body).ok()?, mark)),
        EntryKind::Receipt => {
            let receipt = ReceiptBody::from_wire(&entry.body).ok()?;
            job.receipts.push(Ended { attempt: record.attempt, org, receipt, mark });
        }
        EntryKind::Cancelled => {
            CancelBody::from_wire(&entry.body).ok()?;
            job.cancelled = Some(mark);
        }
        _ => {}
    }
    Some(())
}
