//! What leaks: every column that a plan reads, with the way its values become known, derived from the plan's formulas.

use std::collections::BTreeSet;

use base_types::{
    DatasetId, OrgId,
    fault::{Code, Fault},
};
use notary_terms::{
    Aggregate, Argument, Function, Plan, Program, Read, ReadRole, Span, Star, Tier, Use, ValueOf,
    formula::{Formula, MAX_OPS, Op},
};
use serde::{Deserialize, Serialize};

use crate::{circuits, overlap, published, sets, vectors};

/// One way in which one column of one data set becomes known to one party.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnUse {
    /// The data set.
    pub dataset: DatasetId,
    /// The column.
    pub column: String,
    /// The way.
    pub need: Use,
    /// Who learns.
    pub party: OrgId,
    /// The data set's owner, whose rules decide.
    pub owner: OrgId,
}

/// Every use that the plan makes of a column, each once, by data set in the plan's order, then by column and way.
///
/// In a star join group columns are known to the receiver as group names whether or not they are printed. A column inside
/// an aggregate's value needs [`Use::AfterAggregate`]; one that only decides what is counted (filter, CASE condition,
/// comparison, IS NULL) needs [`Use::AfterCompare`]; the join key needs [`Use::EncryptedOnly`]. In an intersection the
/// receiver learns which keys both sides have, [`Use::AfterJoin`], and of their rows what is shown, [`Use::JoinPayload`];
/// the other owners take part in comparing the receiver's keys without learning them, [`Use::EncryptedOnly`]. Where two owners'
/// matching rows are aggregated, nobody learns which keys match: each owner's key needs [`Use::EncryptedOnly`] for the other,
/// and values and filters need what they need in a star. Of a user's program, a circuit or one over vectors, the receiver learns what
/// it returns, [`Use::Program`]. Where an owner publishes a table of its keys, the receiver learns what it learns in an intersection, and its
/// node keeps all that lies sealed in the table, [`Use::EncryptedOnly`]. A column that is read or shared without such a role counts as [`Use::Plaintext`]: nothing in the plan says
/// what becomes of it.
///
/// # Errors
/// A fault when the plan is malformed, so that nothing can be said of it.
pub fn uses(plan: &Plan) -> Result<Vec<ColumnUse>, Fault> {
    check_reads(plan)?;
    if plan.request.tier.is_some_and(|asked| asked != plan.tier) {
        return Err(bad("another tier than was asked for"));
    }
    match &plan.program {
        Program::Star(star) => check_star(plan, star)?,
        Program::Intersect(intersect) => sets::check(plan, intersect)?,
        Program::Overlap(sums) => overlap::check(plan, sums)?,
        Program::Common(_) => sets::check_common(plan)?,
        Program::Circuit(circuit) => circuits::check(plan, circuit)?,
        Program::Published(keys) => published::check(plan, keys)?,
        Program::Vectors(program) => vectors::check(plan, program)?,
    }
    let mut all = Vec::new();
    for (place, read) in plan.reads.iter().enumerate() {
        let mut needs: BTreeSet<(usize, Use, &OrgId)> = match &plan.program {
            Program::Star(star) => to_receiver(plan, uses_of_star(star, place, read)?),
            Program::Overlap(sums) => {
                let keys = overlap::encrypted(plan, place, read);
                to_receiver(plan, overlap::uses(sums, place, read)?).into_iter().chain(keys).collect()
            }
            Program::Intersect(_) | Program::Common(_) => {
                let own = sets::encrypted(plan, place, read);
                to_receiver(plan, sets::uses(read)?).into_iter().chain(own).collect()
            }
            Program::Circuit(_) | Program::Vectors(_) => to_receiver(plan, circuits::uses(read)?),
            Program::Published(_) => {
                let own = sets::encrypted(plan, place, read);
                to_receiver(plan, published::uses(place, read)?).into_iter().chain(own).collect()
            }
        };
        let used: BTreeSet<usize> = needs.iter().map(|(column, ..)| *column).collect();
        let idle = (0..read.columns.len()).filter(|c| !used.contains(c));
        needs.extend(idle.map(|c| (c, Use::Plaintext, &plan.request.receiver)));
        let mut found = BTreeSet::new();
        for (column, need, party) in needs {
            let column = read.columns.get(column).ok_or_else(|| malformed(read, "a column that is not read"))?;
            let (dataset, owner) = (read.dataset.clone(), read.owner.clone());
            found.insert(ColumnUse { dataset, column: column.clone(), need, party: party.clone(), owner });
        }
        all.extend(found);
    }
    Ok(all)
}

fn to_receiver(plan: &Plan, uses: BTreeSet<(usize, Use)>) -> BTreeSet<(usize, Use, &OrgId)> {
    uses.into_iter().map(|(column, need)| (column, need, &plan.request.receiver)).collect()
}

pub(crate) fn malformed(read: &Read, what: &str) -> Fault {
    Fault::new(Code::BadRequest, "policy", format!("the plan's read of {} has {what}", read.dataset)).at(&read.owner)
}

pub(crate) fn bad(what: &str) -> Fault {
    Fault::new(Code::BadRequest, "policy", format!("the plan has {what}"))
}

fn check_reads(plan: &Plan) -> Result<(), Fault> {
    if plan.reads.iter().map(|r| &r.dataset).collect::<BTreeSet<_>>().len() != plan.reads.len() {
        return Err(bad("a data set that is read twice"));
    }
    for read in &plan.reads {
        if read.dataset.owner() != read.owner {
            return Err(malformed(read, "an owner who does not own it"));
        }
        if read.columns.len() != read.types.len() {
            return Err(malformed(read, "columns without types"));
        }
        if read.columns.iter().collect::<BTreeSet<_>>().len() != read.columns.len() {
            return Err(malformed(read, "a column twice"));
        }
    }
    Ok(())
}

fn check_star(plan: &Plan, star: &Star) -> Result<(), Fault> {
    if plan.nodes.len() != 3 || plan.nodes.iter().collect::<BTreeSet<_>>().len() != 3 {
        return Err(bad("not exactly three different nodes"));
    }
    if !matches!(plan.tier, Tier::B | Tier::BPlus) {
        return Err(bad("a tier that is not a star join's"));
    }
    let carrier = matches!(plan.reads.first(), Some(read) if matches!(read.role, ReadRole::Carrier { .. }));
    if !carrier || !plan.reads.iter().skip(1).all(|read| matches!(read.role, ReadRole::Side { .. })) {
        return Err(bad("not exactly one carrier, at place 0"));
    }
    if plan.outputs.iter().any(|output| !matches!(output.value, ValueOf::Group { .. } | ValueOf::Aggregate { .. })) {
        return Err(bad("single rows' values among its aggregates"));
    }
    let fits = |argument: &Argument| match argument {
        Argument::Rows => true,
        Argument::Value { read, value, .. } => {
            plan.reads.get(usize::from(*read)).is_some_and(|r| usize::from(*value) < r.values.len())
        }
    };
    if !star.aggregates.iter().all(|a| fits(&a.argument)) {
        return Err(bad("an aggregate over nothing"));
    }
    let ranged = |(read, spans): (&Read, &Vec<Span>)| {
        spans.len() == read.values.len() && spans.iter().all(|span| span.low <= span.high)
    };
    if star.ranges.len() == plan.reads.len() && plan.reads.iter().zip(&star.ranges).all(ranged) {
        Ok(())
    } else {
        Err(bad("values without ranges"))
    }
}

fn uses_of_star(star: &Star, place: usize, read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let mut found: BTreeSet<(usize, Use)> = read.key.iter().map(|k| (usize::from(*k), Use::EncryptedOnly)).collect();
    if let ReadRole::Carrier { groups } = &read.role {
        for group in groups {
            let column = read.columns.iter().position(|c| *c == group.column);
            found
                .insert((column.ok_or_else(|| malformed(read, "a group column that is not read"))?, Use::AfterGroupBy));
        }
    }
    found.extend(filtered(read)?);
    found.extend(aggregated(&star.aggregates, place, read)?);
    Ok(found)
}

/// The columns that aggregates are made of; a value that none uses is shown, for all that is known.
pub(crate) fn aggregated(aggregates: &[Aggregate], place: usize, read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let mut found = BTreeSet::new();
    for (value, formula) in read.values.iter().enumerate() {
        let functions = functions_over(aggregates, place, value);
        let counted_only = functions.iter().all(|f| matches!(f, Function::Count));
        let flow = match presence(formula).filter(|_| counted_only) {
            Some(counted) => flow(&counted),
            None => flow(formula),
        };
        let flow = flow.ok_or_else(|| malformed(read, "a malformed value"))?;
        if functions.is_empty() {
            found.extend(formula.columns().into_iter().map(|c| (c, Use::Plaintext)));
        }
        found.extend(flow.value.iter().map(|c| (*c, Use::AfterAggregate)));
        found.extend(flow.compared.iter().map(|c| (*c, Use::AfterCompare)));
    }
    Ok(found)
}

/// The columns that decide which rows count.
pub(crate) fn filtered(read: &Read) -> Result<BTreeSet<(usize, Use)>, Fault> {
    let Some(filter) = &read.filter else { return Ok(BTreeSet::new()) };
    let flow = flow(filter).ok_or_else(|| malformed(read, "a malformed filter"))?;
    Ok(flow.value.union(&flow.compared).map(|c| (*c, Use::AfterCompare)).collect())
}

fn functions_over(aggregates: &[Aggregate], place: usize, wanted: usize) -> Vec<Function> {
    let over = |argument: &Argument| {
        matches!(argument, Argument::Value { read, value, .. }
            if usize::from(*read) == place && usize::from(*value) == wanted)
    };
    aggregates.iter().filter(|a| over(&a.argument)).map(|a| a.function).collect()
}

/// `CASE x IS NULL THEN NULL ELSE 1` counts x: what is known afterwards is COUNT(x), so x is aggregated, not compared.
fn presence(formula: &Formula) -> Option<Formula> {
    let counted = formula.ops.strip_suffix(&[Op::IsNull, Op::Null, Op::Number(1), Op::Case])?;
    Some(Formula { ops: counted.to_vec() })
}

/// Where a formula's columns go.
pub(crate) struct Flow {
    /// Into the value itself.
    pub(crate) value: BTreeSet<usize>,
    /// Into a comparison or condition.
    pub(crate) compared: BTreeSet<usize>,
}

/// Follows the columns through a formula; `None` when it is malformed.
pub(crate) fn flow(formula: &Formula) -> Option<Flow> {
    if formula.ops.len() > MAX_OPS {
        return None;
    }
    let mut compared = BTreeSet::new();
    let mut stack: Vec<BTreeSet<usize>> = Vec::new();
    for op in &formula.ops {
        match op {
            Op::Column(place) => stack.push(BTreeSet::from([usize::from(*place)])),
            Op::Number(_) | Op::Text(_) | Op::Null => stack.push(BTreeSet::new()),
            Op::Neg | Op::Rescale(_) => {
                stack.last()?;
            }
            Op::Add | Op::Sub | Op::Mul => {
                let right = stack.pop()?;
                stack.last_mut()?.extend(right);
            }
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::And | Op::Or => {
                compared.extend(stack.pop()?);
                compared.extend(stack.pop()?);
                stack.push(BTreeSet::new());
            }
            Op::Not | Op::IsNull => {
                compared.extend(stack.pop()?);
                stack.push(BTreeSet::new());
            }
            Op::Case => {
                let (otherwise, mut then) = (stack.pop()?, stack.pop()?);
                compared.extend(stack.pop()?);
                then.extend(otherwise);
                stack.push(then);
            }
        }
    }
    let value = stack.pop()?;
    stack.is_empty().then_some(Flow { value, compared })
}
