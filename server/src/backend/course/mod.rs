//! Reading: what an account has done is looked up and kept here, the pages are the shelf's.
//!
//! ```text
//! reader  what one account has read and passed
//! shelf   pages from the course and its reader
//! quiz    questions as they are shown, and marked
//! ```

mod quiz;
mod reader;
mod shelf;

use bulkhead_app::api::{
    ApiError, ApiResult, Caller,
    course::{Answer, LessonPage, Mark, Outline, QuizResult},
};
use bulkhead_content::{self as content, Lesson, exam};

pub(crate) use self::{
    quiz::marked,
    reader::Reader,
    shelf::{Shelf, open_quiz},
};
pub(super) use self::{
    quiz::shown_questions,
    reader::lesson_state,
    shelf::{href, reference},
};
use super::{Fault, Platform, account_of, test};
use crate::store::{AccountId, QuizRecord};

pub(super) async fn outline(platform: &Platform, caller: &Caller) -> ApiResult<Outline> {
    let reader = Reader::of(platform, caller).await?;
    let tests = test::links(platform, caller).await?;
    Ok(platform.shelf().outline(&reader, &tests))
}

pub(super) async fn lesson(platform: &Platform, caller: &Caller, path: &str) -> ApiResult<(LessonPage, Outline)> {
    let mut reader = Reader::of(platform, caller).await?;
    let placed = platform.shelf().find(&reader, path)?;
    let lesson = placed.lesson;
    let mut quiz = open_quiz(lesson);
    if let Ok(account) = account_of(caller) {
        let now = platform.clock.now();
        platform.store.reading().mark_read(account, &lesson.id, now).await.map_err(Fault::shown)?;
        reader.read.insert(lesson.id.clone(), now);
        if let (Some(shown), Some(keys)) = (&mut quiz, &lesson.quiz) {
            shown.result = last_result(platform, account, lesson, keys).await?;
        }
    }
    let tests = test::links(platform, caller).await?;
    Ok((platform.shelf().lesson(&reader, &placed, quiz), platform.shelf().outline(&reader, &tests)))
}

pub(super) async fn submit_quiz(
    platform: &Platform,
    caller: &Caller,
    path: &str,
    answers: Vec<Answer>,
) -> ApiResult<QuizResult> {
    let account = account_of(caller)?;
    let reader = Reader::anonymous(caller);
    // Pages post to the lesson's address, islands send its id.
    let placed = platform
        .shelf()
        .find(&reader, path)
        .or_else(|_| platform.course.lesson_by_id(path).filter(|p| reader.sees(p.lesson)).ok_or(ApiError::NotFound))?;
    let quiz = placed.lesson.quiz.as_ref().ok_or(ApiError::NotFound)?;
    let result = marked(quiz, answers);
    let record = QuizRecord {
        // As they were understood: what names no question of this quiz is not kept.
        answers: result.marks.iter().map(|mark| mark.answer.clone()).collect(),
        correct: result.correct,
        total: result.total,
        passed: result.passed,
        at: platform.clock.now(),
    };
    let reading = platform.store.reading();
    reading.record_quiz(account, &placed.lesson.id, &record).await.map_err(Fault::shown)?;
    // A question that was left open is none that he was wrong about.
    let given = |(question, mark): &(&content::Question, &Mark)| question.is_given(&quiz::given(mark.answer.clone()));
    let answered = quiz.questions.iter().zip(&result.marks).filter(given);
    let asked: Vec<_> =
        answered.map(|(_, mark)| (exam::key(&placed.lesson.id, &mark.question), mark.correct)).collect();
    platform.store.papers().record(account, &asked, record.at).await.map_err(Fault::shown)?;
    Ok(result)
}

/// The last submission, marked against the quiz as it stands today.
async fn last_result(
    platform: &Platform,
    account: AccountId,
    lesson: &Lesson,
    quiz: &content::Quiz,
) -> ApiResult<Option<QuizResult>> {
    let record = platform.store.reading().quiz(account, &lesson.id).await.map_err(Fault::shown)?;
    Ok(record.map(|record| marked(quiz, record.answers)))
}
