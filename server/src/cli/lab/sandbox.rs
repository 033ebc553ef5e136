//! What start, shell, check and stop have in common: one sandbox for each lab, made by the command line and no server's.

use std::time::Duration;

use bulkhead_labs::{
    engine::{DockerEngine, EngineState, SandboxEngine, SandboxId},
    grade::{CourseKey, Variables},
    link::AgentLink,
    manifest::{Catalog, Lab},
    sandbox::SandboxPlan,
};
use sha2::{Digest, Sha256};

use super::find;
use crate::{
    cli::{
        engine,
        exit::{CliError, CliResult, machine},
        images::LabsOption,
    },
    clock::Clock,
    live::images::Images,
    random::hex,
};

/// The generation of a sandbox that the command line makes. A clean start destroys it first.
const GENERATION: u32 = 1;
const OWNER: &str = "cli";

pub(super) struct Bench {
    pub(super) engine: DockerEngine,
    pub(super) lab: Lab,
    images: Images,
}

impl Bench {
    pub(super) async fn open(labs: &LabsOption, lab: &str) -> CliResult<Self> {
        let installed = labs.installed();
        let catalog: Catalog = installed.catalog().map_err(machine)?;
        let lab = find(&catalog, lab)?.clone();
        let images = installed.images(&catalog).map_err(machine)?;
        Ok(Self { engine: engine::connect(engine::INSTANCE).await?, lab, images })
    }

    pub(super) fn id(&self) -> CliResult<SandboxId> {
        id_of(self.lab.id.as_str()).ok_or_else(|| CliError::Usage(format!("`{}` is no lab id", self.lab.id)))
    }

    /// Not secret: whoever starts a lab here can read its files.
    pub(super) fn variables(&self) -> Variables {
        Variables::derive(&CourseKey::new(OWNER), OWNER, &self.lab.id, GENERATION, &self.lab.variables)
    }

    pub(super) fn plan(&self) -> CliResult<SandboxPlan> {
        let image = self.images.of(self.lab.id.as_str());
        let image = image.ok_or_else(|| CliError::Machine("the lab has no sandbox image".into()))?;
        let expires = Clock::system().now().plus(Duration::from_hours(24)).to_datetime();
        Ok(self.lab.plan(self.id()?, OWNER, GENERATION, expires, image, &self.variables()))
    }

    /// A link to the lab's sandbox, which must have been started.
    pub(super) async fn link(&self) -> CliResult<AgentLink> {
        let id = self.id()?;
        let found = self.engine.status(&id).await.map_err(machine)?;
        if found.is_none_or(|found| found.state != EngineState::Running) {
            let lab = &self.lab.id;
            return Err(CliError::Machine(
                format!("the lab is not started. Start it: bulkhead lab start {lab}").into(),
            ));
        }
        let stream = self.engine.connect(&id).await.map_err(machine)?;
        AgentLink::open(stream).await.map_err(machine)
    }
}

/// A lab's id may be longer than a sandbox's.
pub(super) fn id_of(lab: &str) -> Option<SandboxId> {
    let whole = format!("lab-{lab}");
    SandboxId::parse(&whole).or_else(|| {
        let digest = hex(&Sha256::digest(lab)[..4]);
        SandboxId::parse(&format!("{}-{digest}", whole.get(..30)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lab_has_an_id_of_its_own() {
        let id = |lab: &str| id_of(lab).expect("an id").to_string();
        assert_eq!(id("read-only-but-alive"), "lab-read-only-but-alive");
        let long = "a-lab-with-a-name-of-all-forty-character";
        assert_eq!(long.len(), 40);
        assert_ne!(id(long), id(&long.replace("character", "charactes")));
    }
}
