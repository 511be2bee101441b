//! Reading requests: what is malformed becomes a fault in our form, not the framework's text.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection},
    http::request::Parts,
};
use base_types::{Digest, Height};
use serde::de::DeserializeOwned;

use crate::fault::Answer;

/// A JSON body.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let read: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        read.map(|Json(value)| Self(value)).map_err(|why| Answer::bad("read body", why.body_text()))
    }
}

/// A digest in the path.
pub(crate) struct DigestInPath(pub Digest);

impl<S: Send + Sync> FromRequestParts<S> for DigestInPath {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = read.map_err(|why| Answer::bad("read path", why.body_text()))?;
        let digest = text.parse().map_err(|_| Answer::bad("read path", "64 hex digits are expected"))?;
        Ok(Self(digest))
    }
}

/// A height in the path.
pub(crate) struct HeightInPath(pub Height);

impl<S: Send + Sync> FromRequestParts<S> for HeightInPath {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        let read = Path::<Height>::from_request_parts(parts, state).await;
        read.map(|Path(height)| Self(height)).map_err(|why| Answer::bad("read path", why.body_text()))
    }
}

/// The query part of the address.
pub(crate) struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(value)| Self(value)).map_err(|why| Answer::bad("read address", why.body_text()))
    }
}
