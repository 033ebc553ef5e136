//! `kind = "attack"`: our exploit must fail now, and for the right reason.
//!
//! Either requests from another machine:
//!
//! | key | |
//! |---|---|
//! | `from`, `to`, `port`, `family`, `timeout`, `step` | as in `probe`. Each step says what a *defended* service answers; `breach` marks the answer of one that is not |
//!
//! or attempts from where an attacker would stand:
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "cms" }`: in every container of that role |
//! | `machine`, `user` | or on a machine as a user, as in `exec` |
//! | `attempt` | what is tried; see `attempt.rs` for its keys |
//!
//! and for both:
//!
//! | key | |
//! |---|---|
//! | `worked_at_start` | default `true`: the untouched start must fail this check because the exploit works |
//!
//! A service that does not answer (unless `silent` says that this is right), a directory that is gone: the attack was not stopped, it could not be tried. That
//! is a failure with those words, not a pass.
//!
//! `attempt` what is tried · `verdict` what came of it · `profile` what a seccomp profile says of a call

mod attempt;
mod profile;
mod verdict;

use bulkhead_agent::look::{Seen, errand::Errand};

use super::{
    Kind,
    http::Requests,
    place::{Place, visit, visit_user},
};
use crate::{
    grade::{
        Eyes, Finding, Outcome,
        containers::{self, Container},
        finding,
    },
    manifest::{Fields, MachineName, Text},
};
use attempt::Attempt;

/// Steps of attempts that are looks of their own; visits come after them.
const VISITS: usize = 10_000;
/// Beside what its requests may take.
const VISIT_MS: u32 = 10_000;
const LONGEST_VISIT_MS: u32 = 60_000;

#[derive(Debug)]
enum Form {
    Requests(Requests),
    Attempts { place: Place, attempts: Vec<Attempt> },
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
                let place = Place::read(fields);
                let attempts: Vec<Attempt> = fields.tables("attempt").into_iter().filter_map(Attempt::read).collect();
                let on_machine = matches!(place, Some(Place::Machine { .. }));
                if on_machine && attempts.iter().any(|attempt| !attempt.fits_a_machine()) {
                    fields.error(
                        "`create_in`, `execute_in` and `enter` are tried in a container",
                        "name one by `of`, or try something else",
                    );
                }
                Form::Attempts { place: place?, attempts }
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

impl Kind for AttackCheck {
    fn name(&self) -> &'static str {
        "attack"
    }

    fn expected(&self) -> String {
        match &self.form {
            Form::Requests(requests) => {
                let silence = if requests.may_be_silent() {
                    "refused or not answered"
                } else {
                    "refused, while the service answers"
                };
                format!("our exploit against {} is {silence}", requests.target())
            }
            Form::Attempts { place: Place::Container(of), attempts } if attempts.iter().all(Attempt::in_its_place) => {
                let list: Vec<_> = attempts.iter().map(Attempt::expected).collect();
                format!("in the place of the {} container's first process, {}", of.role, list.join(" and "))
            }
            Form::Attempts { place, attempts } => {
                let list: Vec<_> = attempts.iter().map(Attempt::expected).collect();
                format!("{}, {}", place.describe(), list.join(" and "))
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
            Form::Attempts { place: Place::Machine { machine, user }, attempts } => {
                let uid = user.id(eyes, machine)?;
                let errands: Vec<Errand> = attempts.iter().filter_map(|attempt| attempt.errand(eyes)).collect();
                visit_user(eyes, machine, uid, VISITS, errands, visit_ms(attempts), |eyes, met| {
                    judge_met(eyes, attempts, met, None)
                })
            }
            Form::Attempts { place: Place::Container(of), attempts } => {
                let mut each = 0;
                containers::every(eyes, of, |eyes, container| in_container(eyes, container, attempts, &mut each))
            }
        }
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.form {
            Form::Requests(requests) => requests.machines(),
            Form::Attempts { place, .. } => vec![place.machine()],
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        match &self.form {
            Form::Requests(requests) => requests.texts(),
            Form::Attempts { attempts, .. } => {
                attempts.iter().flat_map(Attempt::texts).map(|text| (text, Vec::new())).collect()
            }
        }
    }

    fn works_at_start(&self) -> bool {
        self.worked_at_start
    }
}

fn visit_ms(attempts: &[Attempt]) -> u32 {
    attempts.iter().map(Attempt::time_ms).fold(VISIT_MS, u32::saturating_add).min(LONGEST_VISIT_MS)
}

/// What is tried in the place of the first process, each a look of its own, and what a visitor tries, all at once.
fn in_container(eyes: &mut Eyes<'_>, container: &Container, attempts: &[Attempt], each: &mut usize) -> Outcome {
    let pid = containers::process(eyes, container)?.pid;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for attempt in attempts {
        *each += 1;
        outcomes.extend(attempt.in_place_of(eyes, *each, container, pid));
    }
    let errands: Vec<Errand> = attempts.iter().filter_map(|attempt| attempt.errand(eyes)).collect();
    if !errands.is_empty() {
        outcomes.push(visit(eyes, container, VISITS + *each, errands, visit_ms(attempts), |eyes, met| {
            judge_met(eyes, attempts, met, Some(container))
        }));
    }
    finding::all(outcomes)
}

fn judge_met(eyes: &mut Eyes<'_>, attempts: &[Attempt], met: &[Seen], container: Option<&Container>) -> Outcome {
    let visited = attempts.iter().filter(|attempt| !attempt.in_its_place());
    let outcomes: Vec<Outcome> = visited.zip(met).map(|(attempt, seen)| attempt.judge(eyes, seen, container)).collect();
    finding::all(outcomes)
}
