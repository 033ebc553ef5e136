//! A student's written answer: bounded where it comes in.

use serde::{Deserialize, Serialize};

/// No question of a lab has a longer answer.
pub const MAX_ANSWER: usize = 4 * 1024;

/// Trimmed, and at most [`MAX_ANSWER`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Answer(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("The answer is empty.")]
    Empty,
    #[error("The answer is {length} bytes long; at most {MAX_ANSWER} are read. Answer with the value alone.")]
    TooLong { length: usize },
}

impl Answer {
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        if text.len() > MAX_ANSWER {
            return Err(AnswerError::TooLong { length: text.len() });
        }
        let text = text.trim();
        if text.is_empty() { Err(AnswerError::Empty) } else { Ok(Self(text.to_owned())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Answer {
    type Error = AnswerError;
    fn try_from(text: String) -> Result<Self, AnswerError> {
        Self::parse(&text)
    }
}

impl From<Answer> for String {
    fn from(answer: Answer) -> Self {
        answer.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_megabytes_are_refused_in_words() {
        let error = Answer::parse(&"a".repeat(10_000_000)).unwrap_err();
        insta::assert_snapshot!(error, @"The answer is 10000000 bytes long; at most 4096 are read. Answer with the value alone.");
        assert_eq!(Answer::parse(" \n"), Err(AnswerError::Empty));
        assert_eq!(Answer::parse(" x \n").unwrap().as_str(), "x");
    }
}
