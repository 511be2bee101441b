//! The explanation of an intersection with published keys: its tier, its protocol, its steps, and what each owner learns.

use notary_terms::{Label, Plan, Published, Read};

use crate::{
    explain::{Learns, Words, words},
    formula_text,
    steps::{Step, local, masked, names, rows_delivered, step},
    told::key_texts,
};

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn program(plan: &Plan, published: &Published) -> (Words, Words, Words, Vec<Learns>) {
    let nodes = names(&plan.nodes);
    let tier = words(
        format!(
            "Tier C: only the nodes of {nodes} compute. Each is safe from the other even where that one deviates from the \
             protocol: it learns no more than is listed below, or the run ends with its name. That the other owner answers \
             with the key of its table is proven in every run; which keys it put into the table is not."
        ),
        format!(
            "C 级：仅 {nodes} 的节点参与计算。即使对方偏离协议，本方也是安全的：对方所得不超过下列内容，否则任务中止并指明对方。\
             每次运行都证明对方所用密钥即其发布表的密钥；对方在表中放入哪些键没有证明。"
        ),
    );
    let protocol = words(
        "Unbalanced private set intersection: a verifiable oblivious pseudorandom function (RFC 9497, ristretto255-SHA512, with \
         its proof) against a published binary fuse table (Kales et al. 2019); cells sealed under the function's values. The \
         table is made and fetched once for each state of the data set; later runs only ask. Cost and time are the first run's",
        "非平衡隐私求交：可验证不经意伪随机函数（RFC 9497，ristretto255-SHA512，附证明）对照已发布的二元融合表（Kales 等 2019）；\
         单元格以函数值加密。数据集每个状态只制表、取表一次，此后各次仅查询。开销与时间按首次运行估计",
    );
    let shown = words("single rows are shown: no threshold hides any of them", "结果为逐行数据：没有门限隐藏任何一行");
    (tier, protocol, shown, learns(plan, &published.label))
}

fn learns(plan: &Plan, label: &Label) -> Vec<Learns> {
    let [own, other] = plan.reads.as_slice() else { return Vec::new() };
    let (en, zh) = brought(other, label);
    let (mine, theirs, key) = (&own.dataset, &other.dataset, key_texts(own).join(", "));
    let (asked, bound) = (own.rows_bound, other.rows_bound);
    let receiver = words(
        format!(
            "which of its own keys ({key}) of {mine} occur in {theirs} and which do not{en}; the bound {bound} on its rows; \
             whether {theirs} is in the same state as in an earlier job; of keys that it does not ask for, nothing, though \
             its node keeps the table with all keys and cells sealed, also after the owner's rules end, until later tables \
             need the room"
        ),
        format!(
            "自己在 {mine} 中的哪些键（{key}）出现于 {theirs}、哪些没有{zh}；对方行数上限 {bound}；{theirs} 的状态是否与以前任务相同；\
             对没有查询的键一无所知，但其节点保存封存着全部键与单元格的表，任务结束、规则失效后仍在，直到新表需要其空间"
        ),
    );
    let sender = words(
        format!(
            "the query, that {asked} keys are asked for (the bound on the rows of {mine}), and whether the receiver has the \
             table already; not which keys were asked for, nor which matched, nor how many"
        ),
        format!(
            "查询内容、被查询的键数 {asked}（即 {mine} 的行数上限）以及接收方是否已有该表；\
             不知道查询了哪些键，也不知道哪些键命中、命中多少"
        ),
    );
    vec![Learns { party: own.owner.clone(), what: receiver }, Learns { party: other.owner.clone(), what: sender }]
}

/// What a match brings besides itself.
fn brought(other: &Read, label: &Label) -> (String, String) {
    match label {
        Label::Nothing => (String::new(), String::new()),
        Label::Count => {
            (", and how many rows each of these has there".to_owned(), "，以及每个命中的键在对方的行数".to_owned())
        }
        Label::Row { .. } => {
            let cells = other.values.iter().map(|value| formula_text(value, other)).collect::<Vec<_>>().join(", ");
            (format!(", and of their rows there {cells}"), format!("，以及对方相应行的 {cells}"))
        }
    }
}

/// The tree of the plan.
pub(crate) fn tree(plan: &Plan) -> Step {
    let mut sides = Vec::with_capacity(plan.reads.len());
    for (place, read) in plan.reads.iter().enumerate() {
        sides.push(if place == 0 { masked(read) } else { published(read) });
    }
    let en = "ask blindly for a function of each key, check the proof, and look it up in the table";
    let zh = "对每个键盲查函数值，验证证明，并在表中查找";
    rows_delivered(plan, step("intersect", en.to_owned(), zh.to_owned(), &plan.nodes, sides))
}

/// An owner's keys on their way into the table.
fn published(read: &Read) -> Step {
    let (key, bound) = (key_texts(read).join(", "), read.rows_bound);
    let en = format!(
        "evaluate a secret function at the key ({key}) and publish the values as a table of {bound} keys, once for each state of \
         the data set; none can be read back"
    );
    let zh = format!("对键（{key}）计算秘密函数，按 {bound} 个键发布为表，数据集每个状态一次；不可还原");
    step("mask", en, zh, std::slice::from_ref(&read.owner), vec![local(read)])
}
