//! Use of data as the book tells it: who used what for which purpose, how often, and what was refused.

use std::collections::BTreeMap;

use base_types::{DatasetId, OrgId, TimeMs};

use crate::{Book, JobStatus};

/// One line of use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UseCount {
    /// Who received answers.
    pub receiver: OrgId,
    /// From which data set.
    pub dataset: DatasetId,
    /// What for.
    pub purpose: String,
    /// Jobs that were started on the owner's approval.
    pub runs: u32,
}

/// Totals over the whole ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Registered data sets by owner.
    pub datasets: BTreeMap<String, u32>,
    /// Jobs by status.
    pub jobs: BTreeMap<&'static str, u32>,
    /// Use.
    pub uses: Vec<UseCount>,
    /// Attempts refused before a proposal, by code.
    pub refused: BTreeMap<String, u32>,
    /// Columns by class and grade.
    pub columns: BTreeMap<(String, u8), u32>,
}

impl Stats {
    /// Counts the book at a moment.
    pub fn of(book: &Book, now: TimeMs) -> Self {
        let mut stats = Self::default();
        for source in book.catalogue_at(u64::MAX).sources.values() {
            *stats.datasets.entry(source.dataset.owner().to_string()).or_default() += 1;
            for column in &source.columns {
                let class = source.classes.iter().find(|c| c.column == column.name);
                let key = class.map_or_else(|| ("unclassified".to_owned(), 0), |c| (c.class.clone(), c.grade));
                *stats.columns.entry(key).or_default() += 1;
            }
        }
        let mut uses: BTreeMap<(OrgId, DatasetId, String), u32> = BTreeMap::new();
        for job in book.jobs() {
            let status: JobStatus = job.status(now);
            *stats.jobs.entry(status.word()).or_default() += 1;
            if job.run_attempt().is_none() {
                continue;
            }
            for dataset in job.proposal.datasets.iter().filter(|dataset| job.uses(dataset)) {
                let key = (job.proposal.receiver.clone(), dataset.clone(), job.proposal.purpose.clone());
                *uses.entry(key).or_default() += 1;
            }
        }
        stats.uses = uses
            .into_iter()
            .map(|((receiver, dataset, purpose), runs)| UseCount { receiver, dataset, purpose, runs })
            .collect();
        for (refused, _) in &book.refused {
            *stats.refused.entry(refused.code.clone()).or_default() += 1;
        }
        stats
    }
}
