//! Routes: who answers what, behind which door.

pub(crate) mod alarms;
pub(crate) mod catalogue;
pub(crate) mod chain;
pub(crate) mod evidence;
mod extract;
pub(crate) mod happenings;
pub(crate) mod jobs;
pub(crate) mod login;
pub(crate) mod open;
pub(crate) mod pages;
pub(crate) mod queries;
pub(crate) mod stats;
pub(crate) mod transactions;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use base_types::fault::{Code, Fault};

use crate::{App, Desk, fault::Answer, security};

/// Longest JSON body: a transaction of 1 MiB is 2 MiB of hex.
const MAX_JSON: usize = 4 << 20;
/// Longest evidence bundle taken for verification.
const MAX_BUNDLE: usize = 64 << 20;

/// What handlers take as state.
pub(crate) type Served = axum::extract::State<Arc<dyn Desk>>;

/// The login and everything under `/api`.
pub(crate) fn all(app: &App) -> Router {
    let open = Router::new()
        .route("/health", get(open::health))
        .route("/openapi.json", get(open::openapi))
        .with_state(app.desk.clone());
    let guarded = guarded().with_state(app.desk.clone());
    let guarded = guarded.route_layer(from_fn_with_state(app.clone(), security::session));
    let login = Router::new().route("/login", get(login::login)).with_state(app.clone());
    let session = Router::new().route("/session/end", post(login::end)).with_state(app.clone());
    let session = session.route_layer(from_fn_with_state(app.clone(), security::session));
    let socket = Router::new().route("/events/ws", get(happenings::socket)).with_state(app.desk.clone());
    let socket = socket.route_layer(from_fn_with_state(app.clone(), security::own_page));
    let socket = socket.route_layer(from_fn_with_state(app.clone(), security::session));
    let api = open.merge(guarded).merge(session).merge(socket).fallback(unknown).layer(DefaultBodyLimit::max(MAX_JSON));
    login.nest("/api", api)
}

fn guarded() -> Router<Arc<dyn Desk>> {
    let verify = post(evidence::verify).layer(DefaultBodyLimit::max(MAX_BUNDLE));
    Router::new()
        .route("/me", get(stats::me))
        .route("/catalogue", get(catalogue::catalogue))
        .route("/sources/test", post(catalogue::test_source))
        .route("/sources/prepare", post(catalogue::prepare_source))
        .route("/rules/prepare", post(catalogue::prepare_rules))
        .route("/queries/check", post(queries::check))
        .route("/queries/prepare", post(queries::prepare))
        .route("/approvals/prepare", post(queries::prepare_approval))
        .route("/cancellations/prepare", post(queries::prepare_cancel))
        .route("/transactions", post(transactions::submit))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::one))
        .route("/jobs/{id}/result", get(jobs::result))
        .route("/jobs/{id}/events", get(jobs::events))
        .route("/jobs/{id}/evidence", get(evidence::of_job))
        .route("/jobs/{id}/evidence/bundle", get(evidence::bundle))
        .route("/evidence/verify", verify)
        .route("/stats", get(stats::stats))
        .route("/alarms", get(alarms::alarms))
        .route("/chain", get(chain::chain))
        .route("/chain/blocks", get(chain::blocks))
        .route("/chain/blocks/{height}", get(chain::block))
        .route("/chain/transactions/{digest}", get(chain::transaction))
        .route("/events", get(chain::events))
        .route("/events/page", get(happenings::page))
}

async fn unknown() -> Answer {
    Fault::new(Code::NotFound, "route", "the interface has no such path; see /api/openapi.json").into()
}
