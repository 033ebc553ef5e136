//! One lesson: its commands in order, each on its machine.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bulkhead_content::{Command, Lesson, Span};

use super::{
    sandbox::{Sandbox, Sandboxes},
    shell::{Heard, Shell},
};

/// What came of a command.
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
    pub(super) commands: Vec<(&'c Command, Came)>,
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
    let mut commands: Vec<(&Command, Came)> =
        lesson.replay(span).into_iter().map(|command| (command, Came::NotRun)).collect();
    let fault = if commands.is_empty() {
        None
    } else {
        match sandboxes.fresh(at, lab).await {
            Ok(sandbox) => {
                execute(&sandbox, &mut commands, limit).await;
                sandboxes.end(sandbox).await.err()
            }
            Err(why) => Some(why),
        }
    };
    Run { at, lesson, lab: lab.to_owned(), commands, fault, took: began.elapsed() }
}

async fn execute(sandbox: &Sandbox, commands: &mut [(&Command, Came)], limit: Duration) {
    let mut shells: BTreeMap<&str, Shell> = BTreeMap::new();
    for (command, came) in commands {
        let machine = match &command.tab {
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
        *came = match shell.run(&command.input, limit).await {
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
