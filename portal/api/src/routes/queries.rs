//! Queries and decisions on them.

use axum::{Extension, Json, extract::State};

use super::{Served, extract::Body};
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::{ApprovalDraft, CancelDraft, CheckView, Prepared, QueryDraft},
};

/// Plans a query and says who would learn what and which grants are missing.
#[utoipa::path(post, path = "/api/queries/check", tag = "queries", request_body = QueryDraft,
    responses((status = 200, body = CheckView), (status = "default", body = FaultView)))]
pub(crate) async fn check(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(query): Body<QueryDraft>,
) -> Answered<Json<CheckView>> {
    Ok(Json(desk.check_query(&who, query).await?))
}

/// The proposal of a query, to be signed.
#[utoipa::path(post, path = "/api/queries/prepare", tag = "queries", request_body = QueryDraft,
    responses((status = 200, body = Prepared), (status = "default", body = FaultView)))]
pub(crate) async fn prepare(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(query): Body<QueryDraft>,
) -> Answered<Json<Prepared>> {
    Ok(Json(desk.prepare_query(&who, query).await?))
}

/// An approval or rejection, to be signed.
#[utoipa::path(post, path = "/api/approvals/prepare", tag = "queries", request_body = ApprovalDraft,
    responses((status = 200, body = Prepared), (status = "default", body = FaultView)))]
pub(crate) async fn prepare_approval(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(draft): Body<ApprovalDraft>,
) -> Answered<Json<Prepared>> {
    Ok(Json(desk.prepare_approval(&who, draft).await?))
}

/// The calling off of a job by one of its parties, to be signed.
#[utoipa::path(post, path = "/api/cancellations/prepare", tag = "queries", request_body = CancelDraft,
    responses((status = 200, body = Prepared), (status = "default", body = FaultView)))]
pub(crate) async fn prepare_cancel(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(draft): Body<CancelDraft>,
) -> Answered<Json<Prepared>> {
    Ok(Json(desk.prepare_cancel(&who, draft).await?))
}
