//! The person and the numbers.

use axum::{Extension, Json, extract::State};

use super::Served;
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::{Me, StatsView},
};

/// The person, the organisation and the chain.
#[utoipa::path(get, path = "/api/me", tag = "session",
    responses((status = 200, body = Me), (status = "default", body = FaultView)))]
pub(crate) async fn me(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<Me>> {
    Ok(Json(desk.me(&who).await?))
}

/// Data sets, jobs, who used what for which purpose how often, refused attempts, columns by class, nodes.
#[utoipa::path(get, path = "/api/stats", tag = "node",
    responses((status = 200, body = StatsView), (status = "default", body = FaultView)))]
pub(crate) async fn stats(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<StatsView>> {
    Ok(Json(desk.stats(&who).await?))
}
