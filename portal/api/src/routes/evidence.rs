//! A job's chain of evidence, as a list, as a file, and verified.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use base_types::Digest;
use serde::Deserialize;

use super::{
    Served,
    extract::{Asked, DigestInPath},
};
use crate::{
    Person,
    fault::{Answer, Answered, FaultView},
    views::{EvidenceView, Verdict},
};

/// A job's records and whether they verify.
#[utoipa::path(get, path = "/api/jobs/{id}/evidence", tag = "evidence",
    params(("id" = String, Path, description = "the job")),
    responses((status = 200, body = EvidenceView), (status = "default", body = FaultView)))]
pub(crate) async fn of_job(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(id): DigestInPath,
) -> Answered<Json<EvidenceView>> {
    Ok(Json(desk.evidence(&who, id).await?))
}

/// A job's evidence as a file that `heqi evidence verify` checks offline.
#[utoipa::path(get, path = "/api/jobs/{id}/evidence/bundle", tag = "evidence",
    params(("id" = String, Path, description = "the job")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = "default", body = FaultView)))]
pub(crate) async fn bundle(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(id): DigestInPath,
) -> Answered<Response> {
    let bytes = desk.bundle(&who, id).await?;
    let short: String = id.to_string().chars().take(16).collect();
    let name = format!("attachment; filename=\"evidence-{short}.heqi\"");
    let headers = [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Against {
    genesis: Option<String>,
}

/// Verifies such a file; without a genesis digest the verdict is unanchored.
#[utoipa::path(post, path = "/api/evidence/verify", tag = "evidence",
    params(("genesis" = Option<String>, Query, description = "the genesis digest to pin")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Verdict), (status = "default", body = FaultView)))]
pub(crate) async fn verify(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Asked(against): Asked<Against>,
    bundle: Bytes,
) -> Answered<Json<Verdict>> {
    let named = against.genesis.filter(|text| !text.is_empty());
    let genesis = named.map(|text| text.parse::<Digest>()).transpose();
    let genesis = genesis.map_err(|_| Answer::bad("read address", "genesis is 64 hex digits"))?;
    Ok(Json(desk.verify_bundle(&who, bundle.to_vec(), genesis).await?))
}
