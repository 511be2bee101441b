//! Sources and rules.

use axum::{Extension, Json, extract::State};

use super::{Served, extract::Body};
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::{CatalogueView, Prepared, RuleSetView, SourceDraft, SourceTest},
};

/// Every organisation's sources and rules.
#[utoipa::path(get, path = "/api/catalogue", tag = "sources",
    responses((status = 200, body = CatalogueView), (status = "default", body = FaultView)))]
pub(crate) async fn catalogue(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<CatalogueView>> {
    Ok(Json(desk.catalogue(&who).await?))
}

/// Opens a source of this node and tells what it finds: columns, types, bounds; no values.
#[utoipa::path(post, path = "/api/sources/test", tag = "sources", request_body = Object,
    responses((status = 200, body = SourceTest), (status = "default", body = FaultView)))]
pub(crate) async fn test_source(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(config): Body<serde_json::Value>,
) -> Answered<Json<SourceTest>> {
    Ok(Json(desk.test_source(&who, config).await?))
}

/// The registration of a source, to be signed.
#[utoipa::path(post, path = "/api/sources/prepare", tag = "sources", request_body = SourceDraft,
    responses((status = 200, body = Prepared), (status = "default", body = FaultView)))]
pub(crate) async fn prepare_source(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(draft): Body<SourceDraft>,
) -> Answered<Json<Prepared>> {
    Ok(Json(desk.prepare_source(&who, draft).await?))
}

/// A data set's new rules, to be signed.
#[utoipa::path(post, path = "/api/rules/prepare", tag = "sources", request_body = RuleSetView,
    responses((status = 200, body = Prepared), (status = "default", body = FaultView)))]
pub(crate) async fn prepare_rules(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(rules): Body<RuleSetView>,
) -> Answered<Json<Prepared>> {
    Ok(Json(desk.prepare_rules(&who, rules).await?))
}
