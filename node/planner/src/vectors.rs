//! Programs over vectors: checked against the catalogue's ranges for the tier's shares, each input read from one data set of one of the nodes.

pub(crate) mod told;

use base_types::{
    Digest, OrgId,
    column::ColumnType,
    fault::{Code, Fault},
};
use mpc_program::Field;
use mpc_vector::{Column, Declared, Kind, Problem, Program as Checked, Scheme, Source, Why};
use notary_terms::{
    Catalogue, CircuitSize, Output, Plan, Program, Read, Request, Tier, ValueOf, VectorColumn, VectorInput, VectorSize,
    Vectors,
};
use sqlparser::tokenizer::Location;

use crate::{
    VERSION,
    argument::{self, Due},
    assemble,
    circuit::{ArgumentTold, ProgramTold},
    compute::{Compute, Input},
    items::{self, MAX_ITEMS},
    refuse::{inside, overflow, placed, unsupported},
    tier,
    typed::Typed,
};

/// Bytes of memory that a party may take for a program.
const MOST_MEMORY: u64 = 2 << 30;

/// What a program runs on in a tier.
fn scheme(tier: Tier) -> Scheme {
    match tier {
        Tier::A => Scheme::Two,
        Tier::BPlus => Scheme::Checked,
        Tier::B | Tier::C | Tier::D => Scheme::Three,
    }
}

/// Whether a source is one over vectors: those begin with their scale, behind any comments.
pub fn is_vectors(source: &str) -> bool {
    let mut lines = source.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with("//"));
    let rest = first.and_then(|line| line.strip_prefix("scale"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// A program over vectors as its author sees it, where it declares the range of every input; and what a run in a tier takes, which is
/// A, B or B+.
///
/// # Errors
/// [`Code::BadRequest`] for another tier, else the problem of the source with its place.
pub fn check_vectors(source: &str, tier: Tier) -> Result<ProgramTold, Fault> {
    if !matches!(tier, Tier::A | Tier::B | Tier::BPlus) {
        let why = format!("no program over vectors runs in tier {}: name a, b or b+", tier.word());
        return Err(Fault::new(Code::BadRequest, "plan", why));
    }
    let start = Location { line: 1, column: 1 };
    let refused = |problem: Problem| faulty(&problem, start);
    let source = Source::parse(source).map_err(refused)?;
    let program = source.check_alone(scheme(tier)).map_err(refused)?;
    let told = |input: &Declared| ArgumentTold {
        name: input.name.clone(),
        ty: input.ty(),
        selectable: input.columns <= MAX_ITEMS,
    };
    let size = size(&program);
    Ok(ProgramTold {
        arguments: program.inputs().iter().map(told).collect(),
        result: result(&program),
        digest: Digest(program.digest()),
        size: CircuitSize { and_gates: 0, bytes: size.bytes, rounds: size.rounds, memory: size.memory },
        products: Some(size.products),
    })
}

/// The plan of a program over vectors.
pub(crate) fn plan(request: &Request, catalogue: &Catalogue, nodes: &[OrgId], asked: Compute) -> Result<Plan, Fault> {
    let nodes = assemble::check_nodes(request, nodes)?;
    let tier = tier::of_vectors(request, nodes.len())?;
    let refused = |problem: Problem| faulty(&problem, asked.at);
    let source = Source::parse(&asked.source).map_err(refused)?;
    let names: Vec<&str> = source.inputs().iter().map(|input| input.name.as_str()).collect();
    let (mut reads, mut inputs): (Vec<Read>, Vec<Vec<Column>>) = (Vec::new(), Vec::new());
    for (input, declared) in asked.in_order(&names)?.into_iter().zip(source.inputs()) {
        let (read, values) = argument::read(catalogue, input, &due(input, declared)?)?;
        argument::once(&reads, &read, input, "and apart by column(x, 1)")?;
        if !nodes.contains(&read.owner) {
            let what = format!("{} belongs to {}, which is none of this job's nodes", read.dataset, read.owner);
            let instead = match tier {
                Tier::A => "name the nodes of all owners, of whom there are two in tier A".to_owned(),
                _ => format!("choose three nodes with {} among them", read.owner),
            };
            return Err(unsupported(input.at, what, instead));
        }
        let columns = values.iter().map(|value| column(input, declared, value)).collect::<Result<_, Fault>>()?;
        inputs.push(columns);
        reads.push(read);
    }
    both_give(tier, &nodes, &reads, asked.at)?;
    let program = source.check(scheme(tier), &inputs).map_err(refused)?;
    let vectors = Vectors {
        digest: Digest(program.digest()),
        inputs: inputs.iter().map(|columns| VectorInput { columns: columns.iter().map(term).collect() }).collect(),
        result: result(&program),
        size: bounded(size(&program), tier, asked.at)?,
        source: asked.source,
    };
    Ok(Plan {
        planner: VERSION,
        catalogue_height: catalogue.height,
        request: request.clone(),
        tier,
        nodes,
        reads,
        program: Program::Vectors(vectors),
        outputs: outputs(&program)?,
        order: Vec::new(),
        limit: None,
    })
}

/// Between two nodes each is an owner's: who gives nothing is no party that a weaker tier is asked for.
fn both_give(tier: Tier, nodes: &[OrgId], reads: &[Read], at: Location) -> Result<(), Fault> {
    let idle = nodes.iter().find(|node| reads.iter().all(|read| read.owner != **node));
    match idle.filter(|_| tier == Tier::A) {
        None => Ok(()),
        Some(idle) => {
            let what = format!("a program between two nodes, of which {idle} gives no input");
            Err(unsupported(at, what, "let each of the two give one, or name three nodes"))
        }
    }
}

/// A size, unless it is too much for a node.
fn bounded(size: VectorSize, tier: Tier, at: Location) -> Result<VectorSize, Fault> {
    if size.memory <= MOST_MEMORY {
        return Ok(size);
    }
    let what = format!("a program that takes {} bytes of memory at each party in tier {}", size.memory, tier.word());
    let instead = if tier == Tier::B { "take fewer rows" } else { "take fewer rows, or ask for tier B" };
    Err(unsupported(at, what, format!("keep it under {} GiB: {instead}", MOST_MEMORY >> 30)))
}

/// The fault of a program that begins at `at`.
fn faulty(problem: &Problem, at: Location) -> Fault {
    let code = match problem.why {
        Why::Syntax => Code::QuerySyntax,
        Why::Unknown => Code::QueryUnknownName,
        Why::Overflow => Code::QueryOverflow,
        Why::Unsupported => Code::QueryUnsupported,
    };
    placed(code, inside(at, (problem.at.line, problem.at.column)), &problem.what)
}

/// What an input takes.
fn due<'a>(input: &Input, declared: &'a Declared) -> Result<Due<'a>, Fault> {
    if declared.columns > MAX_ITEMS {
        let what = format!("{} columns for {}", declared.columns, declared.name);
        return Err(unsupported(input.at, what, format!("take at most {MAX_ITEMS}; a SELECT has no more")));
    }
    // Which numbers fit is for the checker to say, which knows the scale.
    let (truth, low, high) = (declared.kind == Kind::Truth, i128::from(i64::MIN), i128::from(i64::MAX));
    let (low, high) = if truth { (0, 1) } else { (low, high) };
    let fields = vec![Field { name: None, truth, low, high }; declared.columns];
    Ok(Due { argument: &declared.name, ty: declared.ty(), rows: declared.rows as u64, fields })
}

/// The range of one column: that of its expression, and of what stands for NULL and for rows that are missing.
fn column(input: &Input, declared: &Declared, value: &Typed) -> Result<Column, Fault> {
    let digits = value.scale();
    let beyond = || {
        let what = format!("a value of {} beyond 64 bits (as a scaled integer)", declared.name);
        overflow(value.at, format!("{what}; use a column with a narrower range"))
    };
    let word = |number: i128| i64::try_from(number).map_err(|_| beyond());
    let (mut low, mut high) = (word(value.low)?, word(value.high)?);
    if let Some(absent) = input.absent {
        let absent = word(i128::from(absent) * 10i128.pow(u32::from(digits)))?;
        (low, high) = (low.min(absent), high.max(absent));
    }
    Ok(Column { digits, low, high })
}

fn term(column: &Column) -> VectorColumn {
    let Column { digits, low, high } = *column;
    VectorColumn { digits, low, high }
}

fn size(program: &Checked) -> VectorSize {
    let size = program.size();
    VectorSize { products: size.products, bytes: size.bytes, rounds: size.rounds, memory: size.memory }
}

/// What it returns, with kinds and shapes.
fn result(program: &Checked) -> String {
    let of = |returned: &mpc_vector::Returned| {
        let form = returned.form;
        format!("{}: {}[{}, {}]", returned.name, form.kind.word(), form.rows, form.columns)
    };
    program.results().iter().map(of).collect::<Vec<_>>().join(", ")
}

/// The answer's columns: the number of the row where there are several, and each column that is returned.
fn outputs(program: &Checked) -> Result<Vec<Output>, Fault> {
    let several = program.results().first().is_some_and(|first| first.form.rows > 1);
    let mut outputs: Vec<Output> = Vec::new();
    if several {
        let value = ValueOf::Result { field: None };
        outputs.push(Output { name: "row".to_owned(), ty: ColumnType::Int, value });
    }
    let columns =
        program.results().iter().flat_map(|returned| (0..returned.form.columns).map(move |at| (returned, at)));
    for ((returned, at), field) in columns.zip(0u8..) {
        let ty = match returned.form.kind {
            Kind::Number => ColumnType::Decimal { scale: program.digits() },
            Kind::Truth => ColumnType::Bool,
            Kind::Wide => ColumnType::Text,
        };
        let plain = match returned.form.columns {
            1 => returned.name.clone(),
            _ => format!("{}_{}", returned.name, at + 1),
        };
        let taken = |name: &str| outputs.iter().any(|output| output.name.eq_ignore_ascii_case(name));
        let name = items::own_name(None, || Ok(plain), taken)?;
        outputs.push(Output { name, ty, value: ValueOf::Result { field: Some(field) } });
    }
    Ok(outputs)
}
