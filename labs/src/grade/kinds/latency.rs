//! `kind = "latency"`: how quickly a service answers, while something else may be wearing the machine out.
//!
//! | key | |
//! |---|---|
//! | `from`, `to`, `port` | as in `probe` |
//! | `path` | what is asked for, each time on a connection of its own (default `/`); placeholders allowed |
//! | `count` | how often (default 40, at most 200) |
//! | `p95_ms` | 95 of 100 answers came within this, and every one came |
//! | `trigger` | what makes trouble: `{ port = 9000, path = "/burn", method = "POST", body = "…" }`, a request that is sent first; that nobody answers it within a second does not matter |
//!
//! Counted only where the answer is 200 to 299. An answer that takes longer than three times `p95_ms` counts as none.
//! With a `trigger` the service is asked before it too. Where half of `p95_ms` was not enough then, the platform itself is
//! busy, which is nobody's fault: up to twice that time is allowed.

use bulkhead_agent::look::{Look, Seen, Way};

use super::Kind;
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, eyes::misplaced},
    manifest::{Fields, MachineName, Text},
};

const TRIGGER_MS: u32 = 1_000;
const QUIET: usize = 0;
const TRIGGER: usize = 1;
const TROUBLED: usize = 2;
const LONGEST_MS: u32 = 50_000;

#[derive(Debug)]
pub(super) struct LatencyCheck {
    from: MachineName,
    to: MachineName,
    port: u16,
    path: Text,
    count: u32,
    p95_ms: u32,
    trigger: Option<Trigger>,
}

#[derive(Debug)]
struct Trigger {
    port: u16,
    path: Text,
    method: String,
    body: Option<Text>,
}

/// How a service answered to a number of requests.
struct Answers {
    p95: u32,
    failed: u32,
}

impl LatencyCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let from = containers::read_machine(fields, "from", "probe");
        let to = containers::read_machine(fields, "to", "host");
        let port = fields.integer("port", 1..=65_535);
        let path = fields.opt_parsed("path", absolute).or_else(|| Text::parse("/").ok());
        let count = fields.opt_integer("count", 1..=200).unwrap_or(40);
        let p95_ms: u32 = fields.integer("p95_ms", 1..=10_000);
        let trigger = fields.opt_table("trigger").map(|trigger| {
            let port = trigger.integer("port", 1..=65_535);
            let path = trigger.parsed("path", absolute);
            let method = trigger.opt_string("method").unwrap_or_else(|| "POST".to_owned());
            let body = trigger.opt_text("body");
            trigger.finish();
            path.map(|path| Trigger { port, path, method, body })
        });
        let trigger = match trigger {
            Some(trigger) => Some(trigger?),
            None => None,
        };
        Some(Self { from: from?, to: to?, port, path: path?, count, p95_ms, trigger })
    }
}

impl Kind for LatencyCheck {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn expected(&self) -> String {
        let trigger =
            self.trigger.as_ref().map(|trigger| format!(" after {} {}", trigger.method, trigger.path.source()));
        format!(
            "{}:{} answers{} 95 of 100 requests within {} ms",
            self.to,
            self.port,
            trigger.unwrap_or_default(),
            self.p95_ms
        )
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let mut allowed = self.p95_ms;
        if let Some(trigger) = &self.trigger {
            let Some(quiet) = self.ask(eyes, QUIET)? else {
                return Ok(Finding::fail(format!("{}:{} gave no answer in time, in peace", self.to, self.port)));
            };
            allowed = allowed.max(quiet.p95.saturating_mul(2));
            if let Some(finding) = self.pull(trigger, eyes)? {
                return Ok(finding);
            }
        }
        let Some(Answers { p95, failed }) = self.ask(eyes, TROUBLED)? else {
            return Ok(Finding::fail(format!("{}:{} gave no answer in time", self.to, self.port)));
        };
        let busy =
            if allowed > self.p95_ms { format!("; {allowed} ms allowed on a busy platform") } else { String::new() };
        let observed = format!("95 of 100 answers came within {p95} ms, {failed} did not come{busy}");
        Ok(Finding::new(failed == 0 && p95 <= allowed, observed))
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.from, &self.to]
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let trigger = self.trigger.iter().flat_map(|trigger| std::iter::once(&trigger.path).chain(&trigger.body));
        std::iter::once(&self.path).chain(trigger).map(|text| (text, Vec::new())).collect()
    }
}

impl LatencyCheck {
    /// Nothing where no answer came at all.
    fn ask(&self, eyes: &mut Eyes<'_>, step: usize) -> Result<Option<Answers>, Halt> {
        let look = Look::Load {
            machine: self.from.to_string(),
            host: self.to.to_string(),
            port: self.port,
            path: self.path.fill(&eyes.values()),
            count: self.count,
            timeout_ms: self.p95_ms.saturating_mul(3).min(LONGEST_MS / self.count.max(1)).max(1),
        };
        match eyes.act(step, look)? {
            Seen::Load { millis, failed } => Ok(percentile(millis, 95).map(|p95| Answers { p95, failed: *failed })),
            Seen::Missing => Err(Halt::unknown("the machine that asks is gone")),
            other => Err(misplaced(other)),
        }
    }

    /// Makes trouble. What it says if there is nobody to make it.
    fn pull(&self, trigger: &Trigger, eyes: &mut Eyes<'_>) -> Result<Option<Finding>, Halt> {
        let values = eyes.values();
        let look = Look::Http {
            machine: self.from.to_string(),
            host: self.to.to_string(),
            port: trigger.port,
            method: trigger.method.clone(),
            path: trigger.path.fill(&values),
            headers: Vec::new(),
            body: trigger.body.as_ref().map(|body| body.fill(&values)).unwrap_or_default(),
            timeout_ms: TRIGGER_MS,
            limit: 1024,
            pid: None,
            way: Way::Tcp,
        };
        match eyes.act(TRIGGER, look)? {
            Seen::NoAnswer { why } if why.contains("ECONNREFUSED") => {
                let finding = Finding::fail(format!("nobody listens on port {} to make trouble", trigger.port));
                Ok(Some(finding.because("What is not under attack is quick by itself.")))
            }
            Seen::Http { .. } | Seen::NoAnswer { .. } => Ok(None),
            other => Err(misplaced(other)),
        }
    }
}

/// The smallest that so many of a hundred do not exceed.
fn percentile(millis: &[u32], percent: usize) -> Option<u32> {
    let mut sorted = millis.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn absolute(path: &str) -> Result<Text, String> {
    if path.starts_with('/') { Text::parse(path) } else { Err("write a path that starts with /".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_twenty_may_be_slow() {
        let times: Vec<u32> = (1..=20).collect();
        assert_eq!(percentile(&times, 95), Some(19));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[], 95), None);
    }
}
