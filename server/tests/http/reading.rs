//! Lessons, quizzes, search.

use std::time::Duration;

use bulkhead_app::api::{
    Backend, Caller, Role,
    course::{
        LessonState::{self, Done, Read, ToCome, Unread},
        Outline,
    },
};

use crate::harness::TestApp;

async fn caller(app: &TestApp) -> Caller {
    Caller { account: Some(app.account("student", Role::Student).await.into()), local: false, session: None }
}

async fn states(app: &TestApp, caller: &Caller) -> Vec<(String, LessonState)> {
    listed(app.platform.outline(caller).await.expect("an outline"))
}

fn listed(outline: Outline) -> Vec<(String, LessonState)> {
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
    let (page, _) = app.platform.lesson(&caller, "start/namespaces").await.expect("a lesson");
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
async fn the_outline_beside_a_lesson_knows_that_it_is_being_read() {
    let app = TestApp::public().await;
    let caller = caller(&app).await;
    let (page, beside) = app.platform.lesson(&caller, "start/namespaces").await.expect("a lesson");
    assert_eq!(page.state, Read);
    assert_eq!(beside.resume.as_deref(), Some("/learn/start/namespaces"));
    assert!(listed(beside).contains(&("namespaces".to_owned(), Read)), "it is older than the page");
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
    let (page, _) = app.platform.lesson(&Caller::ANONYMOUS, "start/capabilities").await.expect("a lesson");
    let href = |link: Option<bulkhead_app::api::course::Link>| link.map(|link| link.href);
    assert_eq!(href(page.previous).as_deref(), Some("/learn/start/namespaces"));
    assert_eq!(href(page.next).as_deref(), Some("/learn/practice/seccomp"));
    let (page, _) = app.platform.lesson(&Caller::ANONYMOUS, "practice/seccomp").await.expect("a lesson");
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

#[tokio::test]
async fn a_test_is_drawn_handed_in_once_and_counted() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let caller = caller(&app).await;
    let paper = async || app.platform.test(&caller, Some("start")).await.expect("a test");
    student.get("/learn/start/test").send().await.expect_status(200).expect_text("Begin").expect_no_text("EROFS");
    assert_eq!(paper().await.paper, None);
    student.post("/learn/start/test").form(&[("paper", "1")]).send().await.expect_status(404);

    student.post("/learn/start/test/new").form(&[]).send().await.expect_redirect("/learn/start/test");
    let drawn = paper().await.paper.expect("drawn");
    assert_eq!((drawn.questions.len(), paper().await.questions), (2, 2));
    let open = student.get("/learn/start/test").send().await.expect_status(200);
    open.expect_text("Hand in").expect_no_text("EROFS").expect_no_text("They share the kernel");
    let id = drawn.id.to_string();
    let hand_in = |answer: &'static str| {
        let fields = [("paper", id.as_str()), ("q.namespaces.kernel", "1"), ("q.namespaces.error", answer)];
        student.post("/learn/start/test").form(&fields)
    };
    student.post("/learn/start/test").form(&[("paper", "1")]).send().await.expect_status(409);
    hand_in("EACCES").send().await.expect_redirect("/learn/start/test");
    let taken = student.get("/learn/start/test").send().await;
    taken.expect_text("The kernel answers with EROFS").expect_text("Read again").expect_no_text("Hand in");
    hand_in("EROFS").send().await.expect_status(409);
    assert_eq!((paper().await.standing.best, paper().await.standing.passed), (Some(50), false));

    let last = app.platform.test(&caller, None).await.expect("the final test");
    assert_eq!(last.paper, None);
    student.post("/test/new").form(&[]).send().await.expect_redirect("/test");
    let last = app.platform.test(&caller, None).await.expect("the final test").paper.expect("drawn");
    assert_eq!((last.questions[0].question.id.as_str(), last.questions[0].missed), ("namespaces.error", true));
    let mine = app.platform.my_progress(&caller).await.expect("progress");
    let best: Vec<_> = mine.tests.iter().map(|test| (test.href.as_str(), test.standing.best)).collect();
    assert_eq!(best[0], ("/learn/start/test", Some(50)));
    assert_eq!(best.last(), Some(&("/test", None)));
    student.get("/learn/nowhere/test").send().await.expect_status(404);
}

#[tokio::test]
async fn a_miss_in_a_quiz_is_remembered_and_an_open_question_is_none() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let account = app.account("student", Role::Student).await.id;
    let missed = async || app.platform.store.papers().missed(account).await.expect("asked");
    let quiz = |answers: &'static [(&str, &str)]| student.post("/learn/start/namespaces/quiz").form(answers);
    quiz(&[("q.kernel", "1")]).send().await.expect_status(303);
    assert!(missed().await.is_empty());
    quiz(&[("q.kernel", "0")]).send().await.expect_status(303);
    assert_eq!(missed().await, ["namespaces.kernel"]);
}
