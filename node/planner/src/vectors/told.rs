//! The explanation of a program over vectors: its protocol, its steps, its cost, and what each party learns.

use base_types::OrgId;
use mpc_vector::{Column, Source};
use notary_terms::{CircuitSize, Plan, ReadRole, VectorColumn, VectorInput, VectorSize, Vectors};

use crate::{
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    explain::{Learns, Words, words},
    program::{self, ProgramExplained},
    star_tier,
    steps::{Step, local, names, step},
};

/// Products, those inside functions counted, that one machine works off in a millisecond.
const PRODUCTS_MILLI: u64 = 20_000;

/// The program of a plan.
pub(crate) fn explained(plan: &Plan, vectors: &Vectors) -> ProgramExplained {
    let VectorSize { products, bytes, rounds, memory } = vectors.size;
    ProgramExplained {
        source: vectors.source.clone(),
        digest: vectors.digest,
        arguments: program::arguments(plan),
        result: vectors.result.clone(),
        size: CircuitSize { and_gates: 0, bytes, rounds, memory },
        products: Some(products),
        ranges: ranges(vectors),
    }
}

/// The ranges that values keep to; none of a program that this node refuses.
fn ranges(vectors: &Vectors) -> Vec<String> {
    let column = |column: &VectorColumn| {
        let VectorColumn { digits, low, high } = *column;
        Column { digits, low, high }
    };
    let columns = |input: &VectorInput| input.columns.iter().map(column).collect();
    let inputs: Vec<Vec<Column>> = vectors.inputs.iter().map(columns).collect();
    let checked = Source::parse(&vectors.source).and_then(|source| source.check(&inputs));
    checked.map(|program| program.ranges()).unwrap_or_default()
}

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn told(plan: &Plan, vectors: &Vectors) -> (Words, Words, Words, Vec<Learns>) {
    let protocol = words(
        "Three-party replicated secret sharing (Araki et al. 2016), semi-honest: fixed point with a public scale, truncation off by \
         one unit at most; ranges of all values follow from those of the inputs, so nothing overflows",
        "三方复制秘密共享（Araki 等 2016），半诚实；公开精度的定点数，截断误差至多一个单位；各值范围由输入范围推出，不会溢出",
    );
    let shown = words(
        "the program decides what is shown: it may return its very input, and no threshold hides anything. Read its source",
        "显示什么由程序决定：它可以原样返回输入，没有门限隐藏任何内容。请阅读源代码",
    );
    (star_tier::tier(plan), protocol, shown, learns(plan, vectors))
}

fn learns(plan: &Plan, vectors: &Vectors) -> Vec<Learns> {
    let all = |party: &OrgId| Learns {
        party: party.clone(),
        what: words(
            "the program, who reads which columns under which filter, their ranges and the sizes; that an owner's value left its \
             range, if the run ends so; of others' values nothing",
            "程序、各方在何种条件下读取哪些列、其取值范围以及规模；若有值超出范围，任务中止且各方可见；对他方的值一无所知",
        ),
    };
    let result = &vectors.result;
    let told = Learns {
        party: plan.request.receiver.clone(),
        what: words(format!("what the program returns ({result})"), format!("程序的返回值（{result}）")),
    };
    std::iter::once(told).chain(plan.nodes.iter().map(all)).collect()
}

/// The tree of steps.
pub(crate) fn tree(plan: &Plan, vectors: &Vectors) -> Step {
    let nodes = names(&plan.nodes);
    let shared = plan.reads.iter().map(|read| {
        let (argument, ty) = match &read.role {
            ReadRole::Input { argument, ty, .. } => (argument.as_str(), ty.as_str()),
            _ => ("?", "?"),
        };
        let en = format!("check the ranges, put the rows into {argument}: {ty} and share them among {nodes}");
        let zh = format!("核对取值范围，将各行放入 {argument}：{ty}，在 {nodes} 之间秘密共享");
        step("share", en, zh, std::slice::from_ref(&read.owner), vec![local(read)])
    });
    let products = vectors.size.products;
    let en = format!("compute the program on shares, with {products} products; nothing is opened on the way");
    let zh = format!("在份额上执行程序，共 {products} 次乘法，途中不公开任何内容");
    let computed = step("compute", en, zh, &plan.nodes, shared.collect());
    let receiver = &plan.request.receiver;
    let en = format!("open what the program returns to {receiver} alone");
    let zh = format!("仅向 {receiver} 公开程序的返回值");
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![computed])
}

/// What a run will roughly cost.
pub(crate) fn cost(vectors: &Vectors) -> Cost {
    let VectorSize { products, bytes, rounds, .. } = vectors.size;
    Cost { bytes, rounds, millis: rounds / ROUNDS_MILLI + bytes / BYTES_MILLI + products / PRODUCTS_MILLI }
}

/// A returned column for people: the number of the row, or its place.
pub(crate) fn returned(field: Option<u8>) -> String {
    match field {
        None => "number of the row".to_owned(),
        Some(field) => format!("return …, column {}", u32::from(field) + 1),
    }
}
