//! What a lab is, once its manifest was read.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{CheckId, LabId, MachineName, TaskId};
pub use bulkhead_agent::boot::MachineKind;

use crate::{
    engine::Capabilities,
    grade::kinds::Kind,
    sandbox::{self, Placement},
};

/// A lab whose manifest holds. Its scripts and texts are in it, so that a [`super::Catalog`] needs no disk.
#[derive(Clone, Debug)]
pub struct Lab {
    pub id: LabId,
    pub title: String,
    /// A machine to try things on: no tasks, nothing to pass.
    pub playground: bool,
    pub summary: String,
    pub module: u8,
    pub difficulty: Difficulty,
    pub minutes: u16,
    pub objectives: Vec<String>,
    /// Markdown of `story.md`.
    pub story: String,
    pub time: TimeRules,
    /// Score from which the lab counts as passed.
    pub pass: u8,
    /// None: one with every machine on it.
    pub networks: Vec<Network>,
    pub machines: Vec<Machine>,
    /// Roles (label `bulkhead.role`) of the containers that must keep serving. A lab that names any has a gate.
    pub services: Vec<String>,
    pub variables: BTreeMap<String, VariableKind>,
    /// Run one after the other, each as root on its machine, before the student gets in.
    pub setup: Vec<Script>,
    pub tasks: Vec<Task>,
    /// Checks (of kind `probe`) that must pass, or the score is capped at [`crate::grade::GATE_CAP`].
    pub gate: Vec<CheckId>,
    pub regrade: Regrade,
    pub solution: Option<Solution>,
    pub wrong_fixes: Vec<WrongFix>,
    /// Lessons that belong to this lab, by id.
    pub lessons: Vec<String>,
    pub references: Vec<String>,
    pub requires: Requires,
}

impl Lab {
    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|t| t.id.as_str() == id)
    }

    /// Every check with its task, in the manifest's order.
    pub fn checks(&self) -> impl Iterator<Item = (&Task, &Check)> {
        self.tasks.iter().flat_map(|t| t.checks.iter().map(move |c| (t, c)))
    }

    pub fn check(&self, id: &str) -> Option<(&Task, &Check)> {
        self.checks().find(|(_, c)| c.id.as_str() == id)
    }

    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|m| m.name.as_str() == name)
    }

    /// Every script, in the manifest's order.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        let solution = self.solution.iter().flat_map(Solution::scripts);
        self.setup.iter().chain(solution).chain(self.wrong_fixes.iter().flat_map(WrongFix::scripts))
    }

    /// The student's machine: the first docker-host.
    pub fn host(&self) -> Option<&Machine> {
        self.machines.iter().find(|m| m.kind == MachineKind::DockerHost)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difficulty {
    Easy,
    Medium,
    Hard,
}

impl Difficulty {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRules {
    /// How long a sandbox lives without an extension.
    pub limit: Duration,
    /// What one extension adds.
    pub extend: Duration,
    /// However often it is extended.
    pub max: Duration,
    /// How long a sandbox outlives the last sign of its student.
    pub orphan: Duration,
    /// How long before the end the student is warned.
    pub warn: Vec<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub name: MachineName,
    pub kind: MachineKind,
    /// The sandbox image's name, `bulkhead/…`; the platform adds the tag that its inputs hash to.
    pub image: Option<String>,
    pub memory_bytes: u64,
    pub pids: u32,
    pub disk_bytes: u64,
    pub placement: Placement,
    /// The student may open terminals on it.
    pub terminal: bool,
    /// Whose terminals they are, by name on that machine; root unless said otherwise.
    pub user: Option<String>,
    pub summary: String,
    /// Line in `lab.toml`.
    pub line: usize,
}

impl Machine {
    /// The student is, or may become, root there: what it says and where it reaches is his to decide.
    pub fn is_the_students(&self) -> bool {
        self.kind == MachineKind::DockerHost || self.terminal && self.user.as_deref().is_none_or(|user| user == "root")
    }
}

/// A network of the lab's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub network: sandbox::Network,
    /// Line in `lab.toml`.
    pub line: usize,
}

/// How a variable is made from the attempt's seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariableKind {
    /// 16 hexadecimal digits. Secret: never shown in a verdict.
    Hex16,
    /// The same, and to be seen that it is a flag: `flag_…`. Secret.
    Flag,
    /// 20000 to 29999; no two of a lab are the same.
    Port,
    /// One of a list of short words.
    Word,
    /// Two words, fit for a host or a container: `quiet-harbor`. No two of a lab are the same.
    Name,
    /// As an engine names a container itself: `quirky_morse`. Secret, for one that is to be found.
    Container,
    /// One of these.
    Choice(Vec<String>),
}

impl VariableKind {
    pub const NAMES: [&str; 6] = ["hex16", "flag", "port", "word", "name", "container"];

    /// By its name in a manifest; all but a choice have one.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hex16" => Self::Hex16,
            "flag" => Self::Flag,
            "port" => Self::Port,
            "word" => Self::Word,
            "name" => Self::Name,
            "container" => Self::Container,
            _ => return None,
        })
    }

    /// No verdict shows it.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Hex16 | Self::Flag | Self::Container)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub machine: MachineName,
    /// Relative to the lab's folder.
    pub path: String,
    pub text: String,
    pub timeout: Duration,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    pub title: String,
    pub points: u8,
    /// Tasks to be done first. The page orders by it; grading looks at what is true whatever the order.
    pub needs: Vec<TaskId>,
    /// Markdown of `tasks/<id>.md`.
    pub body: String,
    pub hints: Vec<Hint>,
    pub checks: Vec<Check>,
    /// Line in `lab.toml`.
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Markdown.
    pub text: String,
    /// Opens after so many graded attempts; 0: at once.
    pub after: u32,
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: CheckId,
    pub title: String,
    pub weight: u8,
    /// In the author's words, where the kind's own are too technical.
    pub expected: Option<String>,
    /// Told to the student when it fails.
    pub fail: String,
    /// Why it matters.
    pub why: String,
    pub refs: Vec<String>,
    /// The lesson that explains it, by id.
    pub lesson: Option<String>,
    /// The untouched start may pass it: it guards something that the student could break.
    pub passes_at_start: bool,
    /// Checks that must be judged before this one looks (the diff after the load, say).
    pub after: Vec<CheckId>,
    /// Looked at again until it holds, at most so long. Zero: looked at once.
    pub within: Duration,
    pub kind: Arc<dyn Kind>,
    /// Line in `lab.toml`, for lint and reports.
    pub line: usize,
}

/// What a second grading follows on. A check then passes only if it passes both times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regrade {
    #[default]
    Never,
    /// The engine restarts. A container that does not come back by itself is gone.
    Engine,
    /// The engine restarts, and the platform starts again what ran before.
    EngineAndContainers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    pub script: Script,
    /// Run after it.
    pub also: Vec<Script>,
    /// Markdown of `solution.md`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongFix {
    pub script: Script,
    /// Run after it.
    pub also: Vec<Script>,
    /// Why it is wrong, in a sentence.
    pub title: String,
    pub fails: Vec<CheckId>,
    /// Line in `lab.toml`.
    pub line: usize,
}

impl Solution {
    /// In the order in which they run.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        std::iter::once(&self.script).chain(&self.also)
    }
}

impl WrongFix {
    /// In the order in which they run.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        std::iter::once(&self.script).chain(&self.also)
    }
}

/// What the platform must have for this lab to be offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requires {
    /// Lowest version of the outer engine.
    pub engine: Option<Vec<u32>>,
    /// Cgroup versions that the lab works on; empty: any.
    pub cgroup: Vec<u8>,
    /// Lowest kernel.
    pub kernel: Option<Vec<u32>>,
}

impl Requires {
    /// What `capabilities` lack, each in a sentence; empty: the lab can run.
    pub fn unmet(&self, capabilities: &Capabilities) -> Vec<String> {
        let mut unmet = Vec::new();
        let mut lowest = |what: &str, asked: &Option<Vec<u32>>, found: &str| {
            if let Some(asked) = asked
                && version(found) < *asked
            {
                unmet.push(format!("This lab needs {what} {} or newer; here is {found}.", join(asked)));
            }
        };
        lowest("engine", &self.engine, &capabilities.version);
        lowest("kernel", &self.kernel, &capabilities.kernel);
        if !self.cgroup.is_empty() && !self.cgroup.contains(&capabilities.cgroup_version) {
            unmet.push(format!(
                "This lab needs cgroup v{}; here is v{}.",
                self.cgroup.iter().map(u8::to_string).collect::<Vec<_>>().join(" or v"),
                capabilities.cgroup_version
            ));
        }
        unmet
    }
}

/// The leading numbers of a version: `20.10.24+dfsg1` → `[20, 10, 24]`.
pub(super) fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map_while(|part| {
            let digits = part.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        })
        .collect()
}

fn join(version: &[u32]) -> String {
    version.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Tier;

    #[test]
    fn requirements_compare_versions_as_numbers() {
        let here = Capabilities {
            engine: "docker".into(),
            version: "20.10.24+dfsg1".into(),
            api_version: "1.41".into(),
            cgroup_version: 1,
            kernel: "6.18.5-debian".into(),
            tiers: vec![Tier::Userns],
            details: BTreeMap::new(),
        };
        let asks = |engine: &str, cgroup: Vec<u8>| Requires {
            engine: Some(version(engine)),
            cgroup,
            kernel: Some(version("6.6")),
        };
        assert_eq!(asks("20.9", vec![1, 2]).unmet(&here), Vec::<String>::new());
        insta::assert_debug_snapshot!(asks("28.0", vec![2]).unmet(&here), @r#"
        [
            "This lab needs engine 28.0 or newer; here is 20.10.24+dfsg1.",
            "This lab needs cgroup v2; here is v1.",
        ]
        "#);
    }
}
