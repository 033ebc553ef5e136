//! Tests over a module and over the course: what is drawn, and in which order.

use std::fmt::Write as _;

use bulkhead_content::{Course, Files, exam};

const FRONT: &str = "summary: s\nstatus: active\nminutes: 1\nobjectives: [x]\nrefs: [{title: R, date: \"2025\"}]\nupdated: \"2026-11-24\"\n---\nText.\n";

fn questions(count: usize) -> String {
    let mut quiz = String::from("```quiz\n");
    for at in 0..count {
        let _ = write!(
            quiz,
            "[[questions]]\nid = \"q{at}\"\ntype = \"ShortAnswer\"\nprompt.prompt = \"?\"\nanswer.answer = \"a{at}\"\ncontext = \"c\"\n"
        );
    }
    quiz + "```\n"
}

/// Two modules of two lessons with six questions each; the first has two questions of its own.
fn files() -> Files {
    let mut outline = String::from("title = \"t\"\nsummary = \"s\"\n");
    let mut files = Files::new();
    for module in ["one", "two"] {
        let _ = write!(
            outline,
            "[[module]]\nslug = \"{module}\"\ntitle = \"t\"\nsummary = \"s\"\n[[module.section]]\nlessons = [{{ slug = \"a\", title = \"A\" }}, {{ slug = \"b\", title = \"B\" }}]\n"
        );
        for lesson in ["a", "b"] {
            let text = format!("---\nid: {module}-{lesson}\ntitle: {}\n{FRONT}{}", lesson.to_uppercase(), questions(6));
            files.insert(format!("{module}/{lesson}/lesson.md"), text.into_bytes());
        }
    }
    files.insert("course.toml".into(), outline.into_bytes());
    files.insert("one/test.md".into(), questions(2).into_bytes());
    files
}

fn course() -> Course {
    Course::parse(&files()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn from(keys: &[String], prefix: &str) -> usize {
    keys.iter().filter(|key| key.starts_with(prefix)).count()
}

#[test]
fn a_modules_test_holds_its_own_questions_and_as_many_of_each_lesson() {
    let course = course();
    let pool = course.pool(|_| true);
    assert_eq!(pool.len(), 26);
    let keys = exam::draw_module(&pool, "one", 7);
    assert_eq!((keys.len(), from(&keys, "@one."), from(&keys, "one-a."), from(&keys, "one-b.")), (12, 2, 5, 5));
    assert_eq!(keys, exam::draw_module(&pool, "one", 7));
    assert!((8..20).any(|seed| exam::draw_module(&pool, "one", seed) != keys));
    assert_eq!(exam::draw_module(&course.pool(|lesson| lesson.id != "one-a"), "one", 7).len(), 8);
}

#[test]
fn the_final_test_begins_with_what_was_missed() {
    let course = course();
    let pool = course.pool(|_| true);
    let missed = ["two-b.q3", "gone.q1", "one-a.q0"].map(str::to_owned);
    let keys = exam::draw_final(&pool, &missed, 1);
    assert_eq!(keys[..2], ["two-b.q3", "one-a.q0"]);
    assert_eq!(keys.len(), 26, "every question once");
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), keys.len());
    let (ones, twos) = keys[2..12].iter().partition::<Vec<_>, _>(|key| key.contains("one"));
    assert_eq!((ones.len(), twos.len()), (5, 5), "modules in turn");
}

#[test]
fn a_paper_is_marked_by_its_keys() {
    let course = course();
    let pool = course.pool(|_| true);
    let keys = ["one-a.q1", "gone.q0", "@one.q0"].map(str::to_owned);
    let quiz = exam::paper(&pool, &keys);
    let answer = |question: &str, text: &str| bulkhead_content::Answer {
        question: question.into(),
        text: text.into(),
        ..bulkhead_content::Answer::default()
    };
    let marks = quiz.mark(&[answer("one-a.q1", "a1"), answer("@one.q0", "wrong"), answer("one-a.q0", "a0")]);
    assert_eq!((marks.correct, marks.total), (1, 2));
}

#[test]
fn a_test_is_made_of_questions_only() {
    for (text, expected) in [
        ("Prose.\n", "one/test.md:1: error: a test holds more than questions"),
        ("", "one/test.md:0: error: a test without questions"),
        ("```quiz\n[[questions]]\nid = 1\n```\n", "one/test.md:3: error: quiz:"),
    ] {
        let mut files = files();
        files.insert("one/test.md".into(), text.as_bytes().to_vec());
        let findings = Course::parse(&files).expect_err(expected);
        assert!(findings.iter().any(|finding| finding.to_string().starts_with(expected)), "{findings:#?}");
    }
}
