//! `kind = "logs"`: what a program wrote last.
//!
//! | key | |
//! |---|---|
//! | `of` | what the container of that role wrote to its log, as its engine keeps it |
//! | `of`, `path` | or the end of a file in that container's root |
//! | `machine`, `path` | or the end of a file on a machine (default `host`) |
//! | `lines` | of a container's log: how many of its last lines (default 200) |
//! | `matches`, `lacks` | regular expressions for one line: one must match, none may; placeholders allowed |
//! | `at_least` | so many lines must match (default 1) |
//!
//! At most 128 KiB are read; where there was more, `lacks` is about the end only.

use bulkhead_agent::look::{Look, Seen};

use super::Kind;
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Container, Of},
        eyes::misplaced,
        finding,
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text},
};

const LIMIT: u32 = 128 * 1024;

#[derive(Debug)]
enum Source {
    Log { of: Of, lines: u32 },
    FileIn { of: Of, path: String },
    FileOn { machine: MachineName, path: String },
}

#[derive(Debug)]
pub(super) struct LogsCheck {
    source: Source,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
    at_least: usize,
}

impl LogsCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let machine = containers::read_machine(fields, "machine", "host");
        let path = fields.opt_parsed("path", |path| {
            let fits = path.starts_with('/') && !path.contains("/../");
            if fits { Ok(path.to_owned()) } else { Err("write an absolute path") }
        });
        let lines = fields.opt_integer("lines", 1..=10_000).unwrap_or(200);
        let (matches, lacks) = (fields.opt_pattern("matches"), fields.opt_pattern("lacks"));
        let at_least = fields.opt_integer("at_least", 1..=1000).unwrap_or(1_u64);
        if matches.is_none() && lacks.is_none() {
            fields.error("the check asks nothing of what was written", "add `matches` or `lacks`");
        }
        let source = match (of, path) {
            (Some(of), None) => Source::Log { of, lines },
            (Some(of), Some(path)) => Source::FileIn { of, path },
            (None, Some(path)) if !fields.has("of") => Source::FileOn { machine: machine?, path },
            (None, _) if fields.has("of") => return None,
            (None, _) => {
                fields.error("the check does not say what was written where", "add `of`, or `machine` and `path`");
                return None;
            }
        };
        Some(Self { source, matches, lacks, at_least: usize::try_from(at_least).unwrap_or(1) })
    }

    fn what(&self) -> String {
        match &self.source {
            Source::Log { of, .. } => format!("the log of the {} container", of.role),
            Source::FileIn { of, path } => format!("{path} in the {} container", of.role),
            Source::FileOn { machine, path } => format!("{path} on {machine}"),
        }
    }

    fn look(&self, eyes: &mut Eyes<'_>, look: Look) -> Outcome {
        match eyes.see(look)? {
            Seen::Text { text, truncated } => self.judge_text(eyes, text, *truncated),
            Seen::Missing => Ok(Finding::fail(format!("there is no {}", self.what()))),
            other => Err(misplaced(other)),
        }
    }

    fn judge_text(&self, eyes: &Eyes<'_>, text: &str, truncated: bool) -> Outcome {
        let values = eyes.values();
        let lines = || text.lines().filter(|line| !line.is_empty());
        let mut outcomes: Vec<Outcome> = Vec::new();
        if let Some(pattern) = &self.matches {
            let regex = pattern.with(&values).map_err(Halt::Unknown)?;
            let found: Vec<&str> = lines().filter(|line| regex.is_match(line)).collect();
            let enough = found.len() >= self.at_least;
            let end = if truncated { "the end of " } else { "" };
            let observed = match found.last() {
                Some(line) => format!("{} lines match, the last is `{line}`", found.len()),
                None => format!("no line of {end}{} matches {}", self.what(), pattern.source()),
            };
            outcomes.push(Ok(Finding::new(enough, observed)));
        }
        if let Some(pattern) = &self.lacks {
            let regex = pattern.with(&values).map_err(Halt::Unknown)?;
            let found = lines().find(|line| regex.is_match(line));
            let observed = match found {
                Some(line) => format!("it has `{line}`"),
                None => format!("no line matches {}", pattern.source()),
            };
            outcomes.push(Ok(Finding::new(found.is_none(), observed)));
        }
        finding::all(outcomes)
    }

    fn in_container(&self, eyes: &mut Eyes<'_>, container: &Container) -> Outcome {
        let machine = container.machine.to_string();
        match &self.source {
            Source::FileIn { path, .. } => {
                let pid = Some(containers::process(eyes, container)?.pid);
                self.look(eyes, Look::Tail { machine, pid, path: path.clone(), limit: LIMIT })
            }
            Source::Log { lines, .. } => {
                self.look(eyes, Look::Logs { machine, container: container.id.clone(), lines: *lines, limit: LIMIT })
            }
            Source::FileOn { .. } => Err(Halt::unknown("a file on a machine is in no container")),
        }
    }
}

impl Kind for LogsCheck {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn expected(&self) -> String {
        let mut wants = Vec::new();
        if let Some(pattern) = &self.matches {
            let count =
                if self.at_least == 1 { "a line".to_owned() } else { format!("at least {} lines", self.at_least) };
            wants.push(format!("has {count} with a match of {}", pattern.source()));
        }
        wants.extend(self.lacks.as_ref().map(|pattern| format!("has no line with a match of {}", pattern.source())));
        format!("{} {}", self.what(), wants.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        match &self.source {
            Source::Log { of, .. } | Source::FileIn { of, .. } => {
                containers::every(eyes, of, |eyes, container| self.in_container(eyes, container))
            }
            Source::FileOn { machine, path } => self
                .look(eyes, Look::Tail { machine: machine.to_string(), pid: None, path: path.clone(), limit: LIMIT }),
        }
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.source {
            Source::Log { of, .. } | Source::FileIn { of, .. } => vec![&of.machine],
            Source::FileOn { machine, .. } => vec![machine],
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        self.matches.iter().chain(&self.lacks).map(|pattern| (pattern.text(), Vec::new())).collect()
    }
}
