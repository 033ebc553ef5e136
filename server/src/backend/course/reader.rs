//! Who reads, as far as pages differ by it.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_app::api::{ApiResult, Caller, Role, course::LessonState};
use bulkhead_content::{Lesson, Status};

use crate::{
    backend::{Fault, Platform, account_of, lab},
    clock::Moment,
};

/// What one account has read and passed; empty for an anonymous reader.
#[derive(Default)]
pub(crate) struct Reader {
    pub(super) read: BTreeMap<String, Moment>,
    pub(super) passed: BTreeSet<String>,
    pub(super) best: BTreeMap<String, u8>,
    sees_drafts: bool,
}

impl Reader {
    /// Nothing read; only what the role lets see.
    pub(in crate::backend) fn anonymous(caller: &Caller) -> Self {
        Self { sees_drafts: caller.at_least(Role::Instructor), ..Self::default() }
    }

    /// Nothing read, and nothing hidden: whoever writes the course.
    pub(crate) fn author() -> Self {
        Self { sees_drafts: true, ..Self::default() }
    }

    pub(super) async fn of(platform: &Platform, caller: &Caller) -> ApiResult<Self> {
        let sees_drafts = caller.at_least(Role::Instructor);
        let Ok(account) = account_of(caller) else { return Ok(Self { sees_drafts, ..Self::default() }) };
        let reading = platform.store.reading();
        let read = reading.lessons_read(account).await.map_err(Fault::shown)?;
        let quizzes = reading.quizzes_passed(account).await.map_err(Fault::shown)?;
        let passed = quizzes.into_iter().filter_map(|(lesson, passed)| passed.then_some(lesson)).collect();
        let best = lab::best_scores(platform, account).await?;
        Ok(Self { read, passed, best, sees_drafts })
    }

    pub(in crate::backend) fn sees(&self, lesson: &Lesson) -> bool {
        self.sees_drafts || lesson.status != Status::Draft
    }

    pub(super) fn state(&self, lesson: &Lesson) -> LessonState {
        lesson_state(lesson, self.read.contains_key(&lesson.id), self.passed.contains(&lesson.id))
    }
}

/// A lesson without a quiz is done when it is read.
pub(in crate::backend) fn lesson_state(lesson: &Lesson, read: bool, passed: bool) -> LessonState {
    match (read, passed || lesson.quiz.is_none()) {
        (true, true) => LessonState::Done,
        (true, false) => LessonState::Read,
        (false, _) => LessonState::Unread,
    }
}
