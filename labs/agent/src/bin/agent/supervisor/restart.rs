//! When a machine whose first process ended is started anew.

use std::time::{Duration, Instant};

/// A machine that ran so long did not fail at its start.
const SETTLED: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Default)]
struct Plan {
    due: Option<Instant>,
    failures: u32,
}

pub(crate) struct Restarts(Vec<Plan>);

impl Restarts {
    pub(crate) fn new(machines: usize) -> Self {
        Self(vec![Plan::default(); machines])
    }

    /// A machine ended that was last started at `started`. Each quick end doubles the pause.
    pub(crate) fn plan(&mut self, index: usize, started: Instant, now: Instant) {
        let Some(plan) = self.0.get_mut(index) else { return };
        plan.failures = if now.duration_since(started) >= SETTLED { 0 } else { plan.failures.saturating_add(1) };
        let doubled = FIRST_PAUSE.saturating_mul(1 << plan.failures.saturating_sub(1).min(10));
        plan.due = Some(now + doubled.min(LONGEST_PAUSE));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().filter_map(|plan| plan.due).min()
    }

    /// Takes the machines to start now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<usize> {
        let due = |plan: &&mut Plan| plan.due.is_some_and(|due| due <= now);
        self.0
            .iter_mut()
            .enumerate()
            .filter(|(_, plan)| due(plan))
            .map(|(index, plan)| {
                plan.due = None;
                index
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_ends_wait_longer_each_time_up_to_a_bound() {
        let (mut restarts, now) = (Restarts::new(2), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..12 {
            restarts.plan(1, now, now);
            pauses.push(restarts.next().unwrap() - now);
        }
        assert_eq!(pauses[..3], [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]);
        assert_eq!(pauses[11], LONGEST_PAUSE);
        restarts.plan(1, now, now + SETTLED);
        assert_eq!(restarts.next().unwrap(), now + SETTLED + FIRST_PAUSE);
    }

    #[test]
    fn each_is_due_once() {
        let (mut restarts, now) = (Restarts::new(2), Instant::now());
        restarts.plan(0, now, now);
        assert!(restarts.due(now).is_empty());
        assert_eq!(restarts.due(now + FIRST_PAUSE), [0]);
        assert!(restarts.due(now + FIRST_PAUSE).is_empty());
        assert_eq!(restarts.next(), None);
    }
}
