//! Static files. What is asked for by version never changes; the rest is revalidated.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{assets::Site, backend::Platform, random::hex};

pub(super) async fn asset(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    file(&platform.site, &format!("assets/{path}"), query.as_deref(), &headers)
}

pub(super) async fn package(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    file(&platform.site, &format!("pkg/{path}"), query.as_deref(), &headers)
}

/// A file of the site, for one request.
pub(crate) fn file(site: &Site, path: &str, query: Option<&str>, headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(file) = site.get(path, takes_brotli(accepted)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", hex(&Sha256::digest(&file.bytes)[..8]));
    let known = headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let current = query == Some(&format!("v={}", site.version()));
    let mut response = Response::new(if known { Body::empty() } else { Body::from(file.bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(file.mime));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let caching = if current { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answer.insert(ETAG, tag);
    }
    if file.brotli {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn takes_brotli(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "br" && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::takes_brotli;

    #[test]
    fn brotli_is_sent_to_those_who_take_it() {
        assert!(takes_brotli("gzip, deflate, br"));
        assert!(takes_brotli("br;q=0.5"));
        assert!(!takes_brotli("gzip, br;q=0") && !takes_brotli("brotli") && !takes_brotli(""));
    }
}
