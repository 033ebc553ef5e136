//! Tests: draws them, marks them, keeps how they went.

use bulkhead_app::api::{
    ApiError, ApiResult, Caller,
    course::{Answer, Link, Question, QuizResult},
    test::{TestLink, TestPage, TestPaper, TestQuestion, TestStanding},
};
use bulkhead_content::{
    Course, Module, PASS_PERCENT, Quiz,
    exam::{self, Pooled},
};

use super::{
    Fault, Platform, account_of,
    course::{self, Reader},
};
use crate::{
    clock::Moment,
    store::{AccountId, HandedIn, Paper, Standing},
};

/// The test over the whole course; no module's slug can be it as it is in no outline.
const FINAL: &str = "final";

/// A module's slug, or `None` for the whole course.
pub(crate) type Which<'a> = Option<&'a str>;

/// One test of the course, by what it is over.
#[derive(Clone, Copy)]
struct Test<'p> {
    module: Option<&'p Module>,
}

impl<'p> Test<'p> {
    /// The test, and what may be asked in it: something.
    fn with_pool(course: &'p Course, reader: &Reader, which: Which<'_>) -> ApiResult<(Self, Vec<Pooled<'p>>)> {
        let test = Self { module: which.map(|slug| course.module(slug).ok_or(ApiError::NotFound)).transpose()? };
        let mut pool = course.pool(|lesson| reader.sees(lesson));
        pool.retain(|pooled| test.is_over(pooled));
        if pool.is_empty() { Err(ApiError::NotFound) } else { Ok((test, pool)) }
    }

    fn is_over(self, pooled: &Pooled<'_>) -> bool {
        self.module.is_none_or(|module| pooled.module.slug == module.slug)
    }

    fn key(self) -> &'p str {
        self.module.map_or(FINAL, |module| &module.slug)
    }

    fn title(self) -> String {
        self.module.map_or_else(|| "Final test".to_owned(), |module| format!("Test: {}", module.title))
    }

    fn href(self) -> String {
        self.module.map_or_else(|| "/test".to_owned(), |module| format!("/learn/{}/test", module.slug))
    }

    /// Questions of one paper, of so many in the pool.
    fn length(self, pooled: usize) -> usize {
        pooled.min(if self.module.is_some() { exam::MODULE_TEST } else { exam::FINAL_TEST })
    }

    fn draw(self, pool: &[Pooled<'_>], missed: &[String], seed: u64) -> Vec<String> {
        match self.module {
            Some(module) => exam::draw_module(pool, &module.slug, seed),
            None => exam::draw_final(pool, missed, seed),
        }
    }
}

pub(super) async fn test(platform: &Platform, caller: &Caller, which: Which<'_>) -> ApiResult<TestPage> {
    let account = account_of(caller)?;
    let (test, pool) = Test::with_pool(&platform.course, &Reader::anonymous(caller), which)?;
    let paper = platform.store.papers().paper(account, test.key()).await.map_err(Fault::shown)?;
    let missed = platform.store.papers().missed(account).await.map_err(Fault::shown)?;
    Ok(TestPage {
        standing: paper.as_ref().map(|paper| shown(paper.standing)).unwrap_or_default(),
        paper: paper.and_then(|paper| shown_paper(&pool, paper, &missed)),
        ..bare(test, pool.len())
    })
}

/// Before anybody took it.
fn bare(test: Test<'_>, pooled: usize) -> TestPage {
    TestPage {
        title: test.title(),
        href: test.href(),
        module: test.module.map(|module| Link {
            title: format!("{} {}", module.number, module.title),
            href: format!("/#module-{}", module.number),
        }),
        questions: test.length(pooled),
        pass_percent: PASS_PERCENT,
        standing: TestStanding::default(),
        paper: None,
    }
}

/// `None` where nothing of it is in the course any more.
fn shown_paper(pool: &[Pooled<'_>], paper: Paper, missed: &[String]) -> Option<TestPaper> {
    let quiz = exam::paper(pool, &paper.questions);
    let result = paper.taken.map(|taken| course::marked(&quiz, taken.answers));
    let questions = questions(pool, &quiz, result.is_some(), missed);
    (!questions.is_empty()).then_some(TestPaper { id: paper.drawn_at.millis(), questions, result })
}

fn questions(pool: &[Pooled<'_>], quiz: &Quiz, closed: bool, missed: &[String]) -> Vec<TestQuestion> {
    let question = |question: Question| TestQuestion {
        lesson: closed.then(|| origin(pool, &question.id)).flatten(),
        missed: missed.contains(&question.id),
        question,
    };
    course::shown_questions(quiz).into_iter().map(question).collect()
}

fn origin(pool: &[Pooled<'_>], key: &str) -> Option<Link> {
    let lesson = pool.iter().find(|pooled| pooled.key == key)?.lesson?.lesson;
    Some(Link { title: lesson.title.clone(), href: course::href(lesson) })
}

/// A new paper, in place of the one before.
pub(super) async fn draw(platform: &Platform, caller: &Caller, which: Which<'_>) -> ApiResult<()> {
    let account = account_of(caller)?;
    let (test, pool) = Test::with_pool(&platform.course, &Reader::anonymous(caller), which)?;
    let papers = platform.store.papers();
    let missed = papers.missed(account).await.map_err(Fault::shown)?;
    let questions = test.draw(&pool, &missed, u64::from_le_bytes(platform.random.bytes()));
    papers.draw(account, test.key(), &questions, platform.clock.now()).await.map_err(Fault::shown)?;
    Ok(())
}

/// Marks the paper. It can be handed in once: its keys are shown afterwards.
pub(super) async fn hand_in(
    platform: &Platform,
    caller: &Caller,
    which: Which<'_>,
    paper: i64,
    answers: Vec<Answer>,
) -> ApiResult<QuizResult> {
    let account = account_of(caller)?;
    let (test, pool) = Test::with_pool(&platform.course, &Reader::anonymous(caller), which)?;
    let papers = platform.store.papers();
    let drawn = papers.paper(account, test.key()).await.map_err(Fault::shown)?.ok_or(ApiError::NotFound)?;
    let closed = || ApiError::Conflict { message: "This paper was handed in already. Draw another one.".to_owned() };
    if drawn.taken.is_some() || drawn.drawn_at != Moment::from_millis(paper) {
        return Err(closed());
    }
    let result = course::marked(&exam::paper(&pool, &drawn.questions), answers);
    let handed = HandedIn {
        answers: result.marks.iter().map(|mark| mark.answer.clone()).collect(),
        percent: percent(result.correct, result.total),
        passed: result.passed,
        at: platform.clock.now(),
        marks: result.marks.iter().map(|mark| (mark.question.clone(), mark.correct)).collect(),
    };
    let kept = papers.hand_in(account, test.key(), drawn.drawn_at, &handed).await.map_err(Fault::shown)?;
    if kept { Ok(result) } else { Err(closed()) }
}

/// Every test of the course, the modules' in order and the final one last, with how the account stands.
pub(super) async fn links(platform: &Platform, caller: &Caller) -> ApiResult<Vec<(Option<String>, TestLink)>> {
    let standings = match account_of(caller) {
        Ok(account) => standings(platform, account).await?,
        Err(_) => Vec::new(),
    };
    Ok(offered(&platform.course, &Reader::anonymous(caller), &standings))
}

pub(crate) fn offered(
    course: &Course,
    reader: &Reader,
    standings: &[(String, Standing)],
) -> Vec<(Option<String>, TestLink)> {
    let pool = course.pool(|lesson| reader.sees(lesson));
    let link = |module: Option<&Module>| {
        let test = Test { module };
        let pooled = pool.iter().filter(|pooled| test.is_over(pooled)).count();
        let standing = standings.iter().find(|(key, _)| key == test.key()).map(|(_, standing)| *standing);
        let link = TestLink {
            title: test.title(),
            href: test.href(),
            questions: test.length(pooled),
            standing: standing.map(shown).unwrap_or_default(),
        };
        (pooled > 0).then(|| (module.map(|module| module.slug.clone()), link))
    };
    course.modules.iter().map(Some).chain([None]).filter_map(link).collect()
}

/// Every question that a test may draw, as one paper that nobody keeps; with answers, as it comes back.
pub(crate) fn whole(
    course: &Course,
    reader: &Reader,
    which: Which<'_>,
    answers: Option<Vec<Answer>>,
) -> ApiResult<TestPage> {
    let (test, pool) = Test::with_pool(course, reader, which)?;
    let keys: Vec<String> = pool.iter().map(|pooled| pooled.key.clone()).collect();
    let quiz = exam::paper(&pool, &keys);
    let result = answers.map(|answers| course::marked(&quiz, answers));
    let questions = questions(&pool, &quiz, result.is_some(), &[]);
    Ok(TestPage { paper: Some(TestPaper { id: 0, questions, result }), ..bare(test, pool.len()) })
}

async fn standings(platform: &Platform, account: AccountId) -> ApiResult<Vec<(String, Standing)>> {
    platform.store.papers().standings(account).await.map_err(Fault::shown)
}

fn shown(standing: Standing) -> TestStanding {
    TestStanding { best: standing.best, passed: standing.passed, taken: standing.taken }
}

fn percent(correct: usize, total: usize) -> u8 {
    u8::try_from(correct * 100 / total.max(1)).unwrap_or(100)
}
