//! Why an image could not be made.

use std::{
    fmt::{self, Display},
    io,
};

use tokio::sync::oneshot::error::RecvError;

use super::fixtures::FixturesError;
use crate::engine::EngineError;

/// Lines kept of what a step's tool printed, for its error.
const TAIL_LINES: usize = 30;

#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    #[error(transparent)]
    Fixtures(#[from] FixturesError),
    /// The caller did not hand in a program that an image needs.
    #[error("the image {image} needs the program `{program}`, which has not been built")]
    NoProgram { image: String, program: String },
    #[error("image {step}: the engine refused to {what}: {cause}{log}")]
    Engine { step: String, what: &'static str, cause: Box<bollard::errors::Error>, log: Tail },
    /// A tool could not be run; `hint` says what to do.
    #[error("image {step}: cannot run {tool}: {cause}. {hint}")]
    Tool { step: String, tool: &'static str, cause: io::Error, hint: &'static str },
    #[error("image {step}: {why}{log}")]
    Failed { step: String, why: String, log: Tail },
    #[error("image {step}: the sandbox that preloads it: {cause}")]
    Sandbox { step: String, cause: EngineError },
}

impl ImagesError {
    pub(super) fn failed(step: &str, why: impl Display) -> Self {
        Self::Failed { step: step.to_owned(), why: why.to_string(), log: Tail::default() }
    }
}

/// Of two ends of one stream that failed, the one that failed first: a pipe breaks because its other end went.
pub(super) fn blame(
    step: &str,
    work: Result<io::Result<()>, RecvError>,
    engine: Result<(), ImagesError>,
) -> Result<(), ImagesError> {
    match work {
        Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(ImagesError::failed(step, error)),
        _ => engine,
    }
}

/// The last lines of a tool's output, shown below an error.
#[derive(Clone, Debug, Default)]
pub struct Tail(std::collections::VecDeque<String>);

impl Tail {
    pub(super) fn push(&mut self, line: &str) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }
}

impl Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pipe_is_the_other_ends_fault() {
        let engine = || Err(ImagesError::failed("x", "no space"));
        let broken = Ok(Err(io::ErrorKind::BrokenPipe.into()));
        assert!(blame("x", broken, engine()).unwrap_err().to_string().contains("no space"));
        let bad = Ok(Err(io::Error::other("bad tar")));
        assert!(blame("x", bad, engine()).unwrap_err().to_string().contains("bad tar"));
        assert!(blame("x", Ok(Ok(())), Ok(())).is_ok());
    }

    #[test]
    fn the_tail_keeps_the_last_lines() {
        let mut tail = Tail::default();
        (0..100).for_each(|n| tail.push(&n.to_string()));
        let shown = ImagesError::Failed { step: "x".into(), why: "no".into(), log: tail }.to_string();
        assert!(shown.starts_with("image x: no\n  70\n") && shown.ends_with("\n  99"), "{shown}");
    }
}
