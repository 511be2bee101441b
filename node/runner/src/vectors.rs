//! One node's part in a program over vectors: its rows as the program's inputs, the run on shares, and the answer at the receiver.

use base_types::{
    OrgId,
    column::Table,
    fault::{Code, Fault},
};
use mpc_core::{Abort, Context};
use mpc_vector::{Column, Kind, Placement, Program, Refused, Returned, Scheme, Source, Told, run};
use notary_terms::{Output, Plan, ReadRole, Tier, ValueOf, VectorColumn, VectorInput, Vectors};
use zeroize::Zeroizing;

use crate::{
    Answer, AnswerCell,
    apart::apart,
    local::Rows,
    program::{place, words},
    run::abort_fault,
};

const STEP: &str = "compute vectors";

fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, STEP, format!("the plan is malformed: {what}"))
}

/// Runs the part on a thread of its own, since it computes for seconds; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    vectors: Vectors,
    context: Context,
    tables: Vec<(usize, Table)>,
    me: &OrgId,
) -> Result<Option<Answer>, Fault> {
    let (plan, me) = (plan.clone(), me.clone());
    apart(STEP, move || async move { part(&plan, &vectors, context, &tables, &me).await }).await
}

async fn part(
    plan: &Plan,
    vectors: &Vectors,
    mut context: Context,
    tables: &[(usize, Table)],
    me: &OrgId,
) -> Result<Option<Answer>, Fault> {
    let program = checked(vectors, scheme(plan)?)?;
    let owners = plan.reads.iter().map(|read| place(plan, &read.owner)).collect::<Result<Vec<usize>, Fault>>()?;
    let placement = Placement { owners, receiver: place(plan, &plan.request.receiver)? };
    let mine = tables.iter().map(|(place, table)| input(plan, vectors, &program, *place, table));
    let mine = mine.collect::<Result<Vec<_>, Fault>>()?;
    let told = run(&mut context, &program, &placement, &mine).await;
    let told = told.map_err(|abort: Abort| abort_fault(plan, me, &abort))?;
    told.map(|told| answered(plan, &program, &told)).transpose()
}

/// The shares of the plan's tier.
fn scheme(plan: &Plan) -> Result<Scheme, Fault> {
    match (plan.tier, plan.nodes.len()) {
        (Tier::B, 3) => Ok(Scheme::Three),
        (Tier::BPlus, 3) => Ok(Scheme::Checked),
        (Tier::A, 2) => Ok(Scheme::Two),
        _ => Err(malformed("a tier without shares among its nodes")),
    }
}

/// The program; its steps must be those that everybody approved.
fn checked(vectors: &Vectors, scheme: Scheme) -> Result<Program, Fault> {
    let column = |column: &VectorColumn| {
        let VectorColumn { digits, low, high } = *column;
        Column { digits, low, high }
    };
    let columns = |input: &VectorInput| input.columns.iter().map(column).collect();
    let inputs: Vec<Vec<Column>> = vectors.inputs.iter().map(columns).collect();
    let program = Source::parse(&vectors.source).and_then(|source| source.check(scheme, &inputs));
    let program = program.map_err(|problem| malformed(&problem.to_string()))?;
    if program.digest() == vectors.digest.0 {
        return Ok(program);
    }
    Err(Fault::new(Code::ProposalChanged, STEP, "this node checks the program to other steps than were approved"))
}

/// The rows that the filter keeps as the integers of an input.
fn input(
    plan: &Plan,
    vectors: &Vectors,
    program: &Program,
    at: usize,
    table: &Table,
) -> Result<(usize, Zeroizing<Vec<i64>>), Fault> {
    let (Some(read), Some(VectorInput { columns })) = (plan.reads.get(at), vectors.inputs.get(at)) else {
        return Err(malformed("no such read"));
    };
    let ReadRole::Input { argument, absent, .. } = &read.role else {
        return Err(malformed("a read that is no input"));
    };
    let rows = Rows { read, table };
    let fill = columns.iter().map(|column| match absent {
        None => Ok(None),
        Some(absent) => scaled(*absent, column.digits).map(Some).ok_or_else(|| malformed("a number that does not fit")),
    });
    let words = words(&rows, &fill.collect::<Result<Vec<Option<i64>>, Fault>>()?)?;
    let raw = program.encode(at, &words).map_err(|refused| match refused {
        Refused::Count => malformed("rows that are not the input's"),
        Refused::Outside { row } => {
            rows.fault(Code::RangeOverflow, format!("row {row} of {argument}: a value outside its declared range"))
        }
    })?;
    Ok((at, raw))
}

/// A whole number with so many digits behind the point.
fn scaled(number: i64, digits: u8) -> Option<i64> {
    10i64.checked_pow(digits.into())?.checked_mul(number)
}

/// The rows of the answer, each with its number where there are several.
fn answered(plan: &Plan, program: &Program, told: &[Told]) -> Result<Answer, Fault> {
    let rows = program.results().first().map_or(0, |first| first.form.rows);
    let columns: Vec<(&Returned, &Told, usize)> = program
        .results()
        .iter()
        .zip(told)
        .flat_map(|(returned, told)| (0..returned.form.columns).map(move |at| (returned, told, at)))
        .collect();
    let cell = |row: usize, output: &Output| match output.value {
        ValueOf::Result { field: None } => {
            i64::try_from(row + 1).map(AnswerCell::Number).map_err(|_| malformed("too many rows"))
        }
        ValueOf::Result { field: Some(field) } => {
            let found = columns.get(usize::from(field));
            let (returned, told, at) = found.ok_or_else(|| malformed("an output that the program has not"))?;
            let raw = told.get(row * returned.form.columns + at).ok_or_else(|| malformed("a result of other rows"))?;
            shown(program, returned, *raw)
        }
        _ => Err(malformed("an output that no program over vectors has")),
    };
    let row = |row: usize| plan.outputs.iter().map(|output| cell(row, output)).collect::<Result<Vec<_>, Fault>>();
    let rows = (0..rows).map(row).collect::<Result<Vec<_>, Fault>>()?;
    Ok(Answer::from_rows(plan, rows))
}

/// An element as a cell; what is outside its range no party that follows the protocol can bring about.
fn shown(program: &Program, returned: &Returned, raw: i128) -> Result<AnswerCell, Fault> {
    let (form, outside) = (returned.form, "a result is outside its range: a party altered its shares");
    let outside = || Fault::new(Code::PeerMisbehaved, STEP, outside);
    if !(form.low..=form.high).contains(&raw) {
        return Err(outside());
    }
    let shown = program.shown(form.kind, raw);
    match form.kind {
        Kind::Wide => Ok(AnswerCell::Text(shown.to_string())),
        Kind::Number | Kind::Truth => i64::try_from(shown).map(AnswerCell::Number).map_err(|_| outside()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_become_cells_and_none_is_shown_outside_its_range() {
        let source = Source::parse("scale 4; input x[2, 2] from -3 to 3; input s wide from 0 to 9;").map_err(drop);
        assert!(source.is_ok_and(|source| source.check_alone(Scheme::Three).is_err()), "nothing is returned");
        let text = "scale 4; input x from -3 to 3; input s wide from 0 to 9; return x, x > 1, s * s;";
        let program = Source::parse(text).and_then(|source| source.check_alone(Scheme::Three)).expect("a program");
        let [number, truth, wide] = program.results() else { panic!("three results") };
        // Two digits for four bits: 1.5 is 1.50.
        assert_eq!(shown(&program, number, 24), Ok(AnswerCell::Number(150)));
        assert_eq!(shown(&program, truth, 1), Ok(AnswerCell::Number(1)));
        assert_eq!(shown(&program, wide, 81), Ok(AnswerCell::Text("81".into())));
        for (returned, raw) in [(number, 49), (truth, 2), (wide, -1)] {
            assert_eq!(shown(&program, returned, raw).map_err(|fault| fault.code), Err(Code::PeerMisbehaved));
        }
        assert_eq!((scaled(5, 2), scaled(-1, 0), scaled(10, 18)), (Some(500), Some(-1), None));
    }
}
