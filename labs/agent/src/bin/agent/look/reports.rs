//! What an engine tells of the past: what happened, and what containers wrote.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bulkhead_agent::{look::Seen, protocol::FaultKind};

use super::{
    answer::{Question, Raw},
    engine::Caller,
};
use crate::{
    boot::machine::Machine,
    fault::{Outcome, fault},
};

const TIME: Duration = Duration::from_secs(8);

/// `filters` as the engine's API takes them in an address.
pub(super) fn events(machine: &Machine, filters: &str, limit: u32) -> Outcome<Seen> {
    // An end that is not in the future, or the engine would go on telling.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let filters = if filters.is_empty() { String::new() } else { format!("&filters={filters}") };
    let path = format!("/events?since=0&until={}.{:09}{filters}", now.as_secs(), now.subsec_nanos());
    let answer = ask(machine, &path, limit)?;
    Ok(Seen::Text { text: String::from_utf8_lossy(&answer.body).into_owned(), truncated: answer.truncated })
}

pub(super) fn logs(machine: &Machine, container: &str, lines: u32, limit: u32) -> Outcome<Seen> {
    if container.len() != 64 || !container.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(fault(FaultKind::Invalid, "not a container's id"));
    }
    let path = format!("/containers/{container}/logs?stdout=1&stderr=1&tail={}", lines.clamp(1, 10_000));
    let answer = ask(machine, &path, limit)?;
    let body = demultiplex(&answer.body).unwrap_or(answer.body);
    Ok(Seen::Text { text: String::from_utf8_lossy(&body).into_owned(), truncated: answer.truncated })
}

fn ask(machine: &Machine, path: &str, limit: u32) -> Outcome<Raw> {
    let question = Question { method: "GET", host: "docker", path, headers: &[], body: "", json: true };
    let answer = Caller::new(machine)?.ask(&question, Instant::now() + TIME, limit)?;
    if answer.status == 200 {
        return Ok(answer);
    }
    let said: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    Err(fault(FaultKind::Failed, format!("the engine answered {}: {said}", answer.status)))
}

/// Frames of both outputs: one byte which, three of zero, four for the length. `None`: it is no such stream, but that of
/// a terminal.
fn demultiplex(mut raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while !raw.is_empty() {
        let (head, rest) = raw.split_at_checked(8)?;
        if !matches!(head, [0..=2, 0, 0, 0, ..]) {
            return None;
        }
        let length = usize::try_from(u32::from_be_bytes(head.get(4..)?.try_into().ok()?)).ok()?;
        // The last one may be cut off.
        let length = length.min(rest.len());
        text.extend_from_slice(rest.get(..length)?);
        raw = rest.get(length..)?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_text() {
        assert_eq!(demultiplex(b"\x01\0\0\0\0\0\0\x03abc\x02\0\0\0\0\0\0\x02de").as_deref(), Some(&b"abcde"[..]));
        assert_eq!(demultiplex(b"\x01\0\0\0\0\0\0\x09abc").as_deref(), Some(&b"abc"[..]));
        assert_eq!(demultiplex(b""), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_frame_is_left_as_it_is() {
        for raw in [&b"hello, world"[..], b"\x01\0\0\0\0\0\0", b"\x03\0\0\0\0\0\0\x01a"] {
            assert_eq!(demultiplex(raw), None);
        }
    }
}
