//! Samples of plans: one of every program.

use base_types::column::ColumnType;
use notary_terms::{
    Aggregate, Argument, CellForm, Circuit, CircuitSize, Common, Fold, Function, GroupColumn, Intersect, Join, KeyPart,
    Label, Order, Output, Overlap, Plan, Program, Published, Ranges, Read, ReadRole, Request, Span, Spares, Star, Tier,
    ValueOf, VectorColumn, VectorInput, VectorSize, Vectors,
    formula::{Formula, Op},
};

use crate::samples::{Sample, digest, id, org, person, sample};

fn reads() -> Vec<Read> {
    let groups = vec![GroupColumn { column: "education".into(), ty: ColumnType::Int, words: 2 }];
    let read = |owner: &str, dataset: &str, role| Read {
        owner: org(owner),
        dataset: id(dataset),
        alias: "t".into(),
        columns: vec!["person_id".into(), "education".into()],
        types: vec![ColumnType::Int, ColumnType::Int],
        key: Some(0),
        filter: Some(Formula { ops: vec![Op::Column(1), Op::Number(40), Op::Ge] }),
        values: vec![Formula { ops: vec![Op::Column(1), Op::Text("x".into()), Op::Null, Op::Rescale(2), Op::Case] }],
        rows_bound: 64,
        role,
    };
    vec![
        read("statistics", "statistics/census", ReadRole::Carrier { groups }),
        read("civil", "civil/deaths", ReadRole::Side { join: Join::Left }),
    ]
}

pub fn plan() -> Plan {
    let request = Request {
        sql: "SELECT 1".into(),
        purpose: "health-statistics".into(),
        analyst: person("statistics/analyst"),
        receiver: org("statistics"),
        expires: 1_700_000_600_000,
        salt: [18; 32],
        tier: None,
    };
    let of_side = Argument::Value { read: 1, value: 0, absent: Some(-1) };
    Plan {
        planner: 1,
        catalogue_height: 8,
        request,
        tier: Tier::B,
        nodes: vec![org("civil"), org("health"), org("statistics")],
        reads: reads(),
        program: Program::Star(Star {
            min_group: 5,
            key_bits: 21,
            key_base: -1,
            max_groups: 8,
            aggregates: vec![
                Aggregate { function: Function::Count, argument: Argument::Rows },
                Aggregate { function: Function::Avg { extra_digits: 4 }, argument: of_side },
                Aggregate { function: Function::Sum, argument: of_side },
            ],
            ranges: vec![vec![Span { low: 0, high: 31 }], vec![Span { low: -1, high: 1 }]],
        }),
        outputs: vec![
            Output { name: "education".into(), ty: ColumnType::Int, value: ValueOf::Group { group: 0 } },
            Output { name: "people".into(), ty: ColumnType::Int, value: ValueOf::Aggregate { aggregate: 0 } },
        ],
        order: vec![Order { output: 0, descending: true, nulls_first: true }],
        limit: Some(10),
    }
}

/// The same star, asked for in tier B+.
fn checked() -> Plan {
    let request = Request { tier: Some(Tier::BPlus), ..plan().request };
    Plan { request, tier: Tier::BPlus, ..plan() }
}

/// An intersection that brings these labels.
fn rows(label: Label) -> Plan {
    let mut reads = reads();
    reads.reverse();
    for read in &mut reads {
        (read.key, read.types[0]) = (None, ColumnType::Text);
        let folds = vec![Fold::Trim, Fold::Lower, Fold::Upper];
        read.role = ReadRole::Set { keys: vec![KeyPart { column: 0, folds }, KeyPart { column: 1, folds: vec![] }] };
    }
    let value = ValueOf::Cell { read: 1, value: 0 };
    Plan {
        tier: Tier::C,
        nodes: vec![org("civil"), org("statistics")],
        reads,
        program: Program::Intersect(Intersect { label, spares: Spares::Bytes, bucket_keys: Some(1 << 20) }),
        outputs: vec![Output { name: "education".into(), ty: ColumnType::Int, value }],
        ..plan()
    }
}

/// Aggregates over two owners' matching rows.
fn overlap() -> Plan {
    let ranges = vec![Ranges { rows: 64, values: vec![7] }, Ranges { rows: 1, values: vec![] }];
    let argument = Argument::Value { read: 0, value: 0, absent: None };
    let aggregates = vec![Aggregate { function: Function::Sum, argument }];
    Plan {
        tier: Tier::A,
        program: Program::Overlap(Overlap { min_group: 5, ranges, aggregates, spares: Spares::Bytes }),
        ..rows(Label::Nothing)
    }
}

/// Rows that several owners have in common.
fn in_common() -> Plan {
    let program = Program::Common(Common { spares: Spares::Bytes });
    Plan { tier: Tier::D, nodes: plan().nodes, program, ..rows(Label::Nothing) }
}

/// A user's program.
fn circuit() -> Plan {
    let mut reads = reads();
    for read in &mut reads {
        let (argument, ty) = ("a".to_owned(), "[u16; 3]".to_owned());
        (read.key, read.role) = (None, ReadRole::Input { argument, ty, rows: 3, absent: Some(-1) });
    }
    let output = |value| Output { name: "sum".into(), ty: ColumnType::Int, value };
    Plan {
        tier: Tier::D,
        reads,
        program: Program::Circuit(Circuit {
            source: "pub fn main(a: [u16; 3], b: [u16; 3]) -> bool { a[0] > b[0] }".into(),
            digest: digest(25),
            result: "bool".into(),
            size: CircuitSize { and_gates: 1 << 20, bytes: 1 << 33, rounds: 77, memory: 1 << 30 },
        }),
        outputs: [ValueOf::Result { field: None }, ValueOf::Result { field: Some(2) }, ValueOf::Stopped]
            .map(output)
            .to_vec(),
        ..plan()
    }
}

/// A user's program of two parties, in the tier that was asked for.
fn garbled() -> Plan {
    let request = Request { tier: Some(Tier::A), ..plan().request };
    Plan { request, tier: Tier::A, nodes: vec![org("civil"), org("statistics")], ..circuit() }
}

/// A program over vectors.
fn vectors() -> Plan {
    let column = |digits| VectorColumn { digits, low: -5, high: 1 << 40 };
    Plan {
        tier: Tier::B,
        program: Program::Vectors(Vectors {
            source: "scale 16; input a[3]; input b[3]; return dot(a, b);".into(),
            digest: digest(26),
            inputs: vec![VectorInput { columns: vec![column(0)] }, VectorInput { columns: vec![column(2)] }],
            result: "value1: number[1, 1]".into(),
            size: VectorSize { products: 3, bytes: 1 << 20, rounds: 9, memory: 1 << 16 },
        }),
        ..circuit()
    }
}

/// Rows matched against published keys.
fn published() -> Plan {
    Plan { program: Program::Published(Published { label: Label::Count }), ..rows(Label::Count) }
}

/// All of them.
pub fn plans() -> Vec<Sample> {
    vec![
        sample("Plan", &plan()),
        sample("Plan of a checked star", &checked()),
        sample("Plan of matches", &rows(Label::Nothing)),
        sample("Plan of counts", &rows(Label::Count)),
        sample(
            "Plan of rows",
            &rows(Label::Row { cells: vec![CellForm { ty: ColumnType::Text, bytes: 64 }], rows: 2 }),
        ),
        sample("Plan of sums", &overlap()),
        sample("Plan of several", &in_common()),
        sample("Plan of a program", &circuit()),
        sample("Plan of a program in tier A", &garbled()),
        sample("Plan of published keys", &published()),
        sample("Plan of vectors", &vectors()),
    ]
}
