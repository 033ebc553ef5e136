//! A lab as the student sees it: its page, its sandbox, its verdicts, and the live events that change them.

use serde::{Deserialize, Serialize};

/// A row of the list of labs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabCard {
    pub id: String,
    pub title: String,
    pub summary: String,
    pub module: u8,
    pub difficulty: String,
    pub minutes: u16,
    /// Has tasks; a playground has none.
    pub graded: bool,
    pub best_score: Option<u8>,
    pub passed: bool,
    /// A sandbox of the caller's is up for this lab.
    pub open: bool,
    /// Why it cannot run on this server's engine; empty where it can.
    pub unmet: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabPage {
    pub id: String,
    pub title: String,
    pub module: u8,
    pub module_title: String,
    pub difficulty: String,
    pub minutes: u16,
    pub objectives: Vec<String>,
    /// Sanitised HTML.
    pub story_html: String,
    pub machines: Vec<MachineView>,
    /// Isolation tier, as `bulkhead doctor` names it.
    pub tier: String,
    /// Minutes that a sandbox lives without an extension.
    pub limit_minutes: u16,
    /// Score from which the lab counts as passed.
    pub pass: u8,
    pub tasks: Vec<TaskView>,
    pub sandbox: Option<SandboxView>,
    pub score: Option<ScoreView>,
    pub best: Option<ScoreView>,
    pub attempts: u32,
    pub solution: SolutionView,
    pub lessons: Vec<super::course::Link>,
    /// Why it cannot run on this server's engine; empty where it can.
    pub unmet: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineView {
    pub name: String,
    pub summary: String,
    /// The student may open terminals on it.
    pub terminal: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: String,
    pub title: String,
    /// Sanitised HTML.
    pub body_html: String,
    pub points: u8,
    pub hints: Vec<HintView>,
    pub checks: Vec<CheckView>,
    /// Present where the task asks for a written answer.
    pub answer: Option<AnswerView>,
}

impl TaskView {
    /// `None` until every check has a verdict; then the worst of them.
    pub fn verdict(&self) -> Option<Verdict> {
        self.checks.iter().map(|c| c.verdict).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintView {
    pub index: u8,
    /// `None` until asked for.
    pub html: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    pub check: String,
    pub label: String,
    pub submitted: Option<String>,
}

/// Ordered by how bad it is for the student.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// The platform could not look. Never costs the student anything and is never a pass.
    Unknown,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    pub id: String,
    pub title: String,
    /// `None`: not checked yet in this sandbox.
    pub verdict: Option<Verdict>,
    pub running: bool,
    pub expected: String,
    pub observed: String,
    /// Why it matters, or, for `unknown`, why the platform could not look.
    pub why: String,
    pub references: Vec<String>,
    pub lesson: Option<super::course::Link>,
    /// Something happened since, and nobody has looked again.
    #[serde(default)]
    pub stale: bool,
    /// Programs of the machines it looked at that are not the image's any more, each in words.
    #[serde(default)]
    pub tampered: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreView {
    pub attempt: i64,
    pub score: u8,
    pub passed: bool,
    /// The service did not answer, so the score is capped.
    pub gated: bool,
    /// RFC 3339.
    pub at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SolutionView {
    /// Opens after passing, or after `tries_left` more graded attempts.
    Locked {
        tries_left: u32,
    },
    Open {
        html: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxState {
    Queued,
    Creating,
    Booting,
    SettingUp,
    Ready,
    Stopping,
    Stopped,
    Expired,
    Failed,
}

impl SandboxState {
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Creating | Self::Booting | Self::SettingUp)
    }
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Expired | Self::Failed)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxView {
    pub id: String,
    pub lab: String,
    pub state: SandboxState,
    pub steps: Vec<StepView>,
    /// Milliseconds since the epoch; `None` before it is ready.
    pub expires_at: Option<i64>,
    /// Minutes that one extension adds; 0 when none is left.
    pub extend_minutes: u16,
    pub terminals: Vec<TerminalView>,
    /// What failed and what to do next.
    pub error: Option<String>,
}

/// queued → creating → booting → setting up → ready, each with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    pub state: SandboxState,
    pub label: String,
    pub status: StepStatus,
    pub millis: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Waiting,
    Running,
    Done,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalView {
    /// Id within the sandbox; the socket is `/ws/sandbox/{sandbox}/terminal/{id}`.
    pub id: u32,
    pub machine: String,
    pub title: String,
}

/// What `GET /events/lab/{id}` streams as server-sent events, one JSON object each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabEvent {
    /// `None`: the caller has no sandbox for this lab (any more).
    Sandbox {
        sandbox: Option<SandboxView>,
    },
    Grading {
        running: bool,
    },
    Check {
        task: String,
        check: CheckView,
    },
    Score {
        score: ScoreView,
        best: ScoreView,
        attempts: u32,
    },
    Solution {
        solution: SolutionView,
    },
    /// The sandbox ends in so many minutes.
    Warning {
        minutes: u16,
    },
}

/// Which checks to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum CheckScope {
    All,
    Task { id: String },
}
