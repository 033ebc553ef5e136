//! One lesson: its commands and files in order, each command on its machine.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bulkhead_content::{Lesson, Span, Step};

use super::{
    sandbox::{Sandbox, Sandboxes},
    shell::{Heard, Shell, quoted},
};

/// What came of a step.
pub(super) enum Came {
    Printed(String),
    /// Not to its end, and why; nothing after it was run.
    Broke(String),
    NotRun,
}

pub(super) struct Run<'c> {
    /// Its place among those that are run.
    pub(super) at: usize,
    pub(super) lesson: &'c Lesson,
    pub(super) lab: String,
    pub(super) steps: Vec<(Step<'c>, Came)>,
    /// Why there was no sandbox, or why it could not be taken away.
    pub(super) fault: Option<String>,
    pub(super) took: Duration,
}

pub(super) async fn run<'c>(
    sandboxes: &Sandboxes,
    at: usize,
    lesson: &'c Lesson,
    span: Span,
    lab: &str,
    limit: Duration,
) -> Run<'c> {
    let began = Instant::now();
    let mut steps: Vec<(Step<'_>, Came)> = lesson.replay(span).into_iter().map(|step| (step, Came::NotRun)).collect();
    let fault = if steps.is_empty() {
        None
    } else {
        match sandboxes.fresh(at, lab).await {
            Ok(sandbox) => {
                execute(&sandbox, &mut steps, limit).await;
                sandboxes.end(sandbox).await.err()
            }
            Err(why) => Some(why),
        }
    };
    Run { at, lesson, lab: lab.to_owned(), steps, fault, took: began.elapsed() }
}

async fn execute(sandbox: &Sandbox, steps: &mut [(Step<'_>, Came)], limit: Duration) {
    let mut shells: BTreeMap<&str, Shell> = BTreeMap::new();
    for (step, came) in steps {
        let (input, tab) = match step {
            Step::Run(command) => (command.input.clone(), command.tab.as_ref()),
            Step::Save(saved) => (writing(&saved.path, &saved.text), None),
        };
        let machine = match tab {
            None => &sandbox.host,
            Some(tab) if sandbox.machines.contains(tab) => tab,
            Some(tab) => {
                let there = sandbox.machines.join(", ");
                *came = Came::Broke(format!("the sandbox has no machine `{tab}`; it has {there}"));
                return;
            }
        };
        if !shells.contains_key(machine.as_str()) {
            match Shell::start(&sandbox.link, machine).await {
                Ok(shell) => {
                    shells.insert(machine, shell);
                }
                Err(error) => {
                    *came = Came::Broke(format!("no shell on `{machine}`: {error}"));
                    return;
                }
            }
        }
        let Some(shell) = shells.get_mut(machine.as_str()) else { return };
        *came = match shell.run(&input, limit).await {
            // Whoever writes a file says nothing, unless it fails.
            Heard::Printed(text) if matches!(step, Step::Save(_)) && !text.is_empty() => {
                Came::Broke(format!("it could not be written: {}", text.trim_end()))
            }
            Heard::Printed(text) => Came::Printed(text),
            Heard::Hung(text) => Came::Broke(format!("not done after {} s; it had printed:\n{text}", limit.as_secs())),
            Heard::Endless => Came::Broke("it prints without end".to_owned()),
            Heard::Ended(text) => Came::Broke(format!("it ended the shell:\n{text}")),
        };
        if matches!(came, Came::Broke(_)) {
            return;
        }
    }
}

/// What has bash make a file of the text, and its folder where there is none. Silent where it can.
fn writing(path: &str, text: &str) -> String {
    let path = quoted(path);
    format!("mkdir -p -- \"$(dirname -- {path})\" && printf %s {} > {path}", quoted(text))
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::writing;
    use crate::random::Random;

    fn bash(folder: &std::path::Path, script: &str) -> String {
        let output = Command::new("bash").args(["-c", script]).current_dir(folder).output().expect("bash runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    #[test]
    fn a_file_is_written_as_it_stands_in_the_lesson() {
        let folder = std::env::temp_dir().join(format!("bulkhead-saved-{}", Random::system().hex::<8>()));
        fs::create_dir_all(&folder).expect("a folder");
        let text = "{ \"it's\": \"$HOME `id` \\n %s\" }\n\n#!/bin/sh\ncat <<'END'\nEND\n";
        for path in ["one.json", "new folder/it's here/$two.json", "-n"] {
            assert_eq!(bash(&folder, &writing(path, text)), "", "{path}");
            assert_eq!(fs::read_to_string(folder.join(path)).expect("the file"), text, "{path}");
        }
        assert_ne!(bash(&folder, &writing("one.json/below", text)), "", "a failure is told");
        fs::remove_dir_all(folder).expect("removed");
    }
}
