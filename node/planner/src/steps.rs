//! The plan as a tree of steps for drawing: the answer at the root, the reads at the leaves.

use base_types::OrgId;
use notary_terms::{Intersect, Join, Label, Plan, Program, Read, ReadRole, Star};
use serde::{Deserialize, Serialize};

use crate::{common, explain::Words, overlap, program, published, told::key_texts, vectors};

/// One step, after those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// A stable name for the kind: `deliver`, `suppress`, `aggregate`, `join`, `share`, `intersect`, `mask`, `compute`,
    /// `read`.
    pub kind: String,
    /// What happens.
    pub title: Words,
    /// Who does it; several do it jointly, on shares.
    pub who: Vec<OrgId>,
    /// What must have happened before.
    pub inputs: Vec<Step>,
}

pub(crate) fn step(kind: &str, en: String, zh: String, who: &[OrgId], inputs: Vec<Step>) -> Step {
    Step { kind: kind.to_owned(), title: Words { en, zh }, who: who.to_vec(), inputs }
}

/// The tree of a plan.
pub(crate) fn tree(plan: &Plan) -> Step {
    match &plan.program {
        Program::Star(star) => tree_of_star(plan, star),
        Program::Intersect(intersect) => tree_of_sets(plan, intersect),
        Program::Overlap(overlap) => overlap::told::tree(plan, overlap),
        Program::Common(_) => common::told::tree(plan),
        Program::Circuit(circuit) => program::tree(plan, circuit),
        Program::Published(_) => published::told::tree(plan),
        Program::Vectors(vectors) => vectors::told::tree(plan, vectors),
    }
}

fn tree_of_sets(plan: &Plan, intersect: &Intersect) -> Step {
    let (en, zh) = match &intersect.label {
        Label::Nothing => ("", ""),
        Label::Count => ("; a match brings how many rows have the key", "；命中的键带有对方的行数"),
        Label::Row { .. } => {
            ("; a match brings the other owner's cells, sealed under it", "；命中的键可解开对方的单元格")
        }
    };
    let buckets = intersect.buckets(&plan.reads);
    let (each_en, each_zh) = match intersect.bucket_keys {
        None => (String::new(), String::new()),
        Some(_) => (format!(", bucket by bucket ({buckets} of them)"), format!("（分 {buckets} 个桶逐一进行）")),
    };
    let en = format!("compare the keys by oblivious pseudorandom functions{each_en}{en}");
    let zh = format!("以不经意伪随机函数比对键{each_zh}{zh}");
    rows_delivered(plan, step("intersect", en, zh, &plan.nodes, plan.reads.iter().map(masked).collect()))
}

/// An owner's keys on their way to be compared.
pub(crate) fn masked(read: &Read) -> Step {
    let (key, bound) = (key_texts(read).join(", "), read.rows_bound);
    let en = format!("hash the key ({key}), pad to {bound} keys and encode them; none can be read back");
    let zh = format!("对键（{key}）求散列，补齐至 {bound} 个并编码；不可还原");
    step("mask", en, zh, std::slice::from_ref(&read.owner), vec![local(read)])
}

/// The receiver's last step with rows.
pub(crate) fn rows_delivered(plan: &Plan, compared: Step) -> Step {
    let receiver = &plan.request.receiver;
    let en = format!("{receiver} alone sees the matches, puts the rows together and sorts them");
    let zh = format!("仅 {receiver} 得知命中项，由其拼合各行并排序");
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![compared])
}

fn tree_of_star(plan: &Plan, star: &Star) -> Step {
    let nodes = &plan.nodes;
    let mut shared: Vec<Step> = plan.reads.iter().map(|read| shared(plan, read)).collect();
    let joined = if shared.len() == 1 {
        shared.remove(0)
    } else {
        let en = format!("join on {} key bits, on shares; no match is opened", star.key_bits);
        let zh = format!("在份额上按 {} 位连接键连接，不公开任何匹配", star.key_bits);
        step("join", en, zh, nodes, shared)
    };
    let count = star.aggregates.len();
    let en = format!("{count} aggregates for each of at most {} groups", star.max_groups);
    let zh = format!("对至多 {} 个分组计算 {count} 个聚合", star.max_groups);
    let aggregated = step("aggregate", en, zh, nodes, vec![joined]);
    let least = star.min_group;
    let en = format!("hide every aggregate of fewer than {least} contributors");
    let zh = format!("隐藏贡献者少于 {least} 的聚合值");
    let suppressed = step("suppress", en, zh, nodes, vec![aggregated]);
    let receiver = &plan.request.receiver;
    let en = format!("open the answer to {receiver} alone, which sorts it");
    let zh = format!("仅向 {receiver} 公开答案，由其排序");
    step("deliver", en, zh, std::slice::from_ref(receiver), vec![suppressed])
}

fn shared(plan: &Plan, read: &Read) -> Step {
    let (owner, bound) = (&read.owner, read.rows_bound);
    let (en, zh) = match &read.role {
        ReadRole::Carrier { .. } | ReadRole::Set { .. } | ReadRole::Input { .. } => ("one row each", "逐行"),
        ReadRole::Side { join: Join::Inner } => ("summed by key, inner join", "按键汇总，内连接"),
        ReadRole::Side { join: Join::Left } => ("summed by key, left join", "按键汇总，左连接"),
    };
    let en = format!("pad to {bound} rows ({en}) and share among {}", names(&plan.nodes));
    let zh = format!("补齐至 {bound} 行（{zh}），在 {} 之间秘密共享", names(&plan.nodes));
    step("share", en, zh, std::slice::from_ref(owner), vec![local(read)])
}

pub(crate) fn local(read: &Read) -> Step {
    let dataset = &read.dataset;
    step(
        "read",
        format!("read {dataset}: {}", read.columns.join(", ")),
        format!("读取 {dataset}：{}", read.columns.join("、")),
        std::slice::from_ref(&read.owner),
        Vec::new(),
    )
}

pub(crate) fn names(orgs: &[OrgId]) -> String {
    orgs.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ")
}
