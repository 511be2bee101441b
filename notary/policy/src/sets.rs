//! What an intersection leaks: shared keys and shown cells to its receiver, and that keys are compared to the other owners.

use std::collections::BTreeSet;

use base_types::{OrgId, column::ColumnType, fault::Fault};
use notary_terms::{
    BUCKET_KEYS, Intersect, KeyPart, Label, MAX_BUCKETS, MAX_KEY_ROWS, Plan, Read, ReadRole, Tier, Use, ValueOf,
    formula::{Formula, Op},
};

use crate::leaks::{bad, filtered, flow, malformed};

/// Whether a plan is an intersection of exactly two owners' rows, told to the first.
pub(crate) fn check(plan: &Plan, intersect: &Intersect) -> Result<(), Fault> {
    let [own, other] = plan.reads.as_slice() else { return Err(bad("not exactly two reads to intersect")) };
    let owners = BTreeSet::from([&own.owner, &other.owner]);
    if owners.len() != 2 || own.owner != plan.request.receiver {
        return Err(bad("not the receiver's data set first and another owner's second"));
    }
    if plan.nodes.len() != 2 || plan.nodes.iter().collect::<BTreeSet<_>>() != owners {
        return Err(bad("other nodes than its two owners'"));
    }
    if plan.tier != Tier::C {
        return Err(bad("a tier that is not an intersection's"));
    }
    alike(&plan.reads)?;
    let labelled = match &intersect.label {
        Label::Nothing | Label::Count => other.values.is_empty(),
        Label::Row { cells, rows } => {
            !cells.is_empty() && cells.len() == other.values.len() && (1..=MAX_KEY_ROWS).contains(rows)
        }
    };
    if !labelled {
        return Err(malformed(other, "values that its program does not name"));
    }
    // Buckets tell nothing but the bounds; a node must not be made to keep more of them than there may be.
    let sized = intersect.bucket_keys.is_none_or(|keys| BUCKET_KEYS.contains(&keys));
    if !sized || intersect.buckets(&plan.reads) > MAX_BUCKETS {
        return Err(bad("buckets of a size or number that there is not"));
    }
    cells(plan)
}

/// Whether a plan is an intersection of three to eight owners' rows, told to the first, with nothing of the others'.
pub(crate) fn check_common(plan: &Plan) -> Result<(), Fault> {
    let owners: BTreeSet<_> = plan.reads.iter().map(|read| &read.owner).collect();
    if !(3..=8).contains(&plan.reads.len()) || owners.len() != plan.reads.len() {
        return Err(bad("not one data set of each of three to eight owners"));
    }
    if plan.reads.first().map(|own| &own.owner) != Some(&plan.request.receiver) {
        return Err(bad("not the receiver's data set first"));
    }
    if plan.nodes.len() != owners.len() || plan.nodes.iter().collect::<BTreeSet<_>>() != owners {
        return Err(bad("other nodes than its owners'"));
    }
    if plan.tier != Tier::D {
        return Err(bad("a tier that is not an intersection's of several"));
    }
    alike(&plan.reads)?;
    match plan.reads.iter().skip(1).find(|other| !other.values.is_empty()) {
        Some(other) => Err(malformed(other, "values that its program does not show")),
        None => cells(plan),
    }
}

/// Keys of all reads have parts of the same types, at least one.
pub(crate) fn alike(reads: &[Read]) -> Result<(), Fault> {
    let types =
        |read: &Read| -> Result<Vec<ColumnType>, Fault> { Ok(parts(read)?.into_iter().map(|(ty, _)| ty).collect()) };
    let all = reads.iter().map(types).collect::<Result<Vec<_>, Fault>>()?;
    let equal = all.windows(2).all(|pair| matches!(pair, [one, other] if one == other));
    if equal && all.iter().all(|types| !types.is_empty()) { Ok(()) } else { Err(bad("keys of different forms")) }
}

/// Every output is a value of some read.
fn cells(plan: &Plan) -> Result<(), Fault> {
    let shown = |value: ValueOf| match value {
        ValueOf::Cell { read, value } => {
            plan.reads.get(usize::from(read)).is_some_and(|r| usize::from(value) < r.values.len())
        }
        _ => false,
    };
    if plan.outputs.iter().all(|output| shown(output.value)) { Ok(()) } else { Err(bad("an output of nothing")) }
}

/// The key's parts with their types.
fn parts(read: &Read) -> Result<Vec<(ColumnType, &KeyPart)>, Fault> {
    let ReadRole::Set { keys } = &read.role else { return Err(malformed(read, "a role that is no set's")) };
    if read.key.is_some() {
        return Err(malformed(read, "a star's key beside its own"));
    }
    let mut parts = Vec::with_capacity(keys.len());
    for part in keys {
        let ty = read.types.get(usize::from(part.column)).ok_or_else(|| malformed(read, "a key that is not read"))?;
        if *ty != ColumnType::Text && !part.folds.is_empty() {
            return Err(malformed(read, "a key folded that is no text"));
        }
        parts.push((*ty, part));
    }
    Ok(parts)
}

/// What the receiver learns of one side: its matching keys, and of the rows that have them what is shown or compared.
pub(crate) fn uses(read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let parts = parts(read)?;
    let mut found: BTreeSet<(usize, Use)> =
        parts.iter().map(|(_, p)| (usize::from(p.column), Use::AfterJoin)).collect();
    found.extend(filtered(read)?);
    for formula in &read.values {
        if shows_key(&parts, formula) {
            continue;
        }
        let flow = flow(formula).ok_or_else(|| malformed(read, "a malformed value"))?;
        found.extend(flow.value.iter().map(|c| (*c, Use::JoinPayload)));
        found.extend(flow.compared.iter().map(|c| (*c, Use::AfterCompare)));
    }
    Ok(found)
}

/// A key that is compared as it is tells no more when it is shown; one that is folded first was not known in full.
fn shows_key(parts: &[(ColumnType, &KeyPart)], formula: &Formula) -> bool {
    let [Op::Column(column)] = formula.ops.as_slice() else { return false };
    parts.iter().any(|(_, part)| u16::from(part.column) == *column && part.folds.is_empty())
}

/// The receiver's keys cross encrypted to the other owners, who learn nothing of them but how many they are at most.
pub(crate) fn encrypted<'a>(plan: &'a Plan, place: usize, read: &Read) -> Vec<(usize, Use, &'a OrgId)> {
    let (ReadRole::Set { keys }, 0) = (&read.role, place) else { return Vec::new() };
    let others: Vec<&OrgId> = plan.reads.iter().skip(1).map(|other| &other.owner).collect();
    let mut found = Vec::with_capacity(keys.len() * others.len());
    for part in keys {
        found.extend(others.iter().map(|other| (usize::from(part.column), Use::EncryptedOnly, *other)));
    }
    found
}
