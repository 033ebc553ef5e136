//! Answers only under names that are ours.
//!
//! In local mode nobody signs in, so a page on the web whose name was re-pointed at 127.0.0.1 (DNS rebinding) must not
//! be taken for the local browser: its requests still carry its own name in `Host`.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header::HOST, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::config::Mode;

pub(in crate::http) async fn known_host(State(mode): State<Arc<Mode>>, request: Request, next: Next) -> Response {
    let Some(host) = host_of(&request) else { return StatusCode::BAD_REQUEST.into_response() };
    let known = match &*mode {
        Mode::Local => is_loopback(host),
        // A load balancer asks for the health of an address, not of a name.
        Mode::Public { origin: Some(origin) } => origin.is_host(host) || request.uri().path() == "/healthz",
        Mode::Public { origin: None } => true,
    };
    if known { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

/// The name that the request was sent to: HTTP/2 has it in the address, HTTP/1 in `Host`.
pub(super) fn host_of(request: &Request) -> Option<&str> {
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    named.or_else(|| request.uri().authority().map(Authority::as_str)).filter(|host| !host.is_empty())
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_names_are_local() {
        for local in ["localhost", "LocalHost:7000", "127.0.0.1:7000", "127.8.9.1", "[::1]:7000"] {
            assert!(is_loopback(local), "{local} was refused");
        }
        for foreign in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "x@localhost", ""]
        {
            assert!(!is_loopback(foreign), "{foreign} was let in");
        }
    }
}
