//! Signed transactions on their way to the ledger.

use axum::{Extension, Json, extract::State};

use super::{Served, extract::Body};
use crate::{
    Person,
    fault::{Answer, Answered, FaultView},
    views::{SignedTransaction, Submitted},
};

/// Hands a signed transaction to the ledger and answers once it is executed.
#[utoipa::path(post, path = "/api/transactions", tag = "chain", request_body = SignedTransaction,
    responses((status = 200, body = Submitted), (status = "default", body = FaultView)))]
pub(crate) async fn submit(
    State(desk): Served,
    Extension(who): Extension<Person>,
    Body(signed): Body<SignedTransaction>,
) -> Answered<Json<Submitted>> {
    hex("sender", &signed.sender, Some(64))?;
    hex("nonce", &signed.nonce, Some(16))?;
    hex("payload", &signed.payload, None)?;
    hex("signature", &signed.signature, Some(64))?;
    Ok(Json(desk.submit(&who, signed).await?))
}

fn hex(name: &str, text: &str, bytes: Option<usize>) -> Answered<()> {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let fits = bytes.map_or(text.len().is_multiple_of(2), |n| text.len() == 2 * n);
    if digits && fits { Ok(()) } else { Err(Answer::bad("read transaction", format!("{name} is not lower-case hex"))) }
}
