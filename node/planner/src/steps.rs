//! The plan as a tree of steps for drawing: the answer at the root, the reads at the leaves.

use base_types::OrgId;
use notary_terms::{Join, Plan, ReadRole};
use serde::{Deserialize, Serialize};

use crate::explain::Words;

/// One step, after those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// A stable name for the kind: `deliver`, `suppress`, `aggregate`, `join`, `share`, `read`.
    pub kind: String,
    /// What happens.
    pub title: Words,
    /// Who does it; several do it jointly, on shares.
    pub who: Vec<OrgId>,
    /// What must have happened before.
    pub inputs: Vec<Step>,
}

fn step(kind: &str, en: String, zh: String, who: &[OrgId], inputs: Vec<Step>) -> Step {
    Step { kind: kind.to_owned(), title: Words { en, zh }, who: who.to_vec(), inputs }
}

/// The tree of a plan.
pub(crate) fn tree(plan: &Plan) -> Step {
    let nodes = &plan.nodes;
    let mut shared: Vec<Step> = plan.reads.iter().map(|read| shared(plan, read)).collect();
    let joined = if shared.len() == 1 {
        shared.remove(0)
    } else {
        let en = format!("join on {} key bits, on shares; no match is opened", plan.key_bits);
        let zh = format!("在份额上按 {} 位连接键连接，不公开任何匹配", plan.key_bits);
        step("join", en, zh, nodes, shared)
    };
    let count = plan.aggregates.len();
    let en = format!("{count} aggregates for each of at most {} groups", plan.max_groups);
    let zh = format!("对至多 {} 个分组计算 {count} 个聚合", plan.max_groups);
    let aggregated = step("aggregate", en, zh, nodes, vec![joined]);
    let least = plan.min_group;
    let en = format!("hide every aggregate of fewer than {least} contributors");
    let zh = format!("隐藏贡献者少于 {least} 的聚合值");
    let suppressed = step("suppress", en, zh, nodes, vec![aggregated]);
    let receiver = &plan.request.receiver;
    let en = format!("open the answer to {receiver} alone, which sorts it");
    let zh = format!("仅向 {receiver} 公开答案，由其排序");
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![suppressed])
}

fn shared(plan: &Plan, read: &notary_terms::Read) -> Step {
    let (owner, bound) = (&read.owner, read.rows_bound);
    let (en, zh) = match &read.role {
        ReadRole::Carrier { .. } => ("one row each", "逐行"),
        ReadRole::Side { join: Join::Inner } => ("summed by key, inner join", "按键汇总，内连接"),
        ReadRole::Side { join: Join::Left } => ("summed by key, left join", "按键汇总，左连接"),
    };
    let en = format!("pad to {bound} rows ({en}) and share among {}", names(&plan.nodes));
    let zh = format!("补齐至 {bound} 行（{zh}），在 {} 之间秘密共享", names(&plan.nodes));
    let dataset = &read.dataset;
    let local = step(
        "read",
        format!("read {dataset}: {}", read.columns.join(", ")),
        format!("读取 {dataset}：{}", read.columns.join("、")),
        std::slice::from_ref(owner),
        Vec::new(),
    );
    step("share", en, zh, std::slice::from_ref(owner), vec![local])
}

pub(crate) fn names(orgs: &[OrgId]) -> String {
    orgs.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ")
}
