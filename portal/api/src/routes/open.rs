//! What anybody may ask: whether the node works, and what the interface is.

use axum::{Json, extract::State};

use super::Served;
use crate::{
    fault::{Answered, FaultView},
    views::Health,
};

/// Whether the node works.
#[utoipa::path(get, path = "/api/health", tag = "node", security(()),
    responses((status = 200, body = Health), (status = "default", body = FaultView)))]
pub(crate) async fn health(State(desk): Served) -> Answered<Json<Health>> {
    Ok(Json(desk.health().await?))
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "node", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::document())
}
