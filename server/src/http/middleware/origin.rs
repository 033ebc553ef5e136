//! Refuses what another site had a browser send (CSRF, cross-site WebSocket hijacking).
//!
//! Every request that may change something, and every socket, has to say that it comes from our own pages, by
//! `Sec-Fetch-Site` or by `Origin`. Browsers send at least one of them and let no script forge either; a request with
//! neither is refused.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{ORIGIN, UPGRADE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::host::host_of;
use crate::config::{Mode, Origin};

pub(in crate::http) async fn same_origin(State(mode): State<Arc<Mode>>, request: Request, next: Next) -> Response {
    let own = match &*mode {
        Mode::Public { origin } => origin.as_ref(),
        Mode::Local => None,
    };
    if reads_only(&request) || is_ours(request.headers(), own, host_of(&request).unwrap_or_default()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

fn reads_only(request: &Request) -> bool {
    let upgrades = request.headers().contains_key(UPGRADE);
    matches!(*request.method(), Method::GET | Method::HEAD) && !upgrades
}

fn is_ours(headers: &HeaderMap, own: Option<&Origin>, host: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes() == b"same-origin");
    let origin = headers.get(ORIGIN).map(|value| value.to_str().is_ok_and(|origin| names_us(origin, own, host)));
    // Both have to agree where both are there.
    site.or(origin).is_some() && site.unwrap_or(true) && origin.unwrap_or(true)
}

fn names_us(origin: &str, own: Option<&Origin>, host: &str) -> bool {
    match own {
        Some(own) => origin.eq_ignore_ascii_case(&own.to_string()),
        // Not told under which address we are reached: it has to be the one that this request was sent to.
        None => origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ours(site: Option<&'static str>, origin: Option<&'static str>, own: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let own = own.map(|own| own.parse::<Origin>().expect("an origin"));
        is_ours(&headers, own.as_ref(), "localhost:7000")
    }

    #[test]
    fn either_header_may_vouch() {
        assert!(ours(Some("same-origin"), None, None));
        assert!(ours(None, Some("http://localhost:7000"), None));
        assert!(ours(Some("same-origin"), Some("https://labs.example.org"), Some("https://labs.example.org")));
    }

    #[test]
    fn nobody_else_is_believed() {
        assert!(!ours(None, None, None));
        for site in ["cross-site", "same-site", "none", "", "SAME-ORIGIN"] {
            assert!(!ours(Some(site), None, None), "{site:?} was let in");
            assert!(!ours(Some(site), Some("http://localhost:7000"), None), "{site:?} was let in with our origin");
        }
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost:7001",
            "http://localhost",
            "ftp://localhost:7000",
            "localhost:7000",
        ] {
            assert!(!ours(None, Some(origin), None), "{origin:?} was let in");
            assert!(!ours(Some("same-origin"), Some(origin), None), "{origin:?} was let in with Sec-Fetch-Site");
        }
        assert!(!ours(None, Some("http://labs.example.org"), Some("https://labs.example.org")));
    }
}
