//! The explanation of a user's program: its tier, its protocol, its steps, its cost, and what each party learns.

use base_types::{Digest, OrgId};
use notary_terms::{Circuit, CircuitSize, Plan, Read, ReadRole, Tier};
use serde::{Deserialize, Serialize};

use crate::{
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    explain::{Learns, Words, words},
    garbled,
    steps::{Step, local, names, step},
    text::formula_text,
};

/// AND gates that two parties work off in a millisecond on one machine, and milliseconds that the set-up of a pair takes.
const ANDS_MILLI: u64 = 300;
const PAIR_MILLIS: u64 = 150;

/// A program for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramExplained {
    /// Its source.
    pub source: String,
    /// Digest of its circuit, or of its steps.
    pub digest: Digest,
    /// The arguments with their types, as `name: type`, in order.
    pub arguments: Vec<String>,
    /// The type of what it returns.
    pub result: String,
    /// What a run takes.
    pub size: CircuitSize,
    /// Products of secret numbers, of a program over vectors, which has no AND gates.
    pub products: Option<u64>,
    /// The ranges that the values of a program over vectors keep to, as `name: low..high`: of each argument, by column where they differ, then of
    /// what it returns.
    #[serde(default)]
    pub ranges: Vec<String>,
}

/// The program of a plan.
pub(crate) fn explained(plan: &Plan, circuit: &Circuit) -> ProgramExplained {
    ProgramExplained {
        source: circuit.source.clone(),
        digest: circuit.digest,
        arguments: arguments(plan),
        result: circuit.result.clone(),
        size: circuit.size,
        products: None,
        ranges: Vec::new(),
    }
}

/// The arguments of a plan's program, as `name: type`.
pub(crate) fn arguments(plan: &Plan) -> Vec<String> {
    let argument = |read: &Read| match &read.role {
        ReadRole::Input { argument, ty, .. } => format!("{argument}: {ty}"),
        _ => String::new(),
    };
    plan.reads.iter().map(argument).collect()
}

/// What an owner's rows are for.
pub(crate) fn role(read: &Read, argument: &str, rows: u32, absent: Option<i64>) -> Words {
    let row = read.values.iter().map(|value| formula_text(value, read)).collect::<Vec<_>>().join(", ");
    let (en, zh) = match absent {
        None => (
            "with fewer or more, or a NULL, the run ends, and all parties see that".to_owned(),
            "行数不符或有 NULL 时运行中止，各方均可见".to_owned(),
        ),
        Some(absent) => (
            format!(
                "{absent} stands for NULL and for rows that are missing; with more the run ends, and all parties see that"
            ),
            format!("NULL 与缺少的行以 {absent} 代替；行数超出时运行中止，各方均可见"),
        ),
    };
    words(
        format!("the argument {argument}: {rows} rows of {row}; {en}"),
        format!("参数 {argument}：{rows} 行 {row}；{zh}"),
    )
}

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn told(plan: &Plan, circuit: &Circuit) -> (Words, Words, Words, Vec<Learns>) {
    let protocol = if plan.tier == Tier::A { garbled::protocol() } else { protocol() };
    let shown = words(
        "the program decides what is shown: it may return its very input, and no threshold hides anything. Read its source",
        "显示什么由程序决定：它可以原样返回输入，没有门限隐藏任何内容。请阅读源代码",
    );
    (tier(plan), protocol, shown, learns(plan, circuit))
}

fn protocol() -> Words {
    words(
        "Authenticated garbling (Wang, Ranellucci and Katz 2017; half gates of Katz et al. 2018) over SoftSpoken oblivious transfer, \
         malicious with abort",
        "认证混淆电路（Wang、Ranellucci、Katz 2017；Katz 等 2018 的半门），基于 SoftSpoken 不经意传输，恶意安全、可中止",
    )
}

fn tier(plan: &Plan) -> Words {
    if plan.tier == Tier::A {
        return garbled::tier(plan);
    }
    let nodes = names(&plan.nodes);
    if plan.tier == Tier::C {
        return words(
            format!(
                "Tier C: the nodes of {nodes} compute. Each is safe from the other even where that one deviates from the protocol: \
                 the result is right or the run ends. Neither proves that the values it put in are true."
            ),
            format!(
                "C 级：{nodes} 的节点参与计算。即使对方偏离协议，本方也是安全的：结果要么正确，要么任务中止。双方均不证明所投入的数据真实。"
            ),
        );
    }
    words(
        format!(
            "Tier D: the nodes of {nodes} compute. Each is safe even where all others deviate from the protocol together: the result \
             is right or the run ends, without saying who deviated. Nobody proves that the values it put in are true."
        ),
        format!(
            "D 级：{nodes} 的节点参与计算。即使其他各方串通偏离协议，本方也是安全的：结果要么正确，要么任务中止，但不指明是谁。\
             各方均不证明所投入的数据真实。"
        ),
    )
}

fn learns(plan: &Plan, circuit: &Circuit) -> Vec<Learns> {
    let receiver = &plan.request.receiver;
    let all = |party: &OrgId| Learns {
        party: party.clone(),
        what: words(
            "the program, who reads which columns under which filter, and the sizes; of others' values nothing",
            "程序、各方在何种条件下读取哪些列、以及规模；对他方的值一无所知",
        ),
    };
    let ty = &circuit.result;
    let told = Learns {
        party: receiver.clone(),
        what: words(
            format!("what main returns ({ty}), and whether, why and where it stopped"),
            format!("main 的返回值（{ty}），以及程序是否、为何、在何处停止"),
        ),
    };
    std::iter::once(told).chain(plan.nodes.iter().map(all)).collect()
}

/// The tree of steps.
pub(crate) fn tree(plan: &Plan, circuit: &Circuit) -> Step {
    let garbled = plan.tier == Tier::A;
    let put = plan.reads.iter().map(|read| {
        let (argument, rows) = match &read.role {
            ReadRole::Input { argument, rows, .. } => (argument.as_str(), *rows),
            _ => ("?", 0),
        };
        let (en, zh) = if garbled { garbled::put(rows, argument) } else { put(rows, argument) };
        step("mask", en, zh, std::slice::from_ref(&read.owner), vec![local(read)])
    });
    let gates = circuit.size.and_gates;
    let (en, zh) = if garbled { garbled::computed(plan, gates) } else { computed(gates) };
    let computed = step("compute", en, zh, &plan.nodes, put.collect());
    let receiver = &plan.request.receiver;
    let (en, zh) = if garbled { garbled::delivered(plan) } else { delivered(receiver) };
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![computed])
}

fn put(rows: u32, argument: &str) -> (String, String) {
    (
        format!("put {rows} rows into the argument {argument}, under masks that nobody knows in full"),
        format!("将 {rows} 行放入参数 {argument}，掩码不为任何一方完整所知"),
    )
}

fn computed(gates: u64) -> (String, String) {
    (
        format!("evaluate the program as a garbled circuit of {gates} AND gates, each of which is checked"),
        format!("以混淆电路执行程序，共 {gates} 个与门，逐一校验"),
    )
}

fn delivered(receiver: &OrgId) -> (String, String) {
    (
        format!("{receiver} alone removes the masks of what main returns"),
        format!("仅 {receiver} 去除 main 返回值的掩码"),
    )
}

/// What a run will roughly cost.
pub(crate) fn cost(plan: &Plan, circuit: &Circuit) -> Cost {
    if plan.tier == Tier::A {
        return garbled::cost(&circuit.size);
    }
    let CircuitSize { and_gates, bytes, rounds, .. } = circuit.size;
    let others = plan.nodes.len().saturating_sub(1) as u64;
    let work = others * (PAIR_MILLIS + and_gates / ANDS_MILLI);
    Cost { bytes, rounds, millis: work + rounds / ROUNDS_MILLI + bytes / BYTES_MILLI }
}
