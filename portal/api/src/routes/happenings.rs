//! What happens on the ledger, pulled as pages or pushed through a WebSocket; both go on from a cursor.

use std::pin::pin;

use axum::{
    Extension, Json,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use base_types::{
    Height,
    fault::{Code, Fault},
};
use futures::{
    StreamExt, TryStreamExt,
    future::{Either, select},
    stream::BoxStream,
};
use serde::Deserialize;

use super::{Served, extract::Asked};
use crate::{
    Person,
    fault::{Answer, Answered, FaultView},
    views::{HappeningPage, HappeningView},
};

/// Most happenings of one page.
const MOST: u32 = 1000;
/// Longest message that is read from a listener, in bytes: it has nothing to say.
const MOST_HEARD: usize = 4 << 10;
/// Close code of an end that the node did not expect (RFC 6455, 7.4.1).
const UNEXPECTED: u16 = 1011;
/// Close code of a node that goes away.
const AWAY: u16 = 1001;

/// The last happening known; nothing is before the first.
#[derive(Deserialize)]
pub(crate) struct After {
    height: Option<Height>,
    index: Option<u32>,
    limit: Option<u32>,
    contract: Option<String>,
}

impl After {
    fn cursor(&self) -> (Height, u32) {
        (self.height.unwrap_or(0), self.index.unwrap_or(0))
    }
}

/// Executed transactions after a cursor, at most 1000, and the cursor to go on from.
#[utoipa::path(get, path = "/api/events/page", tag = "chain",
    params(("height" = Option<u64>, Query, description = "height of the last one known, 0 unless told"),
        ("index" = Option<u32>, Query, description = "its number in the block, 0 unless told"),
        ("limit" = Option<u32>, Query, description = "at most so many, 100 unless told")),
    responses((status = 200, body = HappeningPage), (status = "default", body = FaultView)))]
pub(crate) async fn page(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Asked(after): Asked<After>,
) -> Answered<Json<HappeningPage>> {
    let limit = after.limit.unwrap_or(100).clamp(1, MOST);
    let happenings = desk.happenings(&who, after.cursor(), None, false).await?;
    let happenings: Vec<HappeningView> = happenings.take(limit as usize).try_collect().await?;
    let (height, index) = happenings.last().map_or(after.cursor(), |last| (last.height, last.index));
    Ok(Json(HappeningPage { happenings, height, index }))
}

/// Executed transactions as they come, each a text frame, after a cursor; only for pages of this portal.
#[utoipa::path(get, path = "/api/events/ws", tag = "chain",
    params(("height" = Option<u64>, Query, description = "height of the last one known, 0 unless told"),
        ("index" = Option<u32>, Query, description = "its number in the block, 0 unless told"),
        ("contract" = Option<String>, Query, description = "only where this contract announced something")),
    responses((status = 101, description = "a WebSocket whose text frames are happenings", body = HappeningView),
        (status = "default", body = FaultView)))]
pub(crate) async fn socket(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Asked(after): Asked<After>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answered<Response> {
    let upgrade = upgrade
        .map_err(|why| Answer::new(why.status(), Fault::new(Code::BadRequest, "open WebSocket", why.body_text())))?;
    let cursor = after.cursor();
    let contract = after.contract.filter(|text| !text.is_empty());
    let happenings = desk.happenings(&who, cursor, contract, true).await?;
    let upgrade = upgrade.max_message_size(MOST_HEARD).max_frame_size(MOST_HEARD);
    Ok(upgrade.on_upgrade(move |socket| tell(socket, happenings)))
}

/// What comes first: something to tell, or something from the listener.
enum Turn {
    Told(Option<Result<HappeningView, Fault>>),
    Heard(Option<Result<Message, axum::Error>>),
}

/// Tells one happening after another. The next is fetched once the socket took the last, so that a slow listener holds
/// up itself alone and nothing piles up for it.
async fn tell(mut socket: WebSocket, mut happenings: BoxStream<'static, Result<HappeningView, Fault>>) {
    loop {
        let turn = match select(pin!(happenings.next()), pin!(socket.recv())).await {
            Either::Left((told, _)) => Turn::Told(told),
            Either::Right((heard, _)) => Turn::Heard(heard),
        };
        let sent = match turn {
            Turn::Told(Some(Ok(happening))) => match serde_json::to_string(&happening) {
                Ok(text) => socket.send(Message::Text(text.into())).await,
                Err(why) => return close(socket, UNEXPECTED, why.to_string()).await,
            },
            Turn::Told(Some(Err(fault))) => return close(socket, UNEXPECTED, fault.code.number().to_owned()).await,
            Turn::Told(None) => return close(socket, AWAY, String::new()).await,
            Turn::Heard(None | Some(Err(_))) => return,
            // Pings and the end are answered below this, by reading on; anything else is not listened to.
            Turn::Heard(Some(Ok(_))) => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Ends a socket with a reason; one that is gone already needs none.
async fn close(mut socket: WebSocket, code: u16, reason: String) {
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}
