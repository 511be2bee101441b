//! A browser's part: a portal in memory, requests with and without a session, answers as text.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use base_rt::{ManualClock, SeededEntropy};
use base_types::PersonId;
use portal_api::{Person, Sessions, pages, router};
use tower::ServiceExt;

use crate::desk::SmallDesk;

pub const HOST: &str = "127.0.0.1:7001";

pub struct Portal {
    pub desk: Arc<SmallDesk>,
    pub clock: Arc<ManualClock>,
    pub sessions: Arc<Sessions>,
    router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn page(path: &str) -> Option<(Cow<'static, [u8]>, String)> {
    match path {
        "assets/app.js" => Some((Cow::Borrowed(b"1"), "text/javascript".into())),
        "gone.png" => None,
        _ => Some((Cow::Borrowed(b"<html>"), "text/html; charset=utf-8".into())),
    }
}

impl Portal {
    pub fn new() -> Self {
        let (desk, clock) = (Arc::new(SmallDesk::default()), Arc::new(ManualClock::new(1_000)));
        let sessions = Arc::new(Sessions::new(clock.clone(), Arc::new(SeededEntropy::new(b"portal"))));
        let hosts = vec![HOST.to_owned(), "portal.example".to_owned()];
        let router = router(desk.clone(), sessions.clone(), pages(page), hosts);
        Self { desk, clock, sessions, router }
    }

    pub fn link(&self, role: &str) -> String {
        let person = Person { id: PersonId::new("statistics/someone").unwrap(), roles: vec![role.to_owned()] };
        format!("/login?token={}", self.sessions.issue(person).expose())
    }

    /// Signs in and gives the cookie.
    pub async fn sign_in(&self, role: &str) -> String {
        let answer = self.get(&self.link(role), "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    /// Serves on a free port of this machine until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, router) = (listener.local_addr().unwrap(), self.router.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub fn request(method: Method, path: &str, cookie: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        if cookie.is_empty() { request } else { request.header(header::COOKIE, cookie) }
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(Self::request(Method::GET, path, cookie).body(Body::empty()).unwrap()).await
    }

    /// A POST as the pages send it.
    pub async fn post(&self, path: &str, cookie: &str, body: serde_json::Value) -> Answer {
        let request = Self::request(Method::POST, path, cookie).header("x-heqi", "1");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}
