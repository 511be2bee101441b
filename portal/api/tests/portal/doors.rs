//! Sessions, the header against foreign pages, allowed hosts, and the headers of every answer.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base_types::PersonId;
use portal_api::{LOGIN_TOKEN_MS, Person, SESSION_MS};
use serde_json::json;

use crate::client::{HOST, Portal};

#[tokio::test]
async fn a_login_link_works_once_and_its_cookie_opens_the_interface() {
    let portal = Portal::new();
    let link = portal.link("analyst");
    let answer = portal.get(&link, "").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    let set = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=43200", "Path=/", "heqi-session-7001="] {
        assert!(set.contains(part), "{set} lacks {part}");
    }
    let cookie = set.split(';').next().unwrap();
    let me = portal.get("/api/me", cookie).await;
    assert_eq!((me.status, me.json()["person"].as_str()), (StatusCode::OK, Some("statistics/someone")));
    assert_eq!(me.header("cache-control"), "no-store");
    let again = portal.get(&link, "").await;
    assert_eq!((again.status, again.json()["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("NotAllowed")));
    assert!(again.headers.get(header::SET_COOKIE).is_none());
    let browser = Portal::request(Method::GET, &link, "").header(header::ACCEPT, "text/html,*/*");
    let shown = portal.send(browser.body(Body::empty()).unwrap()).await;
    assert_eq!(shown.header("location"), "/#/login?failed=1");
    let late = portal.link("analyst");
    portal.clock.advance(LOGIN_TOKEN_MS);
    assert_eq!(portal.get(&late, "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_session_only_health_and_description_answer() {
    let portal = Portal::new();
    for path in ["/api/health", "/api/openapi.json"] {
        assert_eq!(portal.get(path, "").await.status, StatusCode::OK, "{path}");
    }
    for cookie in ["", "heqi-session-7001=", "heqi-session-7001=00", "heqi-session=00"] {
        let answer = portal.get("/api/me", cookie).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.json()["message_zh"].as_str().unwrap_or_default().is_empty());
    }
    let cookie = portal.sign_in("analyst").await;
    portal.clock.advance(SESSION_MS);
    assert_eq!(portal.get("/api/me", &cookie).await.status, StatusCode::UNAUTHORIZED, "the session has ended");
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    let answer = portal.post("/api/session/end", &cookie, json!(null)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(portal.get("/api/me", &cookie).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_foreign_page_changes_nothing() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    let body = json!({ "sender": "00".repeat(64), "nonce": "00".repeat(16), "valid_until": 9, "payload": "00",
        "signature": "00".repeat(64) });
    for ours in [None, Some("0"), Some("")] {
        let mut request = Portal::request(Method::POST, "/api/transactions", &cookie);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(value) = ours {
            request = request.header("x-heqi", value);
        }
        let answer = portal.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert!(portal.desk.submitted.lock().unwrap().is_empty());
    assert_eq!(portal.post("/api/transactions", &cookie, body).await.status, StatusCode::OK);
    assert_eq!(portal.desk.submitted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_command_line_acts_with_the_nodes_token_for_known_people() {
    let portal = Portal::new();
    let ask = async |token: &str, person: &str| {
        let request = Portal::request(Method::GET, "/api/me", "").header("authorization", format!("Bearer {token}"));
        portal.send(request.header("x-heqi-person", person).body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask("", "statistics/analyst").await.status, StatusCode::UNAUTHORIZED, "no token was allowed yet");
    let token = portal.sessions.token();
    let known = |id: &PersonId| {
        let roles = vec!["analyst".to_owned()];
        (id.as_str() == "statistics/analyst").then(|| Person { id: id.clone(), roles })
    };
    portal.sessions.allow_local(token.expose(), Box::new(known));
    let me = ask(token.expose(), "statistics/analyst").await;
    assert_eq!((me.status, &me.json()["person"]), (StatusCode::OK, &json!("statistics/analyst")));
    for (token, person) in [
        (token.expose().as_str(), "statistics/other"),
        (token.expose(), "nobody"),
        (portal.sessions.token().expose(), "statistics/analyst"),
        (
            portal.sessions.issue(known(&PersonId::new("statistics/analyst").unwrap()).unwrap()).expose(),
            "statistics/analyst",
        ),
    ] {
        assert_eq!(ask(token, person).await.status, StatusCode::UNAUTHORIZED, "{person}");
    }
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let portal = Portal::new();
    let with = |host: Option<&str>| {
        let request = Request::builder().uri("/api/health");
        host.map_or(request.uri("/api/health"), |host| Request::builder().uri("/api/health").header(header::HOST, host))
    };
    for (host, status) in [
        (Some(HOST), StatusCode::OK),
        (Some("portal.example"), StatusCode::OK),
        (Some("PORTAL.example:8443"), StatusCode::OK),
        (Some("127.0.0.1:7002"), StatusCode::MISDIRECTED_REQUEST),
        (Some("127.0.0.1"), StatusCode::MISDIRECTED_REQUEST),
        (Some("portal.example.evil.net"), StatusCode::MISDIRECTED_REQUEST),
        (Some("evil.net"), StatusCode::MISDIRECTED_REQUEST),
        (None, StatusCode::MISDIRECTED_REQUEST),
    ] {
        let answer = portal.send(with(host).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{host:?}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let portal = Portal::new();
    for path in ["/", "/assets/app.js", "/gone.png", "/api/health", "/api/me", "/api/nothing", "/login"] {
        let answer = portal.get(path, "").await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn pages_are_served_and_kept_by_name() {
    let portal = Portal::new();
    let start = portal.get("/", "").await;
    assert_eq!((start.text.as_str(), start.header("cache-control")), ("<html>", "no-cache"));
    let asset = portal.get("/assets/app.js", "").await;
    assert_eq!(asset.header("content-type"), "text/javascript");
    assert!(asset.header("cache-control").contains("immutable"));
    assert!(!portal.get("/assets/gone.js", "").await.header("cache-control").contains("immutable"));
    assert_eq!(portal.get("/gone.png", "").await.status, StatusCode::NOT_FOUND);
}
