//! Alarms are shown to everybody who is signed in, in both languages, and to nobody else.

use axum::http::StatusCode;
use portal_api::views::AlarmView;
use serde_json::json;

use crate::client::Portal;

fn lost() -> AlarmView {
    AlarmView {
        code: "peer_lost".into(),
        subject: "health".into(),
        severity: "critical".into(),
        since: 900,
        text_zh: "已 16 秒没有收到 health 的消息".into(),
        text_en: "nothing has been heard of health for 16 s".into(),
        remedy_zh: "检查该方节点是否运行、可达".into(),
        remedy_en: "check that the party's node runs and is reachable".into(),
    }
}

#[tokio::test]
async fn whoever_is_signed_in_sees_the_alarms_and_nobody_else() {
    let portal = Portal::new();
    portal.desk.alarms.lock().unwrap().push(lost());
    for role in ["analyst", "owner", "auditor", "administrator"] {
        let cookie = portal.sign_in(role).await;
        let answer = portal.get("/api/alarms", &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{role}");
        assert_eq!(answer.json(), json!({ "looked": 1_000, "active": [lost()] }), "{role}");
    }
    let refused = portal.get("/api/alarms", "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(!refused.text.contains("health"), "{}", refused.text);
}

#[tokio::test]
async fn a_node_that_is_well_has_an_empty_list() {
    let portal = Portal::new();
    let cookie = portal.sign_in("analyst").await;
    assert_eq!(portal.get("/api/alarms", &cookie).await.json()["active"], json!([]));
}
