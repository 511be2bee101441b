//! What a user's program tells: its receiver learns what it returns, which may be any function of what it is given.

use std::{collections::BTreeSet, ops::RangeInclusive};

use base_types::{OrgId, fault::Fault};
use notary_terms::{Circuit, Plan, Program, Read, ReadRole, Tier, Use, ValueOf};

use crate::leaks::{bad, filtered, flow, malformed};

/// Fewest and most parties of a circuit.
const PARTIES: RangeInclusive<usize> = 2..=8;

/// Whether a plan is a user's program over its owners' values, told to the receiver.
pub(crate) fn check(plan: &Plan, circuit: &Circuit) -> Result<(), Fault> {
    let nodes: BTreeSet<&OrgId> = plan.nodes.iter().collect();
    let owners = plan.reads.iter().map(|read| &read.owner);
    let due: BTreeSet<&OrgId> = owners.chain([&plan.request.receiver]).collect();
    if nodes != due || nodes.len() != plan.nodes.len() || !PARTIES.contains(&nodes.len()) {
        return Err(bad("other nodes than the owners' and the receiver's of a program"));
    }
    // The weaker tier of two parties is never a plan's own choice.
    let tier = match (plan.request.tier, nodes.len()) {
        (Some(Tier::A), 2) => Tier::A,
        (_, 2) => Tier::C,
        _ => Tier::D,
    };
    if plan.tier != tier {
        return Err(bad("a tier that is not its program's"));
    }
    if circuit.source.is_empty() || !plan.order.is_empty() || plan.limit.is_some() {
        return Err(bad("a program that is none"));
    }
    plan.reads.iter().try_for_each(input)?;
    let told = |value: ValueOf| matches!(value, ValueOf::Result { .. } | ValueOf::Stopped);
    if plan.reads.is_empty() || !plan.outputs.iter().all(|output| told(output.value)) {
        return Err(bad("an output that no program has"));
    }
    Ok(())
}

/// Whether a read is an argument.
pub(crate) fn input(read: &Read) -> Result<(), Fault> {
    let ReadRole::Input { rows, .. } = &read.role else { return Err(malformed(read, "a role that is no argument's")) };
    if *rows == 0 || read.values.is_empty() || read.key.is_some() {
        return Err(malformed(read, "an argument of nothing"));
    }
    Ok(())
}

/// What a program is given it may return, compared or not; a filter decides which rows are given.
pub(crate) fn uses(read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let mut found = filtered(read)?;
    for formula in &read.values {
        flow(formula).ok_or_else(|| malformed(read, "a malformed value"))?;
        found.extend(formula.columns().into_iter().map(|column| (column, Use::Program)));
    }
    Ok(found)
}

/// Whether a person of `own` has to read the plan, of a circuit or over vectors, whatever the rules say: they name columns, not
/// what a program makes of them. In tier A the receiver's too: the other owner, who garbles or holds shares, may learn of the receiver's
/// values if it deviates, and no grant says so.
pub(crate) fn needs_person(plan: &Plan, own: &OrgId) -> bool {
    matches!(plan.program, Program::Circuit(_) | Program::Vectors(_))
        && (*own != plan.request.receiver || plan.tier == Tier::A)
}
