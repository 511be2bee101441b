//! The explanation of an intersection of several owners: its tier, its protocol, its steps, and what each owner learns.

use notary_terms::{Common, Plan, Read};

use crate::{
    cost,
    explain::{Learns, Words, words},
    steps::{self, Step, names},
    told::{key_texts, pace},
};

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn program(plan: &Plan, common: &Common) -> (Words, Words, Words, Vec<Learns>) {
    let nodes = names(&plan.nodes);
    let tier = words(
        format!(
            "Tier D: only the nodes of {nodes} compute. Each is safe from all others together, even where they deviate from \
             the protocol: they learn no more than is listed below, or the run ends. Parties that collude learn together which \
             keys of a set of theirs all other parties have; a party that deviates may put in about twice as many keys as its \
             bound. Nobody proves that the rows it put in are true."
        ),
        format!(
            "D 级：仅 {nodes} 的节点参与计算。即使其余各方联合并偏离协议，本方也是安全的：其所得不超过下列内容，否则任务中止。\
             串通的各方可共同得知其某一集合中哪些键为其余各方所共有；偏离协议的一方至多可投入约为其上限两倍的键。\
             各方均不证明所投入的数据真实。"
        ),
    );
    let pace = pace(common.spares, |spares| cost::common(plan, spares));
    let protocol = words(
        format!(
            "Private set intersection of several parties by zero sharing and oblivious programmable functions (Nevo, Trieu and \
             Yanai 2021; Kolesnikov et al. 2017), malicious; {}",
            pace.en
        ),
        format!(
            "多方隐私求交：零秘密共享与不经意可编程函数（Nevo、Trieu、Yanai 2021；Kolesnikov 等 2017），恶意安全；{}",
            pace.zh
        ),
    );
    let shown = words("single rows are shown: no threshold hides any of them", "结果为逐行数据：没有门限隐藏任何一行");
    (tier, protocol, shown, learns(plan))
}

fn learns(plan: &Plan) -> Vec<Learns> {
    let Some((own, others)) = plan.reads.split_first() else { return Vec::new() };
    let key = key_texts(own).join(", ");
    let sets = |join: &str| others.iter().map(|read| read.dataset.to_string()).collect::<Vec<_>>().join(join);
    let bounds = others.iter().map(bound).collect::<Vec<_>>().join(", ");
    let receiver = Learns {
        party: own.owner.clone(),
        what: words(
            format!(
                "which of its own keys ({key}) of {} occur in all of {} and which do not, but not where one is missing; the \
                 bounds on the others' rows ({bounds}); of keys that it does not have, nothing",
                own.dataset,
                sets(", ")
            ),
            format!(
                "自己在 {} 中的哪些键（{key}）同时出现于 {}、哪些没有，但不知道缺于何处；各方行数上限（{bounds}）；\
                 对自己没有的键一无所知",
                own.dataset,
                sets("、")
            ),
        ),
    };
    let all = plan.reads.iter().map(bound).collect::<Vec<_>>().join(", ");
    let sender = |read: &Read| Learns {
        party: read.owner.clone(),
        what: words(
            format!("the query and the bounds on rows ({all}); not which of its keys matched, nor how many"),
            format!("查询内容与行数上限（{all}）；不知道自己的哪些键命中，也不知道命中多少"),
        ),
    };
    std::iter::once(receiver).chain(others.iter().map(sender)).collect()
}

fn bound(read: &Read) -> String {
    format!("{} ≤ {}", read.dataset, read.rows_bound)
}

/// The steps.
pub(crate) fn tree(plan: &Plan) -> Step {
    let en = "add up everybody's shares at each key of the receiver: they are zero where all have it".to_owned();
    let zh = "在接收方的每个键上汇总各方份额：各方均有该键时其和为零".to_owned();
    let compared = steps::step("intersect", en, zh, &plan.nodes, plan.reads.iter().map(steps::masked).collect());
    steps::rows_delivered(plan, compared)
}
