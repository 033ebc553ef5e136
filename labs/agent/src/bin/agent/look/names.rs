//! Names as a program in this place would have them resolved: `/etc/hosts`, then the first name server of
//! `/etc/resolv.conf`. Both files are the student's, and the server may be. An address of version 4 goes before one of
//! version 6.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use super::target::Target;
use crate::enter;

const TIME: Duration = Duration::from_secs(2);
const MOST_ANSWER: usize = 1500;

/// What a name server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    A,
    Aaaa,
}

impl Record {
    /// Its type, and the class of the Internet.
    fn code(self) -> [u8; 4] {
        match self {
            Self::A => [0, 1, 0, 1],
            Self::Aaaa => [0, 28, 0, 1],
        }
    }

    fn read(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::A => <[u8; 4]>::try_from(data).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
            Self::Aaaa => <[u8; 16]>::try_from(data).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        }
    }
}

/// The address of a name or of an address. `Err` says why there is none.
pub(super) fn resolve(host: &str) -> Result<Target, String> {
    if let Some(target) = Target::literal(host) {
        return Ok(target);
    }
    if let Some(address) = in_hosts(&enter::text("/etc/hosts"), host) {
        return Ok(address.into());
    }
    let server = server(&enter::text("/etc/resolv.conf")).ok_or_else(|| format!("nobody knows the name {host}"))?;
    let found = match ask(server, host, Record::A)? {
        Some(four) => Some(four),
        None => ask(server, host, Record::Aaaa)?,
    };
    found.map(Target::from).ok_or_else(|| format!("the name server {server} does not know {host}"))
}

fn in_hosts(text: &str, host: &str) -> Option<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        if words.any(|name| name == host) {
            found.push(address);
        }
    }
    found.iter().find(|address| address.is_ipv4()).or(found.first()).copied()
}

fn server(text: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| line.strip_prefix("nameserver")?.trim().parse().ok())
}

/// `None`: the server has no such address of it.
fn ask(server: IpAddr, host: &str, record: Record) -> Result<Option<IpAddr>, String> {
    let question = question(host, record).ok_or_else(|| format!("{host} is no name"))?;
    let answer = (|| {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(TIME))?;
        socket.connect(SocketAddr::from((server, 53)))?;
        socket.send(&question)?;
        let mut answer = [0; MOST_ANSWER];
        let length = socket.recv(&mut answer)?;
        Ok::<_, std::io::Error>(answer.get(..length).unwrap_or_default().to_vec())
    })();
    let answer = answer.map_err(|error| format!("the name server {server} does not answer: {error}"))?;
    Ok(address(&answer, &question, record))
}

fn question(host: &str, record: Record) -> Option<Vec<u8>> {
    let mut question = vec![0xb5, 0x1d, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        question.push(length);
        question.extend_from_slice(label.as_bytes());
    }
    question.push(0);
    question.extend_from_slice(&record.code());
    (question.len() < 300).then_some(question)
}

/// The first address in an answer to that question.
fn address(answer: &[u8], question: &[u8], record: Record) -> Option<IpAddr> {
    let count = u16::from_be_bytes(answer.get(6..8)?.try_into().ok()?);
    if answer.get(..2)? != question.get(..2)?
        || answer.get(3)? & 0xf != 0
        || answer.get(12..question.len())? != question.get(12..)?
    {
        return None;
    }
    let mut rest = answer.get(question.len()..)?;
    for _ in 0..count.min(64) {
        rest = after_name(rest)?;
        let (head, body) = rest.split_at_checked(10)?;
        let length = usize::from(u16::from_be_bytes(head.get(8..10)?.try_into().ok()?));
        let data = body.get(..length)?;
        if head.get(..4)? == record.code() {
            return record.read(data);
        }
        rest = body.get(length..)?;
    }
    None
}

/// What follows a name: labels up to an empty one, or up to a pointer to where the rest stands.
fn after_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        match rest.split_first()? {
            (0, after) => return Some(after),
            (length, after) if *length >= 0xc0 => return after.get(1..),
            (length, after) => rest = after.get(usize::from(*length)..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_hosts_or_a_server_is_asked() {
        let hosts = "127.0.0.1 localhost\n# 10.0.0.9 web\n10.0.0.2\tdb.local db # x\nbroken\n::1 six\n";
        let address = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(in_hosts(hosts, "db"), address("10.0.0.2"));
        assert_eq!(in_hosts(hosts, "web"), None);
        assert_eq!(in_hosts(hosts, "six"), address("::1"));
        assert_eq!(in_hosts("fd00::2 db\n10.0.0.2 db\n", "db"), address("10.0.0.2"), "of version 4 where it has both");
        assert_eq!(server("search x\nnameserver 127.0.0.11\noptions ndots:0\n"), "127.0.0.11".parse().ok());
        assert_eq!(server("nonsense"), None);
    }

    #[test]
    fn an_answer_may_go_round_by_another_name() {
        let question = question("api.lab", Record::A).unwrap();
        let mut answer = question.clone();
        answer[2..4].copy_from_slice(&[0x81, 0x80]);
        answer[7] = 2;
        // A CNAME, then the address, both with a pointer to the question's name.
        answer.extend_from_slice(&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 172, 18, 0, 3]);
        assert_eq!(address(&answer, &question, Record::A), "172.18.0.3".parse().ok());
        for end in 0..answer.len() - 1 {
            assert_eq!(address(&answer[..end], &question, Record::A), None, "{end}");
        }
        answer[3] = 0x83;
        assert_eq!(address(&answer, &question, Record::A), None, "no such name");
    }

    #[test]
    fn an_answer_may_be_of_version_6() {
        let question = question("api.lab", Record::Aaaa).unwrap();
        let mut answer = question.clone();
        answer[2..4].copy_from_slice(&[0x81, 0x80]);
        answer[7] = 1;
        answer.extend_from_slice(&[0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16]);
        answer.extend_from_slice(&"fd00::7".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(address(&answer, &question, Record::Aaaa), "fd00::7".parse().ok());
        assert_eq!(address(&answer[..answer.len() - 1], &question, Record::Aaaa), None);
        // An address of the wrong size.
        answer[question.len() + 11] = 4;
        assert_eq!(address(&answer, &question, Record::Aaaa), None);
    }

    #[test]
    fn a_hostile_answer_has_no_end_and_no_address() {
        let question = question("a", Record::A).unwrap();
        let mut answer = question.clone();
        answer[6..8].copy_from_slice(&[0xff, 0xff]);
        answer.extend_from_slice(&[0x3f; 700]);
        assert_eq!(address(&answer, &question, Record::A), None);
        assert_eq!(super::question(&"x".repeat(64), Record::A), None);
        assert_eq!(super::question("a..b", Record::A), None);
    }
}
