//! What a caller may show while images are built.

use std::time::Duration;

/// Steps are named by their image, without the hash: `bulkhead/docker-host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The tag is there already.
    Present {
        step: &'a str,
        image: &'a str,
    },
    Started {
        step: &'a str,
        number: usize,
        of: usize,
    },
    /// A line that the step's tool printed.
    Line {
        step: &'a str,
        line: &'a str,
    },
    /// Bytes through the step's stream so far.
    Bytes {
        step: &'a str,
        bytes: u64,
    },
    Finished {
        step: &'a str,
        image: &'a str,
        took: Duration,
    },
}

pub trait Progress: Send + Sync {
    fn event(&self, event: Event<'_>);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event<'_>) {}
}
