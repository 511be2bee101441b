//! What an intersection with published keys leaks: an intersection's uses, and a table of all keys and cells, sealed, that stays.

use std::collections::BTreeSet;

use base_types::{OrgId, fault::Fault};
use notary_terms::{Intersect, Plan, Program, Published, Read, ReadRole, Spares, Use};

use crate::{
    leaks::{bad, flow, malformed},
    sets,
};

/// Most keys that one job may ask for: what limits the guesses that a run can try, whatever its data set's bound.
const MAX_ASKED: u32 = 1 << 20;

/// Whether a plan is an intersection of exactly two owners' rows, told to the first, which asks for no more keys than allowed.
///
/// Beside the columns' uses, the plan tells by its bounds: to the other owner how many keys are asked for; to the receiver how many
/// keys the table has at most, and whether it is the table of an earlier job, so that the data set has not changed since.
pub(crate) fn check(plan: &Plan, published: &Published) -> Result<(), Fault> {
    let Published { label } = published;
    sets::check(plan, &Intersect { label: label.clone(), spares: Spares::Time, bucket_keys: None })?;
    if plan.reads.first().is_none_or(|own| own.rows_bound > MAX_ASKED) {
        return Err(bad("more keys to ask for than a job may"));
    }
    if plan.reads.iter().all(|read| read.rows_bound > 0) { Ok(()) } else { Err(bad("a table of no keys")) }
}

/// Whether a person of `own` has to read the plan whatever the rules say: a grant ends, and the table that leaves with this job does not.
pub(crate) fn needs_person(plan: &Plan, own: &OrgId) -> bool {
    matches!(plan.program, Program::Published(_)) && *own != plan.request.receiver
}

/// As [`sets::uses`]; of the other owner's data set also what lies in the table: every key and every cell.
pub(crate) fn uses(place: usize, read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let mut found = sets::uses(read)?;
    if place == 0 {
        return Ok(found);
    }
    let ReadRole::Set { keys } = &read.role else { return Err(malformed(read, "a role that is no set's")) };
    found.extend(keys.iter().map(|part| (usize::from(part.column), Use::EncryptedOnly)));
    for formula in &read.values {
        let flow = flow(formula).ok_or_else(|| malformed(read, "a malformed value"))?;
        found.extend(flow.value.union(&flow.compared).map(|column| (*column, Use::EncryptedOnly)));
    }
    Ok(found)
}
