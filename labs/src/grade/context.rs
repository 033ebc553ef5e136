//! What a grading is told from outside: nothing of it is read from a clock or a generator here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{Answer, Variables};
use crate::manifest::{CheckId, TaskId};

/// A value that is new in each grading, so that an answer prepared beforehand does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce {
    text: String,
    before: String,
}

impl Nonce {
    /// 16 random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self { text: format!("{:032x}", u128::from_be_bytes(bytes)), before: String::new() }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Of the grading before the restart that this one comes after; else empty. What a check left under that name it may
    /// compare with what it finds now.
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Another one, for the second grading of a regrade.
    #[must_use]
    pub fn next(&self) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(&self.text)[..16]);
        Self { before: self.text.clone(), ..Self::new(bytes) }
    }
}

/// Which checks to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    All,
    /// One task's checks, and the checks that they come `after`.
    Task(TaskId),
    /// These and no others, whatever they come after.
    Checks(BTreeSet<CheckId>),
}

#[derive(Clone, Debug)]
pub struct Context {
    pub variables: Variables,
    pub answers: BTreeMap<CheckId, Answer>,
    pub nonce: Nonce,
    pub scope: Scope,
    /// How long a service that does not answer is asked again. Zero: nothing is waited for, whatever a check says.
    pub patience: Duration,
    /// Checks without patience: what comes of them decides nothing any more.
    pub hurried: BTreeSet<CheckId>,
    /// After this, what is still open is `unknown`.
    pub limit: Duration,
}

impl Context {
    /// Everything, with the usual times.
    pub fn new(variables: Variables, answers: BTreeMap<CheckId, Answer>, nonce: Nonce) -> Self {
        Self {
            variables,
            answers,
            nonce,
            scope: Scope::All,
            patience: Duration::from_millis(1_500),
            hurried: BTreeSet::new(),
            limit: Duration::from_mins(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_grading_knows_the_nonce_of_the_first() {
        let first = Nonce::new([7; 16]);
        let second = first.next();
        assert_eq!((first.before(), second.before()), ("", first.as_str()));
        assert_ne!(first.as_str(), second.as_str());
    }
}
