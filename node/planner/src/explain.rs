//! The explanation of a plan: what each party reads, computes and learns, in plain words and in Chinese and English.

use base_types::{DatasetId, Height, JobId, OrgId, column::ColumnType};
use notary_terms::{Argument, Catalogue, Function, Join, Plan, Program, Read, ReadRole, Star, ValueOf};
use serde::{Deserialize, Serialize};

use crate::{
    common, cost, overlap, program, published, star_tier,
    steps::{self, Step},
    text::formula_text,
    told, vectors,
};

/// One text in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

pub(crate) fn words(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { zh: zh.into(), en: en.into() }
}

/// What one owner reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadExplained {
    /// The owner, whose node reads.
    pub owner: OrgId,
    /// The data set.
    pub dataset: DatasetId,
    /// Its title in the catalogue.
    pub title: String,
    /// Its name in the query.
    pub alias: String,
    /// The columns read.
    pub columns: Vec<String>,
    /// The columns of the join key, with what is done to their texts before they are compared.
    pub keys: Vec<String>,
    /// Rows that count, as SQL.
    pub filter: Option<String>,
    /// Most rows that take part; fewer are padded to it.
    pub rows_bound: u32,
    /// What its rows are for.
    pub role: Words,
}

/// What one party learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learns {
    /// The party.
    pub party: OrgId,
    /// What.
    pub what: Words,
}

/// One column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputExplained {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// Where it comes from, as SQL.
    pub source: String,
}

/// A plan for people; nothing in it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The plan's digest, which approvals sign.
    pub job: JobId,
    /// Height of the catalogue.
    pub catalogue_height: Height,
    /// The purpose.
    pub purpose: String,
    /// Who receives the answer.
    pub receiver: OrgId,
    /// Who must approve.
    pub approvers: Vec<OrgId>,
    /// The nodes that compute.
    pub nodes: Vec<OrgId>,
    /// The pairs of nodes that together could see all inputs; none where no node holds shares, or only two do.
    pub pairs: Vec<(OrgId, OrgId)>,
    /// Name of the threat tier.
    pub tier: String,
    /// What the tier means.
    pub tier_words: Words,
    /// The protocol.
    pub protocol: Words,
    /// Who reads what; the groups' carrier first, the receiver of an intersection, or a program's arguments in order.
    pub reads: Vec<ReadExplained>,
    /// The answer's columns.
    pub outputs: Vec<OutputExplained>,
    /// What each party learns.
    pub learns: Vec<Learns>,
    /// Most rows of all owners together.
    pub rows_bound: u64,
    /// Most groups of the answer; none where nothing is grouped.
    pub max_groups: Option<u32>,
    /// Aggregates with fewer contributors are hidden; none where rows are shown.
    pub min_group: Option<u32>,
    /// What that means, or that rows are shown.
    pub suppression: Words,
    /// Estimate: bytes on all links.
    pub bytes: u64,
    /// Estimate: messages that wait for each other.
    pub rounds: u64,
    /// Estimate: milliseconds on a local network.
    pub millis: u64,
    /// The user's program, where the plan runs one.
    pub program: Option<program::ProgramExplained>,
    /// The steps, the answer at the root.
    pub steps: Step,
}

/// Explains a plan; the catalogue gives the titles.
pub fn explain(plan: &Plan, catalogue: &Catalogue) -> Explanation {
    let cost = cost::estimate(plan);
    let star = plan.star();
    let (tier_words, protocol, suppression, learns) = match &plan.program {
        Program::Star(star) => (star_tier::tier(plan), star_tier::protocol(plan.tier), suppression(star), learns(plan)),
        Program::Intersect(intersect) => told::program(plan, intersect),
        Program::Overlap(sums) => overlap::told::program(plan, sums),
        Program::Common(common) => common::told::program(plan, common),
        Program::Circuit(circuit) => program::told(plan, circuit),
        Program::Published(keys) => published::told::program(plan, keys),
        Program::Vectors(vectors) => vectors::told::told(plan, vectors),
    };
    let circuit = match &plan.program {
        Program::Circuit(circuit) => Some(program::explained(plan, circuit)),
        Program::Vectors(vectors) => Some(vectors::told::explained(plan, vectors)),
        Program::Star(_) | Program::Intersect(_) | Program::Overlap(_) | Program::Common(_) | Program::Published(_) => {
            None
        }
    };
    let shared = matches!(plan.program, Program::Star(_) | Program::Vectors(_)) && plan.nodes.len() > 2;
    Explanation {
        job: plan.digest(),
        catalogue_height: plan.catalogue_height,
        purpose: plan.request.purpose.clone(),
        receiver: plan.request.receiver.clone(),
        approvers: plan.approvers(),
        nodes: plan.nodes.clone(),
        pairs: if shared { pairs(&plan.nodes) } else { Vec::new() },
        tier: plan.tier.word().to_owned(),
        tier_words,
        protocol,
        reads: plan.reads.iter().map(|read| explain_read(read, catalogue)).collect(),
        outputs: outputs(plan),
        learns,
        rows_bound: plan.reads.iter().map(|read| u64::from(read.rows_bound)).sum(),
        max_groups: star.map(|star| star.max_groups),
        min_group: plan.min_group(),
        suppression,
        bytes: cost.bytes,
        rounds: cost.rounds,
        millis: cost.millis,
        program: circuit,
        steps: steps::tree(plan),
    }
}

fn pairs(nodes: &[OrgId]) -> Vec<(OrgId, OrgId)> {
    let pairs = nodes.iter().enumerate();
    pairs.flat_map(|(i, a)| nodes.iter().skip(i + 1).map(|b| (a.clone(), b.clone()))).collect()
}

fn suppression(star: &Star) -> Words {
    let least = star.min_group;
    words(
        format!("an aggregate with fewer than {least} non-NULL contributors comes back as suppressed"),
        format!("非空贡献者少于 {least} 的聚合值以“已抑制”返回"),
    )
}

fn explain_read(read: &Read, catalogue: &Catalogue) -> ReadExplained {
    let role = match &read.role {
        ReadRole::Carrier { groups } if groups.is_empty() => {
            words("its rows are counted, as one group", "其各行作为一组被统计")
        }
        ReadRole::Carrier { groups } => {
            let by = groups.iter().map(|g| g.column.as_str()).collect::<Vec<_>>().join(", ");
            words(format!("its rows carry the groups, by {by}"), format!("其各行按 {by} 分组"))
        }
        ReadRole::Side { join: Join::Inner } => {
            words("its owner sums its rows by key; inner join", "所有者先按键汇总；内连接")
        }
        ReadRole::Side { join: Join::Left } => {
            words("its owner sums its rows by key; left join", "所有者先按键汇总；左连接")
        }
        ReadRole::Set { keys } => told::role(read, keys),
        ReadRole::Input { argument, rows, absent, .. } => program::role(read, argument, *rows, *absent),
    };
    ReadExplained {
        owner: read.owner.clone(),
        dataset: read.dataset.clone(),
        title: catalogue.sources.get(&read.dataset).map_or_else(String::new, |source| source.title.clone()),
        alias: read.alias.clone(),
        columns: read.columns.clone(),
        keys: told::key_texts(read),
        filter: read.filter.as_ref().map(|filter| formula_text(filter, read)),
        rows_bound: read.rows_bound,
        role,
    }
}

fn outputs(plan: &Plan) -> Vec<OutputExplained> {
    let explained = plan.outputs.iter().map(|output| OutputExplained {
        name: output.name.clone(),
        ty: output.ty,
        source: source_text(plan, output.value).unwrap_or_else(|| "(malformed)".to_owned()),
    });
    explained.collect()
}

fn source_text(plan: &Plan, value: ValueOf) -> Option<String> {
    match value {
        ValueOf::Group { group } => {
            let carrier = plan.reads.first()?;
            let ReadRole::Carrier { groups } = &carrier.role else { return None };
            Some(format!("{}.{}", carrier.alias, groups.get(usize::from(group))?.column))
        }
        ValueOf::Aggregate { aggregate } => {
            let aggregate = plan.aggregates().get(usize::from(aggregate))?;
            let name = match aggregate.function {
                Function::Count => "COUNT",
                Function::Sum => "SUM",
                Function::Avg { .. } => "AVG",
            };
            let argument = match aggregate.argument {
                Argument::Rows => "*".to_owned(),
                Argument::Value { read, value, .. } => {
                    let read = plan.reads.get(usize::from(read))?;
                    formula_text(read.values.get(usize::from(value))?, read)
                }
            };
            Some(format!("{name}({argument})"))
        }
        ValueOf::Cell { read, value } => {
            let read = plan.reads.get(usize::from(read))?;
            Some(formula_text(read.values.get(usize::from(value))?, read))
        }
        ValueOf::Result { field } if matches!(plan.program, Program::Vectors(_)) => {
            Some(vectors::told::returned(field))
        }
        ValueOf::Result { field: None } => Some("main(…)".to_owned()),
        ValueOf::Result { field: Some(field) } => Some(format!("main(…), field {}", u32::from(field) + 1)),
        ValueOf::Stopped => Some("why main(…) stopped".to_owned()),
    }
}

fn learns(plan: &Plan) -> Vec<Learns> {
    let carrier = plan.reads.first();
    let grouped = carrier.is_some_and(|r| matches!(&r.role, ReadRole::Carrier { groups } if !groups.is_empty()));
    let bounds = plan.reads.iter().map(|r| format!("{} ≤ {}", r.dataset, r.rows_bound)).collect::<Vec<_>>().join(", ");
    let mut learns = Vec::new();
    for party in plan.parties() {
        if party == plan.request.receiver {
            let (en, zh) = if grouped {
                (
                    "which groups there are, and each group's aggregates unless suppressed",
                    "有哪些分组，以及各组未被抑制的聚合值",
                )
            } else {
                ("the aggregates, unless suppressed", "未被抑制的聚合值")
            };
            learns.push(Learns { party: party.clone(), what: words(en, zh) });
        }
        let en = format!(
            "the query, who reads which columns, the padded sizes ({bounds}) and the ranges of the values; of others' rows nothing"
        );
        let zh = format!("查询内容、各方读取的列、补齐后的规模（{bounds}）与各值的取值范围；对他方的行一无所知");
        learns.push(Learns { party, what: words(en, zh) });
    }
    learns
}
