//! A plan's explanation as text: who reads what, who learns what, and how it goes.

use serde_json::Value;

use super::{Show, items, table, text};

/// The whole explanation.
pub fn explanation(explained: &Value, show: Show) -> String {
    let words = |value: &Value, name: &str| value.get(name).map(|w| text(w, show.pick("zh", "en"))).unwrap_or_default();
    let mut lines = vec![words(explained, "tier_words"), words(explained, "protocol"), String::new()];
    lines.push(show.pick("读取：", "Reads:").to_owned());
    let mut rows = Vec::new();
    for read in items(explained, "reads") {
        let columns: Vec<_> = items(read, "columns").iter().filter_map(Value::as_str).collect();
        rows.push(vec![
            format!("  {}", text(read, "owner")),
            text(read, "dataset"),
            columns.join(", "),
            text(read, "filter"),
            format!("≤ {}", text(read, "rows_bound")),
            words(read, "role"),
        ]);
    }
    lines.push(table(&rows));
    lines.push(show.pick("各方得知：", "Who learns what:").to_owned());
    for learns in items(explained, "learns") {
        lines.push(format!("  {}: {}", text(learns, "party"), words(learns, "what")));
    }
    lines.push(words(explained, "suppression"));
    if let Some(program) = explained.get("program").filter(|program| !program.is_null()) {
        lines.push(super::program::told(program, show));
    }
    lines.push(show.pick("步骤：", "Steps:").to_owned());
    if let Some(root) = explained.get("steps") {
        step(root, 1, show, &mut lines);
    }
    let megabytes = explained.get("bytes").and_then(Value::as_u64).unwrap_or(0) / 1_000_000;
    let (rounds, millis) = (text(explained, "rounds"), text(explained, "millis"));
    let zh = format!("预计：每方约 {megabytes} MB，{rounds} 轮，约 {millis} 毫秒");
    let en = format!("Expected: about {megabytes} MB a party, {rounds} rounds, about {millis} ms");
    lines.push(show.pick(&zh, &en).to_owned());
    lines.join("\n")
}

/// A step and, indented, those before it.
fn step(at: &Value, depth: usize, show: Show, lines: &mut Vec<String>) {
    let title = at.get("title").map(|w| text(w, show.pick("zh", "en"))).unwrap_or_default();
    let who: Vec<_> = items(at, "who").iter().filter_map(Value::as_str).collect();
    lines.push(format!("{}└ {title} [{}]", "  ".repeat(depth), who.join(", ")));
    // The planner bounds the depth; a node that sends more is cut off here.
    if depth < 32 {
        for before in items(at, "inputs") {
            step(before, depth + 1, show, lines);
        }
    }
}
