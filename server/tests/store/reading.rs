//! Lessons read, quizzes passed.

use std::time::Duration;

use bulkhead::store::{NewAccount, QuizRecord};
use bulkhead_app::api::course::Answer;

use crate::{accounts::ada, engine::Fresh};

fn submission(fresh: &Fresh, correct: usize) -> QuizRecord {
    let answer = Answer { question: "one".to_owned(), choices: vec![0, 2], text: String::new() };
    QuizRecord { answers: vec![answer], correct, total: 5, passed: correct >= 4, at: fresh.now() }
}

pub(crate) async fn a_lesson_is_read_once_and_again(fresh: Fresh) {
    let ada = fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted").id;
    let reading = fresh.store.reading();
    reading.mark_read(ada, "namespaces", fresh.now()).await.expect("marked");
    fresh.clock.advance(Duration::from_mins(1));
    reading.mark_read(ada, "namespaces", fresh.now()).await.expect("marked");
    let read = reading.lessons_read(ada).await.expect("asked");
    assert_eq!(read.into_iter().collect::<Vec<_>>(), [("namespaces".to_owned(), fresh.now())]);
}

pub(crate) async fn the_last_submission_counts_and_a_pass_stays(fresh: Fresh) {
    let ada = fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted").id;
    let reading = fresh.store.reading();
    assert_eq!(reading.quiz(ada, "caps").await.expect("asked"), None);
    for (correct, passed) in [(2, false), (5, true), (1, true)] {
        reading.record_quiz(ada, "caps", &submission(&fresh, correct)).await.expect("recorded");
        let kept = reading.quiz(ada, "caps").await.expect("asked").expect("there");
        assert_eq!(kept, QuizRecord { passed, ..submission(&fresh, correct) });
    }
    let passed = reading.quizzes_passed(ada).await.expect("asked");
    assert_eq!(passed.into_iter().collect::<Vec<_>>(), [("caps".to_owned(), true)]);
}

pub(crate) async fn progress_of_all_is_told_apart(fresh: Fresh) {
    let bob = NewAccount { email: "bob@example.org".to_owned(), ..ada(&fresh) };
    let ada = fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted").id;
    let bob = fresh.store.accounts().insert(&bob).await.expect("inserted").id;
    let reading = fresh.store.reading();
    reading.mark_read(ada, "caps", fresh.now()).await.expect("marked");
    reading.mark_read(bob, "caps", fresh.now()).await.expect("marked");
    reading.mark_read(bob, "seccomp", fresh.now()).await.expect("marked");
    reading.record_quiz(bob, "caps", &submission(&fresh, 5)).await.expect("recorded");
    reading.record_quiz(ada, "caps", &submission(&fresh, 1)).await.expect("recorded");
    let mut read = reading.all_lessons_read().await.expect("asked");
    read.sort();
    let lesson = str::to_owned;
    assert_eq!(read, [(ada, lesson("caps")), (bob, lesson("caps")), (bob, lesson("seccomp"))]);
    assert_eq!(reading.all_quizzes_passed().await.expect("asked"), [(bob, lesson("caps"))]);
    assert_eq!(reading.lessons_read(ada).await.expect("asked").len(), 1);
}
