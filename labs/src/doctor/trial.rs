//! A sandbox with a privileged container in it, and the attempts to get out of both.

use std::{collections::BTreeMap, time::Duration};

use bulkhead_agent::{
    boot::MachineKind,
    protocol::{Exec, ExecResult},
};
use time::OffsetDateTime;

use super::{
    Row,
    judge::{fail, ok, warn},
};
use crate::{
    engine::{DockerEngine, EngineError, SandboxEngine, SandboxId},
    link::AgentLink,
    sandbox::{MachinePlan, Placement, ProvisionError, SandboxPlan, provision, script},
};

const MIB: u64 = 1024 * 1024;
const ESCAPES: &str = include_str!("escapes.sh");
/// For the attempts; they take a second or two.
const ATTEMPTS: Duration = Duration::from_mins(1);
/// The smallest image that can run the machine's own tools on the machine's own tree.
const IMAGE: &str = "set -eu; tool=$(command -v chroot); \
    tar -chf - $(ldd \"$tool\" | grep -o '/[^ )]*') \"$tool\" 2>/dev/null | docker import - bulkhead-doctor >/dev/null";
/// As much as a container can be given.
const PRIVILEGED: [&str; 9] =
    ["docker", "run", "--rm", "-i", "--privileged", "--pid=host", "--net=host", "--volume=/:/host", "bulkhead-doctor"];

/// What was tried, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) name: String,
    pub(super) escaped: bool,
    pub(super) said: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) image: String,
    pub(super) booted: Result<Duration, Trouble>,
    /// As root on the machine.
    pub(super) machine: Result<Vec<Attempt>, String>,
    /// In a privileged container with the machine's tree, processes and network.
    pub(super) privileged: Result<Vec<Attempt>, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) fix: String,
}

pub(super) async fn run(engine: &DockerEngine, image: &str) -> Trial {
    let not_tried = || Err("no sandbox to try it in".to_owned());
    let mut trial =
        Trial { image: image.to_owned(), booted: Ok(Duration::ZERO), machine: not_tried(), privileged: not_tried() };
    let Some(plan) = plan(image) else { return trial };
    match provision(engine, &plan, &|_| {}).await {
        Err(error) => trial.booted = Err(trouble(&error)),
        Ok(ready) => {
            trial.booted = Ok(ready.took.iter().map(|(_, took)| *took).sum());
            trial.machine = attempted(&ready.link, script("host", ESCAPES, &BTreeMap::new(), ATTEMPTS)).await;
            trial.privileged = privileged(&ready.link).await;
            drop(ready);
            if let Err(error) = engine.destroy(&plan.id).await {
                tracing::warn!(%error, "could not remove the doctor's sandbox; the reaper will");
            }
        }
    }
    trial
}

fn plan(image: &str) -> Option<SandboxPlan> {
    let machine = |name: &str, kind, memory_mib, disk_mib| MachinePlan {
        name: name.to_owned(),
        kind,
        memory_bytes: memory_mib * MIB,
        pids: 400,
        disk_bytes: disk_mib * MIB,
        placement: Placement::default(),
    };
    Some(SandboxPlan {
        id: SandboxId::parse(&format!("doctor-{}", std::process::id()))?,
        owner: "doctor".to_owned(),
        lab: "doctor".to_owned(),
        generation: 1,
        // The reaper takes what a killed doctor leaves.
        expires: OffsetDateTime::now_utc() + Duration::from_mins(10),
        image: image.to_owned(),
        networks: Vec::new(),
        machines: vec![machine("host", MachineKind::DockerHost, 768, 256), machine("probe", MachineKind::Probe, 64, 0)],
        milli_cpus: 1500,
        setup: Vec::new(),
        variables: BTreeMap::new(),
    })
}

async fn privileged(link: &AgentLink) -> Result<Vec<Attempt>, String> {
    let made = link.exec(script("host", IMAGE, &BTreeMap::new(), ATTEMPTS)).await.map_err(|error| error.to_string())?;
    if made.code != 0 {
        return Err(format!("the inner engine could not import an image: {}", made.stderr.trim()));
    }
    let argv = PRIVILEGED.into_iter().chain(["chroot", "/host", "/bin/sh", "-s"]).map(str::to_owned).collect();
    let run = Exec { argv, stdin: ESCAPES.to_owned(), ..script("host", "", &BTreeMap::new(), ATTEMPTS) };
    attempted(link, run).await
}

async fn attempted(link: &AgentLink, run: Exec) -> Result<Vec<Attempt>, String> {
    attempts(&link.exec(run).await.map_err(|error| error.to_string())?)
}

/// The script's lines; anything else it printed is no attempt.
fn attempts(result: &ExecResult) -> Result<Vec<Attempt>, String> {
    let parse = |line: &str| {
        let mut parts = line.splitn(3, '\t');
        let (name, outcome, said) = (parts.next()?, parts.next()?, parts.next()?);
        let escaped = match outcome {
            "held" => false,
            "escaped" => true,
            _ => return None,
        };
        Some(Attempt { name: name.to_owned(), escaped, said: said.chars().take(200).collect() })
    };
    let found: Vec<_> = result.stdout.lines().filter_map(parse).collect();
    // The last one shows that the script came to its end.
    if found.last().is_none_or(|last| last.name != "platform") {
        let why = if result.timed_out { "it took too long" } else { result.stderr.trim() };
        return Err(format!("only {} attempts were made (code {}): {why}", found.len(), result.code));
    }
    Ok(found)
}

fn trouble(error: &ProvisionError) -> Trouble {
    let fix = match error {
        ProvisionError::Engine(EngineError::Died { log, .. })
            if log.contains("EPERM") || log.contains("not permitted") =>
        {
            "The kernel refused a namespace or a mount to the agent: see the rows on user namespaces and AppArmor, and whether another security module is on"
        }
        ProvisionError::Engine(EngineError::Unsupported { .. }) => "A limit is not in force: see the row on limits",
        ProvisionError::Engine(EngineError::NoImage { .. }) => "Build the images: `bulkhead images build`",
        ProvisionError::TimedOut { .. } | ProvisionError::Engine(EngineError::TimedOut(_)) => {
            "The machine is overloaded, or the engine hangs: see its log (`sudo journalctl -u docker`) and try again"
        }
        _ => "See the engine's log: `sudo journalctl -u docker`",
    };
    Trouble { what: error.to_string(), fix: fix.to_owned() }
}

/// Pure.
pub(super) fn judge(trial: &Trial) -> Vec<Row> {
    let (id, title) = ("sandbox", "A sandbox boots");
    let mut rows = vec![match &trial.booted {
        Ok(took) => ok(id, title, format!("{} with a Docker engine inside, in {} ms", trial.image, took.as_millis())),
        Err(trouble) => fail(id, title, &trouble.what, &trouble.fix),
    }];
    if trial.booted.is_ok() {
        rows.push(escape_row("escape-machine", "Root on the student's machine stays inside", &trial.machine));
        rows.push(escape_row("escape-privileged", "A privileged container inside stays inside", &trial.privileged));
    }
    rows
}

fn escape_row(id: &str, title: &str, tried: &Result<Vec<Attempt>, String>) -> Row {
    let attempts = match tried {
        Ok(attempts) => attempts,
        Err(why) => {
            return fail(
                id,
                title,
                format!("could not be tried: {why}"),
                "Run `bulkhead doctor` again; if it stays so, report this row with the engine's log",
            );
        }
    };
    let escaped: Vec<_> = attempts
        .iter()
        .filter(|attempt| attempt.escaped)
        .map(|attempt| format!("{} ({})", attempt.name, attempt.said.trim()))
        .collect();
    if !escaped.is_empty() {
        let fix = "Do not let students in: this machine does not hold them. Report it with this row, the kernel and the engine's version";
        return fail(
            id,
            title,
            format!("{} of {} attempts got out: {}", escaped.len(), attempts.len(), escaped.join(", ")),
            fix,
        );
    }
    let users = attempts.iter().find(|attempt| attempt.name == "users").map_or("", |attempt| attempt.said.trim());
    if users.split_whitespace().next_back().is_none_or(|count| count != "65536") {
        return warn(id, title, format!("unexpected id range {users:?}"), "Report this row");
    }
    ok(id, title, format!("{} attempts refused; ids {users}", attempts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::RowStatus;

    fn result(stdout: &str) -> ExecResult {
        ExecResult {
            code: 0,
            stdout: stdout.to_owned(),
            stderr: "cut".to_owned(),
            truncated: false,
            timed_out: false,
            millis: 1,
        }
    }

    fn trial(stdout: &str) -> Trial {
        let held = attempts(&result("users\theld\t 0 100000 65536\nplatform\theld\tnone\n"));
        Trial {
            image: "i".to_owned(),
            booted: Ok(Duration::from_secs(1)),
            machine: held,
            privileged: attempts(&result(stdout)),
        }
    }

    #[test]
    fn a_sandbox_that_holds_is_green() {
        let rows =
            judge(&trial("noise\ndisk-node\theld\tmknod: EPERM\nusers\theld\t 0 100000 65536\nplatform\theld\tnone\n"));
        assert!(rows.iter().all(|row| row.status == RowStatus::Ok), "{rows:?}");
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn one_escape_fails_the_row_and_says_which() {
        let rows =
            judge(&trial("core-pattern\tescaped\tcan be written\nusers\theld\t0 100000 65536\nplatform\theld\tnone\n"));
        assert_eq!(rows[2].status, RowStatus::Fail);
        assert!(rows[2].detail.contains("core-pattern (can be written)"), "{rows:?}");
    }

    #[test]
    fn a_script_that_was_cut_short_proves_nothing() {
        let rows = judge(&trial("disk-node\theld\tEPERM\n"));
        assert_eq!(rows[2].status, RowStatus::Fail);
        assert!(rows[2].detail.contains("only 1 attempts"), "{rows:?}");
    }

    #[test]
    fn what_went_wrong_at_boot_has_a_fix_and_nothing_else_is_claimed() {
        let mut trial = trial("");
        let died = EngineError::Died {
            id: SandboxId::parse("d").expect("an id"),
            log: "unshare: Operation not permitted".to_owned(),
        };
        trial.booted = Err(trouble(&ProvisionError::Engine(died)));
        let rows = judge(&trial);
        assert_eq!(rows.len(), 1);
        assert!(rows[0].fix.as_deref().is_some_and(|fix| fix.contains("AppArmor")));
    }
}
