//! A program of two parties in tier A, by half gates: what a run takes, and what its explanation says.

use base_types::{OrgId, fault::Fault};
use mpc_garble::semi_honest::{Role, Shape};
use mpc_program::Program as Compiled;
use notary_terms::{CircuitSize, Plan, Read};

use crate::{
    assemble::lost,
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    explain::{Words, words},
};

/// AND gates that two parties garble and evaluate in a millisecond on one machine, and milliseconds of the set-up.
const ANDS_MILLI: u64 = 8_000;
const SETUP_MILLIS: u64 = 80;

/// What a run takes where the receiver evaluates.
pub(crate) fn size(program: &Compiled, reads: &[Read], receiver: &OrgId) -> Result<CircuitSize, Fault> {
    let role = |read: &Read| if read.owner == *receiver { Role::Evaluator } else { Role::Garbler };
    let shape = Shape::told_to_evaluator(program.circuit(), reads.iter().map(role).collect()).map_err(|_| lost())?;
    let told = shape.estimate();
    Ok(CircuitSize { and_gates: told.and_gates, bytes: told.bytes, rounds: told.rounds, memory: told.memory })
}

/// What a run will roughly cost.
pub(crate) fn cost(size: &CircuitSize) -> Cost {
    let CircuitSize { and_gates, bytes, rounds, .. } = *size;
    let millis = SETUP_MILLIS + and_gates / ANDS_MILLI + rounds / ROUNDS_MILLI + bytes / BYTES_MILLI;
    Cost { bytes, rounds, millis }
}

/// Who garbles: the party that is not told.
fn garbler(plan: &Plan) -> &str {
    plan.nodes.iter().find(|node| **node != plan.request.receiver).map_or("?", OrgId::as_str)
}

/// The tier: what it withstands, and what it does not.
pub(crate) fn tier(plan: &Plan) -> Words {
    let (receiver, garbler) = (&plan.request.receiver, garbler(plan));
    words(
        format!(
            "Tier A, asked for in place of C because it is faster: only the nodes of {garbler} and {receiver} compute, and each trusts \
             the other to follow the protocol. While both do, each learns nothing but what is listed below. If {receiver} deviates, it \
             still learns no more than what the program returns. If {garbler} deviates, nobody notices: it may decide what {receiver} \
             is told, and learn of {receiver}'s values by whether the run ends. That the result is right is not proven."
        ),
        format!(
            "A 级（应请求代替 C 级，速度更快）：仅 {garbler} 与 {receiver} 的节点参与计算，双方都须信任对方按协议执行。双方照做时，\
             除下列内容外一无所知。{receiver} 若偏离协议，所得仍不超过程序的返回值。{garbler} 若偏离协议则不会被发现：它可以左右 \
             {receiver} 得到的结果，并从任务是否中止推知 {receiver} 的数据。结果的正确性没有证明。"
        ),
    )
}

pub(crate) fn protocol() -> Words {
    words(
        "Garbled circuit of Yao by half gates (Zahur, Rosulek and Evans 2015), semi-honest; input labels by SoftSpoken oblivious \
         transfer",
        "姚氏混淆电路，半门（Zahur、Rosulek、Evans 2015），半诚实；输入标签经 SoftSpoken 不经意传输",
    )
}

/// The step of an argument, of the evaluation and of the delivery, in English and Chinese.
pub(crate) fn put(rows: u32, argument: &str) -> (String, String) {
    (
        format!("put {rows} rows into the argument {argument}, as labels that stand for bits to their maker alone"),
        format!("将 {rows} 行放入参数 {argument}，以标签代替比特，仅制作者知其含义"),
    )
}

pub(crate) fn computed(plan: &Plan, gates: u64) -> (String, String) {
    let (receiver, garbler) = (&plan.request.receiver, garbler(plan));
    (
        format!("{garbler} garbles the program's {gates} AND gates, {receiver} evaluates them; nothing checks them"),
        format!("{garbler} 混淆程序的 {gates} 个与门，由 {receiver} 求值；不作校验"),
    )
}

pub(crate) fn delivered(plan: &Plan) -> (String, String) {
    let receiver = &plan.request.receiver;
    (
        format!("{receiver} alone reads what main returns from the labels that it holds"),
        format!("仅 {receiver} 由所持标签读出 main 的返回值"),
    )
}
