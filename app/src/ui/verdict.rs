//! How a verdict looks. Never colour alone: an icon and a word too.

use super::Glyph;
use crate::api::lab::Verdict;

/// A check or a task on the page: a verdict, none yet, or one on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Open,
    Running,
    Judged(Verdict),
}

impl Mark {
    pub(crate) fn of(verdict: Option<Verdict>, running: bool) -> Self {
        match (running, verdict) {
            (true, _) => Self::Running,
            (false, Some(verdict)) => Self::Judged(verdict),
            (false, None) => Self::Open,
        }
    }

    pub(crate) fn glyph(self) -> Glyph {
        match self {
            Self::Open => Glyph::Dashed,
            Self::Running => Glyph::Spinner,
            Self::Judged(Verdict::Pass) => Glyph::Check,
            Self::Judged(Verdict::Unknown) => Glyph::Question,
            Self::Judged(Verdict::Fail) => Glyph::Cross,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "Not checked",
            Self::Running => "Checking",
            Self::Judged(Verdict::Pass) => "Pass",
            Self::Judged(Verdict::Unknown) => "Could not check",
            Self::Judged(Verdict::Fail) => "Fail",
        }
    }

    /// Value of the `data-mark` attribute that the styles read.
    pub(crate) fn data(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Judged(Verdict::Pass) => "pass",
            Self::Judged(Verdict::Unknown) => "unknown",
            Self::Judged(Verdict::Fail) => "fail",
        }
    }
}
