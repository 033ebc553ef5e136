//! From a place to ready: provisioning, each step written down before it is begun.

use std::{sync::Arc, time::Duration};

use bulkhead_labs::{
    engine::EngineError,
    manifest::Lab,
    sandbox::{Progress, ProvisionError, Ready, SandboxPlan, Step, provision},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Sandboxes, phase::Phase};
use crate::{
    live::crash,
    store::{Sandbox, StoreError},
};

/// What a setup script may take longer than it says before somebody else looks.
const MARGIN: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
enum DriveError {
    /// Somebody else decides about this sandbox now; he also clears up.
    #[error("the sandbox is in other hands")]
    Fenced,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error("The lab {0} is not installed here any more.")]
    NoLab(String),
    #[error("The lab {0} has no sandbox image. Run `bulkhead images build` on the server.")]
    NoImage(String),
}

impl Sandboxes {
    /// `sandbox` was just written as creating by this server.
    pub(super) async fn make(self: Arc<Self>, sandbox: Sandbox, place: OwnedSemaphorePermit) {
        let mut row = sandbox;
        match self.drive(&mut row).await {
            Ok(()) => {}
            Err(DriveError::Fenced) => tracing::info!(sandbox = %row.id, "another looks after this sandbox now"),
            // The row's deadline brings the keeper here.
            Err(DriveError::Store(error)) => {
                tracing::error!(sandbox = %row.id, error = &error as &dyn std::error::Error, "a sandbox's step was not written");
            }
            Err(error) => {
                tracing::warn!(sandbox = %row.id, %error, "a sandbox was not made");
                self.fail(&row, &shown(&error)).await;
            }
        }
        drop(place);
        self.wake.notify_one();
    }

    async fn drive(&self, row: &mut Sandbox) -> Result<(), DriveError> {
        crash::point("creating");
        let lab = self.catalog.lab(&row.lab).ok_or_else(|| DriveError::NoLab(row.lab.clone()))?;
        let plan = self.plan(row, lab)?;
        let ready = match self.provision(row, lab, &plan).await {
            // The remains of a generation that no row knows any more.
            Err(DriveError::Provision(ProvisionError::Engine(EngineError::Generation { .. }))) => {
                self.engine.destroy(&row.id).await.map_err(ProvisionError::from)?;
                self.provision(row, lab, &plan).await?
            }
            other => other?,
        };
        crash::point("set-up");
        if row.phase != Phase::SettingUp {
            self.step(row, lab, Step::SettingUp).await?;
        }
        self.open_first_terminal(row, lab, ready).await;
        *row = self.put(row, row.ready(&lab.time, self.hand())).await?.ok_or(DriveError::Fenced)?;
        Ok(())
    }

    async fn provision(&self, row: &mut Sandbox, lab: &Lab, plan: &SandboxPlan) -> Result<Ready, DriveError> {
        let (tell, mut told) = mpsc::unbounded_channel();
        let report = move |progress| {
            let _nobody = tell.send(progress);
        };
        let mut work = std::pin::pin!(provision(&*self.engine, plan, &report));
        loop {
            tokio::select! {
                biased;
                Some(progress) = told.recv() => if let Progress::Began(step) = progress {
                    self.step(row, lab, step).await?;
                },
                ready = &mut work => return Ok(ready?),
            }
        }
    }

    async fn step(&self, row: &mut Sandbox, lab: &Lab, step: Step) -> Result<(), DriveError> {
        let phase = match step {
            Step::Booting => Phase::Booting,
            Step::SettingUp => Phase::SettingUp,
            // Written by the queue before, and by `drive` after.
            Step::Creating | Step::Ready => return Ok(()),
        };
        let hand = self.hand();
        let mut next = row.enter(phase, hand);
        if phase == Phase::SettingUp {
            let within: Duration = lab.setup.iter().map(|setup| setup.timeout).sum();
            next.deadline = Some(hand.now.plus(within + MARGIN));
        }
        *row = self.put(row, next).await?.ok_or(DriveError::Fenced)?;
        crash::point(phase.name());
        Ok(())
    }

    fn plan(&self, row: &Sandbox, lab: &Lab) -> Result<SandboxPlan, DriveError> {
        let image = self.images.of(&row.lab).ok_or_else(|| DriveError::NoImage(row.lab.clone()))?;
        // Longer than any row's: it is for sandboxes that lost theirs.
        let expires = self.clock.now().plus(lab.time.max + Duration::from_hours(1)).to_datetime();
        let variables = self.key.variables(row.account, lab, row.generation);
        Ok(lab.plan(row.id.clone(), &row.account.to_string(), row.generation, expires, image, &variables))
    }

    /// So that a prompt waits for the student. Without it he opens one himself.
    async fn open_first_terminal(&self, row: &Sandbox, lab: &Lab, ready: Ready) {
        let hub = self.terminals.of(&row.id, Some(ready.link));
        if let Some(machine) = lab.machines.iter().find(|machine| machine.terminal)
            && hub.list().is_empty()
            && let Err(error) = hub.open_on(machine).await
        {
            tracing::warn!(sandbox = %row.id, %error, "the first terminal was not opened");
        }
    }

    async fn fail(self: &Arc<Self>, row: &Sandbox, error: &str) {
        match self.put(row, row.failing(error, self.hand())).await {
            Ok(Some(failing)) => self.stop_soon(failing),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(sandbox = %row.id, error = &error as &dyn std::error::Error, "a failure was not written");
            }
        }
    }
}

/// For the student; the cause is in the log.
fn shown(error: &DriveError) -> String {
    let next = "Start the lab again; if it fails again, tell whoever runs this server to run `bulkhead doctor`.";
    match error {
        DriveError::NoLab(_) | DriveError::NoImage(_) => error.to_string(),
        DriveError::Provision(ProvisionError::Engine(EngineError::NoImage { .. })) => {
            "The sandbox image of this lab is not built. Run `bulkhead images build` on the server, then start the lab again.".to_owned()
        }
        DriveError::Provision(ProvisionError::Engine(EngineError::Unreachable { .. })) => {
            "The container engine does not answer. Start it (or tell whoever runs this server), then start the lab again.".to_owned()
        }
        other => {
            let said: String = other.to_string().chars().take(600).collect();
            format!("The sandbox could not be made: {said}. {next}")
        }
    }
}
