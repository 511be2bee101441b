//! Faults arrive as JSON in both languages, with a fitting status; malformed requests are faults too.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use serde_json::json;

use crate::{client::Portal, desk::JOB};

#[tokio::test]
async fn every_code_has_an_error_status_and_both_languages() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    let party = OrgId::new("health").unwrap();
    for code in Code::ALL {
        let fault = Fault::new(*code, "join", "row bound").at(&party);
        *portal.desk.fault.lock().unwrap() = Some(fault);
        let answer = portal.post("/api/queries/prepare", &cookie, json!({ "sql": "s", "purpose": "p" })).await;
        assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{code:?}: {}", answer.status);
        let told = answer.json();
        assert_eq!(told["code"], format!("{code:?}"));
        assert_eq!(told["number"], code.number());
        assert_eq!(
            (&told["party"], &told["step"], &told["detail"]),
            (&json!("health"), &json!("join"), &json!("row bound"))
        );
        assert_eq!((&told["title"], &told["remedy"]), (&json!(code.title(false)), &json!(code.remedy(false))));
        assert!(
            told["message_zh"].as_str().is_some_and(|m| m.contains(code.title(true)) && m.contains(code.remedy(true)))
        );
        assert!(told["message_en"].as_str().is_some_and(|m| m.contains(code.title(false))));
    }
}

#[tokio::test]
async fn the_status_tells_whose_fault_it_is() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    for (code, status) in [
        (Code::QuerySyntax, 422),
        (Code::RuleForbids, 403),
        (Code::ProposalExpired, 409),
        (Code::PeerSilent, 504),
        (Code::DiskFull, 507),
        (Code::NoQuorum, 503),
        (Code::BadRequest, 400),
        (Code::NotFound, 404),
        (Code::Internal, 500),
    ] {
        *portal.desk.fault.lock().unwrap() = Some(Fault::new(code, "step", "detail"));
        let answer = portal.post("/api/queries/prepare", &cookie, json!({ "sql": "s", "purpose": "p" })).await;
        assert_eq!(answer.status.as_u16(), status, "{code:?}");
    }
}

#[tokio::test]
async fn malformed_requests_are_told_in_our_form() {
    let portal = Portal::new();
    let cookie = portal.sign_in("owner").await;
    let signed = |sender: String, payload: &str| {
        json!({ "sender": sender, "nonce": "00".repeat(16), "valid_until": 9, "payload": payload,
            "signature": "00".repeat(64) })
    };
    for (path, body) in [
        ("/api/queries/check", json!({ "sql": "s" })),
        ("/api/queries/check", json!({ "sql": "s", "purpose": "p", "more": 1 })),
        ("/api/queries/check", json!("s")),
        ("/api/transactions", signed("00".repeat(63), "00")),
        ("/api/transactions", signed("AB".repeat(64), "00")),
        ("/api/transactions", signed("00".repeat(64), "0")),
        ("/api/transactions", signed("00".repeat(64), "zz")),
    ] {
        let answer = portal.post(path, &cookie, body.clone()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::BAD_REQUEST, &json!("BadRequest")), "{body}");
    }
    assert!(portal.desk.submitted.lock().unwrap().is_empty());
    for path in ["/api/jobs/xyz", "/api/jobs/00", "/api/chain/blocks/-1", "/api/chain/blocks?limit=many"] {
        let answer = portal.get(path, &cookie).await;
        assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::BAD_REQUEST, &json!("BadRequest")), "{path}");
    }
    let unknown = portal.get("/api/nothing", &cookie).await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (StatusCode::NOT_FOUND, &json!("NotFound")));
    let other = portal.get(&format!("/api/jobs/{}", "00".repeat(32)), &cookie).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rights_are_the_desks_to_check_with_the_sessions_person() {
    let portal = Portal::new();
    let body = json!({ "job": JOB.to_string(), "approve": true });
    let analyst = portal.sign_in("analyst").await;
    let refused = portal.post("/api/approvals/prepare", &analyst, body.clone()).await;
    assert_eq!((refused.status, &refused.json()["party"]), (StatusCode::FORBIDDEN, &json!("health")));
    let owner = portal.sign_in("owner").await;
    assert_eq!(portal.post("/api/approvals/prepare", &owner, body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_bundle_is_verified_against_the_genesis_that_is_named() {
    let portal = Portal::new();
    let cookie = portal.sign_in("auditor").await;
    let ask = async |query: &str, bytes: &'static [u8]| {
        let request = Portal::request(Method::POST, &format!("/api/evidence/verify{query}"), &cookie);
        portal.send(request.header("x-heqi", "1").body(Body::from(bytes)).unwrap()).await
    };
    assert_eq!(ask("", b"bundle").await.json()["anchored"], json!(false));
    assert_eq!(ask("?genesis=", b"bundle").await.json()["anchored"], json!(false));
    let pinned = format!("?genesis={}", "00".repeat(32));
    assert_eq!(ask(&pinned, b"bundle").await.json()["anchored"], json!(true));
    assert_eq!(ask("?genesis=12", b"bundle").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask("", b"bundlf").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
