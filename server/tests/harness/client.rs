//! One browser: what it sends with every request, and the cookie that it keeps.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::ConnectInfo,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST as HOST_HEADER, LOCATION, SET_COOKIE, USER_AGENT},
    },
};
use tower::ServiceExt;

use super::TestApp;

/// Where the tests' browsers find the platform.
pub(crate) const HOST: &str = "localhost:7000";

#[derive(Clone)]
pub(crate) struct Client<'a> {
    app: &'a TestApp,
    pub(crate) cookie: Option<String>,
    pub(crate) address: IpAddr,
}

impl<'a> Client<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        Self { app, cookie: None, address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)) }
    }

    pub(crate) fn at(mut self, address: [u8; 4]) -> Self {
        self.address = IpAddr::from(address);
        self
    }

    /// Takes a session id as a cookie, as if the server had set it.
    pub(crate) fn set_session(&mut self, id: &str) {
        let name = if self.app.platform.config.mode.is_secure() { "__Host-bulkhead" } else { "bulkhead" };
        self.cookie = Some(format!("{name}={id}"));
    }

    /// As a link or the address bar would.
    pub(crate) fn get(&self, path: &str) -> Request<'a> {
        self.request(Method::GET, path).header("sec-fetch-site", "none")
    }

    /// As a form of our own page would.
    pub(crate) fn post(&self, path: &str) -> Request<'a> {
        self.request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header("origin", "http://localhost:7000")
    }

    /// Without what a browser adds.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request<'a> {
        let request = Request {
            app: self.app,
            address: self.address,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            sized: true,
        };
        let request = request.header(HOST_HEADER, HOST).header(ACCEPT, "text/html").header(USER_AGENT, "a test");
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    /// Keeps the cookie that an answer set, as a browser does.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        if let Some(set) = answer.header(SET_COOKIE) {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
    }

    /// Signs in by the form, and keeps the session.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let answer = self.post("/sign-in").form(&[("email", email), ("password", password)]).send().await;
        self.keep(&answer);
        answer
    }
}

#[must_use]
pub(crate) struct Request<'a> {
    app: &'a TestApp,
    address: IpAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    sized: bool,
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: impl TryInto<HeaderName>, value: &str) -> Self {
        let Ok(name) = name.try_into() else { panic!("a header's name") };
        self.headers.insert(name, HeaderValue::from_str(value).expect("a header's value"));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.body(pairs.join("&"), "application/x-www-form-urlencoded")
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.header(ACCEPT, "application/json").body(value.to_string(), "application/json")
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>, kind: &str) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE, kind)
    }

    /// In pieces, without a `Content-Length`.
    pub(crate) fn unsized_body(mut self) -> Self {
        self.sized = false;
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let length = self.body.len();
        let body = if self.sized { Body::from(self.body) } else { streamed(self.body) };
        let mut request = axum::http::Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().expect("a path");
        *request.headers_mut() = self.headers;
        if length > 0 && self.sized {
            request.headers_mut().insert("content-length", HeaderValue::from(length));
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.address, 40_000)));
        let response = self.app.router().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let streams = kind.starts_with("text/event-stream") || parts.status == StatusCode::SWITCHING_PROTOCOLS;
        let bytes = if streams { Bytes::new() } else { to_bytes(body, 1 << 24).await.expect("a body") };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.header(LOCATION)
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}\n{}", self.location().unwrap_or_default(), self.body);
        self
    }

    #[track_caller]
    pub(crate) fn expect_redirect(self, to: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.location()), (303, Some(to)), "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn expect_text(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?} is not in\n{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn expect_no_text(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text:?} is in\n{}", self.body);
        self
    }
}

fn streamed(body: Bytes) -> Body {
    let pieces: Vec<_> = body.chunks(16 * 1024).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(futures::stream::iter(pieces))
}
