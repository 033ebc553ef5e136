//! Times that were taken, and what to say of them.

use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// In milliseconds: the smallest that so many of a hundred do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        Self(times.into_iter().collect())
    }
}

/// For a figure; none is so large that it loses a digit.
#[expect(clippy::cast_precision_loss, reason = "a figure has three digits")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1_000_000.0
}
