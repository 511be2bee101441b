//! Jobs, their progress and answers.

use std::convert::Infallible;

use axum::{
    Extension, Json,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, stream::BoxStream};
use serde::Serialize;

use super::{Served, extract::DigestInPath};
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::{JobSummary, JobView, Progress, ResultView},
};

/// All jobs, the newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs",
    responses((status = 200, body = [JobSummary]), (status = "default", body = FaultView)))]
pub(crate) async fn list(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<Vec<JobSummary>>> {
    Ok(Json(desk.jobs(&who).await?))
}

/// One job; its query and plan are shown where this organisation is a party.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "the job")),
    responses((status = 200, body = JobView), (status = "default", body = FaultView)))]
pub(crate) async fn one(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(id): DigestInPath,
) -> Answered<Json<JobView>> {
    Ok(Json(desk.job(&who, id).await?))
}

/// The answer, at the receiver's node.
#[utoipa::path(get, path = "/api/jobs/{id}/result", tag = "jobs",
    params(("id" = String, Path, description = "the job")),
    responses((status = 200, body = ResultView), (status = "default", body = FaultView)))]
pub(crate) async fn result(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(id): DigestInPath,
) -> Answered<Json<ResultView>> {
    Ok(Json(desk.result(&who, id).await?))
}

/// Progress as server-sent events named `progress`; the stream ends with the job.
#[utoipa::path(get, path = "/api/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path, description = "the job")),
    responses((status = 200, content_type = "text/event-stream", body = Progress),
        (status = "default", body = FaultView)))]
pub(crate) async fn events(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(id): DigestInPath,
) -> Answered<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let progress = desk.progress(&who, id).await?;
    Ok(sent("progress", progress))
}

/// Values as server-sent events of one name; one that has no JSON is left out.
pub(super) fn sent<T: Serialize + Send + 'static>(
    name: &'static str,
    values: BoxStream<'static, T>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = values.filter_map(move |value| async move { Event::default().event(name).json_data(value).ok() });
    Sse::new(events.map(Ok)).keep_alive(KeepAlive::default())
}
