//! `kind = "exec"`: what commands do for somebody, by their exit codes and what they print.
//!
//! | key | |
//! |---|---|
//! | `of` | in every container of that role, as its engine's `exec` would run them: `{ role = "ci" }` |
//! | `machine`, `user` | or on a machine (default `host`) as a user, by name or by a number in quotes (default root) |
//! | `run` | commands, one after the other; all must come out as they should |
//!
//! Keys of a `[[task.check.run]]`:
//!
//! | key | |
//! |---|---|
//! | `argv` | the command and its arguments; placeholders allowed |
//! | `script` | or a line for `/bin/sh -c`; placeholders allowed |
//! | `stdin` | what it reads (at most 4 KiB); placeholders allowed |
//! | `code` | exit codes of which one is right (default 0) |
//! | `fails` | `true` instead: any code but 0; what could not be started at all (126, 127) does not count as refused |
//! | `matches`, `lacks` | regular expressions that its output (first stdout, then stderr) must and must not match; placeholders allowed |
//! | `timeout` | default `"5s"`, at most `"20s"`; a command that takes longer is ended and does not hold |
//!
//! Programs on the student's machine are his: for what must not be possible prefer `attack`, whose program is ours.

use bulkhead_agent::{
    look::{Look, Seen, errand::Errand},
    protocol::{Exec, ExecResult},
};

use super::{
    Kind,
    place::{Place, visit},
};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, clean, containers, eyes::misplaced, finding, pattern::Pattern},
    manifest::{Fields, MachineName, Text, parse_duration},
};

const MOST_RUNS: usize = 16;
const MOST_INPUT: usize = 4 * 1024;
const OUTPUT_LIMIT: u32 = 32 * 1024;
const LONGEST_MS: u32 = 20_000;
/// Of a command, where what came of it is told.
const LONGEST_BRIEF: usize = 80;

#[derive(Debug)]
pub(super) struct ExecCheck {
    place: Place,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    argv: Vec<Text>,
    stdin: Option<Text>,
    right: Right,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
    timeout_ms: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Right {
    Code(Vec<i32>),
    Fails,
}

impl ExecCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let place = Place::read(fields);
        let runs: Vec<Run> = fields.tables("run").into_iter().filter_map(Run::read).collect();
        if !fields.has("run") {
            fields.error("the check runs nothing", "add a [[task.check.run]] with `argv` or `script`");
        }
        if runs.len() > MOST_RUNS {
            fields.error(format!("the check runs {} commands", runs.len()), format!("run at most {MOST_RUNS}"));
        }
        Some(Self { place: place?, runs })
    }
}

impl Run {
    fn read(fields: Fields<'_>) -> Option<Self> {
        let argv = fields.parsed_list("argv", Text::parse);
        let script = fields.opt_text("script");
        let stdin = fields.opt_text("stdin");
        let codes: Vec<u16> = fields.integers("code", 0..=255);
        let fails = fields.opt_bool("fails").unwrap_or(false);
        let (matches, lacks) = (fields.opt_pattern("matches"), fields.opt_pattern("lacks"));
        let timeout = fields.opt_parsed("timeout", parse_duration);
        if argv.is_empty() == script.is_none() {
            fields.error("the run is not one command", "write either `argv` or `script`");
            fields.finish();
            return None;
        }
        if fails && !codes.is_empty() {
            fields.error("the run is to fail and to end with a code", "keep `fails` or `code`");
        }
        fields.finish();
        let plain = |text: &str| Text::parse(text).ok();
        let argv = match script {
            Some(script) => vec![plain("/bin/sh")?, plain("-c")?, script],
            None => argv,
        };
        let right = match (fails, codes.is_empty()) {
            (true, _) => Right::Fails,
            (false, true) => Right::Code(vec![0]),
            (false, false) => Right::Code(codes.into_iter().map(i32::from).collect()),
        };
        let timeout_ms = timeout.and_then(|t| u32::try_from(t.as_millis()).ok()).unwrap_or(5_000).min(LONGEST_MS);
        Some(Self { argv, stdin, right, matches, lacks, timeout_ms })
    }

    fn describe(&self) -> String {
        let words: Vec<String> = self.argv.iter().map(Text::source).collect();
        match words.as_slice() {
            [shell, flag, script] if shell == "/bin/sh" && flag == "-c" => format!("`{script}`"),
            words => format!("`{}`", words.join(" ")),
        }
    }

    /// For what was seen: a long script is how we looked, and leaves no room for what came of it.
    fn brief(&self) -> String {
        let whole = self.describe();
        match whole.char_indices().nth(LONGEST_BRIEF) {
            Some((end, _)) => format!("{}…`", whole[..end].replace('\n', " ")),
            None => whole,
        }
    }

    fn expected(&self) -> String {
        let how = match &self.right {
            Right::Fails => "is refused".to_owned(),
            Right::Code(codes) if *codes == [0] => "works".to_owned(),
            Right::Code(codes) => {
                format!("ends with {}", codes.iter().map(i32::to_string).collect::<Vec<_>>().join(" or "))
            }
        };
        format!("{} {how}", self.describe())
    }

    fn fill(&self, eyes: &Eyes<'_>) -> Result<(Vec<String>, String), Halt> {
        let values = eyes.values();
        let argv = self.argv.iter().map(|text| text.fill(&values)).collect();
        let stdin = self.stdin.as_ref().map(|text| text.fill(&values)).unwrap_or_default();
        if stdin.len() > MOST_INPUT {
            return Err(Halt::unknown(format!("the check's input is longer than {}", clean::bytes(MOST_INPUT))));
        }
        Ok((argv, stdin))
    }

    fn judge(&self, eyes: &Eyes<'_>, done: &ExecResult) -> Outcome {
        let what = self.brief();
        if done.timed_out {
            return Ok(Finding::fail(format!("{what} did not end within {} ms", self.timeout_ms)));
        }
        let output = format!("{}{}", done.stdout, done.stderr);
        let said = if output.trim().is_empty() { String::new() } else { format!(": {}", excerpt(&output)) };
        let observed = format!("{what} ended with {}{said}", done.code);
        let right = match &self.right {
            Right::Code(codes) => codes.contains(&done.code),
            Right::Fails if matches!(done.code, 126 | 127) => {
                return Ok(Finding::fail(observed)
                    .because("The command could not be started, which is not the same as being refused."));
            }
            Right::Fails => done.code != 0,
        };
        if !right {
            return Ok(Finding::fail(observed));
        }
        for (pattern, wanted) in [(&self.matches, true), (&self.lacks, false)] {
            let Some(pattern) = pattern else { continue };
            let found = pattern.with(&eyes.values()).map_err(Halt::Unknown)?.is_match(&output);
            if found != wanted && done.truncated {
                return Err(Halt::unknown(format!("{what} printed more than {}", clean::bytes(OUTPUT_LIMIT as usize))));
            }
            if found != wanted {
                let verb = if wanted { "does not match" } else { "matches" };
                return Ok(Finding::fail(format!("{observed}, which {verb} {}", pattern.source())));
            }
        }
        Ok(Finding::pass(observed))
    }
}

/// What a command said, short enough that others have room beside it.
fn excerpt(output: &str) -> String {
    let line = clean::clean(output);
    if line.chars().count() > 120 { format!("{}…", line.chars().take(120).collect::<String>()) } else { line }
}

impl Kind for ExecCheck {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn expected(&self) -> String {
        let runs: Vec<String> = self.runs.iter().map(Run::expected).collect();
        format!("{}, {}", self.place.describe(), runs.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        match &self.place {
            Place::Machine { machine, user } => {
                let uid = user.id(eyes, machine)?;
                let mut outcomes = Vec::new();
                for (step, run) in self.runs.iter().enumerate() {
                    let (argv, stdin) = run.fill(eyes)?;
                    let look = Look::Exec(Exec {
                        machine: machine.to_string(),
                        uid,
                        argv,
                        env: Vec::new(),
                        stdin,
                        timeout_ms: run.timeout_ms,
                        limit: OUTPUT_LIMIT,
                    });
                    match eyes.act(step, look)? {
                        Seen::Exec(done) => outcomes.push(run.judge(eyes, done)),
                        other => return Err(misplaced(other)),
                    }
                }
                finding::all(outcomes)
            }
            Place::Container(of) => {
                let mut step = 0;
                containers::every(eyes, of, |eyes, container| {
                    step += 1;
                    let mut errands = Vec::new();
                    for run in &self.runs {
                        let (argv, stdin) = run.fill(eyes)?;
                        let (timeout_ms, env) = (run.timeout_ms, Vec::new());
                        errands.push(Errand::Run { argv, env, stdin, timeout_ms, limit: OUTPUT_LIMIT });
                    }
                    let time = self.runs.iter().map(|run| run.timeout_ms).sum::<u32>() + 5_000;
                    visit(eyes, container, step, errands, time, |eyes, met| {
                        finding::all(self.runs.iter().zip(met).map(|(run, seen)| match seen {
                            Seen::Exec(done) => run.judge(eyes, done),
                            Seen::NoAnswer { why } => Err(Halt::unknown(why.clone())),
                            other => Err(misplaced(other)),
                        }))
                    })
                })
            }
        }
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![self.place.machine()]
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let texts = self.runs.iter().flat_map(|run| {
            let patterns = [&run.matches, &run.lacks].into_iter().flatten().map(Pattern::text);
            run.argv.iter().chain(&run.stdin).chain(patterns)
        });
        texts.map(|text| (text, Vec::new())).collect()
    }
}
