//! One node's part in a user's program: its rows as bits of the arguments, the circuit's run, and the answer at the receiver.

use base_types::{
    OrgId,
    column::{ColumnType, Table},
    fault::{Code, Fault},
};
use mpc_authgarble::{Session, Shape};
use mpc_core::{Abort, Context};
use mpc_ot::softspoken::Parameters;
use mpc_program::{Bounds, Kind, PANIC, Program, ProgramError, RESULT};
use notary_terms::{Circuit, Output, Plan, ReadRole, Tier, ValueOf, formula};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{Answer, AnswerCell, apart::apart, half_gates, local::Rows, run::abort_fault};

const STEP: &str = "compute program";

pub(crate) fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, STEP, format!("the plan is malformed: {what}"))
}

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    circuit: Circuit,
    context: Context,
    tables: Vec<(usize, Table)>,
    me: &OrgId,
) -> Result<Option<Answer>, Fault> {
    let (plan, me) = (plan.clone(), me.clone());
    apart(STEP, move || async move { run(&plan, &circuit, context, &tables, &me).await }).await
}

async fn run(
    plan: &Plan,
    circuit: &Circuit,
    mut context: Context,
    tables: &[(usize, Table)],
    me: &OrgId,
) -> Result<Option<Answer>, Fault> {
    let program = compiled(circuit)?;
    let inputs = inputs(plan, &program, tables)?;
    let fault = |abort: Abort| abort_fault(plan, me, &abort);
    let outputs = if plan.tier == Tier::A {
        let (shape, evaluator) = (half_gates::shape(plan, &program)?, half_gates::evaluator(plan)?);
        mpc_garble::semi_honest::run(&mut context, &shape, evaluator, &inputs).await.map_err(fault)?
    } else {
        let shape = shape(plan, &program)?;
        let mut session = Session::setup(&mut context, Parameters::default()).await.map_err(fault)?;
        session.run(&shape, &inputs).await.map_err(fault)?
    };
    let [panic, result] = [PANIC, RESULT].map(|place| outputs.get(place).and_then(Option::as_ref));
    match (panic, result) {
        (Some(panic), Some(result)) => answered(plan, &program, panic, result).map(Some),
        _ => Ok(None),
    }
}

/// The program; its circuit must be the one that everybody approved.
fn compiled(circuit: &Circuit) -> Result<Program, Fault> {
    let program =
        Program::compile(&circuit.source, Bounds::default()).map_err(|error| malformed(&error.to_string()))?;
    if program.circuit().digest() == circuit.digest.0 {
        return Ok(program);
    }
    Err(Fault::new(Code::ProposalChanged, STEP, "this node compiles the program to another circuit than was approved"))
}

/// A party's place among the nodes.
pub(crate) fn place(plan: &Plan, org: &OrgId) -> Result<usize, Fault> {
    let place = plan.nodes.iter().position(|node| node == org);
    place.ok_or_else(|| malformed("a party whose node does not compute"))
}

/// Whose the arguments are, and that the receiver alone learns why the program stopped and what it returned.
fn shape(plan: &Plan, program: &Program) -> Result<Shape, Fault> {
    let owners = plan.reads.iter().map(|read| place(plan, &read.owner)).collect::<Result<Vec<usize>, Fault>>()?;
    let receiver = place(plan, &plan.request.receiver)?;
    let receivers = [PANIC, RESULT].map(|_| vec![receiver]);
    let shape = Shape::new(program.circuit(), plan.nodes.len(), owners, &receivers);
    shape.map_err(|error| malformed(&error.to_string()))
}

/// The bits of this node's arguments, one after the other.
fn inputs(plan: &Plan, program: &Program, tables: &[(usize, Table)]) -> Result<Zeroizing<Vec<bool>>, Fault> {
    let width =
        |(place, _): &(usize, Table)| program.arguments().get(*place).map_or(0, |argument| argument.bits as usize);
    // A vector that never grows leaves no copy behind.
    let mut all: Zeroizing<Vec<bool>> = Zeroizing::new(Vec::with_capacity(tables.iter().map(width).sum()));
    for (place, table) in tables {
        let read = plan.reads.get(*place).ok_or_else(|| malformed("no such read"))?;
        let kind = program.kinds().get(*place).ok_or_else(|| malformed("no such argument"))?;
        let json = argument(&Rows { read, table }, kind)?;
        let bits = program.encode(*place, &json);
        let bits = bits.map_err(|error| Rows { read, table }.fault(Code::RangeOverflow, error.to_string()))?;
        all.extend_from_slice(&bits);
    }
    Ok(all)
}

/// The rows that the filter keeps as the argument's value.
fn argument(rows: &Rows<'_>, kind: &Kind) -> Result<Zeroizing<String>, Fault> {
    let ReadRole::Input { absent, .. } = &rows.read.role else {
        return Err(malformed("a read that is no argument"));
    };
    let form = kind.rows().ok_or_else(|| malformed("an argument that no table gives"))?;
    let words = words(rows, &vec![*absent; rows.read.values.len()])?;
    form.json(&words).ok_or_else(|| malformed("values that are no rows of their argument"))
}

/// The words of the rows that the filter keeps, row by row; `fill` says of each value what stands for NULL and in rows that are
/// missing.
pub(crate) fn words(rows: &Rows<'_>, fill: &[Option<i64>]) -> Result<Zeroizing<Vec<i64>>, Fault> {
    let ReadRole::Input { argument, rows: count, .. } = &rows.read.role else {
        return Err(malformed("a read that is no argument"));
    };
    let kept = rows.kept()?;
    let filling: Option<Vec<i64>> = fill.iter().copied().collect();
    // How many there are instead is its owner's own.
    let other = |why: &str| {
        let why = format!("the filter keeps {why} than the {count} rows of argument {argument}");
        Err(rows.fault(Code::QueryUnsupported, why))
    };
    let missing = match ((*count as usize).checked_sub(kept.len()), &filling) {
        (None, _) => return other("more"),
        (Some(1..), None) => return other("fewer"),
        (Some(missing), _) => missing,
    };
    let mut words: Zeroizing<Vec<i64>> = Zeroizing::new(Vec::with_capacity(*count as usize * fill.len()));
    for row in kept {
        for (value, fill) in rows.read.values.iter().zip(fill) {
            words.push(word(rows, value, row)?.or(*fill).ok_or_else(|| {
                let why = format!("row {}: NULL for argument {argument}, which has no ELSE", row + 1);
                rows.fault(Code::QueryUnsupported, why)
            })?);
        }
    }
    for _ in 0..missing {
        words.extend_from_slice(filling.as_deref().unwrap_or_default());
    }
    Ok(words)
}

/// A value of a row; `None` for NULL.
fn word(rows: &Rows<'_>, value: &formula::Formula, row: usize) -> Result<Option<i64>, Fault> {
    match rows.evaluate(value, row)? {
        formula::Value::Null => Ok(None),
        formula::Value::Number(word) => Ok(Some(word)),
        formula::Value::Bool(truth) => Ok(Some(i64::from(truth))),
        formula::Value::Text(_) => Err(malformed("a text for an argument")),
    }
}

/// The one row of the answer.
fn answered(plan: &Plan, program: &Program, panic: &[bool], result: &[bool]) -> Result<Answer, Fault> {
    let (returned, stopped) = match program.decode(panic, result) {
        Ok(json) => (serde_json::from_str::<Value>(&json).map_err(|_| malformed("a result that is no JSON"))?, None),
        Err(stopped @ ProgramError::Panicked { .. }) => (Value::Null, Some(stopped.to_string())),
        Err(error) => return Err(Fault::new(Code::Internal, STEP, error.to_string())),
    };
    let cell = |output: &Output| match output.value {
        ValueOf::Stopped => Some(stopped.clone().map_or(AnswerCell::Null, AnswerCell::Text)),
        ValueOf::Result { .. } if stopped.is_some() => Some(AnswerCell::Null),
        ValueOf::Result { field: None } => shown(&returned, output.ty),
        ValueOf::Result { field: Some(field) } => {
            let Kind::Struct(fields) = program.result() else { return None };
            shown(returned.get(&fields.get(usize::from(field))?.0)?, output.ty)
        }
        ValueOf::Group { .. } | ValueOf::Aggregate { .. } | ValueOf::Cell { .. } => None,
    };
    let row = plan.outputs.iter().map(cell).collect::<Option<Vec<AnswerCell>>>();
    Ok(Answer::from_rows(plan, vec![row.ok_or_else(|| malformed("an output that the program has not"))?]))
}

/// A value in a column of that type; texts are JSON, but names stand without quotes.
fn shown(value: &Value, ty: ColumnType) -> Option<AnswerCell> {
    match (ty, value) {
        (ColumnType::Bool, value) => Some(AnswerCell::Number(i64::from(value.as_bool()?))),
        (ColumnType::Int, value) => Some(AnswerCell::Number(value.as_i64()?)),
        (ColumnType::Text, Value::String(text)) => Some(AnswerCell::Text(text.clone())),
        (ColumnType::Text, value) => Some(AnswerCell::Text(value.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base_types::column::Column;
    use notary_terms::{
        Read,
        formula::{Formula, Op},
    };

    use super::*;

    fn read(rows: u32, absent: Option<i64>) -> Read {
        Read {
            owner: "health".parse().unwrap(),
            dataset: "health/visits".parse().unwrap(),
            alias: "v".into(),
            columns: vec!["sbp".into(), "old".into()],
            types: vec![ColumnType::Int, ColumnType::Bool],
            key: None,
            filter: Some(Formula {
                ops: vec![Op::Column(0), Op::IsNull, Op::Column(0), Op::Number(100), Op::Gt, Op::Or],
            }),
            values: [0, 1].map(|column| Formula { ops: vec![Op::Column(column)] }).to_vec(),
            rows_bound: 64,
            role: ReadRole::Input { argument: "a".into(), ty: "[(u8, bool); 3]".into(), rows, absent },
        }
    }

    fn table() -> Table {
        let column = |name: &str, ty, values: [i64; 4], valid: [bool; 4]| Column {
            name: name.into(),
            ty,
            values: values.to_vec(),
            valid: valid.to_vec(),
            dictionary: vec![],
        };
        let sbp = column("sbp", ColumnType::Int, [120, 90, 0, 140], [true, true, false, true]);
        Table { columns: vec![sbp, column("old", ColumnType::Bool, [0, 1, 1, 1], [true; 4])], rows: 4 }
    }

    fn kind(rows: u64) -> Kind {
        Kind::Array(Box::new(Kind::Tuple(vec![Kind::Unsigned(8), Kind::Bool])), rows)
    }

    #[test]
    fn rows_become_the_argument_and_absent_ones_what_the_plan_says() {
        let (table, five) = (table(), read(5, Some(0)));
        let json = argument(&Rows { read: &five, table: &table }, &kind(5)).unwrap();
        assert_eq!(json.as_str(), "[[120,false],[0,true],[140,true],[0,false],[0,false]]");
        for (rows, absent, why) in [(2, Some(0), "more"), (4, None, "fewer"), (3, None, "row 3: NULL")] {
            let read = read(rows, absent);
            let fault = argument(&Rows { read: &read, table: &table }, &kind(rows.into())).unwrap_err();
            assert_eq!((fault.code, fault.party.as_ref()), (Code::QueryUnsupported, Some(&read.owner)));
            assert!(fault.detail.contains(why) && !fault.detail.contains("120"), "{fault}");
        }
    }

    #[test]
    fn results_are_shown_by_their_column_s_type() {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let text = |text: &str| Some(AnswerCell::Text(text.into()));
        assert_eq!(shown(&json("true"), ColumnType::Bool), Some(AnswerCell::Number(1)));
        assert_eq!(shown(&json("-7"), ColumnType::Int), Some(AnswerCell::Number(-7)));
        assert_eq!(shown(&json("18446744073709551615"), ColumnType::Text), text("18446744073709551615"));
        assert_eq!(shown(&json("\"IsB\""), ColumnType::Text), text("IsB"));
        assert_eq!(shown(&json("[1,[true]]"), ColumnType::Text), text("[1,[true]]"));
        assert_eq!(shown(&json("[1]"), ColumnType::Int), None);
    }
}
