//! Time as a parameter: nothing below `http` asks the system what time it is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A point in time as the store keeps it: milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(span)))
    }

    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(span)))
    }

    /// The span from `earlier` to here; nothing where `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }

    pub fn to_datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// RFC 3339 in UTC, as the pages want it.
    pub fn rfc3339(self) -> String {
        self.to_datetime().format(&Rfc3339).unwrap_or_default()
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
    }
}

fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Where the time comes from. Clones of a fixed clock move together.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn fixed(at: Moment) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.millis()))))
    }

    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::System => OffsetDateTime::now_utc().into(),
            Source::Fixed(at) => Moment(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock; the system's clock does not take orders.
    pub fn advance(&self, span: Duration) {
        if let Source::Fixed(at) = &self.0 {
            at.fetch_add(millis_of(span), Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::System",
            Source::Fixed(_) => "Clock::Fixed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(Moment::from_millis(1_000));
        let other = clock.clone();
        assert_eq!(clock.now().millis(), 1_000);
        other.advance(Duration::from_secs(2));
        assert_eq!(clock.now().millis(), 3_000);
    }

    #[test]
    fn moments_survive_the_calendar() {
        let at = Moment::from_millis(1_700_000_000_123);
        assert_eq!(Moment::from(at.to_datetime()), at);
        assert_eq!(at.rfc3339(), "2023-11-14T22:13:20.123Z");
        assert_eq!(at.since(at.plus(Duration::from_secs(1))), Duration::ZERO);
    }
}
