//! HTTP/1.1 as far as one question and its answer need it. The other side may be hostile: everything is bounded.

use std::{
    fmt::Write as _,
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};

use super::target;
use crate::fault::{Outcome, fault};

const MOST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 128;
const MOST_BODY: u32 = 2 * 1024 * 1024;
/// Framing of a chunked body may take more than the body; not without bound.
const MOST_RAW: usize = 8 * 1024 * 1024;

pub(super) struct Question<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a str,
    pub(super) json: bool,
}

impl Question<'_> {
    /// The bytes to send, unless a part of it would be more than it seems.
    fn encode(&self) -> Outcome<String> {
        let token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        let line = |text: &str| !text.bytes().any(|b| b.is_ascii_control());
        let path = self.path.starts_with('/') && self.path.bytes().all(|b| b.is_ascii_graphic());
        if !token(self.method)
            || !path
            || !line(self.host)
            || !self.headers.iter().all(|(name, value)| token(name) && line(value))
        {
            return Err(fault(FaultKind::Invalid, format!("not a request: {} {}", self.method, self.path)));
        }
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let given = |name: &str| self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let mut header = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        };
        if !given("host") {
            header("Host", &target::host_header(self.host));
        }
        header("Connection", "close");
        if !self.body.is_empty() || matches!(self.method, "POST" | "PUT" | "PATCH") {
            header("Content-Length", &self.body.len().to_string());
            if self.json && !given("content-type") {
                header("Content-Type", "application/json");
            }
        }
        self.headers
            .iter()
            .filter(|(name, _)| {
                !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("connection")
            })
            .for_each(|(name, value)| header(name, value));
        text.push_str("\r\n");
        text.push_str(self.body);
        Ok(text)
    }
}

/// A stream whose reads and writes can be given a time.
pub(super) trait Timed: Read + Write {
    fn give(&self, time: Duration) -> std::io::Result<()>;
}

/// An answer whose body need not be text.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) truncated: bool,
}

impl Raw {
    fn into_seen(self) -> Seen {
        let Self { status, headers, body, truncated } = self;
        Seen::Http { status, headers, body: String::from_utf8_lossy(&body).into_owned(), truncated }
    }
}

/// Asks, and reads until the answer is whole. `Err` is why there is none, in words.
pub(super) fn ask(
    stream: &mut impl Timed,
    question: &Question<'_>,
    deadline: Instant,
    limit: u32,
) -> Outcome<Result<Seen, String>> {
    ask_raw(stream, question, deadline, limit).map(|answer| answer.map(Raw::into_seen))
}

pub(super) fn ask_raw(
    stream: &mut impl Timed,
    question: &Question<'_>,
    deadline: Instant,
    limit: u32,
) -> Outcome<Result<Raw, String>> {
    let text = question.encode()?;
    let head_only = question.method == "HEAD";
    Ok(exchange(stream, text.as_bytes(), head_only, deadline, limit.min(MOST_BODY)))
}

fn exchange(
    stream: &mut impl Timed,
    text: &[u8],
    head_only: bool,
    deadline: Instant,
    limit: u32,
) -> Result<Raw, String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let give = |stream: &mut _| {
        Timed::give(stream, deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)))
    };
    give(stream).map_err(words)?;
    // A server may answer and close before it has read everything; what it says still counts.
    let sent = stream.write_all(text);
    let mut raw = Vec::new();
    let mut chunk = vec![0_u8; 64 * 1024];
    loop {
        if Instant::now() >= deadline {
            return Err("no whole answer in time".into());
        }
        give(stream).map_err(words)?;
        let count = match stream.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if raw.is_empty() => return Err(words(sent.err().unwrap_or(error))),
            // A reset after the answer is an end like another.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => 0,
            Err(error) => return Err(words(error)),
        };
        raw.extend_from_slice(chunk.get(..count).unwrap_or_default());
        match parse(&raw, count == 0, head_only, limit) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) if count == 0 => {
                return Err(if raw.is_empty() {
                    "closed without an answer".into()
                } else {
                    "the answer was cut off".into()
                });
            }
            Ok(None) if raw.len() > MOST_RAW => return Err("the answer is too long".into()),
            Ok(None) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

pub(super) fn words(error: std::io::Error) -> String {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::WouldBlock | ErrorKind::TimedOut, _) => "no answer in time".into(),
        (_, Some(raw)) => crate::fault::said(nix::errno::Errno::from_raw(raw)),
        _ => error.to_string(),
    }
}

/// Reads an answer out of all bytes so far: `None` when more are needed. `ended`: there will be no more.
fn parse(raw: &[u8], ended: bool, head_only: bool, limit: usize) -> Result<Option<Raw>, &'static str> {
    let Some(head_end) = find(raw, b"\r\n\r\n") else {
        return if raw.len() > MOST_HEAD { Err("the head of the answer is too long") } else { quick_check(raw) };
    };
    let (head, body) = raw.split_at_checked(head_end + 4).unwrap_or_default();
    let (status, headers) = parse_head(head)?;
    if status / 100 == 1 && status != 101 {
        return parse(body, ended, head_only, limit);
    }
    let header = |name: &str| {
        headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    let (body, whole) = if head_only || matches!(status, 101 | 204 | 304) {
        (Vec::new(), true)
    } else if header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        chunked(body, limit)?
    } else if let Some(length) = header("content-length") {
        let length: usize = length.trim().parse().map_err(|_| "a content length that is no number")?;
        (body.get(..length.min(body.len())).unwrap_or_default().to_vec(), body.len() >= length)
    } else {
        (body.to_vec(), ended)
    };
    let full = body.len() >= limit;
    if !whole && !full {
        return if ended { Err("the answer was cut off") } else { Ok(None) };
    }
    let truncated = !whole || body.len() > limit;
    let body = body.get(..limit.min(body.len())).unwrap_or_default().to_vec();
    Ok(Some(Raw { status, headers, body, truncated }))
}

/// What does not even begin like an answer will not become one.
fn quick_check(raw: &[u8]) -> Result<Option<Raw>, &'static str> {
    let begins = raw.iter().zip(b"HTTP/1.").all(|(byte, wanted)| byte == wanted);
    if begins { Ok(None) } else { Err("the answer is not HTTP/1") }
}

type Head = (u16, Vec<(String, String)>);

fn parse_head(head: &[u8]) -> Result<Head, &'static str> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .filter(|code| (100..600).contains(code));
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .take(MOST_HEADERS)
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Ok((status.ok_or("the answer is not HTTP/1")?, headers))
}

/// The body so far, and whether its last chunk has come.
fn chunked(mut raw: &[u8], limit: usize) -> Result<(Vec<u8>, bool), &'static str> {
    let mut body = Vec::new();
    while let Some(line_end) = find(raw, b"\r\n") {
        let line =
            std::str::from_utf8(raw.get(..line_end).unwrap_or_default()).map_err(|_| "a chunk without a size")?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk without a size")?;
        raw = raw.get(line_end + 2..).unwrap_or_default();
        if size == 0 {
            return Ok((body, true));
        }
        body.extend_from_slice(raw.get(..size.min(raw.len())).unwrap_or_default());
        if body.len() > limit {
            return Ok((body, false));
        }
        match size.checked_add(2).and_then(|next| raw.get(next..)) {
            Some(rest) => raw = rest,
            None => return Ok((body, false)),
        }
    }
    if raw.len() > 1024 { Err("a chunk without a size") } else { Ok((body, false)) }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(raw: &str) -> Result<Option<(u16, String, bool)>, &'static str> {
        parse(raw.as_bytes(), true, false, 10)
            .map(|seen| seen.map(|raw| (raw.status, String::from_utf8(raw.body).unwrap(), raw.truncated)))
    }

    #[test]
    fn a_body_ends_by_length_by_chunks_or_with_the_stream() {
        let ok = |text: &str| Ok(Some((200, text.to_owned(), false)));
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), ok("abc"));
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"),
            ok("abc")
        );
        assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nabc"), ok("abc"));
        assert_eq!(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ok(""));
        assert_eq!(body("HTTP/1.1 204 No Content\r\n\r\n"), Ok(Some((204, String::new(), false))));
    }

    #[test]
    fn more_than_asked_for_is_cut() {
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n0123456789ab"),
            Ok(Some((200, "0123456789".into(), true)))
        );
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n0123456789ab"),
            Ok(Some((200, "0123456789".into(), true)))
        );
        let endless =
            parse(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n0123456789", false, false, 10).unwrap();
        assert!(matches!(endless, Some(Raw { truncated: true, .. })));
    }

    #[test]
    fn an_answer_comes_in_pieces() {
        let raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let last = (0..raw.len() - 2).filter_map(|end| parse(&raw[..end], false, false, 10).unwrap()).count();
        assert_eq!(last, 0, "nothing is taken for whole before its last chunk");
        assert!(parse(raw, false, false, 10).unwrap().is_some());
    }

    #[test]
    fn hostile_answers_are_refused() {
        for raw in [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 999999 X\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ] {
            assert!(body(raw).is_err(), "{raw:?}: {:?}", body(raw));
        }
        assert!(parse(&vec![b'H'; MOST_HEAD + 1], false, false, 10).is_err());
        let seen = parse(format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(9_999)).as_bytes(), true, false, 10);
        assert!(seen.is_ok(), "{seen:?}");
    }

    #[test]
    fn a_question_cannot_smuggle_another() {
        let ask = |method: &str, path: &str, headers: &[(String, String)]| {
            Question { method, host: "h", path, headers, body: "", json: false }.encode()
        };
        assert!(ask("GET", "/a", &[]).unwrap().starts_with("GET /a HTTP/1.1\r\nHost: h\r\n"));
        assert!(ask("GET", "/a b", &[]).is_err());
        assert!(ask("GET", "/a\r\nX: y", &[]).is_err());
        assert!(ask("GET /b", "/a", &[]).is_err());
        assert!(ask("GET", "/a", &[("X".into(), "y\r\nZ: q".into())]).is_err());
    }
}
