//! The way in and out: a one-time token for a cookie.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base_types::fault::{Code, Fault};
use serde::Deserialize;

use super::extract::Asked;
use crate::{
    App, SESSION_MS,
    fault::{Answer, FaultView},
    security::{cookie, set_cookie},
};

#[derive(Deserialize)]
pub(crate) struct Login {
    token: String,
}

/// Exchanges a one-time login token for a session cookie and goes to the pages.
#[utoipa::path(get, path = "/login", tag = "session", security(()),
    params(("token" = String, Query, description = "the token of the login link; it works once")),
    responses((status = 303, description = "signed in; a cookie is set"), (status = "default", body = FaultView)))]
pub(crate) async fn login(State(app): State<App>, headers: HeaderMap, Asked(login): Asked<Login>) -> Response {
    let session = app.sessions.redeem(&login.token);
    let set = session.and_then(|token| set_cookie(&headers, token.expose(), SESSION_MS / 1000));
    match set {
        Some(cookie) => {
            let set = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, NO_STORE)];
            (set, Redirect::to("/")).into_response()
        }
        // A person clicked this link, so the pages explain it; a program sees that no cookie came.
        None if wants_page(&headers) => Redirect::to("/#/login?failed=1").into_response(),
        None => {
            let fault = Fault::new(Code::NotAllowed, "login", "the login link has been used, has ended or is not ours");
            Answer::new(StatusCode::UNAUTHORIZED, fault).into_response()
        }
    }
}

const NO_STORE: axum::http::HeaderValue = axum::http::HeaderValue::from_static("no-store");

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains("text/html"))
}

/// Ends the session.
#[utoipa::path(post, path = "/api/session/end", tag = "session",
    responses((status = 204, description = "signed out"), (status = "default", body = FaultView)))]
pub(crate) async fn end(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(token) = cookie(&headers) {
        app.sessions.end(&token);
    }
    match set_cookie(&headers, "", 0) {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], StatusCode::NO_CONTENT).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}
