//! What an instructor sees, and a student of another.

use bulkhead_app::api::{Backend, Caller, Role};

use crate::harness::TestApp;

#[tokio::test]
async fn the_matrix_shows_every_student_and_nobody_else() {
    let app = TestApp::public().await;
    let student = app.student().await;
    app.account("idle", Role::Student).await;
    student.get("/learn/start/capabilities").send().await.expect_status(200);
    let instructor = app.instructor().await;
    instructor.get("/class").send().await.expect_status(200).expect_text("student@example.org");
    let caller =
        Caller { account: Some(app.account("instructor", Role::Instructor).await.into()), local: false, session: None };
    let matrix = app.platform.matrix(&caller).await.expect("a matrix");
    let rows: Vec<_> = matrix.students.iter().map(|row| (row.email.as_str(), row.lessons_done)).collect();
    assert_eq!(rows, [("idle@example.org", 0), ("student@example.org", 1)]);
    assert!(matrix.students.iter().all(|row| row.cells.len() == matrix.labs.len()));
}

#[tokio::test]
async fn the_backend_itself_asks_for_the_role() {
    let app = TestApp::public().await;
    let account = app.account("student", Role::Student).await;
    let caller = Caller { account: Some(account.into()), local: false, session: None };
    let refused = app.platform.matrix(&caller).await;
    assert_eq!(refused.err(), Some(bulkhead_app::api::ApiError::NotFound));
    let refused = app.platform.matrix(&Caller::ANONYMOUS).await;
    assert_eq!(refused.err(), Some(bulkhead_app::api::ApiError::Unauthenticated));
}
