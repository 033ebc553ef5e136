//! The trait that the server implements for the pages and the server functions.

use async_trait::async_trait;

use super::{
    ApiResult, Caller,
    account::SessionView,
    course::{Answer, GlossaryTerm, LessonPage, Outline, QuizResult, SearchHit},
    lab::{CheckScope, HintView, LabCard, LabPage, SandboxView, TerminalView},
    print::{SummarySheet, WholeCourse},
    progress::{Matrix, MyProgress},
    test::TestPage,
};

/// Every method authorises by its [`Caller`] and answers `NotFound` for what the caller may not see.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    async fn outline(&self, caller: &Caller) -> ApiResult<Outline>;
    /// `path` is `module-slug/lesson-slug`. Reading it while signed in marks it read, in the outline beside it too.
    async fn lesson(&self, caller: &Caller, path: &str) -> ApiResult<(LessonPage, Outline)>;
    async fn submit_quiz(&self, caller: &Caller, lesson: &str, answers: Vec<Answer>) -> ApiResult<QuizResult>;
    async fn glossary(&self, caller: &Caller) -> ApiResult<Vec<GlossaryTerm>>;
    async fn summary(&self, caller: &Caller, module: &str) -> ApiResult<SummarySheet>;
    async fn whole_course(&self, caller: &Caller) -> ApiResult<WholeCourse>;
    async fn search(&self, caller: &Caller, query: &str) -> ApiResult<Vec<SearchHit>>;

    /// `module` is a module's slug; `None` for the test over the course.
    async fn test(&self, caller: &Caller, module: Option<&str>) -> ApiResult<TestPage>;
    /// A new paper in place of the one before.
    async fn draw_test(&self, caller: &Caller, module: Option<&str>) -> ApiResult<()>;
    /// `paper` is the id of the paper that was shown; handed in once, it is closed.
    async fn hand_in_test(
        &self,
        caller: &Caller,
        module: Option<&str>,
        paper: i64,
        answers: Vec<Answer>,
    ) -> ApiResult<QuizResult>;

    async fn labs(&self, caller: &Caller) -> ApiResult<Vec<LabCard>>;
    async fn lab(&self, caller: &Caller, lab: &str) -> ApiResult<LabPage>;
    /// Idempotent: a second start answers with the sandbox that is already there.
    async fn start_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView>;
    async fn extend_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView>;
    /// A clean start: the next generation of the same sandbox.
    async fn reset_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView>;
    async fn stop_lab(&self, caller: &Caller, lab: &str) -> ApiResult<()>;
    /// Starts grading; verdicts arrive on the event stream. A second call while one runs joins it.
    async fn check_lab(&self, caller: &Caller, lab: &str, scope: CheckScope) -> ApiResult<()>;
    async fn hint(&self, caller: &Caller, lab: &str, task: &str, index: u8) -> ApiResult<HintView>;
    async fn answer(&self, caller: &Caller, lab: &str, task: &str, check: &str, text: String) -> ApiResult<()>;
    async fn open_terminal(&self, caller: &Caller, lab: &str, machine: &str) -> ApiResult<TerminalView>;
    async fn close_terminal(&self, caller: &Caller, lab: &str, terminal: u32) -> ApiResult<()>;

    async fn my_progress(&self, caller: &Caller) -> ApiResult<MyProgress>;
    /// Instructors and admins.
    async fn matrix(&self, caller: &Caller) -> ApiResult<Matrix>;

    async fn rename(&self, caller: &Caller, name: String) -> ApiResult<()>;
    async fn change_password(&self, caller: &Caller, old: String, new: String) -> ApiResult<()>;
    async fn sessions(&self, caller: &Caller) -> ApiResult<Vec<SessionView>>;
    async fn end_session(&self, caller: &Caller, handle: String) -> ApiResult<()>;
}
