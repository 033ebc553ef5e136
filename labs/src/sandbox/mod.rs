//! From a lab's machines to a sandbox that is ready for its student.
//!
//! ```text
//! mod        provision: Creating ─▶ Booting ─▶ SettingUp ─▶ Ready; undone as a whole when a step fails
//! plan       SandboxPlan: what is asked for, and whether it can be had (pure)
//! networks   addresses, interfaces and routes (pure)
//! allocate   owner ids: unique for each sandbox on the engine; the machines' ids (pure)
//! ```

mod allocate;
mod networks;
mod plan;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

pub(crate) use allocate::{id_bases, plain_id_base};
use bulkhead_agent::{
    boot::MachineKind,
    look::{Look, Seen},
    protocol::{Exec, Status},
};
pub use networks::{Network, Placement, Way};
pub use plan::{MachinePlan, PlanError, SandboxPlan, Setup};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::{
    engine::{EngineError, EngineState, SandboxEngine},
    link::{AgentLink, LinkError},
};

/// For `create`, with everything that an engine under load may add.
const CREATING: Duration = Duration::from_mins(2);
/// From the agent's first word to the last inner engine's. A second on a quiet machine.
const BOOTING: Duration = Duration::from_mins(1);
/// Between two questions whether the inner engines answer.
const ASK_AGAIN: Duration = Duration::from_millis(40);
/// Says on the machine of the last setup script that all ran to the end. Who is root there may remove it; then the next reset sets up again.
const MARK: &str = "/run/bulkhead-setup";
/// For a command of ours.
const QUICK: Duration = Duration::from_secs(10);
/// Kept of a setup script's output.
const OUTPUT: u32 = 16 * 1024;

/// The steps of provisioning, in order. `Ready` takes no time and ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The engine makes the container and its agent answers.
    Creating,
    /// The machines' own engines start.
    Booting,
    /// The lab's setup scripts run.
    SettingUp,
    Ready,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Creating, Self::Booting, Self::SettingUp, Self::Ready];
}

/// What a caller is told while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Began(Step),
    Done(Step, Duration),
}

/// A sandbox that its student can enter.
#[derive(Debug)]
pub struct Ready {
    pub link: AgentLink,
    /// As its agent reported it when the last engine answered.
    pub status: Status,
    /// How long each step took.
    pub took: Vec<(Step, Duration)>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The lab asks for what cannot be; nothing was started.
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Link(#[from] LinkError),
    /// `who` says what the step still waited for.
    #[error("{step:?} took longer than {within:?}: {who}")]
    TimedOut { step: Step, within: Duration, who: String },
    /// `output` is the script's last words.
    #[error("the lab's setup script failed on {machine} with code {code}: {output}")]
    Setup { machine: String, code: i32, output: String },
}

/// Makes the sandbox and returns when its student can enter it. When it fails, nothing of it is left.
///
/// Safe to call again after the platform died in the middle: what is there is adopted, but for a sandbox whose setup did
/// not run to its end, which is made anew. A caller that drops the future half way must call
/// [`SandboxEngine::destroy`].
pub async fn provision(
    engine: &dyn SandboxEngine,
    plan: &SandboxPlan,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Ready, ProvisionError> {
    plan.check()?;
    let mut setup = plan.setup.as_slice();
    if let Some(last) = setup.last() {
        match found(engine, plan, last).await? {
            Found::Nothing => {}
            Found::HalfSetUp => engine.destroy(&plan.id).await?,
            // A script that makes a container by name fails the second time.
            Found::SetUp => setup = &[],
        }
    }
    let result = run(engine, plan, setup, Report { progress, took: Vec::new() }).await;
    if let Err(error) = &result
        && !matches!(error, ProvisionError::Engine(EngineError::Generation { .. }))
        && let Err(left) = engine.destroy(&plan.id).await
    {
        tracing::warn!(sandbox = %plan.id, %left, "could not undo; the reaper will");
    }
    result
}

struct Report<'a> {
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    took: Vec<(Step, Duration)>,
}

impl Report<'_> {
    /// Runs one step within its time.
    async fn step<T>(
        &mut self,
        step: Step,
        within: Duration,
        work: impl Future<Output = Result<T, ProvisionError>>,
        who: &str,
    ) -> Result<T, ProvisionError> {
        (self.progress)(Progress::Began(step));
        let began = Instant::now();
        let late = || ProvisionError::TimedOut { step, within, who: who.to_owned() };
        let done = timeout(within, work).await.unwrap_or_else(|_| Err(late()))?;
        self.done(step, began.elapsed());
        Ok(done)
    }

    fn done(&mut self, step: Step, took: Duration) {
        self.took.push((step, took));
        (self.progress)(Progress::Done(step, took));
    }
}

async fn run(
    engine: &dyn SandboxEngine,
    plan: &SandboxPlan,
    setup: &[Setup],
    mut report: Report<'_>,
) -> Result<Ready, ProvisionError> {
    let creating = async {
        let others =
            engine.list().await?.into_iter().filter(|found| found.id != plan.id).map(|found| found.owner_uid).collect();
        let owner_uid = allocate::owner_uid(engine.instance(), plan.id.as_str(), &others);
        engine.create(&plan.spec(owner_uid)?).await?;
        Ok(AgentLink::open(engine.connect(&plan.id).await?).await?)
    };
    let link = report.step(Step::Creating, CREATING, creating, "the container engine").await?;
    let status = report
        .step(Step::Booting, BOOTING, booted(&link, plan), "a machine is not up, or its Docker engine does not answer")
        .await?;
    if !setup.is_empty() {
        let within = setup.iter().map(|setup| setup.timeout).sum::<Duration>() + Duration::from_secs(30);
        report.step(Step::SettingUp, within, set_up(&link, plan, setup), "the setup script").await?;
    }
    report.done(Step::Ready, Duration::ZERO);
    Ok(Ready { link, status, took: report.took })
}

async fn booted(link: &AgentLink, plan: &SandboxPlan) -> Result<Status, ProvisionError> {
    loop {
        let status = link.status().await?;
        let ready = |machine: &MachinePlan| {
            let seen = status.machines.iter().find(|seen| seen.name == machine.name);
            seen.is_some_and(|seen| seen.up && (seen.engine || machine.kind != MachineKind::DockerHost))
        };
        if plan.machines.iter().all(ready) {
            return Ok(status);
        }
        sleep(ASK_AGAIN).await;
    }
}

async fn set_up(link: &AgentLink, plan: &SandboxPlan, setup: &[Setup]) -> Result<(), ProvisionError> {
    for one in setup {
        let result = link.exec(script(&one.machine, &one.script, &plan.variables, one.timeout)).await?;
        if result.code != 0 || result.timed_out {
            let said =
                if result.timed_out { format!("it took longer than {:?}. ", one.timeout) } else { String::new() };
            return Err(ProvisionError::Setup {
                machine: one.machine.clone(),
                code: result.code,
                output: said + tail(&format!("{}{}", result.stdout, result.stderr)),
            });
        }
    }
    let Some(last) = setup.last() else { return Ok(()) };
    let marked = link.exec(script(&last.machine, &format!(": > {MARK}"), &BTreeMap::new(), QUICK)).await?;
    if marked.code != 0 {
        let (machine, output) = (last.machine.clone(), tail(&marked.stderr).to_owned());
        return Err(ProvisionError::Setup { machine, code: marked.code, output });
    }
    Ok(())
}

/// What a call before this one left.
enum Found {
    Nothing,
    /// Its setup did not begin, stopped half way, or runs still.
    HalfSetUp,
    SetUp,
}

async fn found(engine: &dyn SandboxEngine, plan: &SandboxPlan, setup: &Setup) -> Result<Found, ProvisionError> {
    let there = engine
        .status(&plan.id)
        .await?
        .is_some_and(|found| found.generation == plan.generation && found.state == EngineState::Running);
    if !there {
        return Ok(Found::Nothing);
    }
    let look = Look::File { machine: setup.machine.clone(), pid: None, path: MARK.to_owned(), limit: 0 };
    let seen = async {
        let link = AgentLink::open(engine.connect(&plan.id).await?).await?;
        Ok::<_, ProvisionError>(link.observe(vec![look]).await?)
    };
    match timeout(BOOTING, seen).await {
        Ok(Ok(seen)) if matches!(seen[..], [Ok(Seen::File(_))]) => Ok(Found::SetUp),
        _ => Ok(Found::HalfSetUp),
    }
}

/// A bash script as root on a machine, with these variables in its environment.
pub fn script(machine: &str, script: &str, variables: &BTreeMap<String, String>, within: Duration) -> Exec {
    Exec {
        machine: machine.to_owned(),
        uid: 0,
        argv: ["/bin/bash", "-c", script, "script"].map(str::to_owned).to_vec(),
        env: variables.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        stdin: String::new(),
        timeout_ms: u32::try_from(within.as_millis()).unwrap_or(u32::MAX),
        limit: OUTPUT,
    }
}

fn tail(text: &str) -> &str {
    let text = text.trim();
    text.get(text.ceil_char_boundary(text.len().saturating_sub(1000))..).unwrap_or_default()
}
