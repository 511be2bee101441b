//! The description lists exactly the routes there are, and answers have the described form.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::Value;

use crate::{client::Portal, desk::JOB};

const ROUTES: [&str; 30] = [
    "get /api/alarms",
    "get /api/catalogue",
    "get /api/chain",
    "get /api/chain/blocks",
    "get /api/chain/blocks/{height}",
    "get /api/chain/transactions/{digest}",
    "get /api/events",
    "get /api/events/page",
    "get /api/events/ws",
    "get /api/health",
    "get /api/jobs",
    "get /api/jobs/{id}",
    "get /api/jobs/{id}/events",
    "get /api/jobs/{id}/evidence",
    "get /api/jobs/{id}/evidence/bundle",
    "get /api/jobs/{id}/result",
    "get /api/me",
    "get /api/openapi.json",
    "get /api/stats",
    "get /login",
    "post /api/approvals/prepare",
    "post /api/cancellations/prepare",
    "post /api/evidence/verify",
    "post /api/queries/check",
    "post /api/queries/prepare",
    "post /api/rules/prepare",
    "post /api/session/end",
    "post /api/sources/prepare",
    "post /api/sources/test",
    "post /api/transactions",
];

fn described(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let each = |(path, methods): (&String, &Value)| {
        let methods: Vec<_> = methods.as_object().unwrap().keys().map(|m| format!("{m} {path}")).collect();
        methods
    };
    paths.iter().flat_map(each).collect()
}

#[tokio::test]
async fn the_description_lists_every_route_and_no_other() {
    let portal = Portal::new();
    let document = portal.get("/api/openapi.json", "").await.json();
    let expected: BTreeSet<String> = ROUTES.iter().map(ToString::to_string).collect();
    assert_eq!(described(&document), expected);
    let cookie = portal.sign_in("owner").await;
    for route in ROUTES.iter().filter(|r| r.contains("/api/") && !r.ends_with("/end")) {
        let (method, path) = route.split_once(' ').unwrap();
        let path =
            path.replace("{id}", &JOB.to_string()).replace("{digest}", &JOB.to_string()).replace("{height}", "3");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = Portal::request(method.clone(), &path, &cookie).header("x-heqi", "1");
        let answer = portal.send(request.body(Body::empty()).unwrap()).await;
        assert!(answer.status != StatusCode::NOT_FOUND, "{route} is described but not served");
        assert!(answer.status != StatusCode::METHOD_NOT_ALLOWED, "{route} has another method");
        // What asks for no upgrade, from no page, opens no socket.
        if path.ends_with("/ws") {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route}: {}", answer.text);
        } else if method == Method::GET {
            assert_eq!(answer.status, StatusCode::OK, "{route}: {}", answer.text);
        }
        let guarded = !matches!(path.as_str(), "/api/health" | "/api/openapi.json");
        if guarded {
            let request = Portal::request(method, &path, "").header("x-heqi", "1");
            let answer = portal.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route} answers without a session");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[test]
fn the_description_is_whole() {
    let document = serde_json::to_value(portal_api::document()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let place = reference.trim_start_matches('#');
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
    for route in described(&document) {
        let (method, path) = route.split_once(' ').unwrap();
        let operation = &document["paths"][path][method];
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{route} is not explained");
    }
    assert_eq!(document["security"][0], serde_json::json!({ "session": [] }));
}

#[tokio::test]
async fn events_and_files_come_in_their_forms() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    let events = portal.get(&format!("/api/jobs/{JOB}/events"), &cookie).await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let steps: Vec<Value> = events
        .text
        .lines()
        .filter_map(|l| l.strip_prefix("data: "))
        .map(|d| serde_json::from_str(d).unwrap())
        .collect();
    assert_eq!(steps.iter().map(|s| s["percent"].as_u64().unwrap()).collect::<Vec<_>>(), [10, 60]);
    assert!(events.text.contains("event: progress"));
    let heights = portal.get("/api/events", &cookie).await;
    assert!(heights.text.contains("event: height") && heights.text.contains("{\"height\":6}"), "{}", heights.text);
    let file = portal.get(&format!("/api/jobs/{JOB}/evidence/bundle"), &cookie).await;
    assert_eq!((file.text.as_str(), file.header("content-type")), ("bundle", "application/octet-stream"));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"evidence-0707"));
    let result = portal.get(&format!("/api/jobs/{JOB}/result"), &cookie).await.json();
    assert_eq!(result["rows"][0][1], serde_json::json!({ "value": null, "suppressed": true }));
    let blocks = portal.get("/api/chain/blocks?before=4&limit=2", &cookie).await.json();
    assert_eq!(
        blocks["blocks"].as_array().unwrap().iter().map(|b| b["height"].as_u64()).collect::<Vec<_>>(),
        [Some(3), Some(2)]
    );
}
