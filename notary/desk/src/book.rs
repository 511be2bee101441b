//! The book: what all entries so far add up to. It is a pure fold over the ledger, so every node has the same.

use std::collections::BTreeMap;

use base_types::{DatasetId, Digest, Height, JobId, TimeMs};
use base_wire::Decode;
use ledger_vm::notary::{Entry, EntryKind, Record};
use notary_terms::{
    ApprovalBody, CancelBody, Catalogue, DeliveredBody, ProposalBody, ReadBody, ReceiptBody, RefusedBody, RejectBody,
    RevokeBody, RuleSet, Source, StartBody, Stream, TransferBody,
};

use crate::job::{Cancelled, Ended, Job, Mark, Vote};

/// All that the notary's entries say.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Place of the newest entry: the place to read on from.
    pub cursor: u64,
    sources: BTreeMap<DatasetId, Vec<(Height, Source)>>,
    rules: BTreeMap<DatasetId, Vec<(Height, Digest, Option<RuleSet>)>>,
    jobs: BTreeMap<JobId, Job>,
    order: Vec<JobId>,
    /// Starts that rest on the approvals, one a job, in order.
    starts: Vec<(JobId, u32)>,
    /// Attempts that were refused before they became proposals.
    pub refused: Vec<(RefusedBody, Mark)>,
    /// Entries whose body was not what its kind says, or not its sender's to say; they count for nothing.
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
            let noted = note(job, record, entry, mark);
            // Any party may write starts; the approvals are for the first that rests on them.
            if record.kind == EntryKind::Started && job.run_attempt() == Some(record.attempt) {
                self.starts.push((record.subject, record.attempt));
            }
            return noted;
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
            unfounded: Vec::new(),
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

    /// Whether a data set's newest registration says what the one of a height said.
    pub(crate) fn newest_since(&self, dataset: &DatasetId, height: Height) -> bool {
        let versions = self.sources.get(dataset).map_or(&[][..], Vec::as_slice);
        let then = versions.iter().rfind(|version| version.0 <= height);
        then.is_some_and(|then| versions.last().is_some_and(|newest| newest.1 == then.1))
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

    /// How many runs have used a data set so far: one a job that was started on the approvals, its owner's among them.
    pub fn runs(&self, dataset: &DatasetId) -> u32 {
        self.count(dataset, &self.starts)
    }

    /// How many runs had used a data set when an attempt of a job was started.
    pub fn runs_before(&self, dataset: &DatasetId, job: &JobId, attempt: u32) -> u32 {
        let place = self.starts.iter().position(|start| *start == (*job, attempt));
        self.count(dataset, self.starts.get(..place.unwrap_or(self.starts.len())).unwrap_or_default())
    }

    fn count(&self, dataset: &DatasetId, starts: &[(JobId, u32)]) -> u32 {
        let using = |(id, _): &&(JobId, u32)| self.jobs.get(id).is_some_and(|job| job.uses(dataset));
        u32::try_from(starts.iter().filter(using).count()).unwrap_or(u32::MAX)
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
        EntryKind::Started => {
            job.starts.push((record.attempt, mark));
            let mut approvals: Vec<_> = job.approvals().into_iter().map(|fact| fact.transaction).collect();
            approvals.sort();
            if StartBody::from_wire(&entry.body).map(|start| start.approvals) != Ok(approvals) {
                job.unfounded.push(record.attempt);
                return None;
            }
        }
        EntryKind::Read => {
            let read = ReadBody::from_wire(&entry.body).ok()?;
            (read.dataset.owner() == org).then_some(())?;
            job.reads.push((record.attempt, read, mark));
        }
        EntryKind::Transferred => {
            let body = TransferBody::from_wire(&entry.body).ok()?;
            let streams: Vec<Stream> = body.numbered().map(|(_, stream)| stream.clone()).collect();
            streams.iter().all(|s| (s.from == org) != (s.to == org)).then_some(())?;
            job.streams.push((record.attempt, org, streams));
        }
        EntryKind::Delivered => {
            let delivered = DeliveredBody::from_wire(&entry.body).ok()?;
            (delivered.receiver == org && job.proposal.receiver == org).then_some(())?;
            job.delivered = Some((delivered, mark));
        }
        EntryKind::Receipt => {
            let receipt = ReceiptBody::from_wire(&entry.body).ok()?;
            job.receipts.push(Ended { attempt: record.attempt, org, receipt, mark });
        }
        EntryKind::Cancelled => {
            let reason = CancelBody::from_wire(&entry.body).ok()?.reason;
            job.cancelled = Some(Cancelled { reason, mark });
        }
        _ => {}
    }
    Some(())
}
