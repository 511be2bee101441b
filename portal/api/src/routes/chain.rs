//! The chain: its state, blocks, transactions and new heights.

use std::convert::Infallible;

use axum::{
    Extension, Json,
    extract::State,
    response::sse::{Event, Sse},
};
use base_types::Height;
use futures::Stream;
use serde::Deserialize;

use super::{
    Served,
    extract::{Asked, DigestInPath, HeightInPath},
    jobs::sent,
};
use crate::{
    Person,
    fault::{Answered, FaultView},
    views::{BlockList, BlockView, ChainView, Tip, TransactionView},
};

/// Most blocks of one answer.
const MOST_BLOCKS: u32 = 200;

/// The chain's state.
#[utoipa::path(get, path = "/api/chain", tag = "chain",
    responses((status = 200, body = ChainView), (status = "default", body = FaultView)))]
pub(crate) async fn chain(State(desk): Served, Extension(who): Extension<Person>) -> Answered<Json<ChainView>> {
    Ok(Json(desk.chain(&who).await?))
}

#[derive(Deserialize)]
pub(crate) struct Range {
    before: Option<Height>,
    limit: Option<u32>,
}

/// Blocks, the newest first; at most 200 at once.
#[utoipa::path(get, path = "/api/chain/blocks", tag = "chain",
    params(("before" = Option<u64>, Query, description = "only blocks below this height"),
        ("limit" = Option<u32>, Query, description = "at most so many, 20 unless told")),
    responses((status = 200, body = BlockList), (status = "default", body = FaultView)))]
pub(crate) async fn blocks(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Asked(range): Asked<Range>,
) -> Answered<Json<BlockList>> {
    let limit = range.limit.unwrap_or(20).clamp(1, MOST_BLOCKS);
    Ok(Json(desk.blocks(&who, range.before, limit).await?))
}

/// One block.
#[utoipa::path(get, path = "/api/chain/blocks/{height}", tag = "chain",
    params(("height" = u64, Path, description = "its height")),
    responses((status = 200, body = BlockView), (status = "default", body = FaultView)))]
pub(crate) async fn block(
    State(desk): Served,
    Extension(who): Extension<Person>,
    HeightInPath(height): HeightInPath,
) -> Answered<Json<BlockView>> {
    Ok(Json(desk.block(&who, height).await?))
}

/// One transaction.
#[utoipa::path(get, path = "/api/chain/transactions/{digest}", tag = "chain",
    params(("digest" = String, Path, description = "its digest")),
    responses((status = 200, body = TransactionView), (status = "default", body = FaultView)))]
pub(crate) async fn transaction(
    State(desk): Served,
    Extension(who): Extension<Person>,
    DigestInPath(digest): DigestInPath,
) -> Answered<Json<TransactionView>> {
    Ok(Json(desk.transaction(&who, digest).await?))
}

/// New heights as server-sent events named `height`.
#[utoipa::path(get, path = "/api/events", tag = "chain",
    responses((status = 200, content_type = "text/event-stream", body = Tip), (status = "default", body = FaultView)))]
pub(crate) async fn events(
    State(desk): Served,
    Extension(who): Extension<Person>,
) -> Answered<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let heights = desk.heights(&who).await?;
    Ok(sent("height", heights))
}
