//! `Approved<T>`: a value that everybody concerned approved; this module is its only maker.

use base_types::{Digest, JobId, OrgId, TimeMs};
use thiserror::Error;

use crate::{Plan, Read};

/// A value bound to an approved plan and to one attempt; it cannot be copied, so it is used once.
///
/// ```compile_fail,E0451
/// # use notary_terms::{Approved, Read};
/// fn forge(read: Read) -> Approved<Read> {
///     Approved { value: read, job: Default::default(), attempt: 1 }
/// }
/// ```
///
/// ```compile_fail,E0382
/// # use notary_terms::{Approved, Read};
/// fn read_source(_: Approved<Read>) {}
/// fn twice(step: Approved<Read>) {
///     read_source(step);
///     read_source(step);
/// }
/// ```
pub struct Approved<T> {
    value: T,
    job: JobId,
    attempt: u32,
}

impl<T> Approved<T> {
    /// The approved value.
    pub fn value(&self) -> &T {
        &self.value
    }
    /// The job it belongs to.
    pub fn job(&self) -> JobId {
        self.job
    }
    /// The attempt it belongs to.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What the ledger says of one approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalFact {
    /// The organisation that approved.
    pub org: OrgId,
    /// The plan's digest that it signed.
    pub job: JobId,
    /// The transaction.
    pub transaction: Digest,
    /// The block's time.
    pub time: TimeMs,
}

/// Why there is nothing to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApprovalFault {
    /// An owner has not approved.
    #[error("{0} has not approved")]
    Missing(OrgId),
    /// An approval names another plan.
    #[error("{0} approved another plan")]
    OtherPlan(OrgId),
    /// Approved or started after the plan's last moment.
    #[error("the plan has expired")]
    Expired,
    /// The attempt has not been started on the ledger, or not with this number.
    #[error("attempt {0} has not been started")]
    NotStarted(u32),
}

/// Checks a plan against what the ledger says and yields the reads of `org`, each usable once.
///
/// `facts` are the approvals of the plan's job, `started` the attempt and block time of its Start entry.
///
/// # Errors
/// [`ApprovalFault`].
pub fn verify(
    plan: &Plan,
    facts: &[ApprovalFact],
    started: (u32, TimeMs),
    attempt: u32,
    org: &OrgId,
) -> Result<Vec<(usize, Approved<Read>)>, ApprovalFault> {
    let job = plan.digest();
    if started.0 != attempt || attempt == 0 {
        return Err(ApprovalFault::NotStarted(attempt));
    }
    if started.1 > plan.request.expires {
        return Err(ApprovalFault::Expired);
    }
    for owner in plan.approvers() {
        let fact = facts.iter().find(|f| f.org == owner).ok_or_else(|| ApprovalFault::Missing(owner.clone()))?;
        if fact.job != job {
            return Err(ApprovalFault::OtherPlan(owner));
        }
        if fact.time > plan.request.expires {
            return Err(ApprovalFault::Expired);
        }
    }
    let mine = plan.reads.iter().enumerate().filter(|(_, read)| &read.owner == org);
    Ok(mine.map(|(place, read)| (place, Approved { value: read.clone(), job, attempt })).collect())
}
