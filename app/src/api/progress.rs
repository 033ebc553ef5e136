//! Progress: the student's own page, the instructor's matrix, and the printable lab report's data.

use serde::{Deserialize, Serialize};

use super::test::TestLink;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyProgress {
    pub lessons_done: u32,
    pub lessons_total: u32,
    pub labs: Vec<LabProgress>,
    pub modules: Vec<ModuleProgress>,
    pub tests: Vec<TestLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleProgress {
    pub number: u8,
    pub title: String,
    pub done: u32,
    pub total: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabProgress {
    pub lab: String,
    pub title: String,
    pub best_score: Option<u8>,
    pub passed: bool,
    pub attempts: Vec<AttemptRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    pub id: i64,
    pub score: u8,
    pub passed: bool,
    /// RFC 3339.
    pub at: String,
    /// The printable report.
    pub report_href: String,
}

/// Students × labs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    pub labs: Vec<MatrixLab>,
    pub students: Vec<MatrixRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixLab {
    pub id: String,
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixRow {
    pub account: i64,
    pub name: String,
    pub email: String,
    /// RFC 3339.
    pub last_seen: Option<String>,
    pub lessons_done: u32,
    /// One cell for each of `Matrix::labs`, in their order.
    pub cells: Vec<MatrixCell>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixCell {
    pub best_score: Option<u8>,
    pub passed: bool,
    pub attempts: u32,
    /// A sandbox is up right now.
    pub live: bool,
    /// The best attempt's report.
    pub report_href: Option<String>,
}
