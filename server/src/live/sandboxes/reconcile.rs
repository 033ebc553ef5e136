//! Rows and engine, compared both ways. Deciding is pure; the keeper acts.
//!
//! | row | on the engine | decision |
//! |---|---|---|
//! | looked after by a living server, in time | any | leave |
//! | queued too long | | fail |
//! | on its way: nobody's | any | begin again; what is there is adopted, but for a setup that ran halfway |
//! | on its way, too late | any | stop, say which step took too long |
//! | ready | runs, same generation | adopt |
//! | ready | gone, dead or older | stop, say that it ended |
//! | stopping: nobody's or too late | any | stop again |
//! | over, or no row | there | destroy |

use bulkhead_labs::engine::{EngineState, SandboxSummary};

use super::phase::{Phase, Then};
use crate::{
    clock::Moment,
    store::{Sandbox, ServerId},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Leave,
    /// Back to the queue.
    Again,
    /// Ready and alive: serve its terminals.
    Adopt,
    Stop(Then),
    Fail(String),
    /// Destroy what is there, again.
    TearDown,
}

/// Who is there to look after rows.
pub struct Present<'a> {
    pub now: Moment,
    pub me: &'a ServerId,
    pub servers: &'a [ServerId],
    /// Whether a task of this server works on the row.
    pub busy: bool,
}

impl Present<'_> {
    fn looked_after(&self, row: &Sandbox) -> bool {
        if row.owner == *self.me { self.busy } else { self.servers.contains(&row.owner) }
    }
}

pub fn decide(row: &Sandbox, object: Option<&SandboxSummary>, present: &Present<'_>) -> Decision {
    let late = row.deadline.is_some_and(|deadline| deadline <= present.now);
    let alone = !present.looked_after(row);
    match row.phase {
        Phase::Queued if late => {
            Decision::Fail("All places stayed taken for too long. Try again in a few minutes.".to_owned())
        }
        Phase::Creating | Phase::Booting | Phase::SettingUp if late => {
            let step = match row.phase {
                Phase::Creating => "Creating the sandbox",
                Phase::Booting => "Booting its machines",
                _ => "Setting up the lab",
            };
            let seconds = row.deadline.map_or(0, |deadline| deadline.since(row.since).as_secs());
            Decision::Fail(format!(
                "{step} took longer than {seconds} seconds. Start the lab again; if it fails again, tell whoever runs this server to look at `bulkhead doctor`."
            ))
        }
        Phase::Creating | Phase::Booting | Phase::SettingUp if alone => Decision::Again,
        Phase::Stopping(_) if alone || late => Decision::TearDown,
        Phase::Ready if row.is_expired(present.now) => Decision::Stop(Then::Expired),
        Phase::Ready => match object {
            Some(object) if object.state == EngineState::Running && object.generation == row.generation => {
                Decision::Adopt
            }
            Some(object) if object.generation == row.generation => Decision::Fail(
                "The sandbox ended by itself: it may have run out of memory. Start the lab again.".to_owned(),
            ),
            _ => Decision::Fail("The sandbox is gone from the engine. Start the lab again.".to_owned()),
        },
        _ => Decision::Leave,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bulkhead_labs::engine::SandboxId;

    use super::*;
    use crate::{live::sandboxes::change::Hand, store::AccountId};

    const START: Moment = Moment::from_millis(1_000_000);

    fn id() -> SandboxId {
        SandboxId::parse("sandbox").expect("an id")
    }

    fn row(phase: Phase, owner: &ServerId) -> Sandbox {
        let mut row = Sandbox::first(id(), AccountId::new(1), "lab", Hand { server: owner, now: START });
        row.phase = phase;
        row.deadline = phase.time_limit().map(|limit| START.plus(limit));
        if phase == Phase::Ready {
            row.expires_at = Some(START.plus(Duration::from_hours(1)));
        }
        row
    }

    fn object(state: EngineState, generation: u32) -> SandboxSummary {
        SandboxSummary {
            id: id(),
            owner: "1".to_owned(),
            lab: "lab".to_owned(),
            generation,
            expires: START.to_datetime(),
            state,
            instance: "test".to_owned(),
            owner_uid: 1,
        }
    }

    fn decision(phase: Phase, owner: &str, busy: bool, later: Duration, object: Option<SandboxSummary>) -> Decision {
        let (me, other) = (ServerId::new("me".to_owned()), ServerId::new("other".to_owned()));
        let row = row(phase, &ServerId::new(owner.to_owned()));
        let present = Present { now: START.plus(later), me: &me, servers: &[me.clone(), other], busy };
        decide(&row, object.as_ref(), &present)
    }

    const SOON: Duration = Duration::from_secs(1);
    const PENDING: [Phase; 3] = [Phase::Creating, Phase::Booting, Phase::SettingUp];

    #[test]
    fn what_somebody_looks_after_is_left_alone() {
        for phase in PENDING.into_iter().chain([Phase::Queued, Phase::Stopping(Then::Stopped)]) {
            assert_eq!(decision(phase, "other", false, SOON, None), Decision::Leave, "{phase:?}");
            assert_eq!(decision(phase, "me", true, SOON, None), Decision::Leave, "{phase:?}");
        }
    }

    #[test]
    fn what_a_dead_server_began_is_taken_up() {
        for owner in ["dead", "me"] {
            for phase in PENDING {
                assert_eq!(decision(phase, owner, false, SOON, None), Decision::Again, "{phase:?}");
            }
            assert_eq!(decision(Phase::Stopping(Then::Expired), owner, false, SOON, None), Decision::TearDown);
        }
        assert_eq!(decision(Phase::Queued, "dead", false, SOON, None), Decision::Leave, "the queue belongs to all");
    }

    #[test]
    fn no_transitional_phase_outlives_its_deadline() {
        for phase in Phase::ALL {
            let Some(limit) = phase.time_limit() else { continue };
            for (owner, busy) in [("me", true), ("me", false), ("other", false), ("dead", false)] {
                let decided = decision(phase, owner, busy, limit, None);
                assert_ne!(decided, Decision::Leave, "{phase:?} of {owner}");
            }
        }
    }

    #[test]
    fn a_ready_sandbox_lives_as_long_as_the_engine_has_it() {
        let ready = |object| decision(Phase::Ready, "dead", false, SOON, object);
        assert_eq!(ready(Some(object(EngineState::Running, 1))), Decision::Adopt);
        for gone in [
            Some(object(EngineState::Dead, 1)),
            Some(object(EngineState::Running, 2)),
            Some(object(EngineState::Created, 1)),
            None,
        ] {
            assert!(matches!(ready(gone), Decision::Fail(_)));
        }
        let late = decision(Phase::Ready, "me", false, Duration::from_hours(1), Some(object(EngineState::Running, 1)));
        assert_eq!(late, Decision::Stop(Then::Expired));
    }
}
