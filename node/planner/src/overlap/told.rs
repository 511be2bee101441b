//! The explanation of aggregates over an overlap: its tier, its protocol, its steps, and what each owner learns.

use notary_terms::{Function, Overlap, Plan, Read};

use super::cost;
use crate::{
    explain::{Learns, Words, words},
    steps::{self, Step, names},
    told,
};

/// Tier, protocol, what is suppressed, and who learns what.
pub(crate) fn program(plan: &Plan, overlap: &Overlap) -> (Words, Words, Words, Vec<Learns>) {
    let nodes = names(&plan.nodes);
    let tier = words(
        format!(
            "Tier A: only the nodes of {nodes} compute, without a third. Each follows the protocol, and then learns nothing but \
             what is listed below; one that departs from it can make the answer wrong or learn more. That the arithmetic is \
             right is not proven."
        ),
        format!(
            "A 级：仅 {nodes} 的节点参与计算，没有第三方。各方按协议执行，则除下列内容外一无所知；偏离协议的一方可能使结果出错\
             或得知更多。计算的正确性没有证明。"
        ),
    );
    let pace = told::pace(overlap.spares, |spares| cost::between(plan, overlap, spares));
    let protocol = words(
        format!(
            "Circuit-based private set intersection (Pinkas, Schneider, Tkachenko and Yanai 2019) by oblivious key-value stores \
             and vector OLE (Raghuraman and Rindal 2022); comparison and sums on additive shares of 64-bit words, no dealer; {}",
            pace.en
        ),
        format!(
            "电路隐私求交（Pinkas、Schneider、Tkachenko、Yanai 2019）：不经意键值存储与向量 OLE（Raghuraman、Rindal 2022）；\
             比较与求和在 64 位字的加法份额上进行，无可信第三方；{}",
            pace.zh
        ),
    );
    let least = overlap.min_group;
    let suppressed = words(
        format!("an aggregate to which fewer than {least} matching keys contribute comes back as suppressed"),
        format!("贡献的匹配键少于 {least} 个的聚合值以“已抑制”返回"),
    );
    (tier, protocol, suppressed, learns(plan, overlap))
}

fn learns(plan: &Plan, overlap: &Overlap) -> Vec<Learns> {
    let bounds = plan.reads.iter().map(|r| format!("{} ≤ {}", r.dataset, r.rows_bound)).collect::<Vec<_>>().join(", ");
    let mean = overlap.aggregates.iter().any(|aggregate| matches!(aggregate.function, Function::Avg { .. }));
    let (en, zh) =
        if mean { ("; of a mean, its sum and count", "；均值以总和与计数给出") } else { ("", "") };
    let aggregates = Learns {
        party: plan.request.receiver.clone(),
        what: words(
            format!("the aggregates, unless suppressed{en}; not which keys match"),
            format!("未被抑制的聚合值{zh}；不知道哪些键匹配"),
        ),
    };
    let both = |read: &Read| Learns {
        party: read.owner.clone(),
        what: words(
            format!(
                "the query, the padded sizes ({bounds}) and the ranges of the values; of the other's rows nothing, nor which of \
                 its own match"
            ),
            format!("查询内容、补齐后的规模（{bounds}）与各值的取值范围；对他方的行一无所知，也不知道己方哪些行匹配"),
        ),
    };
    std::iter::once(aggregates).chain(plan.reads.iter().map(both)).collect()
}

/// The steps.
pub(crate) fn tree(plan: &Plan, overlap: &Overlap) -> Step {
    let nodes = &plan.nodes;
    let en = "compare the keys under sharing: a match is a shared bit that nobody sees".to_owned();
    let zh = "在份额上比对键：匹配与否是双方均看不到的共享比特".to_owned();
    let compared = steps::step("intersect", en, zh, nodes, plan.reads.iter().map(steps::masked).collect());
    let count = overlap.aggregates.len();
    let en = format!("{count} aggregates over the rows that match, on shares");
    let zh = format!("在份额上对匹配的行计算 {count} 个聚合");
    let aggregated = steps::step("aggregate", en, zh, nodes, vec![compared]);
    let least = overlap.min_group;
    let en = format!("hide every aggregate of fewer than {least} matching keys");
    let zh = format!("隐藏匹配键少于 {least} 个的聚合值");
    let suppressed = steps::step("suppress", en, zh, nodes, vec![aggregated]);
    let receiver = &plan.request.receiver;
    let en = format!("open the answer to {receiver} alone, which divides the sums of means");
    let zh = format!("仅向 {receiver} 公开答案，由其计算均值");
    steps::step("deliver", en, zh, std::slice::from_ref(receiver), vec![suppressed])
}
