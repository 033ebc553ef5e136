//! Requests in a row, for `probe` and `attack`. Keys of a `[[task.check.step]]`:
//!
//! | key | |
//! |---|---|
//! | `port` | in place of the check's |
//! | `method` | default `GET` |
//! | `path` | with its query; placeholders allowed |
//! | `headers` | `{ "Content-Type" = "text/plain" }`; placeholders allowed in values |
//! | `body` | placeholders allowed |
//! | `status` | a number or a list of them; unless given, any from 200 to 299 |
//! | `matches`, `lacks` | regular expressions that the body must and must not match; placeholders allowed |
//! | `that` | a jq filter over `{status, headers, body, json}`; header names in lower case, `json` is `null` where the body is none |
//! | `capture` | `{ name = ".json.url" }`: filters over the same; later steps say `{{name}}` |
//! | `breach` | (attack only) a regular expression; a body that matches shows that the exploit works |
//! | `silent` | (attack only) `true`: that nobody answers is right too. It is asked once, and of what the step captures later steps know nothing, so they are not taken |
//!
//! Placeholders are the lab's variables, `{{nonce}}` (new in each grading) and earlier captures.

use std::collections::BTreeMap;

use bulkhead_agent::look::{Look, Protocol, Seen, Way};
use serde_json::{Value, json};

use super::{
    address::{self, Family, MOST_ADDRESSES, Spot},
    show,
    tls::Client,
};
use crate::{
    grade::{Eyes, Finding, Halt, clean, containers, eyes::misplaced, jq::Jq, pattern::Pattern},
    manifest::{Fields, MachineName, Text},
};

const BODY_LIMIT: u32 = 64 * 1024;
const MAX_CAPTURE: usize = 1024;
const FAMILIES: [(&str, Family); 2] = [("ipv4", Family::V4), ("ipv6", Family::V6)];
/// Acts of a check that only find out at which address it is answered come after its steps.
const KNOCKS: usize = 100_000;

/// Where the requests go, and which.
#[derive(Debug)]
pub(super) struct Requests {
    from: MachineName,
    to: MachineName,
    port: u16,
    family: Family,
    tls: Option<Client>,
    timeout_ms: u32,
    attack: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Step {
    port: Option<u16>,
    method: String,
    path: Text,
    headers: Vec<(String, Text)>,
    body: Option<Text>,
    status: Vec<u16>,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
    that: Option<Jq>,
    capture: Vec<(String, Jq)>,
    pub(super) breach: Option<Pattern>,
    silent: bool,
}

impl Requests {
    /// Reads `from`, `to`, `port`, `family`, `tls`, `timeout` and `step`.
    pub(super) fn read(fields: &Fields<'_>, attack: bool) -> Option<Self> {
        let from = containers::read_machine(fields, "from", "probe");
        let to = containers::read_machine(fields, "to", "host");
        let port = fields.integer("port", 1..=65_535);
        let family = Family::read(fields, &FAMILIES);
        let timeout = fields.opt_parsed("timeout", crate::manifest::parse_duration);
        let target = to.as_ref().map(MachineName::to_string).unwrap_or_default();
        let tls = fields.opt_table("tls").map(|tls| Client::read(tls, &target));
        let tls = match tls {
            Some(client) => Some(client?),
            None => None,
        };
        let steps = fields.tables("step").into_iter().filter_map(|step| Step::read(step, attack)).collect();
        let timeout_ms = timeout.and_then(|t| u32::try_from(t.as_millis()).ok()).unwrap_or(3_000).min(10_000);
        Some(Self { from: from?, to: to?, port, family, tls, timeout_ms, attack, steps })
    }

    pub(super) fn machines(&self) -> Vec<&MachineName> {
        [&self.from, &self.to].into_iter().chain(self.tls.as_ref().map(|client| &client.machine)).collect()
    }

    pub(super) fn target(&self) -> String {
        format!("{}:{}{}", self.to, self.port, self.family.by())
    }

    /// May the answer be that there is none?
    pub(super) fn may_be_silent(&self) -> bool {
        self.steps.iter().any(|step| step.silent)
    }

    /// Each text with the captures that are known where it stands.
    pub(super) fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let mut texts = Vec::new();
        let mut captured: Vec<&str> = Vec::new();
        for step in &self.steps {
            let patterns = [&step.matches, &step.lacks, &step.breach];
            let all = std::iter::once(&step.path)
                .chain(step.headers.iter().map(|(_, value)| value))
                .chain(&step.body)
                .chain(patterns.into_iter().flatten().map(Pattern::text));
            texts.extend(all.map(|text| (text, captured.clone())));
            captured.extend(step.capture.iter().map(|(name, _)| name.as_str()));
        }
        texts
    }

    /// Takes all steps, one after the other. `Ok(Err(…))`: a step's answer was not what it should be. A probe ends there;
    /// an attack goes on, for whether its exploit works shows in its last step.
    pub(super) fn run(&self, eyes: &mut Eyes<'_>) -> Result<Result<String, Missed>, Halt> {
        let mut values = eyes.values();
        let mut last = String::new();
        let mut first_miss = None;
        for (index, step) in self.steps.iter().enumerate() {
            let missed = match self.take(eyes, index, step, &mut values)? {
                Ok(said) => {
                    last = said;
                    continue;
                }
                Err(missed) => missed,
            };
            if missed.silent && step.silent {
                last = missed.what;
                if step.capture.is_empty() {
                    continue;
                }
                break;
            }
            if !self.attack || missed.breach || missed.silent {
                return Ok(Err(missed));
            }
            first_miss.get_or_insert(missed);
        }
        Ok(first_miss.map_or(Ok(last), Err))
    }

    fn take(
        &self,
        eyes: &mut Eyes<'_>,
        index: usize,
        step: &Step,
        values: &mut BTreeMap<String, String>,
    ) -> Result<Result<String, Missed>, Halt> {
        let way = match &self.tls {
            None => Way::Tcp,
            Some(client) => match client.way(eyes) {
                Err(Halt::Fails(finding)) => return Ok(Err(Missed::new(index, finding.observed))),
                other => other?,
            },
        };
        let port = step.port.unwrap_or(self.port);
        let host = match self.host(eyes, port, step.silent)? {
            Ok(host) => host,
            Err(why) => return Ok(Err(Missed { silent: true, ..Missed::new(index, why) })),
        };
        let seen = match self.look(step, values, way, host, port) {
            // Silence that is right is not waited out.
            Ok(look) if step.silent => eyes.act(index, look)?,
            Ok(look) => eyes.act_patiently(index, look)?,
            Err(why) => return Ok(Err(Missed::new(index, why))),
        };
        let seen = match (seen, &self.tls) {
            (Seen::Tls { peer, answer }, Some(client)) => match client.distrust(eyes, peer) {
                Ok(None) => &**answer,
                Ok(Some(why)) => return Ok(Err(Missed::new(index, why))),
                Err(Halt::Fails(finding)) => return Ok(Err(Missed::new(index, finding.observed))),
                Err(halt) => return Err(halt),
            },
            (seen, _) => seen,
        };
        let answer = match seen {
            Seen::Http { status, headers, body, truncated } => Answer::new(*status, headers, body, *truncated),
            Seen::NoAnswer { why } => {
                let what = format!("{} does not answer: {why}", self.place(port));
                return Ok(Err(Missed { silent: true, ..Missed::new(index, what) }));
            }
            other => return Err(misplaced(other)),
        };
        let at = step.port.map(|port| format!(" at port {port}")).unwrap_or_default();
        let request = format!("{} {}{at}", step.method, step.path.source());
        if let Some(breach) = &step.breach
            && let Some(found) = breach.with(values).map_err(Halt::Unknown)?.find(&answer.body)
        {
            let what = format!("{request} answered {}: {}", answer.status, found.as_str());
            return Ok(Err(Missed { breach: true, ..Missed::new(index, what) }));
        }
        if let Err(why) = step.accepts(&answer, values, eyes)? {
            return Ok(Err(Missed::new(index, format!("{request} answered {}: {why}", answer.status))));
        }
        for (name, filter) in &step.capture {
            match capture(filter, &answer, eyes)? {
                Ok(value) => _ = values.insert(name.clone(), value),
                Err(why) => return Ok(Err(Missed::new(index, format!("{request}: {why}")))),
            }
        }
        Ok(Ok(format!("{request} answered {}", answer.status)))
    }

    fn place(&self, port: u16) -> String {
        format!("{}:{port}{}", self.to, self.family.by())
    }

    /// Whom to ask. By IPv4 the machines know each other by name; by IPv6 by what the kernel has, and who answers there.
    /// `Ok(Err(…))`: nobody does.
    fn host(&self, eyes: &mut Eyes<'_>, port: u16, once: bool) -> Result<Result<String, String>, Halt> {
        if self.family == Family::V4 {
            return Ok(Ok(self.to.to_string()));
        }
        let (from, to) = (Spot::machine(&self.from), Spot::machine(&self.to));
        let (mut waiting, mut silence) = (false, None);
        for (index, host) in address::between(eyes, &from, &to, self.family)?.into_iter().enumerate() {
            let look = Look::Connect {
                machine: self.from.to_string(),
                pid: None,
                host: host.clone(),
                port,
                protocol: Protocol::Tcp,
                send: String::new(),
                timeout_ms: self.timeout_ms,
            };
            let step = KNOCKS + usize::from(port) * MOST_ADDRESSES + index;
            match if once { eyes.act(step, look) } else { eyes.act_patiently(step, look) } {
                Ok(Seen::Connected { .. }) => return Ok(Ok(host)),
                Ok(Seen::NoAnswer { why }) => _ = silence.get_or_insert(why),
                Ok(other) => return Err(misplaced(other)),
                Err(Halt::NotYet) => waiting = true,
                Err(halt) => return Err(halt),
            }
        }
        if waiting {
            return Err(Halt::NotYet);
        }
        let why = silence.map_or("it has no address", String::as_str);
        Ok(Err(format!("{} does not answer: {why}", self.place(port))))
    }

    fn look(
        &self,
        step: &Step,
        values: &BTreeMap<String, String>,
        way: Way,
        host: String,
        port: u16,
    ) -> Result<Look, String> {
        let path = step.path.fill(values);
        if path.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return Err(format!("its answer would make a request of {path}"));
        }
        let headers = step.headers.iter().map(|(name, value)| (name.clone(), value.fill(values))).collect();
        Ok(Look::Http {
            machine: self.from.to_string(),
            host,
            port,
            method: step.method.clone(),
            path,
            headers,
            body: step.body.as_ref().map(|body| body.fill(values)).unwrap_or_default(),
            timeout_ms: self.timeout_ms,
            limit: BODY_LIMIT,
            pid: None,
            way,
        })
    }
}

/// A step that did not come out as it should.
pub(super) struct Missed {
    pub(super) step: usize,
    pub(super) what: String,
    /// Nobody answered as HTTP.
    pub(super) silent: bool,
    pub(super) breach: bool,
}

impl Missed {
    fn new(step: usize, what: String) -> Self {
        Self { step, what, silent: false, breach: false }
    }

    pub(super) fn into_finding(self) -> Finding {
        Finding { breach: self.breach, ..Finding::fail(self.what) }
    }
}

struct Answer {
    status: u16,
    body: String,
    truncated: bool,
    json: Value,
}

impl Answer {
    fn new(status: u16, headers: &[(String, String)], body: &str, truncated: bool) -> Self {
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into())).collect();
        let parsed: Value = serde_json::from_str(body).unwrap_or_default();
        let json = json!({ "status": status, "headers": headers, "body": body, "json": parsed });
        Self { status, body: body.to_owned(), truncated, json }
    }

    fn excerpt(&self) -> String {
        if self.body.is_empty() { "an empty body".to_owned() } else { format!("`{}`", clean::clean(&self.body)) }
    }
}

impl Step {
    fn read(fields: Fields<'_>, attack: bool) -> Option<Self> {
        let port = fields.opt_integer("port", 1..=65_535);
        let method = fields.opt_parsed("method", token).unwrap_or_else(|| "GET".to_owned());
        let path = fields.parsed("path", |path| {
            if path.starts_with('/') { Text::parse(path) } else { Err("write a path that starts with /".to_owned()) }
        });
        let mut headers = Vec::new();
        for (name, value) in fields.map("headers") {
            match (token(&name), Text::parse(&value)) {
                (Ok(name), Ok(value)) if !value.source().contains(['\r', '\n']) => headers.push((name, value)),
                _ => fields.error_at("headers", format!("`{name}` is no header"), "write { \"Name\" = \"value\" }"),
            }
        }
        let mut capture = Vec::new();
        for (name, filter) in fields.map("capture") {
            match (Text::parse(&format!("{{{{{name}}}}}")), Jq::parse(&filter)) {
                (Ok(_), Ok(filter)) => capture.push((name, filter)),
                (Err(why), _) | (_, Err(why)) => fields.error_at("capture", format!("`{name}` captures nothing"), why),
            }
        }
        let body = fields.opt_text("body");
        let status = fields.integers("status", 100..=599);
        let (matches, lacks) = (fields.opt_pattern("matches"), fields.opt_pattern("lacks"));
        let that = fields.opt_jq("that");
        let breach = if attack { fields.opt_pattern("breach") } else { None };
        let silent = attack && fields.opt_bool("silent").unwrap_or(false);
        fields.finish();
        Some(Self { port, method, path: path?, headers, body, status, matches, lacks, that, capture, breach, silent })
    }

    fn accepts(
        &self,
        answer: &Answer,
        values: &BTreeMap<String, String>,
        eyes: &Eyes<'_>,
    ) -> Result<Result<(), String>, Halt> {
        let status = if self.status.is_empty() {
            (200..300).contains(&answer.status)
        } else {
            self.status.contains(&answer.status)
        };
        if !status {
            return Ok(Err(answer.excerpt()));
        }
        if answer.truncated && (self.matches.is_some() || self.lacks.is_some() || self.that.is_some()) {
            return Ok(Err(format!("a body longer than {}", clean::bytes(BODY_LIMIT as usize))));
        }
        for (pattern, wanted) in [(&self.matches, true), (&self.lacks, false)] {
            let Some(pattern) = pattern else { continue };
            let regex = pattern.with(values).map_err(Halt::Unknown)?;
            if regex.is_match(&answer.body) != wanted {
                let verb = if wanted { "does not match" } else { "matches" };
                return Ok(Err(format!("{} {verb} {}", answer.excerpt(), pattern.source())));
            }
        }
        if let Some(that) = &self.that
            && !that.holds(&answer.json, &eyes.variables()).map_err(|why| Halt::unknown(why.to_string()))?
        {
            return Ok(Err(format!("{} does not satisfy {}", answer.excerpt(), that.source())));
        }
        Ok(Ok(()))
    }
}

fn capture(filter: &Jq, answer: &Answer, eyes: &Eyes<'_>) -> Result<Result<String, String>, Halt> {
    let value = match filter.first(&answer.json, &eyes.variables()) {
        Ok(Some(value)) if !value.is_null() => show(&value),
        // What the filter cannot read is the service's doing.
        Ok(_) | Err(crate::grade::jq::JqError::Failed { .. }) => {
            return Ok(Err(format!("its answer has no {}", filter.source())));
        }
        Err(why) => return Err(Halt::unknown(why.to_string())),
    };
    if value.len() > MAX_CAPTURE || value.chars().any(char::is_control) {
        return Ok(Err(format!("its answer's {} is too long or holds control characters", filter.source())));
    }
    Ok(Ok(value))
}

/// A method or a header's name.
fn token(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if fits { Ok(text.to_owned()) } else { Err("write letters, digits and `-`".to_owned()) }
}
