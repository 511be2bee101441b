//! Users' own programs: compiled, bounded, and each argument read from one data set of one owner.

use std::collections::BTreeSet;

use base_types::{
    Digest, OrgId,
    column::ColumnType,
    fault::{Code, Fault},
};
use mpc_program::{Bounds, Kind, Program as Compiled, ProgramError};
use notary_terms::{Catalogue, Circuit, CircuitSize, Output, Plan, Program, Read, Request, Tier, ValueOf};
use serde::{Deserialize, Serialize};
use sqlparser::tokenizer::Location;

use crate::{
    VERSION,
    argument::{self, Due},
    compute::{Compute, Input},
    garbled,
    items::{self, MAX_ITEMS},
    refuse::{inside, placed, unsupported},
    tier, vectors,
};

/// Fewest and most parties of a program.
const FEWEST: usize = 2;
const MOST: usize = mpc_authgarble::MOST_PARTIES;
/// Most steps of a program's compilation, and gates before those that cost nothing are left out.
const MAX_WORK: u64 = 1 << 23;
const MAX_GATES: u32 = 1 << 22;
/// Most AND gates of a program, and bytes of memory that a party may take for it.
const MAX_ANDS: u64 = 1 << 20;
const MAX_MEMORY: u64 = 2 << 30;
/// Bytes of a gibibyte.
const GIB: u64 = 1 << 30;

/// One argument of a program, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentTold {
    /// Its name, as WITH takes it.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Whether a SELECT can give it.
    pub selectable: bool,
}

/// A program as its author sees it before anybody is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramTold {
    /// The arguments of `main` or of the circuit, in order.
    pub arguments: Vec<ArgumentTold>,
    /// The type of what it returns.
    pub result: String,
    /// Digest of its circuit.
    pub digest: Digest,
    /// What a run among so many parties takes.
    pub size: CircuitSize,
    /// Products of secret numbers, of a program over vectors, which has no AND gates.
    pub products: Option<u64>,
}

/// Compiles a program without a plan: its arguments, and what a run among `parties` parties takes.
///
/// # Errors
/// [`Code::QuerySyntax`] with the place in the source, [`Code::QueryUnsupported`] where it is too large, [`Code::BadRequest`] for
/// fewer than 2 or more than 8 parties. Of a program over vectors, which begins with its scale, a run in tier B is told whoever takes part:
/// see [`crate::check_vectors`].
pub fn check_program(source: &str, parties: usize) -> Result<ProgramTold, Fault> {
    if !(FEWEST..=MOST).contains(&parties) {
        let what = format!("{parties} parties; a program runs among {FEWEST} to {MOST}");
        return Err(Fault::new(Code::BadRequest, "plan", what));
    }
    let start = Location { line: 1, column: 1 };
    if vectors::is_vectors(source) {
        return vectors::check_vectors(source, Tier::B);
    }
    let program = compiled(source, start)?;
    let told = program.arguments().iter().zip(program.kinds()).map(|(argument, kind)| ArgumentTold {
        name: argument.name.clone(),
        ty: argument.ty.clone(),
        selectable: kind.rows().is_some(),
    });
    Ok(ProgramTold {
        arguments: told.collect(),
        result: program.result().to_string(),
        digest: Digest(program.circuit().digest()),
        size: size(&program, parties, start)?,
        products: None,
    })
}

/// The plan of a program.
pub(crate) fn plan(request: &Request, catalogue: &Catalogue, asked: Compute) -> Result<Plan, Fault> {
    let program = compiled(&asked.source, asked.at)?;
    let mut reads: Vec<Read> = Vec::new();
    let names: Vec<&str> = program.arguments().iter().map(|argument| argument.name.as_str()).collect();
    for ((input, name), kind) in asked.in_order(&names)?.into_iter().zip(&names).zip(program.kinds()) {
        let (read, _) = argument::read(catalogue, input, &due(input, name, kind)?)?;
        argument::once(&reads, &read, input, "for an argument that is a struct or a tuple")?;
        reads.push(read);
    }
    let owners = reads.iter().map(|read| read.owner.clone());
    let nodes: Vec<OrgId> = owners.chain([request.receiver.clone()]).collect::<BTreeSet<_>>().into_iter().collect();
    if !(FEWEST..=MOST).contains(&nodes.len()) {
        let what = format!("a program among {} parties", nodes.len());
        return Err(unsupported(
            asked.at,
            what,
            format!("let {FEWEST} to {MOST} owners take part, its receiver counted"),
        ));
    }
    let tier = tier::of_program(request, nodes.len(), asked.at)?;
    let size = match tier {
        Tier::A => bounded(garbled::size(&program, &reads, &request.receiver)?, asked.at)?,
        _ => size(&program, nodes.len(), asked.at)?,
    };
    let circuit = Circuit {
        digest: Digest(program.circuit().digest()),
        result: program.result().to_string(),
        size,
        source: asked.source,
    };
    Ok(Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier,
        nodes,
        reads,
        program: Program::Circuit(circuit),
        outputs: outputs(program.result())?,
        order: Vec::new(),
        limit: None,
    })
}

/// Compiles a source that begins at `at`.
fn compiled(source: &str, at: Location) -> Result<Compiled, Fault> {
    let mut bounds = Bounds { work: MAX_WORK, ..Bounds::default() };
    bounds.circuit.gates = MAX_GATES;
    Compiled::compile(source, bounds).map_err(|error| faulty(&error, at))
}

/// The fault of a source, at the place of its first problem in the whole text.
fn faulty(error: &ProgramError, at: Location) -> Fault {
    let ProgramError::Source(problems) = error else {
        return unsupported(
            at,
            format!("this program: {error}"),
            "write a shorter one: fewer turns of loops, smaller types",
        );
    };
    let place = problems.first().map_or((0, 0), |problem| (problem.line as u64, problem.column as u64));
    let place = inside(at, place);
    let what: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
    placed(Code::QuerySyntax, place, what.join("; "))
}

/// What a run of authenticated garbling takes, unless it is too much.
fn size(program: &Compiled, parties: usize, at: Location) -> Result<CircuitSize, Fault> {
    let told = mpc_authgarble::limits(program.circuit(), parties);
    let size = CircuitSize { and_gates: told.and_gates, bytes: told.bytes, rounds: told.rounds, memory: told.memory };
    bounded(size, at)
}

/// A size, unless it is too much.
fn bounded(size: CircuitSize, at: Location) -> Result<CircuitSize, Fault> {
    if size.and_gates > MAX_ANDS {
        let what = format!("a program of {} AND gates", size.and_gates);
        return Err(unsupported(at, what, format!("keep it to {MAX_ANDS}: multiply, divide and index less")));
    }
    if size.memory > MAX_MEMORY {
        let what = format!("a program that takes {} bytes of memory at each party", size.memory);
        return Err(unsupported(
            at,
            what,
            format!("keep it under {} GiB: fewer gates, or fewer parties", MAX_MEMORY / GIB),
        ));
    }
    Ok(size)
}

/// What an argument takes, if a table can give it.
fn due<'a>(input: &Input, argument: &'a str, kind: &'a Kind) -> Result<Due<'a>, Fault> {
    let ty = kind.to_string();
    match kind.rows() {
        Some(rows) => Ok(Due { argument, ty, rows: rows.count, fields: rows.fields }),
        None => {
            let instead = "let main take numbers and truth values, tuples or structs of them, or arrays of these";
            Err(unsupported(input.at, format!("the argument {argument} of type {ty}, which no table gives"), instead))
        }
    }
}

/// The answer's columns: the fields of a struct, or the whole; and why the program stopped, if it did.
fn outputs(result: &Kind) -> Result<Vec<Output>, Fault> {
    let mut outputs: Vec<Output> = match result {
        Kind::Struct(fields) if (1..=MAX_ITEMS).contains(&fields.len()) => {
            let output = |(place, (name, kind)): (u8, &(String, Kind))| Output {
                name: name.clone(),
                ty: shown(kind),
                value: ValueOf::Result { field: Some(place) },
            };
            (0..).zip(fields).map(output).collect()
        }
        whole => vec![Output { name: "result".to_owned(), ty: shown(whole), value: ValueOf::Result { field: None } }],
    };
    let taken = |name: &str| outputs.iter().any(|output| output.name.eq_ignore_ascii_case(name));
    let name = items::own_name(None, || Ok("stopped".to_owned()), taken)?;
    outputs.push(Output { name, ty: ColumnType::Text, value: ValueOf::Stopped });
    Ok(outputs)
}

/// How a value is shown: numbers that 64 bits with a sign hold and truth values as such, all else as its JSON text.
fn shown(kind: &Kind) -> ColumnType {
    match kind {
        Kind::Bool => ColumnType::Bool,
        Kind::Unsigned(..64) | Kind::Signed(_) => ColumnType::Int,
        _ => ColumnType::Text,
    }
}
