//! The portal's interface: HTTP routes described by OpenAPI over a `Desk`, with sessions, and no person's key.
//!
//! The browser prepares, shows, signs; the node only relays what was signed. See [`Desk`] for what a node implements.

mod desk;
pub mod fault;
mod openapi;
mod routes;
mod security;
mod session;
pub mod views;

use std::sync::Arc;

use axum::Router;

pub use desk::{Desk, Person};
pub use openapi::document;
pub use routes::pages::pages;
pub use session::{LOGIN_TOKEN_MS, People, SESSION_MS, Sessions};

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct App {
    desk: Arc<dyn Desk>,
    sessions: Arc<Sessions>,
    hosts: Arc<[String]>,
}

/// The whole portal: the interface under `/api`, the login at `/login`, everything else from `pages`.
///
/// `allowed_hosts` are the values of the Host header that are answered, with port (`127.0.0.1:7001`) or, for any port,
/// without; every other is refused, so that a foreign name that resolves to this machine reaches nothing.
pub fn router(desk: Arc<dyn Desk>, sessions: Arc<Sessions>, pages: Router, allowed_hosts: Vec<String>) -> Router {
    let hosts: Vec<_> = allowed_hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
    let app = App { desk, sessions, hosts: hosts.into() };
    security::around(routes::all(&app).fallback_service(pages), &app)
}
