//! Changes of a sandbox's row, purely: old row in, new row out. Writing it is the caller's.

use std::time::Duration;

use bulkhead_labs::{engine::SandboxId, manifest::TimeRules};

use super::phase::{Phase, Then, Timeline};
use crate::{
    clock::Moment,
    store::{AccountId, Sandbox, ServerId},
};

/// Who changes it, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    pub server: &'a ServerId,
    pub now: Moment,
}

impl Sandbox {
    pub fn first(id: SandboxId, account: AccountId, lab: &str, hand: Hand<'_>) -> Self {
        let Hand { server, now } = hand;
        Self {
            id,
            account,
            lab: lab.to_owned(),
            generation: 1,
            phase: Phase::Queued,
            since: now,
            deadline: limit(Phase::Queued, now),
            fence: 0,
            owner: server.clone(),
            queued_at: now,
            timeline: Timeline::starting(now.millis()),
            ready_at: None,
            expires_at: None,
            extensions: 0,
            warned: None,
            error: None,
        }
    }

    /// Takes the next step. The hand that takes it becomes its owner.
    #[must_use]
    pub fn enter(&self, phase: Phase, hand: Hand<'_>) -> Self {
        debug_assert!(self.phase.leads_to(phase), "{:?} does not lead to {phase:?}", self.phase);
        let mut next = self.clone();
        next.phase = phase;
        next.since = hand.now;
        next.deadline = limit(phase, hand.now);
        next.owner = hand.server.clone();
        if !matches!(phase, Phase::Stopping(_)) && !phase.is_over() {
            next.timeline.enter(phase, hand.now.millis());
        }
        next
    }

    /// Back to its place in the queue: what was begun is begun again.
    #[must_use]
    pub fn again(&self, hand: Hand<'_>) -> Self {
        self.enter(Phase::Queued, hand)
    }

    /// A clean start, with nothing of what was.
    #[must_use]
    pub fn next_generation(&self, hand: Hand<'_>) -> Self {
        let mut next = self.enter(Phase::Queued, hand);
        next.generation += 1;
        next.queued_at = hand.now;
        next.timeline = Timeline::starting(hand.now.millis());
        next.ready_at = None;
        next.expires_at = None;
        next.extensions = 0;
        next.warned = None;
        next.error = None;
        next
    }

    #[must_use]
    pub fn ready(&self, rules: &TimeRules, hand: Hand<'_>) -> Self {
        let mut next = self.enter(Phase::Ready, hand);
        next.ready_at = Some(hand.now);
        next.expires_at = Some(hand.now.plus(rules.limit));
        next
    }

    #[must_use]
    pub fn failing(&self, error: &str, hand: Hand<'_>) -> Self {
        let after = if self.phase == Phase::Queued { Phase::Failed } else { Phase::Stopping(Then::Failed) };
        let mut next = self.enter(after, hand);
        next.error = Some(error.to_owned());
        next
    }

    /// What one more extension would add.
    pub fn extension(&self, rules: &TimeRules) -> Duration {
        match (self.phase, self.ready_at, self.expires_at) {
            (Phase::Ready, Some(ready), Some(expires)) => ready.plus(rules.max).since(expires).min(rules.extend),
            _ => Duration::ZERO,
        }
    }

    /// `None`: no extension is left.
    #[must_use]
    pub fn extended(&self, rules: &TimeRules) -> Option<Self> {
        let more = self.extension(rules);
        // What is shorter than a minute is no help and a confusing button.
        if more < Duration::from_mins(1) {
            return None;
        }
        let mut next = self.clone();
        next.expires_at = self.expires_at.map(|at| at.plus(more));
        next.extensions += 1;
        next.warned = None;
        Some(next)
    }

    /// The warning that is due: whole minutes, each given once.
    pub fn warning(&self, rules: &TimeRules, now: Moment) -> Option<u16> {
        let left = self.expires_at?.since(now);
        let due = rules.warn.iter().filter(|&&before| left <= before).min()?;
        let minutes = u16::try_from(due.as_secs().div_ceil(60)).unwrap_or(u16::MAX);
        self.warned.is_none_or(|given| minutes < given).then_some(minutes)
    }

    pub fn is_expired(&self, now: Moment) -> bool {
        self.phase == Phase::Ready && self.expires_at.is_some_and(|at| at <= now)
    }
}

fn limit(phase: Phase, now: Moment) -> Option<Moment> {
    phase.time_limit().map(|span| now.plus(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn rules() -> TimeRules {
        TimeRules {
            limit: 60 * MINUTE,
            extend: 15 * MINUTE,
            max: 80 * MINUTE,
            orphan: 10 * MINUTE,
            warn: vec![10 * MINUTE, 2 * MINUTE],
        }
    }

    fn at(minutes: u32) -> Moment {
        Moment::from_millis(0).plus(MINUTE * minutes)
    }

    fn ready(server: &ServerId) -> Sandbox {
        let id = SandboxId::parse("sandbox").expect("an id");
        let mut sandbox = Sandbox::first(id, AccountId::new(1), "lab", Hand { server, now: at(0) });
        for phase in [Phase::Creating, Phase::Booting, Phase::SettingUp] {
            sandbox = sandbox.enter(phase, Hand { server, now: at(0) });
        }
        sandbox.ready(&rules(), Hand { server, now: at(0) })
    }

    #[test]
    fn extensions_end_at_the_longest_time() {
        let server = ServerId::new("one".to_owned());
        let sandbox = ready(&server);
        assert_eq!(sandbox.expires_at, Some(at(60)));
        let once = sandbox.extended(&rules()).expect("a first extension");
        assert_eq!(once.expires_at, Some(at(75)));
        let twice = once.extended(&rules()).expect("what is left");
        assert_eq!((twice.expires_at, twice.extensions), (Some(at(80)), 2));
        assert_eq!(twice.extended(&rules()), None);
    }

    #[test]
    fn each_warning_is_given_once_and_again_after_an_extension() {
        let server = ServerId::new("one".to_owned());
        let mut sandbox = ready(&server);
        assert_eq!(sandbox.warning(&rules(), at(49)), None);
        assert_eq!(sandbox.warning(&rules(), at(50)), Some(10));
        sandbox.warned = Some(10);
        assert_eq!(sandbox.warning(&rules(), at(57)), None);
        assert_eq!(sandbox.warning(&rules(), at(58)), Some(2));
        sandbox.warned = Some(2);
        assert_eq!(sandbox.warning(&rules(), at(59)), None);
        let extended = sandbox.extended(&rules()).expect("an extension");
        assert_eq!(extended.warning(&rules(), at(59)), None);
        assert_eq!(extended.warning(&rules(), at(65)), Some(10));
    }

    #[test]
    fn a_reset_keeps_the_name_and_nothing_else() {
        let server = ServerId::new("one".to_owned());
        let hand = Hand { server: &server, now: at(5) };
        let before = ready(&server);
        let after = before.enter(Phase::Stopping(Then::Restart), hand).next_generation(hand);
        assert_eq!((&after.id, after.generation), (&before.id, 2));
        assert_eq!((after.expires_at, after.extensions, after.queued_at), (None, 0, at(5)));
    }
}
