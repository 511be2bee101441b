//! The explanation of a program over vectors: its tier and protocol, its steps, its cost, and what each party learns.

use base_types::OrgId;
use mpc_vector::{Column, Source};
use notary_terms::{CircuitSize, Plan, Read, ReadRole, Tier, VectorColumn, VectorInput, VectorSize, Vectors};

use super::scheme;
use crate::{
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    explain::{Learns, Words, words},
    program::{self, ProgramExplained},
    star_tier,
    steps::{Step, local, names, step},
};

/// Products, those inside functions counted, that one machine works off in a millisecond.
const PRODUCTS_MILLI: u64 = 20_000;
/// In B+: bytes of a recorded word, and how many are proven and verified in a millisecond.
const BYTES_RECORD: u64 = 24;
const RECORDS_MILLI: u64 = 4_000;
/// In A: milliseconds of the set-up, and bytes of transfers and ciphertexts that two machines make in a millisecond.
const SETUP_MILLIS: u64 = 100;
const MADE_MILLI: u64 = 500_000;

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
        ranges: ranges(plan.tier, vectors),
    }
}

/// The ranges that values keep to; none of a program that this node refuses.
fn ranges(tier: Tier, vectors: &Vectors) -> Vec<String> {
    let column = |column: &VectorColumn| {
        let VectorColumn { digits, low, high } = *column;
        Column { digits, low, high }
    };
    let columns = |input: &VectorInput| input.columns.iter().map(column).collect();
    let inputs: Vec<Vec<Column>> = vectors.inputs.iter().map(columns).collect();
    let checked = Source::parse(&vectors.source).and_then(|source| source.check(scheme(tier), &inputs));
    checked.map(|program| program.ranges()).unwrap_or_default()
}

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn told(plan: &Plan, vectors: &Vectors) -> (Words, Words, Words, Vec<Learns>) {
    let shown = words(
        "the program decides what is shown: it may return its very input, and no threshold hides anything. Read its source",
        "显示什么由程序决定：它可以原样返回输入，没有门限隐藏任何内容。请阅读源代码",
    );
    (tier(plan), protocol(plan.tier), shown, learns(plan, vectors))
}

/// What the tier means.
fn tier(plan: &Plan) -> Words {
    let nodes = names(&plan.nodes);
    match plan.tier {
        Tier::A => words(
            format!(
                "Tier A, asked for by name: only the nodes of {nodes} compute, on shares of which each holds one, and each trusts the other \
                 to follow the protocol. While both do, each learns nothing but what is listed below. One that deviates is not noticed: it \
                 may decide what {} is told, and learn of the other's values. That the result is right is not proven.",
                plan.request.receiver
            ),
            format!(
                "A 级（应明确请求）：仅 {nodes} 的节点参与计算，各持一份份额，双方都须信任对方按协议执行。双方照做时，除下列内容外一无所知。\
                 偏离协议的一方不会被发现：它可以左右 {} 得到的结果，并得知对方的数据。结果的正确性没有证明。",
                plan.request.receiver
            ),
        ),
        Tier::BPlus => words(
            format!(
                "Tier B+: of the nodes of {nodes} one may deviate from the protocol in any way: it learns nothing from that, and the \
                 result is right or the run ends; every product and shuffle is proven before anything is opened. A value that an owner put \
                 in outside the range that is told below ends the run with its owner's name; that values are true is not proven. Any two of \
                 the three together could see all inputs. It costs several times the time of tier B."
            ),
            format!(
                "B+ 级：{nodes} 的节点中至多一个可任意偏离协议：它不会因此得知任何信息，结果要么正确，要么任务中止；\
                 每次乘法与混洗均先经证明，之后才公开。所有者投入的值若超出下列范围，任务中止并指明其所有者；数据是否真实没有证明。\
                 三者中任意两个串通可看到全部输入。耗时为 B 级的数倍。"
            ),
        ),
        Tier::B | Tier::C | Tier::D => star_tier::tier(plan),
    }
}

/// The protocol of a tier; numbers and their ranges are the same in all.
fn protocol(tier: Tier) -> Words {
    let (en, zh) = match tier {
        Tier::A => (
            "Two-party additive secret sharing without a dealer, semi-honest: products and comparisons by SoftSpoken oblivious transfer \
             (Gilboa 1999; Rathee et al. 2020), products of matrices by ring LWE (Huang et al. 2022)",
            "两方加法秘密共享，无分发者，半诚实：乘法与比较基于 SoftSpoken 不经意传输（Gilboa 1999、Rathee 等 2020），矩阵乘法基于环 LWE\
             （Huang 等 2022）",
        ),
        Tier::BPlus => (
            "Three-party replicated secret sharing, its products and shuffles proven by fully linear proofs on shares (Boneh et al. 2019, \
             Boyle et al. 2019), products of matrices by random sums, before anything is opened, malicious with abort; the declared range of \
             every input is proven on the shares",
            "三方复制秘密共享，乘法与混洗在公开前以份额上的全线性证明验证（Boneh 等 2019、Boyle 等 2019），矩阵乘法以随机和验证，恶意安全、\
             可中止；每个输入的声明范围均在份额上证明",
        ),
        Tier::B | Tier::C | Tier::D => (
            "Three-party replicated secret sharing (Araki et al. 2016), semi-honest",
            "三方复制秘密共享（Araki 等 2016），半诚实",
        ),
    };
    words(
        format!(
            "{en}: fixed point with a public scale, truncation off by one unit at most; ranges of all values follow from those of the \
             inputs, so nothing overflows"
        ),
        format!("{zh}；公开精度的定点数，截断误差至多一个单位；各值范围由输入范围推出，不会溢出"),
    )
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
    let shared = plan.reads.iter().map(|read| shared(plan, read, &nodes));
    let products = vectors.size.products;
    let (proven_en, proven_zh) = match plan.tier {
        Tier::BPlus => ("; and of every input that no value left its range", "；并公开各输入均无值超出范围"),
        _ => ("", ""),
    };
    let en = format!(
        "compute the program on shares, with {products} products; where it sorts or moves rows a random order is opened on the \
         way{proven_en}"
    );
    let zh = format!("在份额上执行程序，共 {products} 次乘法；途中仅在排序或移动行处公开一个随机次序{proven_zh}");
    let computed = step("compute", en, zh, &plan.nodes, shared.collect());
    let receiver = &plan.request.receiver;
    let en = format!("open what the program returns to {receiver} alone");
    let zh = format!("仅向 {receiver} 公开程序的返回值");
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![computed])
}

/// An owner's rows on their way into an input.
fn shared(plan: &Plan, read: &Read, nodes: &str) -> Step {
    let (argument, ty) = match &read.role {
        ReadRole::Input { argument, ty, .. } => (argument.as_str(), ty.as_str()),
        _ => ("?", "?"),
    };
    let (proven_en, proven_zh) = match plan.tier {
        Tier::BPlus => {
            (", which then prove on the shares that they are in their ranges", "，再在份额上证明各值在其范围内")
        }
        _ => ("", ""),
    };
    let en = format!("check the ranges, put the rows into {argument}: {ty} and share them among {nodes}{proven_en}");
    let zh = format!("核对取值范围，将各行放入 {argument}：{ty}，在 {nodes} 之间秘密共享{proven_zh}");
    step("share", en, zh, std::slice::from_ref(&read.owner), vec![local(read)])
}

/// What a run will roughly cost.
pub(crate) fn cost(plan: &Plan, vectors: &Vectors) -> Cost {
    let VectorSize { products, bytes, rounds, .. } = vectors.size;
    let work = match plan.tier {
        Tier::A => SETUP_MILLIS + bytes / MADE_MILLI,
        Tier::BPlus => bytes / BYTES_RECORD / RECORDS_MILLI,
        Tier::B | Tier::C | Tier::D => products / PRODUCTS_MILLI,
    };
    Cost { bytes, rounds, millis: rounds / ROUNDS_MILLI + bytes / BYTES_MILLI + work }
}

/// A returned column for people: the number of the row, or its place.
pub(crate) fn returned(field: Option<u8>) -> String {
    match field {
        None => "number of the row".to_owned(),
        Some(field) => format!("return …, column {}", u32::from(field) + 1),
    }
}
