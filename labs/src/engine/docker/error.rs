//! What the engine refused, in our words.

use std::{error::Error as _, io};

use bollard::errors::Error;

use crate::engine::EngineError;

/// An error with the HTTP status it came with, for those who know what "404" means at this place.
#[derive(Debug)]
pub(super) struct Failure {
    status: Option<u16>,
    error: EngineError,
}

impl Failure {
    pub(super) fn new(what: &str, socket: &str, error: &Error) -> Self {
        let (status, error) = match error {
            Error::DockerResponseServerError { status_code, message } => {
                (Some(*status_code), EngineError::Refused { what: what.to_owned(), cause: message.trim().to_owned() })
            }
            Error::RequestTimeoutError => (None, unreachable(socket, "it does not answer in time", None)),
            Error::SocketNotFoundError(_) => {
                (None, unreachable(socket, "there is no such socket", Some(io::ErrorKind::NotFound)))
            }
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => (
                None,
                EngineError::Refused { what: what.to_owned(), cause: format!("its answer makes no sense: {error}") },
            ),
            other => (None, unreachable(socket, &innermost(other), io_kind(other))),
        };
        Self { status, error }
    }

    /// The object is not there.
    pub(super) fn missing(&self) -> bool {
        self.status == Some(404)
    }

    /// The object is in a state in which this cannot be done.
    pub(super) fn conflict(&self) -> bool {
        self.status == Some(409)
    }

    /// The request was refused as such.
    pub(super) fn bad_request(&self) -> Option<&str> {
        match &self.error {
            EngineError::Refused { cause, .. } if self.status == Some(400) => Some(cause),
            _ => None,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self { status: None, error }
    }
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// With the advice that fits the cause.
pub(super) fn unreachable(socket: &str, cause: &str, kind: Option<io::ErrorKind>) -> EngineError {
    let hint = match kind {
        Some(io::ErrorKind::NotFound) => {
            "Install Docker (on Debian: `sudo apt install docker.io`) or start it (`sudo systemctl start docker`); if it listens elsewhere, set DOCKER_HOST"
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "Your user may not use it: `sudo usermod -aG docker $USER`, then sign out and in again"
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            "The socket is there but nobody listens: start the engine with `sudo systemctl start docker`"
        }
        _ => "See whether it runs: `sudo systemctl status docker`",
    };
    EngineError::Unreachable { socket: socket.to_owned(), cause: cause.to_owned(), hint: hint.to_owned() }
}

fn innermost(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let mut next: Option<&dyn std::error::Error> = match error {
        Error::IOError { err } => return Some(err.kind()),
        // `transparent` variants skip themselves in the chain.
        Error::HyperLegacyError { err } => Some(err),
        Error::HyperResponseError { err } => Some(err),
        other => other.source(),
    };
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(kind: io::ErrorKind) -> String {
        let error = Error::IOError { err: io::Error::from(kind) };
        match Failure::new("look", "/run/docker.sock", &error).error {
            EngineError::Unreachable { hint, .. } => hint,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn advice_fits_the_cause() {
        assert!(hint(io::ErrorKind::NotFound).contains("apt install docker.io"));
        assert!(hint(io::ErrorKind::PermissionDenied).contains("usermod"));
        assert!(hint(io::ErrorKind::ConnectionRefused).contains("systemctl start"));
    }

    #[test]
    fn a_refusal_keeps_the_engines_words() {
        let error = Error::DockerResponseServerError { status_code: 409, message: "is already in use\n".to_owned() };
        let failure = Failure::new("create the sandbox", "s", &error);
        assert!(failure.conflict() && !failure.missing());
        assert_eq!(
            EngineError::from(failure).to_string(),
            "the engine refused to create the sandbox: is already in use"
        );
    }
}
