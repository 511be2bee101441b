//! The explanation of an intersection: its tier, its protocol, and what each owner learns.

use notary_terms::{Intersect, KeyPart, Label, MAX_RESUMES, Plan, Read, ReadRole, Spares};

use crate::{
    cost::{self, Cost},
    explain::{Learns, Words, words},
    hints,
    steps::names,
};

/// The key's columns as SQL, with the functions around them.
pub(crate) fn key_texts(read: &Read) -> Vec<String> {
    let column = |place: u8| read.columns.get(usize::from(place)).map_or("?", String::as_str);
    match &read.role {
        ReadRole::Set { keys } => keys.iter().map(|part| key_text(column(part.column), part)).collect(),
        ReadRole::Carrier { .. } | ReadRole::Side { .. } | ReadRole::Input { .. } => {
            read.key.iter().map(|key| column(*key).to_owned()).collect()
        }
    }
}

fn key_text(column: &str, part: &KeyPart) -> String {
    part.folds.iter().fold(column.to_owned(), |inner, fold| format!("{}({inner})", fold.word()))
}

/// What a side's rows are for.
pub(crate) fn role(read: &Read, keys: &[KeyPart]) -> Words {
    let key = key_texts(read).join(", ");
    if keys.iter().all(|part| part.folds.is_empty()) {
        return words(
            format!("its keys ({key}) are compared as they are; a NULL matches nothing"),
            format!("其键（{key}）按原值比对；NULL 不匹配任何值"),
        );
    }
    words(
        format!("its keys are compared as {key}; a NULL matches nothing"),
        format!("其键以 {key} 的形式比对；NULL 不匹配任何值"),
    )
}

/// Tier, protocol, what is shown instead of aggregates, and who learns what.
pub(crate) fn program(plan: &Plan, intersect: &Intersect) -> (Words, Words, Words, Vec<Learns>) {
    let nodes = names(&plan.nodes);
    let tier = words(
        format!(
            "Tier C: only the nodes of {nodes} compute. Each is safe from the other even where that one deviates from the \
             protocol: it learns no more than is listed below, or the run ends with its name; a receiver that deviates may \
             compare up to 2.3 times as many keys as its bound and 500 more. Neither proves that the rows it put in are \
             true."
        ),
        format!(
            "C 级：仅 {nodes} 的节点参与计算。即使对方偏离协议，本方也是安全的：对方所得不超过下列内容，否则任务中止并指明对方；\
             偏离协议的接收方至多可比对其上限 2.3 倍另加 500 个键。双方均不证明所投入的数据真实。"
        ),
    );
    let pace = pace(intersect.spares, |spares| cost::pair(plan, intersect, spares));
    let buckets = buckets(plan, intersect);
    let protocol = words(
        format!(
            "Private set intersection by oblivious key-value stores and vector OLE (Raghuraman and Rindal 2022), malicious; \
             cells sealed under the other owner's function of the key; {}{}",
            pace.en, buckets.en
        ),
        format!(
            "隐私求交：不经意键值存储与向量 OLE（Raghuraman、Rindal 2022），恶意安全；单元格以键的函数值加密；{}{}",
            pace.zh, buckets.zh
        ),
    );
    let shown = words("single rows are shown: no threshold hides any of them", "结果为逐行数据：没有门限隐藏任何一行");
    (tier, protocol, shown, learns(plan, &intersect.label))
}

/// What the run spares, and what it would cost otherwise: `cost` estimates either way.
pub(crate) fn pace(spares: Spares, cost: impl Fn(Spares) -> Cost) -> Words {
    let cost = |spares| {
        let cost = cost(spares);
        (format!("{}.{} MB", cost.bytes / 1_000_000, cost.bytes / 100_000 % 10), cost.millis)
    };
    let ((fast, fast_ms), (lean, lean_ms)) = (cost(Spares::Time), cost(Spares::Bytes));
    match spares {
        Spares::Time => words(
            format!(
                "it spares time: about {fast} and, on a local network, {fast_ms} ms; with the hint LOW_TRAFFIC {lean} and \
                 {lean_ms} ms"
            ),
            format!(
                "以省时方式运行：约 {fast}，本地网络上约 {fast_ms} 毫秒；加提示 LOW_TRAFFIC 则约 {lean}、{lean_ms} 毫秒"
            ),
        ),
        Spares::Bytes => words(
            format!(
                "it spares bytes, as asked: about {lean} and, on a local network, {lean_ms} ms; without the hint \
                 LOW_TRAFFIC {fast} and {fast_ms} ms"
            ),
            format!(
                "按要求以省流量方式运行：约 {lean}，本地网络上约 {lean_ms} 毫秒；不加提示 LOW_TRAFFIC 则约 {fast}、{fast_ms} 毫秒"
            ),
        ),
    }
}

/// That keys are dealt out to buckets, how many, and where they lie.
fn buckets(plan: &Plan, intersect: &Intersect) -> Words {
    let Some(keys) = intersect.bucket_keys else { return words("", "") };
    let (count, memory) = (intersect.buckets(&plan.reads), hints::memory_mib(keys, &intersect.label));
    words(
        format!(
            "; it runs in {count} buckets of about {keys} keys, padded to one size, one after the other: each node keeps the \
             hashes of its own keys encrypted on its own disk until the run ends, and about {memory} MiB of them in memory; if \
             the link breaks, the bucket under way is compared again, up to {MAX_RESUMES} times in all"
        ),
        format!(
            "；分 {count} 个桶依次进行，每桶约 {keys} 个键并补齐至同一规模：各节点将自己的键的散列加密存于本机磁盘，运行结束即删除，\
             内存中约占 {memory} MiB；链路中断时重新比对正在进行的桶，总共至多 {MAX_RESUMES} 次"
        ),
    )
}

fn learns(plan: &Plan, label: &Label) -> Vec<Learns> {
    let [own, other] = plan.reads.as_slice() else { return Vec::new() };
    let (mine, theirs) = (&own.dataset, &other.dataset);
    let key = key_texts(own).join(", ");
    let cells = cells(other);
    let (en, zh) = match label {
        Label::Nothing => (String::new(), String::new()),
        Label::Count => {
            (", and how many rows each of these has there".to_owned(), "，以及每个命中的键在对方的行数".to_owned())
        }
        Label::Row { rows: 1, .. } => {
            (format!(", and of their rows there {cells}"), format!("，以及对方相应行的 {cells}"))
        }
        Label::Row { rows, .. } => (
            format!(", and of up to {rows} rows that a key has there {cells}; the run ends where a key has more"),
            format!("，以及对方每个键至多 {rows} 行的 {cells}；某个键的行数更多时任务中止"),
        ),
    };
    let receiver = Learns {
        party: own.owner.clone(),
        what: words(
            format!(
                "which of its own keys ({key}) of {mine} occur in {theirs} and which do not{en}; the bound {} on its rows; \
                     of keys that it does not have, nothing",
                other.rows_bound
            ),
            format!(
                "自己在 {mine} 中的哪些键（{key}）出现于 {theirs}、哪些没有{zh}；对方行数上限 {}；对自己没有的键一无所知",
                other.rows_bound
            ),
        ),
    };
    let sender = Learns {
        party: other.owner.clone(),
        what: words(
            format!(
                "the query and the bound {} on the rows of {mine}; not which of its keys matched, nor how many",
                own.rows_bound
            ),
            format!("查询内容与 {mine} 的行数上限 {}；不知道自己的哪些键命中，也不知道命中多少", own.rows_bound),
        ),
    };
    vec![receiver, sender]
}

fn cells(read: &Read) -> String {
    read.values.iter().map(|value| crate::formula_text(value, read)).collect::<Vec<_>>().join(", ")
}
