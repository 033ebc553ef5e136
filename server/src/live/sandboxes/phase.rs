//! The life of a sandbox, purely: which phase follows which, how long each may take, and how it looks from outside.

use std::time::Duration;

use bulkhead_app::api::lab::{SandboxState, StepStatus, StepView};
use serde::{Deserialize, Serialize};

/// Where a sandbox is in its life. Each but `Ready` and the last three is left by itself or ends at its time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Queued,
    Creating,
    Booting,
    SettingUp,
    Ready,
    Stopping(Then),
    Stopped,
    Expired,
    Failed,
}

/// What a sandbox is stopped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    Stopped,
    Expired,
    Failed,
    /// A reset: the next generation is queued.
    Restart,
}

impl Phase {
    pub const ALL: [Self; 12] = [
        Self::Queued,
        Self::Creating,
        Self::Booting,
        Self::SettingUp,
        Self::Ready,
        Self::Stopping(Then::Stopped),
        Self::Stopping(Then::Expired),
        Self::Stopping(Then::Failed),
        Self::Stopping(Then::Restart),
        Self::Stopped,
        Self::Expired,
        Self::Failed,
    ];

    /// As the database keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Creating => "creating",
            Self::Booting => "booting",
            Self::SettingUp => "setting-up",
            Self::Ready => "ready",
            Self::Stopping(Then::Stopped) => "stopping",
            Self::Stopping(Then::Expired) => "expiring",
            Self::Stopping(Then::Failed) => "failing",
            Self::Stopping(Then::Restart) => "restarting",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// How long it may take before somebody else looks after it. `None`: it may stay so.
    pub const fn time_limit(self) -> Option<Duration> {
        Some(Duration::from_secs(match self {
            Self::Queued => 15 * 60,
            // Longer than provisioning gives its own steps, which then say better what went wrong.
            Self::Creating => 150,
            Self::Booting => 90,
            // A lab's setup script that asks for more gets it.
            Self::SettingUp => 180,
            Self::Stopping(_) => 60,
            Self::Ready | Self::Stopped | Self::Expired | Self::Failed => return None,
        }))
    }

    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Creating | Self::Booting | Self::SettingUp)
    }

    /// Nothing of it is left on the engine.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Expired | Self::Failed)
    }

    /// It has, or may have, something on the engine.
    pub const fn is_on_engine(self) -> bool {
        !self.is_over() && !matches!(self, Self::Queued)
    }

    pub const fn view(self) -> SandboxState {
        match self {
            Self::Queued => SandboxState::Queued,
            Self::Creating => SandboxState::Creating,
            Self::Booting => SandboxState::Booting,
            Self::SettingUp => SandboxState::SettingUp,
            Self::Ready => SandboxState::Ready,
            Self::Stopping(_) => SandboxState::Stopping,
            Self::Stopped => SandboxState::Stopped,
            Self::Expired => SandboxState::Expired,
            Self::Failed => SandboxState::Failed,
        }
    }

    /// Whether the life cycle knows the way from here to `next`.
    pub fn leads_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Queued, Self::Creating | Self::Stopped | Self::Failed)
            | (Self::Creating, Self::Booting)
            | (Self::Booting, Self::SettingUp)
            | (Self::SettingUp, Self::Ready)
            | (Self::Stopping(Then::Stopped), Self::Stopped)
            | (Self::Stopping(Then::Expired), Self::Expired)
            | (Self::Stopping(Then::Failed), Self::Failed) => true,
            // After a crash, and for a clean start.
            (from, Self::Queued) => {
                matches!(from, Self::Creating | Self::Booting | Self::SettingUp | Self::Stopping(Then::Restart))
                    || from.is_over()
            }
            (from, Self::Stopping(_)) => from.is_on_engine(),
            _ => false,
        }
    }
}

/// When each phase of the way to `Ready` began, in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline(Vec<(String, i64)>);

impl Timeline {
    pub fn starting(at: i64) -> Self {
        let mut timeline = Self::default();
        timeline.enter(Phase::Queued, at);
        timeline
    }

    /// Notes that `phase` began. A way that starts over keeps when it was first asked for.
    pub fn enter(&mut self, phase: Phase, at: i64) {
        if phase == Phase::Queued {
            self.0.truncate(1);
        }
        if !self.0.iter().any(|(name, _)| name == phase.name()) {
            self.0.push((phase.name().to_owned(), at));
        }
    }

    fn at(&self, phase: Phase) -> Option<i64> {
        self.0.iter().find(|(name, _)| name == phase.name()).map(|&(_, at)| at)
    }

    /// The steps as the lab page shows them. `place` is how many wait before this one.
    pub fn steps(&self, now: Phase, place: Option<u32>) -> Vec<StepView> {
        const WAY: [(Phase, &str); 5] = [
            (Phase::Queued, "Waiting for a place"),
            (Phase::Creating, "Creating the sandbox"),
            (Phase::Booting, "Booting its machines"),
            (Phase::SettingUp, "Setting up the lab"),
            (Phase::Ready, "Ready"),
        ];
        let reached = WAY.iter().rposition(|&(phase, _)| self.at(phase).is_some());
        WAY.iter()
            .enumerate()
            .map(|(index, &(phase, label))| {
                let began = self.at(phase);
                let ended = WAY[index + 1..].iter().find_map(|&(later, _)| self.at(later));
                let status = match began {
                    None => StepStatus::Waiting,
                    Some(_) if Some(index) != reached || phase == Phase::Ready => StepStatus::Done,
                    Some(_) if now == phase => StepStatus::Running,
                    Some(_) => StepStatus::Failed,
                };
                let millis = match phase {
                    // The whole way, which is what the student waited for.
                    Phase::Ready => began.zip(self.at(Phase::Queued)).map(|(end, start)| end - start),
                    _ => ended.zip(began).map(|(end, start)| end - start),
                };
                let label = match place {
                    Some(before) if phase == Phase::Queued && now == Phase::Queued => match before {
                        0 => "Next in the queue".to_owned(),
                        1 => "Waiting for a place: 1 before you".to_owned(),
                        more => format!("Waiting for a place: {more} before you"),
                    },
                    _ => label.to_owned(),
                };
                StepView { state: phase.view(), label, status, millis: millis.and_then(|ms| u64::try_from(ms).ok()) }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.name()), Some(phase));
        }
        assert_eq!(Phase::parse("sleeping"), None);
    }

    #[test]
    fn no_phase_can_be_stuck() {
        for phase in Phase::ALL {
            let resting = phase == Phase::Ready || phase.is_over();
            assert_eq!(phase.time_limit().is_none(), resting, "{phase:?}");
            if !resting {
                let way_out = Phase::ALL.into_iter().any(|next| phase.leads_to(next) && next != phase);
                assert!(way_out, "{phase:?}");
            }
        }
    }

    #[test]
    fn what_is_on_the_engine_ends_only_through_stopping() {
        for phase in Phase::ALL.into_iter().filter(|phase| phase.is_on_engine()) {
            for over in Phase::ALL.into_iter().filter(|phase| phase.is_over()) {
                assert_eq!(phase.leads_to(over), matches!(phase, Phase::Stopping(_)) && reason(phase) == Some(over));
            }
        }
    }

    fn reason(phase: Phase) -> Option<Phase> {
        match phase {
            Phase::Stopping(Then::Stopped) => Some(Phase::Stopped),
            Phase::Stopping(Then::Expired) => Some(Phase::Expired),
            Phase::Stopping(Then::Failed) => Some(Phase::Failed),
            _ => None,
        }
    }

    fn statuses(steps: &[StepView]) -> Vec<(StepStatus, Option<u64>)> {
        steps.iter().map(|step| (step.status, step.millis)).collect()
    }

    #[test]
    fn steps_show_what_was_done_and_how_long_it_took() {
        use StepStatus::{Done, Failed, Running, Waiting};
        let mut timeline = Timeline::starting(1000);
        assert_eq!(timeline.steps(Phase::Queued, Some(2))[0].label, "Waiting for a place: 2 before you");
        timeline.enter(Phase::Creating, 1010);
        timeline.enter(Phase::Booting, 1310);
        let steps = timeline.steps(Phase::Booting, None);
        assert_eq!(
            statuses(&steps),
            [(Done, Some(10)), (Done, Some(300)), (Running, None), (Waiting, None), (Waiting, None)]
        );
        let steps = timeline.steps(Phase::Failed, None);
        assert_eq!(steps[2].status, Failed);
        timeline.enter(Phase::SettingUp, 1700);
        timeline.enter(Phase::Ready, 1900);
        let steps = timeline.steps(Phase::Ready, None);
        assert_eq!(
            statuses(&steps),
            [(Done, Some(10)), (Done, Some(300)), (Done, Some(390)), (Done, Some(200)), (Done, Some(900))]
        );
        // Stopping does not undo what was reached.
        assert_eq!(timeline.steps(Phase::Stopping(Then::Stopped), None)[4].status, Done);
    }

    #[test]
    fn a_way_that_starts_over_keeps_the_first_moment() {
        let mut timeline = Timeline::starting(1000);
        timeline.enter(Phase::Creating, 1010);
        timeline.enter(Phase::Queued, 5000);
        assert_eq!(timeline, Timeline::starting(1000));
    }
}
