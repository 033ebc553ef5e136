//! What the exit codes mean.
//!
//! | code | |
//! |---|---|
//! | 0 | it was done, or the answer is yes |
//! | 1 | it was done, and the answer is no: a lab does not pass, a lint found errors, the machine is not fit |
//! | 2 | the command line makes no sense |
//! | 3 | it could not be done; standard error says why and what to do |

use std::{error::Error, process::ExitCode};

use super::out;

pub(super) const NOT: u8 = 1;
const USAGE: u8 = 2;
const CANNOT: u8 = 3;

/// A command that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Fine,
    Not,
}

impl Outcome {
    pub(super) fn from_yes(yes: bool) -> Self {
        if yes { Self::Fine } else { Self::Not }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// This machine, its engine or its database does not let us.
    #[error("{0}")]
    Machine(Box<dyn Error + Send + Sync>),
}

/// Makes an error of the machine's out of any.
pub(super) fn machine<E: Error + Send + Sync + 'static>(error: E) -> CliError {
    CliError::Machine(Box::new(error))
}

pub(super) type CliResult<T = Outcome> = Result<T, CliError>;

pub(super) fn failed(error: &CliError) -> ExitCode {
    let (code, mut text) = match error {
        CliError::Usage(message) => (USAGE, message.clone()),
        CliError::Machine(error) => (CANNOT, error.to_string()),
    };
    let mut cause = match error {
        CliError::Usage(_) => None,
        CliError::Machine(error) => error.source(),
    };
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    out::complain(&format!("error: {text}"));
    ExitCode::from(code)
}
