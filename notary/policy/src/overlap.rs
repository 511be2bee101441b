//! What aggregates over two owners' matching rows leak: to the receiver the aggregates, to nobody which keys match.

use std::collections::BTreeSet;

use base_types::{OrgId, fault::Fault};
use notary_terms::{Argument, KeyPart, Overlap, Plan, Ranges, Read, ReadRole, Tier, Use, ValueOf};

use crate::{
    leaks::{aggregated, bad, filtered},
    sets,
};

/// Whether a plan aggregates over the matching rows of exactly two owners, told to the first.
pub(crate) fn check(plan: &Plan, sums: &Overlap) -> Result<(), Fault> {
    let [own, other] = plan.reads.as_slice() else { return Err(bad("not exactly two reads that overlap")) };
    let owners = BTreeSet::from([&own.owner, &other.owner]);
    if owners.len() != 2 || own.owner != plan.request.receiver {
        return Err(bad("not the receiver's data set first and another owner's second"));
    }
    if plan.nodes.len() != 2 || plan.nodes.iter().collect::<BTreeSet<_>>() != owners {
        return Err(bad("other nodes than its two owners'"));
    }
    if plan.tier != Tier::A {
        return Err(bad("a tier that is not that of two nodes' shares"));
    }
    sets::alike(&plan.reads)?;
    if sums.min_group == 0 {
        return Err(bad("aggregates of nobody"));
    }
    let ranged = |(read, ranges): (&Read, &Ranges)| {
        ranges.values.len() == read.values.len() && (1..=read.rows_bound).contains(&ranges.rows)
    };
    if sums.ranges.len() != 2 || !plan.reads.iter().zip(&sums.ranges).all(ranged) {
        return Err(bad("values without ranges"));
    }
    if !sums.aggregates.iter().all(|aggregate| fits(plan, aggregate.argument)) {
        return Err(bad("an aggregate over nothing"));
    }
    let shown = |value: ValueOf| matches!(value, ValueOf::Aggregate { aggregate } if usize::from(aggregate) < sums.aggregates.len());
    if plan.outputs.iter().all(|output| shown(output.value)) {
        Ok(())
    } else {
        Err(bad("an output that is no aggregate"))
    }
}

/// Whether an argument is the joined rows or a value of one side, which is never absent.
fn fits(plan: &Plan, argument: Argument) -> bool {
    match argument {
        Argument::Rows => true,
        Argument::Value { read, value, absent } => {
            let read = plan.reads.get(usize::from(read));
            absent.is_none() && read.is_some_and(|read| usize::from(value) < read.values.len())
        }
    }
}

/// What the receiver learns of one side: what its values sum up to, of the rows that a filter chose.
pub(crate) fn uses(sums: &Overlap, place: usize, read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let mut found = filtered(read)?;
    found.extend(aggregated(&sums.aggregates, place, read)?);
    Ok(found)
}

/// Each side's keys take part encrypted at the other owner's node.
pub(crate) fn encrypted<'a>(plan: &'a Plan, place: usize, read: &Read) -> Vec<(usize, Use, &'a OrgId)> {
    let ReadRole::Set { keys } = &read.role else { return Vec::new() };
    let Some(other) = place.checked_sub(1).or(Some(1)).and_then(|other| plan.reads.get(other)) else {
        return Vec::new();
    };
    let to = |part: &KeyPart| (usize::from(part.column), Use::EncryptedOnly, &other.owner);
    keys.iter().map(to).collect()
}
