//! The decision of an owner about a plan, and the same for all owners at once.

use std::collections::{BTreeMap, BTreeSet};

use base_types::{DatasetId, OrgId, TimeMs, fault::Fault};
use notary_terms::{ApprovalMode, Catalogue, Plan, Program, Read, RuleSet, Use};

use crate::{ColumnUse, Missing, Reason, circuits, grant, published, uses};

/// What an owner does with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The node approves.
    Allow {
        /// True when rules allow it; false when nothing of this owner is read, so that no rule was asked.
        by_rule: bool,
    },
    /// The rules allow it and leave the approval to a person; so does every user's program that another party receives, or that
    /// runs in tier A.
    AskPerson,
    /// The rules forbid it; no person can approve it before they change.
    Refuse(Vec<Missing>),
}

/// Decides for `own` by its `rules`; `runs_used` tells how many runs have used a column of a data set.
///
/// Without a rule set for a data set everything about it is refused. Rules hold for the owner's own analysts too: a
/// purpose needs a grant even when receiver and owner are one.
pub fn decide(
    own: &OrgId,
    rules: &BTreeMap<DatasetId, RuleSet>,
    plan: &Plan,
    runs_used: &dyn Fn(&DatasetId, &str) -> u32,
    now: TimeMs,
) -> Decision {
    let mine: Vec<&Read> = plan.reads.iter().filter(|r| &r.owner == own || &r.dataset.owner() == own).collect();
    let Ok(uses) = uses(plan) else {
        return Decision::Refuse(mine.iter().map(|read| about(plan, read, Reason::BadPlan)).collect());
    };
    if mine.is_empty() {
        return Decision::Allow { by_rule: false };
    }
    let missing: Vec<_> =
        mine.iter().flat_map(|read| missing_of_read(rules, plan, read, &uses, runs_used, now)).collect();
    if !missing.is_empty() {
        return Decision::Refuse(missing);
    }
    let asks = |read: &&Read| rules.get(&read.dataset).is_none_or(|set| set.approval == ApprovalMode::Person);
    let must = circuits::needs_person(plan, own) || published::needs_person(plan, own);
    if must || mine.iter().any(asks) { Decision::AskPerson } else { Decision::Allow { by_rule: true } }
}

/// Everything that is missing before all owners' rules allow the plan, in the order of its reads.
///
/// # Errors
/// As [`uses`].
pub fn check(
    catalogue: &Catalogue,
    plan: &Plan,
    runs_used: &dyn Fn(&DatasetId, &str) -> u32,
    now: TimeMs,
) -> Result<Vec<Missing>, Fault> {
    let uses = uses(plan)?;
    let of = |read| missing_of_read(&catalogue.rules, plan, read, &uses, runs_used, now);
    Ok(plan.reads.iter().flat_map(of).collect())
}

fn missing_of_read(
    rules: &BTreeMap<DatasetId, RuleSet>,
    plan: &Plan,
    read: &Read,
    uses: &[ColumnUse],
    runs_used: &dyn Fn(&DatasetId, &str) -> u32,
    now: TimeMs,
) -> Vec<Missing> {
    // A rule set filed under another name is no rule set of this data set.
    let set = rules.get(&read.dataset).filter(|set| set.dataset == read.dataset);
    let mut missing = Vec::new();
    for need in uses.iter().filter(|u| u.dataset == read.dataset) {
        let used = runs_used(&read.dataset, &need.column);
        if let Err(reason) = grant::find(set, need, &plan.request.purpose, used, now) {
            let (column, need, party) = (need.column.clone(), need.need, need.party.clone());
            missing.push(Missing { column, need, party, ..about(plan, read, reason) });
        }
    }
    // Where aggregates are shown, or vectors computed on, the nodes hold shares.
    let least = plan.min_group();
    if least.is_some() || matches!(plan.program, Program::Vectors(_)) {
        missing.extend(missing_of_shares(set, plan, read, least));
    }
    missing
}

/// Nodes that would hold shares and may not, and a threshold that is too low where there is one.
fn missing_of_shares(set: Option<&RuleSet>, plan: &Plan, read: &Read, least: Option<u32>) -> Vec<Missing> {
    let mut missing = Vec::new();
    let named = set.map_or(&[][..], |set| &set.holders);
    let lacking = || plan.nodes.iter().filter(|n| **n != read.owner && !named.contains(n)).cloned();
    for party in lacking() {
        let holders: BTreeSet<OrgId> = named.iter().cloned().chain(lacking()).collect();
        let holders = holders.into_iter().collect();
        missing.push(Missing { need: Use::EncryptedOnly, party, holders, ..about(plan, read, Reason::NotHolder) });
    }
    if set.is_some_and(|set| least.is_some_and(|least| least < set.min_group)) {
        missing.push(Missing { need: Use::AfterAggregate, ..about(plan, read, Reason::GroupTooSmall) });
    }
    missing
}

/// Something about a whole data set, shown to the receiver as it is unless told otherwise.
fn about(plan: &Plan, read: &Read, reason: Reason) -> Missing {
    Missing {
        dataset: read.dataset.clone(),
        column: "*".to_owned(),
        need: Use::Plaintext,
        party: plan.request.receiver.clone(),
        purpose: plan.request.purpose.clone(),
        owner: read.dataset.owner(),
        reason,
        holders: Vec::new(),
    }
}
