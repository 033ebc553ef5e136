//! Reading: from the parsed course and what an account has done to what its pages show.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_app::api::{
    ApiError, ApiResult, Caller, Role,
    course::{
        Answer, GlossaryTerm, Heading, LabLink, LessonEntry, LessonPage, LessonState, Link, Mark, ModuleEntry,
        OptionMark, Outline, Printed, Question, QuestionKind, Quiz, QuizResult, Reference, SearchHit, SectionEntry,
    },
};
use bulkhead_content::{self as content, Entry, Lesson, Placed, Status};

use super::{Fault, Platform, account_of, lab, test};
use crate::{
    clock::Moment,
    store::{AccountId, QuizRecord},
};

/// What one account has read and passed; empty for an anonymous reader.
#[derive(Default)]
pub(super) struct Reader {
    read: BTreeMap<String, Moment>,
    passed: BTreeSet<String>,
    best: BTreeMap<String, u8>,
    sees_drafts: bool,
}

impl Reader {
    /// Nothing read; only what the role lets see.
    pub(super) fn anonymous(caller: &Caller) -> Self {
        Self { sees_drafts: caller.at_least(Role::Instructor), ..Self::default() }
    }

    async fn of(platform: &Platform, caller: &Caller) -> ApiResult<Self> {
        let sees_drafts = caller.at_least(Role::Instructor);
        let Ok(account) = account_of(caller) else { return Ok(Self { sees_drafts, ..Self::default() }) };
        let reading = platform.store.reading();
        let read = reading.lessons_read(account).await.map_err(Fault::shown)?;
        let quizzes = reading.quizzes_passed(account).await.map_err(Fault::shown)?;
        let passed = quizzes.into_iter().filter_map(|(lesson, passed)| passed.then_some(lesson)).collect();
        let best = lab::best_scores(platform, account).await?;
        Ok(Self { read, passed, best, sees_drafts })
    }

    pub(super) fn sees(&self, lesson: &Lesson) -> bool {
        self.sees_drafts || lesson.status != Status::Draft
    }

    fn state(&self, lesson: &Lesson) -> LessonState {
        lesson_state(lesson, self.read.contains_key(&lesson.id), self.passed.contains(&lesson.id))
    }

    fn labs(&self, platform: &Platform, ids: &[String]) -> Vec<LabLink> {
        ids.iter().filter_map(|id| lab::link(platform, id, self.best.get(id).copied())).collect()
    }
}

/// A lesson without a quiz is done when it is read.
pub(super) fn lesson_state(lesson: &Lesson, read: bool, passed: bool) -> LessonState {
    match (read, passed || lesson.quiz.is_none()) {
        (true, true) => LessonState::Done,
        (true, false) => LessonState::Read,
        (false, _) => LessonState::Unread,
    }
}

pub(super) async fn outline(platform: &Platform, caller: &Caller) -> ApiResult<Outline> {
    let reader = Reader::of(platform, caller).await?;
    let tests = test::links(platform, caller).await?;
    let course = &platform.course;
    let modules = course.modules.iter().map(|module| ModuleEntry {
        number: module.number,
        slug: module.slug.clone(),
        title: module.title.clone(),
        summary: module.summary.clone(),
        sections: module
            .sections
            .iter()
            .map(|section| SectionEntry {
                title: section.title.clone().unwrap_or_default(),
                lessons: section.entries.iter().map(|entry| lesson_entry(&reader, entry)).collect(),
            })
            .collect(),
        labs: reader.labs(platform, &module.labs),
        test: tests.iter().find(|(of, _)| of.as_ref() == Some(&module.slug)).map(|(_, test)| test.clone()),
    });
    let final_test = tests.iter().find(|(of, _)| of.is_none()).map(|(_, test)| test.clone());
    Ok(Outline {
        final_test,
        title: course.title.clone(),
        modules: modules.collect(),
        resume: resume(platform, &reader),
    })
}

fn lesson_entry(reader: &Reader, entry: &Entry) -> LessonEntry {
    match entry {
        Entry::Written(lesson) if reader.sees(lesson) => LessonEntry {
            id: lesson.id.clone(),
            title: lesson.title.clone(),
            href: Some(href(lesson)),
            minutes: lesson.minutes,
            state: reader.state(lesson),
        },
        Entry::Written(Lesson { slug, title, .. }) | Entry::ToCome { slug, title } => {
            LessonEntry { id: slug.clone(), title: title.clone(), href: None, minutes: 0, state: LessonState::ToCome }
        }
    }
}

/// The lesson read last, or, where that is done, the first after it that is not.
fn resume(platform: &Platform, reader: &Reader) -> Option<String> {
    let (last, _) = reader.read.iter().max_by_key(|(_, at)| **at)?;
    let lessons = platform.course.lessons().map(|placed| placed.lesson).filter(|lesson| reader.sees(lesson));
    let open = |lesson: &&Lesson| reader.state(lesson) != LessonState::Done;
    lessons.skip_while(|lesson| lesson.id != *last).find(open).map(href)
}

pub(super) async fn lesson(platform: &Platform, caller: &Caller, path: &str) -> ApiResult<LessonPage> {
    let mut reader = Reader::of(platform, caller).await?;
    let placed = find(platform, &reader, path)?;
    let lesson = placed.lesson;
    let mut quiz = lesson.quiz.as_ref().map(|quiz| shown_quiz(lesson, quiz));
    if let Ok(account) = account_of(caller) {
        let now = platform.clock.now();
        platform.store.reading().mark_read(account, &lesson.id, now).await.map_err(Fault::shown)?;
        reader.read.insert(lesson.id.clone(), now);
        if let (Some(shown), Some(keys)) = (&mut quiz, &lesson.quiz) {
            shown.result = last_result(platform, account, lesson, keys).await?;
        }
    }
    let around: Vec<&Lesson> = platform.course.lessons().map(|p| p.lesson).filter(|l| reader.sees(l)).collect();
    let here = around.iter().position(|l| l.id == lesson.id);
    let link = |lesson: &&Lesson| Link { title: lesson.title.clone(), href: href(lesson) };
    Ok(LessonPage {
        id: lesson.id.clone(),
        title: lesson.title.clone(),
        summary: lesson.summary.clone(),
        module_number: placed.module.number,
        module_title: placed.module.title.clone(),
        module_href: format!("/#module-{}", placed.module.number),
        section_title: placed.section.title.clone().unwrap_or_default(),
        minutes: lesson.minutes,
        updated: lesson.updated.clone(),
        objectives: lesson.objectives.clone(),
        html: lesson.html.clone(),
        headings: lesson.headings.iter().map(heading).collect(),
        references: lesson.references.iter().map(reference).collect(),
        quiz,
        labs: reader.labs(platform, &lesson.labs),
        previous: here.and_then(|at| around.get(at.checked_sub(1)?)).map(link),
        next: here.and_then(|at| around.get(at + 1)).map(link),
        state: reader.state(lesson),
    })
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
    let placed = find(platform, &reader, path)
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
    let given = |(question, mark): &(&content::Question, &Mark)| question.is_given(&given(mark.answer.clone()));
    let answered = quiz.questions.iter().zip(&result.marks).filter(given);
    let asked: Vec<_> =
        answered.map(|(_, mark)| (content::exam::key(&placed.lesson.id, &mark.question), mark.correct)).collect();
    platform.store.papers().record(account, &asked, record.at).await.map_err(Fault::shown)?;
    Ok(result)
}

pub(super) fn glossary(platform: &Platform, caller: &Caller) -> Vec<GlossaryTerm> {
    let reader = Reader::anonymous(caller);
    let lesson = |path: &str| {
        let lesson = find(platform, &reader, path).ok()?.lesson;
        Some(Link { title: lesson.title.clone(), href: href(lesson) })
    };
    let term = |term: &content::Term| GlossaryTerm {
        term: term.term.clone(),
        aliases: term.aliases.clone(),
        definition_html: term.definition_html(),
        anchor: term.anchor(),
        lesson: term.lesson.as_deref().and_then(lesson),
    };
    platform.course.glossary.iter().map(term).collect()
}

/// Sections that match, the best first.
pub(super) fn search(platform: &Platform, caller: &Caller, query: &str) -> Vec<SearchHit> {
    const MOST: usize = 20;
    let reader = Reader::anonymous(caller);
    let hits = platform.course.search(query, 2 * MOST).into_iter();
    let hits = hits.filter(|hit| find(platform, &reader, &hit.path).is_ok()).take(MOST);
    hits.map(|hit| {
        let anchor = hit.anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        SearchHit {
            title: hit.title,
            lesson: hit.lesson,
            href: format!("/learn/{}{anchor}", hit.path),
            excerpt_html: hit.excerpt_html,
        }
    })
    .collect()
}

fn find<'a>(platform: &'a Platform, reader: &Reader, path: &str) -> ApiResult<Placed<'a>> {
    platform.course.lesson(path).filter(|placed| reader.sees(placed.lesson)).ok_or(ApiError::NotFound)
}

fn given(answer: Answer) -> content::Answer {
    content::Answer { question: answer.question, choices: answer.choices, text: answer.text }
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

pub(super) fn marked(quiz: &content::Quiz, answers: Vec<Answer>) -> QuizResult {
    let answers: Vec<content::Answer> = answers.into_iter().map(given).collect();
    let marks = quiz.mark(&answers);
    let mark = |mark: content::Mark| Mark {
        question: mark.question,
        answer: Answer { question: mark.answer.question, choices: mark.answer.choices, text: mark.answer.text },
        correct: mark.correct,
        why: mark
            .why
            .into_iter()
            .map(|why| OptionMark { right: why.right, place: why.place, why_html: why.why_html })
            .collect(),
    };
    QuizResult {
        correct: marks.correct,
        total: marks.total,
        passed: marks.passed,
        marks: marks.marks.into_iter().map(mark).collect(),
    }
}

fn shown_quiz(lesson: &Lesson, quiz: &content::Quiz) -> Quiz {
    Quiz { lesson: lesson.path.clone(), questions: shown_questions(quiz), result: None }
}

pub(super) fn shown_questions(quiz: &content::Quiz) -> Vec<Question> {
    let question = |question: content::PublicQuestion| Question {
        id: question.id,
        prompt_html: question.prompt_html,
        printed: question.printed.map(|printed| Printed { command: printed.command, output: printed.output }),
        kind: match question.kind {
            content::PublicKind::Single { options_html } => QuestionKind::Single { options_html },
            content::PublicKind::Multiple { options_html } => QuestionKind::Multiple { options_html },
            content::PublicKind::Short => QuestionKind::Short,
            content::PublicKind::Order { items_html } => QuestionKind::Order { items_html },
        },
    };
    quiz.public().questions.into_iter().map(question).collect()
}

fn heading(heading: &content::Heading) -> Heading {
    Heading { level: heading.level, text: heading.text.clone(), anchor: heading.anchor.clone() }
}

pub(super) fn reference(reference: &content::Reference) -> Reference {
    Reference { title: reference.title.clone(), url: reference.url.clone(), date: reference.date.clone() }
}

pub(super) fn href(lesson: &Lesson) -> String {
    format!("/learn/{}", lesson.path)
}
