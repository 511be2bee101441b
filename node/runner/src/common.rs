//! One node's part in an intersection of several owners: its keys as elements, and the receiver's rows that all others match.

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use mpc_core::Context;
use mpc_psi::{
    element::Elements,
    multi::{self, Outputs, Parameters},
};
use notary_terms::{Common, Plan, ReadRole, ValueOf};

use crate::{
    Answer, AnswerCell,
    apart::apart,
    cells,
    intersect::{Side, mode},
    keys::elements,
    local::Rows,
    run::abort_fault,
};

const STEP: &str = "match keys";

fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, STEP, format!("the plan is malformed: {what}"))
}

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    program: Common,
    context: Context,
    side: Side,
) -> Result<Option<Answer>, Fault> {
    let plan = plan.clone();
    apart(STEP, move || async move { run(&plan, program, context, &side).await }).await
}

async fn run(plan: &Plan, program: Common, mut context: Context, side: &Side) -> Result<Option<Answer>, Fault> {
    let read = plan.reads.get(side.place).ok_or_else(|| malformed("no such read"))?;
    let ReadRole::Set { keys } = &read.role else { return Err(malformed("a read that is no set")) };
    let rows = Rows { read, table: &side.table };
    let kept = rows.kept()?;
    let elements = elements(&rows, keys, &kept, &context.session())?;
    check(&rows, &elements, side.place)?;
    let found = multi::run(&mut context, &parameters(plan, program)?, elements.blocks()).await;
    let found = found.map_err(|abort| abort_fault(plan, &read.owner, &abort))?;
    found.map(|found| matched(plan, &rows, &kept, &elements, &found)).transpose()
}

/// A match tells no number of rows, so each key of the others may have one only; which has more is not told.
fn check(rows: &Rows<'_>, elements: &Elements, place: usize) -> Result<(), Fault> {
    let keys = elements.blocks().len();
    if keys > rows.read.rows_bound as usize {
        return Err(rows.fault(Code::SourceChanged, "more keys than the bound on rows"));
    }
    if place > 0 && (0..keys).any(|element| elements.rows_of(element).len() > 1) {
        return Err(rows.fault(Code::KeyNotUnique, "several of the rows that the filter keeps have one key"));
    }
    Ok(())
}

/// What all nodes know of the run: the bounds in the order of the nodes, who receives, and what is spared.
fn parameters(plan: &Plan, program: Common) -> Result<Parameters, Fault> {
    let bound = |node: &OrgId| plan.reads.iter().find(|read| read.owner == *node).map(|read| read.rows_bound as usize);
    let sizes = plan.nodes.iter().map(bound).collect::<Option<Vec<_>>>();
    let sizes = sizes.ok_or_else(|| malformed("a node that owns nothing"))?;
    let receiver = plan.nodes.iter().position(|node| *node == plan.request.receiver);
    let receiver = receiver.ok_or_else(|| malformed("a receiver whose node does not compute"))?;
    let made = Parameters::new(sizes, Outputs::One(receiver), mode(program.spares));
    made.ok_or_else(|| malformed("other than three to eight owners, or too many rows"))
}

/// The receiver's rows whose keys were found.
fn matched(
    plan: &Plan,
    rows: &Rows<'_>,
    kept: &[usize],
    elements: &Elements,
    found: &[usize],
) -> Result<Answer, Fault> {
    let mut answer = Vec::new();
    for row in found.iter().flat_map(|element| elements.rows_of(*element)) {
        let row = *kept.get(*row as usize).ok_or_else(|| malformed("a row is gone"))?;
        let mine = rows.read.values.iter().map(|formula| rows.evaluate(formula, row).map(cells::cell));
        let mine = mine.collect::<Result<Vec<_>, _>>()?;
        let cell = |value: ValueOf| match value {
            ValueOf::Cell { read: 0, value } => mine.get(usize::from(value)).cloned(),
            ValueOf::Cell { .. }
            | ValueOf::Group { .. }
            | ValueOf::Aggregate { .. }
            | ValueOf::Result { .. }
            | ValueOf::Stopped => None,
        };
        let line: Option<Vec<AnswerCell>> = plan.outputs.iter().map(|output| cell(output.value)).collect();
        answer.push(line.ok_or_else(|| malformed("an output of nothing"))?);
    }
    Ok(Answer::from_rows(plan, answer))
}
