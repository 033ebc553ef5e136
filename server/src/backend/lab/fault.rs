//! What the live side's errors tell the student.

use bulkhead_app::api::ApiError;

use crate::{
    backend::Fault,
    live::{grading::GradingError, sandboxes::SandboxError, terminals::TerminalError},
};

impl Fault for SandboxError {
    fn shown(self) -> ApiError {
        match self {
            Self::Store(error) => error.shown(),
            Self::Unmet(message) => ApiError::Unavailable { message },
            Self::None | Self::NotNow(_) => ApiError::Conflict { message: self.to_string() },
        }
    }
}

impl Fault for TerminalError {
    fn shown(self) -> ApiError {
        match self {
            Self::NotFound => ApiError::NotFound,
            Self::TooMany | Self::Over | Self::Refused(_) => ApiError::Conflict { message: self.to_string() },
            Self::Unreachable(_) => ApiError::Unavailable {
                message: format!("{self}. Try again in a moment; if it stays so, reset the lab."),
            },
        }
    }
}

impl Fault for GradingError {
    fn shown(self) -> ApiError {
        match self {
            Self::NoTask => ApiError::NotFound,
            Self::NotReady => ApiError::Conflict { message: self.to_string() },
            Self::Store(error) => error.shown(),
        }
    }
}
