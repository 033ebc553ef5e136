use bulkhead_app::api::{
    course::Link,
    test::{TestLink, TestPage, TestPaper, TestQuestion, TestStanding},
};

use super::course;

pub(crate) fn link(module: Option<u8>) -> TestLink {
    TestLink {
        title: module.map_or("Final test".into(), |number| format!("Test: Module {number}")),
        href: module.map_or("/test".into(), |number| format!("/learn/module-{number}/test")),
        questions: 12,
        standing: TestStanding { best: Some(75), passed: false, taken: 2 },
    }
}

/// Not begun.
pub(crate) fn start() -> TestPage {
    TestPage {
        title: "Test: Docker Container Security".into(),
        href: "/learn/module-2/test".into(),
        module: Some(Link { title: "2 Docker Container Security".into(), href: "/#module-2".into() }),
        questions: 4,
        pass_percent: 80,
        standing: TestStanding::default(),
        paper: None,
    }
}

pub(crate) fn open() -> TestPage {
    let asked = |(at, question)| TestQuestion { question, lesson: None, missed: at == 1 };
    let questions = course::questions().into_iter().enumerate().map(asked).collect();
    TestPage { paper: Some(TestPaper { id: 7, questions, result: None }), ..start() }
}

pub(crate) fn taken() -> TestPage {
    let result = course::answered().quiz.and_then(|quiz| quiz.result);
    let lesson = Link { title: "Read-only root file systems".into(), href: "/learn/module/overlay".into() };
    let asked = |question| TestQuestion { question, lesson: Some(lesson.clone()), missed: false };
    let questions = course::questions().into_iter().map(asked).collect();
    TestPage {
        standing: TestStanding { best: Some(50), passed: false, taken: 1 },
        paper: Some(TestPaper { id: 7, questions, result }),
        ..start()
    }
}
