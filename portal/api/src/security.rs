//! What surrounds every answer: allowed hosts, headers, sessions, and the proof that a page of ours is asking.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use base_types::fault::{Code, Fault};

use crate::{App, Person, fault::Answer};

/// Nothing is loaded but from the portal itself; styles may stand in the page because the component library writes them
/// there, and images may be inline.
const CONTENT: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                       base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Sent with every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The header that no foreign page can send without being asked first.
const OURS: &str = "x-heqi";

/// Wraps the whole portal.
pub(crate) fn around(router: Router, app: &App) -> Router {
    router.layer(from_fn_with_state(app.clone(), known_host)).layer(from_fn(with_headers))
}

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The host that the browser believes to talk to.
fn host(request: &Request) -> Option<String> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    named.or_else(|| request.uri().authority().map(|a| a.as_str())).map(str::to_ascii_lowercase)
}

/// The part before the port; an IPv6 address stands in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// Whether the portal goes by that name, in lower case.
fn is_ours(app: &App, host: &str) -> bool {
    let bare = without_port(host);
    app.hosts.iter().any(|allowed| allowed == host || allowed == bare)
}

async fn known_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if host(&request).is_some_and(|host| is_ours(&app, &host)) {
        return next.run(request).await;
    }
    let fault = Fault::new(Code::BadRequest, "host", "this portal does not go by that name");
    Answer::new(StatusCode::MISDIRECTED_REQUEST, fault).into_response()
}

/// Lets a request pass only with a session and, where it changes something, with our header; the handler finds the
/// [`crate::Person`] among the request's extensions.
pub(crate) async fn session(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let person = cookie(headers).and_then(|token| app.sessions.person(&token)).or_else(|| local(&app, headers));
    let Some(person) = person else {
        let fault = Fault::new(Code::NotAllowed, "session", "no session: open the login link that the node printed");
        return Answer::new(StatusCode::UNAUTHORIZED, fault).into_response();
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && request.headers().get(OURS).is_none_or(|value| value != "1") {
        let fault = Fault::new(Code::BadRequest, "session", "the header X-Heqi: 1 is missing");
        return Answer::new(StatusCode::FORBIDDEN, fault).into_response();
    }
    request.extensions_mut().insert(person);
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets a request for a WebSocket pass only from a page of ours. Browsers send the session's cookie along with a foreign
/// page's too and show that page the answers, but they always name the page's origin (RFC 6455, 10.2). Only who shows
/// the command line's token, which no browser has, may leave it out.
pub(crate) async fn own_page(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let ours = match headers.get(header::ORIGIN).map(HeaderValue::to_str) {
        Some(Ok(origin)) => origin.split_once("://").is_some_and(|(_, host)| is_ours(&app, &host.to_ascii_lowercase())),
        Some(Err(_)) => false,
        None => local(&app, headers).is_some(),
    };
    if ours {
        return next.run(request).await;
    }
    let fault = Fault::new(Code::NotAllowed, "open WebSocket", "the page that asks is not of this portal");
    Answer::new(StatusCode::FORBIDDEN, fault).into_response()
}

/// Whom the command line acts for: `Authorization: Bearer TOKEN` and `X-Heqi-Person: ORG/NAME`.
fn local(app: &App, headers: &HeaderMap) -> Option<Person> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let token = text(header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
    app.sessions.local(token, text(HeaderName::from_static("x-heqi-person"))?)
}

/// The session cookie's name. Browsers keep cookies by host whatever the port, so the port is in the name: two nodes of
/// one machine do not sign each other's people out.
fn cookie_name(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match host.strip_prefix(without_port(host)).and_then(|port| port.strip_prefix(':')) {
        Some(port) => format!("heqi-session-{port}"),
        None => "heqi-session".to_owned(),
    }
}

/// The session's token, if the request carries one.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(headers);
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The `Set-Cookie` that begins a session, or, with an age of 0, ends it.
pub(crate) fn set_cookie(headers: &HeaderMap, token: &str, seconds: u64) -> Option<HeaderValue> {
    let name = cookie_name(headers);
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_told_from_the_name() {
        for (host, name) in [
            ("localhost:7001", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:7001", "[::1]"),
            ("[::1]", "[::1]"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(without_port(host), name, "{host}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others_and_by_port() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:7002"));
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; heqi-session-7001=other"));
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("heqi-session-7002=mine;b=2"));
        assert_eq!(cookie(&headers).as_deref(), Some("mine"));
        let set = set_cookie(&headers, "mine", 60).unwrap();
        assert_eq!(set, "heqi-session-7002=mine; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    }
}
