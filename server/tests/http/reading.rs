//! Lessons, quizzes, search.

use std::time::Duration;

use bulkhead_app::api::{
    Backend, Caller, Role,
    course::LessonState::{self, Done, Read, ToCome, Unread},
};

use crate::harness::TestApp;

async fn caller(app: &TestApp) -> Caller {
    Caller { account: Some(app.account("student", Role::Student).await.into()), local: false, session: None }
}

async fn states(app: &TestApp, caller: &Caller) -> Vec<(String, LessonState)> {
    let outline = app.platform.outline(caller).await.expect("an outline");
    let lessons = outline.modules.into_iter().flat_map(|module| module.sections).flat_map(|section| section.lessons);
    lessons.map(|lesson| (lesson.id, lesson.state)).collect()
}

#[tokio::test]
async fn reading_and_passing_is_remembered() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let caller = caller(&app).await;
    let state = async |id: &str| states(&app, &caller).await.into_iter().find(|(of, _)| of == id).expect("listed").1;
    assert_eq!(state("namespaces").await, Unread);
    assert_eq!(app.platform.outline(&caller).await.expect("an outline").resume, None);

    student.get("/learn/start/namespaces").send().await.expect_status(200).expect_text("A namespace narrows the view");
    assert_eq!(state("namespaces").await, Read);
    let resume = app.platform.outline(&caller).await.expect("an outline").resume;
    assert_eq!(resume.as_deref(), Some("/learn/start/namespaces"));

    let quiz = |answers: &'static [(&str, &str)]| student.post("/learn/start/namespaces/quiz").form(answers);
    quiz(&[("q.kernel", "0"), ("q.error", "EACCES")]).send().await.expect_redirect("/learn/start/namespaces#quiz");
    assert_eq!(state("namespaces").await, Read);
    quiz(&[("q.kernel", "1"), ("q.error", " erofs ")]).send().await.expect_redirect("/learn/start/namespaces#quiz");
    quiz(&[("q.kernel", "1"), ("q.error", " erofs ")]).send().await.expect_redirect("/learn/start/namespaces#quiz");
    assert_eq!(state("namespaces").await, Done);
    let page = app.platform.lesson(&caller, "start/namespaces").await.expect("a lesson");
    let result = page.quiz.and_then(|quiz| quiz.result).expect("a result");
    assert_eq!((result.correct, result.total, result.passed), (2, 2, true));
    let resume = app.platform.outline(&caller).await.expect("an outline").resume;
    assert_eq!(resume.as_deref(), Some("/learn/start/capabilities"));

    app.advance(Duration::from_mins(1));
    student.get("/learn/start/capabilities").send().await.expect_status(200);
    assert_eq!(state("capabilities").await, Done, "it has no quiz");
    assert_eq!(state("announced").await, ToCome);
    let mine = app.platform.my_progress(&caller).await.expect("progress");
    assert_eq!((mine.lessons_done, mine.lessons_total), (2, 3));
}

#[tokio::test]
async fn the_key_stays_here_until_an_answer_was_given() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let page = student.get("/learn/start/namespaces").send().await.expect_status(200);
    page.expect_text("Which error does a read-only file system give?")
        .expect_no_text("EROFS")
        .expect_no_text("They share the kernel");
    student.post("/learn/start/namespaces/quiz").form(&[("q.kernel", "0")]).send().await.expect_status(303);
    student.get("/learn/start/namespaces").send().await.expect_text("The kernel answers with EROFS");
}

#[tokio::test]
async fn strangers_read_and_leave_no_trace() {
    let app = TestApp::public().await;
    app.anonymous().get("/learn/start/namespaces").send().await.expect_status(200);
    assert!(app.platform.store.reading().all_lessons_read().await.expect("asked").is_empty());
    let quiz = app.anonymous().post("/learn/start/namespaces/quiz").form(&[("q.kernel", "1")]);
    quiz.send().await.expect_status(401);
    app.student().await.post("/learn/start/capabilities/quiz").form(&[("q.a", "1")]).send().await.expect_status(404);
}

#[tokio::test]
async fn neighbours_skip_what_is_not_there() {
    let app = TestApp::public().await;
    let page = app.platform.lesson(&Caller::ANONYMOUS, "start/capabilities").await.expect("a lesson");
    let href = |link: Option<bulkhead_app::api::course::Link>| link.map(|link| link.href);
    assert_eq!(href(page.previous).as_deref(), Some("/learn/start/namespaces"));
    assert_eq!(href(page.next).as_deref(), Some("/learn/practice/seccomp"));
    let page = app.platform.lesson(&Caller::ANONYMOUS, "practice/seccomp").await.expect("a lesson");
    assert_eq!(href(page.next), None);
}

#[tokio::test]
async fn drafts_are_for_those_who_write_them() {
    let app = TestApp::public().await;
    let (student, instructor) = (app.student().await, app.instructor().await);
    student.get("/search?q=xylophone").send().await.expect_status(200).expect_no_text("/learn/start/secret-draft");
    instructor.get("/search?q=xylophone").send().await.expect_status(200).expect_text("/learn/start/secret-draft");
    instructor.get("/learn/start/secret-draft").send().await.expect_status(200);
    student.get("/search?q=namespace").send().await.expect_text("/learn/start/namespaces");
    student.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E").send().await.expect_no_text("<script>alert");
}
