//! Alarms of the node, for whoever is signed in.

use axum::{Extension, Json, extract::State};

use super::Served;
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::AlarmsView,
};

/// What is wrong with the node now, and what to do.
#[utoipa::path(get, path = "/api/alarms", tag = "node",
    responses((status = 200, body = AlarmsView), (status = "default", body = FaultView)))]
pub(crate) async fn alarms(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<AlarmsView>> {
    Ok(Json(desk.alarms(&who).await?))
}
