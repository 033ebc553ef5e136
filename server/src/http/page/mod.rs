//! One file per page: load through the backend, render.

pub(super) mod about;
pub(super) mod account;
pub(super) mod class;
pub(super) mod glossary;
pub(super) mod lab;
pub(super) mod labs;
pub(super) mod lesson;
pub(super) mod outline;
pub(super) mod print;
pub(super) mod progress;
pub(super) mod report;
pub(super) mod search;
pub(super) mod sign_in;
pub(super) mod sign_up;
pub(super) mod test;
