//! Pages: files that the program carries, served as they are.

use std::borrow::Cow;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// Serves embedded files; `file` tells a path's bytes and type. Files under `assets/` have a digest in their names, so a
/// browser may keep them.
pub fn pages(file: fn(&str) -> Option<(Cow<'static, [u8]>, String)>) -> Router {
    Router::new().fallback(move |uri: Uri| async move { serve(file, &uri) })
}

fn serve(file: fn(&str) -> Option<(Cow<'static, [u8]>, String)>, uri: &Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let Some((bytes, mime)) = file(path) else { return StatusCode::NOT_FOUND.into_response() };
    let kept = path.starts_with("assets/") && !mime.starts_with("text/html");
    let caching = if kept { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mime = HeaderValue::from_str(&mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [(header::CONTENT_TYPE, mime), (header::CACHE_CONTROL, HeaderValue::from_static(caching))];
    (headers, bytes).into_response()
}
