//! Tests over a module and over the course.

use serde::{Deserialize, Serialize};

use super::course::{Link, Question, QuizResult};

/// A test where it is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestLink {
    pub title: String,
    pub href: String,
    pub questions: usize,
    pub standing: TestStanding,
}

/// How the caller stands with a test, over all tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStanding {
    /// Per cent.
    pub best: Option<u8>,
    pub passed: bool,
    pub taken: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestPage {
    pub title: String,
    /// Where its forms are posted to: here to hand in, below it `/new` to draw another.
    pub href: String,
    /// `None` for the test over the whole course.
    pub module: Option<Link>,
    /// So many questions are drawn.
    pub questions: usize,
    pub pass_percent: usize,
    pub standing: TestStanding,
    pub paper: Option<TestPaper>,
}

/// The questions that were drawn for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestPaper {
    /// Tells this paper from one drawn before or after.
    pub id: i64,
    pub questions: Vec<TestQuestion>,
    /// There once it was handed in.
    pub result: Option<QuizResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestQuestion {
    pub question: Question,
    /// Where the answer can be read; only there once the paper was handed in.
    pub lesson: Option<Link>,
    /// The caller was wrong about it before.
    pub missed: bool,
}
