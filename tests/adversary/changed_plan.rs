//! A proposal that changes after its approval, in any field however deep.

use notary_terms::{ApprovalFault, Plan, verify};
use serde_json::{Value, json};

use crate::{
    common::{
        job::{STARTED, approvals, plan},
        org,
    },
    stage::{SQL, sources},
};

const ROWS: &str = "SELECT c.person_id, h.sbp FROM census c JOIN health h ON h.person_id = c.person_id
WHERE h.age >= 30 ORDER BY c.person_id";

/// Other values of a leaf, of its own kind.
fn others(value: &Value) -> Vec<Value> {
    match value {
        // `A` is a word of the plan's enumerations.
        Value::Null => vec![json!(0), json!({ "ops": [] }), json!("A")],
        Value::Bool(truth) => vec![json!(!truth)],
        Value::Number(number) => {
            let number = number.as_i64().expect("an integer");
            vec![json!(number ^ 1), Value::Null]
        }
        Value::String(text) => {
            let mut all = vec![json!(format!("{text}x"))];
            // Words of the plan's enumerations.
            let words =
                ["int", "text", "inner", "left", "count", "sum", "and", "or", "rows", "time", "bytes", "B", "C"];
            all.extend(words.map(|word| json!(word)));
            all.push(json!({ "value": { "read": 0, "value": 0, "absent": null } }));
            all
        }
        Value::Array(items) => {
            let mut longer = items.clone();
            longer.extend(items.first().cloned());
            let shorter = items[..items.len().saturating_sub(1)].to_vec();
            let mut turned = items.clone();
            turned.reverse();
            vec![Value::Array(longer), Value::Array(shorter), Value::Array(turned)]
        }
        Value::Object(_) => Vec::new(),
    }
}

/// Every place in a value, as pointers.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, format!("{at}/{n}"), found));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, item)| places(item, format!("{at}/{name}"), found)),
        _ => {}
    }
}

/// Changes a plan in every place; says how many changes there were, none of which its approvals cover.
fn every_change(plan: &Plan) -> usize {
    let facts = approvals(plan);
    let me = org("statistics");
    assert_eq!(verify(plan, &facts, (1, STARTED), 1, &me).map(|reads| reads.len()), Ok(1));
    let whole = serde_json::to_value(plan).expect("a value");
    let (mut all, mut untouched, mut changed) = (Vec::new(), Vec::new(), 0);
    places(&whole, String::new(), &mut all);
    for place in all {
        let leaf = whole.pointer(&place).expect("a place").clone();
        // A list's items are tried one by one; an empty list has nothing to change.
        let mut touched = leaf.is_object() || leaf.is_array();
        for other in others(&leaf).into_iter().filter(|other| *other != leaf) {
            let mut value = whole.clone();
            *value.pointer_mut(&place).expect("a place") = other;
            let Ok(other) = serde_json::from_value::<Plan>(value) else { continue };
            if other == *plan {
                continue;
            }
            (touched, changed) = (true, changed + 1);
            assert_ne!(other.digest(), plan.digest(), "{place}");
            match verify(&other, &facts, (1, STARTED), 1, &me).map(|reads| reads.len()) {
                Err(ApprovalFault::OtherPlan(_)) => {}
                // With another owner the new one has not approved at all; with an earlier end it is over.
                Err(ApprovalFault::Missing(_)) if place.contains("owner") => {}
                Err(ApprovalFault::Expired) if place.contains("expires") => {}
                // Nobody reads anything, so nobody can be asked.
                Ok(0) if other.reads.is_empty() => {}
                other => panic!("{place}: {other:?}"),
            }
        }
        if !touched {
            untouched.push(place);
        }
    }
    assert!(untouched.is_empty(), "{untouched:?}");
    changed
}

#[tokio::test]
async fn no_change_of_any_field_is_covered_by_the_approvals() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = sources(folder.path()).await;
    let mut star = plan(&sources, SQL);
    star.limit = Some(7);
    let changed = every_change(&star);
    assert!(changed > 150, "{changed} changes were tried");
    let rows = plan(&sources, ROWS);
    let changed = every_change(&rows);
    assert!(changed > 60, "{changed} changes were tried");
}
