//! `kind = "tls"`: a service that lets in who shows the right certificate, and nobody else.
//!
//! | key | |
//! |---|---|
//! | `from`, `to`, `port`, `timeout` | as in `probe` |
//! | `client` | whose certificate is let in; see `client.rs` for its keys |
//! | `path` | what he asks for (default `/_ping`); the answer must be 200 to 299 |
//! | `alone` | `true` (default): without a certificate, with a stranger's, and without TLS nobody gets an answer of 200 to 299 |
//! | `version` | the lowest version that may come about: `"1.2"` (default) or `"1.3"` |
//!
//! The server's certificate must be signed by the client's CA, be for servers, be valid now, and be for `client.name` by
//! its subject's alternative names. The files are read from the student's machine; the handshake is our agent's.

mod client;
mod trust;

pub(super) use client::Client;

use bulkhead_agent::look::{Look, Seen, Way};

use super::Kind;
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, eyes::misplaced, finding},
    manifest::{Fields, MachineName, Text, parse_duration},
};

/// A certificate that nobody has a reason to trust.
const STRANGER: (&str, &str) = (include_str!("stranger.crt"), include_str!("stranger.key"));
const BODY_LIMIT: u32 = 4 * 1024;

#[derive(Debug)]
pub(super) struct TlsCheck {
    from: MachineName,
    to: MachineName,
    port: u16,
    timeout_ms: u32,
    client: Client,
    path: Text,
    alone: bool,
    versions: &'static [&'static str],
}

impl TlsCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let from = containers::read_machine(fields, "from", "probe");
        let to = containers::read_machine(fields, "to", "host");
        let port = fields.integer("port", 1..=65_535);
        let timeout = fields.opt_parsed("timeout", parse_duration);
        let target = to.as_ref().map(MachineName::to_string).unwrap_or_default();
        let client = fields.opt_table("client").map(|client| Client::read(client, &target));
        if client.is_none() && !fields.has("client") {
            fields.error("the check names no client", "add client = { ca = \"…\", certificate = \"…\", key = \"…\" }");
        }
        let path = fields.opt_parsed("path", |path| {
            if path.starts_with('/') { Text::parse(path) } else { Err("write a path that starts with /".to_owned()) }
        });
        let alone = fields.opt_bool("alone").unwrap_or(true);
        let choices: [(&str, &'static [&'static str]); 2] = [("1.2", &["TLSv1_2", "TLSv1_3"]), ("1.3", &["TLSv1_3"])];
        let versions = fields.opt_choice("version", &choices).unwrap_or(choices[0].1);
        let timeout_ms = timeout.and_then(|t| u32::try_from(t.as_millis()).ok()).unwrap_or(3_000).min(10_000);
        let path = path.or_else(|| Text::parse("/_ping").ok());
        Some(Self { from: from?, to: to?, port, timeout_ms, client: client??, path: path?, alone, versions })
    }

    fn ask<'a>(&self, eyes: &mut Eyes<'a>, step: usize, way: Way) -> Result<&'a Seen, Halt> {
        let look = Look::Http {
            machine: self.from.to_string(),
            host: self.to.to_string(),
            port: self.port,
            method: "GET".to_owned(),
            path: self.path.fill(&eyes.values()),
            headers: Vec::new(),
            body: String::new(),
            timeout_ms: self.timeout_ms,
            limit: BODY_LIMIT,
            pid: None,
            way,
        };
        if step == 0 { eyes.act_patiently(step, look) } else { eyes.act(step, look) }
    }

    /// The client gets in, and may trust the server.
    fn judge_client(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let way = self.client.way(eyes)?;
        let place = format!("{}:{}", self.to, self.port);
        let (peer, answer) = match self.ask(eyes, 0, way)? {
            Seen::Tls { peer, answer } => (peer, &**answer),
            Seen::NoAnswer { why } => {
                return Ok(Finding::fail(format!("the client gets no answer from {place}: {why}")));
            }
            other => return Err(misplaced(other)),
        };
        if let Some(why) = self.client.distrust(eyes, peer)? {
            return Ok(Finding::fail(why));
        }
        if !self.versions.contains(&peer.version.as_str()) {
            return Ok(Finding::fail(format!("{place} speaks {}", peer.version)));
        }
        match answer {
            Seen::Http { status: status @ 200..=299, .. } => {
                Ok(Finding::pass(format!("the client gets {status} from {place}, and may trust it")))
            }
            Seen::Http { status, .. } => Ok(Finding::fail(format!("the client gets {status} from {place}"))),
            Seen::NoAnswer { why } => Ok(Finding::fail(format!("the client is refused by {place}: {why}"))),
            other => Err(misplaced(other)),
        }
    }

    /// Somebody else does not.
    fn judge_other(&self, eyes: &mut Eyes<'_>, step: usize, way: Way, who: &str) -> Outcome {
        let answer = match self.ask(eyes, step, way)? {
            Seen::Tls { answer, .. } => &**answer,
            other => other,
        };
        Ok(match answer {
            Seen::NoAnswer { why } => Finding::pass(format!("{who} gets no answer: {why}")),
            Seen::Http { status: status @ 200..=299, .. } => {
                Finding { breach: true, ..Finding::fail(format!("{who} gets {status}")) }
            }
            Seen::Http { status, .. } => Finding::pass(format!("{who} gets {status}")),
            other => return Err(misplaced(other)),
        })
    }
}

impl Kind for TlsCheck {
    fn name(&self) -> &'static str {
        "tls"
    }

    fn expected(&self) -> String {
        let alone = if self.alone { ", and nobody else is" } else { "" };
        format!(
            "{}:{} shows a certificate for {} that the client may trust; the client is let in{alone}",
            self.to, self.port, self.client.name
        )
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let mut outcomes = vec![self.judge_client(eyes)];
        if self.alone {
            let tls = |(certificate, key): (&str, &str)| Way::Tls {
                name: self.client.name.clone(),
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            };
            outcomes.push(self.judge_other(eyes, 1, tls(("", "")), "who shows no certificate"));
            outcomes.push(self.judge_other(eyes, 2, tls(STRANGER), "who shows a stranger's certificate"));
            outcomes.push(self.judge_other(eyes, 3, Way::Tcp, "who asks without TLS"));
        }
        finding::all(outcomes)
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.from, &self.to, &self.client.machine]
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        vec![(&self.path, Vec::new())]
    }
}
