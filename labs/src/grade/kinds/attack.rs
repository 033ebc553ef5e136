//! `kind = "attack"`: our exploit must fail now, and for the right reason.
//!
//! Either requests from another machine:
//!
//! | key | |
//! |---|---|
//! | `from`, `to`, `port`, `timeout`, `step` | as in `probe`. Each step says what a *defended* service answers; `breach` marks the answer of one that is not |
//!
//! or attempts in the place of a container's first process (its namespaces, ids and capabilities):
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "cms" }` |
//! | `attempt` | `{ create_in = "/app" }` makes a file there, `{ execute_in = "/app/cache" }` runs a program of ours from there; `refused_with` lists the kernel's words that are right (default `EROFS` for the first, `EACCES` for the second) |
//!
//! and for both:
//!
//! | key | |
//! |---|---|
//! | `worked_at_start` | default `true`: the untouched start must fail this check because the exploit works |
//!
//! A service that does not answer, a directory that is gone: the attack was not stopped, it could not be tried. That
//! is a failure with those words, not a pass.

use bulkhead_agent::look::{Look, Seen};

use super::{Kind, http::Requests};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Container, Of},
        eyes::misplaced,
        finding,
    },
    manifest::{Fields, MachineName, Text},
};

#[derive(Debug)]
enum Form {
    Requests(Requests),
    Attempts { of: Of, attempts: Vec<Attempt> },
}

#[derive(Debug)]
struct Attempt {
    act: Act,
    dir: String,
    refused_with: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Create,
    Execute,
}

#[derive(Debug)]
pub(super) struct AttackCheck {
    form: Form,
    worked_at_start: bool,
}

impl AttackCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let worked_at_start = fields.opt_bool("worked_at_start").unwrap_or(true);
        let form = match (fields.has("step"), fields.has("attempt")) {
            (true, false) => Form::Requests(Requests::read(fields, true)?),
            (false, true) => {
                let of = Of::read(fields);
                let attempts = fields.tables("attempt").into_iter().filter_map(Attempt::read).collect();
                Form::Attempts { of: of?, attempts }
            }
            _ => {
                fields.error(
                    "the attack is neither requests nor attempts",
                    "add either [[task.check.step]] or [[task.check.attempt]]",
                );
                return None;
            }
        };
        if let Form::Requests(requests) = &form
            && worked_at_start
            && requests.steps.iter().all(|step| step.breach.is_none())
        {
            fields.error(
                "no step says how the exploit shows that it worked",
                "add `breach` to the step that exploits, or `worked_at_start = false`",
            );
        }
        Some(Self { form, worked_at_start })
    }
}

impl Attempt {
    fn read(fields: Fields<'_>) -> Option<Self> {
        let create = fields.opt_parsed("create_in", directory);
        let execute = fields.opt_parsed("execute_in", directory);
        let mut refused_with = fields.parsed_list("refused_with", errno);
        let (act, dir, default) = match (create, execute) {
            (Some(dir), None) => (Act::Create, dir, "EROFS"),
            (None, Some(dir)) => (Act::Execute, dir, "EACCES"),
            _ => {
                fields.error("the attempt is not one thing", "write either `create_in` or `execute_in`");
                fields.finish();
                return None;
            }
        };
        fields.finish();
        if refused_with.is_empty() {
            refused_with.push(default.to_owned());
        }
        Some(Self { act, dir, refused_with })
    }

    fn describe(&self) -> String {
        match self.act {
            Act::Create => format!("making a file in {}", self.dir),
            Act::Execute => format!("running a program from {}", self.dir),
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>, step: usize, container: &Container, pid: i32) -> Outcome {
        let machine = container.machine.to_string();
        let look = match self.act {
            Act::Create => {
                let slash = if self.dir == "/" { "" } else { "/" };
                Look::Create {
                    machine,
                    pid,
                    path: format!("{}{slash}.bulkhead-{}", self.dir, eyes.case().nonce.as_str()),
                }
            }
            Act::Execute => Look::Execute { machine, pid, dir: self.dir.clone() },
        };
        let what = self.describe();
        Ok(match eyes.act(step, look)? {
            Seen::Attempt { errno: None } => Finding { breach: true, ..Finding::fail(format!("{what} worked")) },
            Seen::Attempt { errno: Some(errno) } if self.refused_with.contains(errno) => {
                Finding::pass(format!("{what} gives {errno}"))
            }
            Seen::Attempt { errno: Some(errno) } if errno == "ENOENT" => {
                Finding::fail(format!("there is no {}", self.dir)).because("The attack could not be tried.")
            }
            Seen::Attempt { errno: Some(errno) } => Finding::fail(format!("{what} gives {errno}"))
                .because("The attempt failed, but not because of the defence that is asked for."),
            Seen::Missing => return Err(Halt::unknown("the container's process ended while we looked")),
            other => return Err(misplaced(other)),
        })
    }
}

impl Kind for AttackCheck {
    fn name(&self) -> &'static str {
        "attack"
    }

    fn expected(&self) -> String {
        match &self.form {
            Form::Requests(requests) => {
                format!("our exploit against {} is refused, while the service answers", requests.target())
            }
            Form::Attempts { of, attempts } => {
                let list: Vec<_> = attempts
                    .iter()
                    .map(|a| format!("{} gives {}", a.describe(), a.refused_with.join(" or ")))
                    .collect();
                format!("in the place of the {} container's first process, {}", of.role, list.join(" and "))
            }
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        match &self.form {
            Form::Requests(requests) => Ok(match requests.run(eyes)? {
                Ok(last) => Finding::pass(last),
                Err(missed) if missed.silent => missed.into_finding().because(
                    "The attack could not be tried: a service that is down is not a service that is hardened.",
                ),
                Err(missed) if missed.breach => missed.into_finding().because("The exploit still works."),
                Err(missed) => {
                    let step = missed.step + 1;
                    missed.into_finding().because(format!(
                        "Step {step} of the attack did not come out as a defended service would answer it."
                    ))
                }
            }),
            Form::Attempts { of, attempts } => {
                let mut each = 0;
                containers::every(eyes, of, |eyes, container| {
                    let pid = containers::process(eyes, container)?.pid;
                    let outcomes: Vec<Outcome> = attempts
                        .iter()
                        .map(|attempt| {
                            each += 1;
                            attempt.judge(eyes, each, container, pid)
                        })
                        .collect();
                    finding::all(outcomes)
                })
            }
        }
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.form {
            Form::Requests(requests) => requests.machines(),
            Form::Attempts { of, .. } => vec![&of.machine],
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        match &self.form {
            Form::Requests(requests) => requests.texts(),
            Form::Attempts { .. } => Vec::new(),
        }
    }

    fn works_at_start(&self) -> bool {
        self.worked_at_start
    }
}

fn directory(path: &str) -> Result<String, String> {
    let fits = path == "/" || (path.starts_with('/') && !path.ends_with('/') && !path.contains("/../"));
    if fits { Ok(path.to_owned()) } else { Err("write an absolute path of a directory".to_owned()) }
}

fn errno(name: &str) -> Result<String, String> {
    let fits =
        name.starts_with('E') && name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if fits { Ok(name.to_owned()) } else { Err("write the kernel's word, such as \"EROFS\"".to_owned()) }
}
