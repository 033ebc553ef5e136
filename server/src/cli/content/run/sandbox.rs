//! Fresh sandboxes, as a student gets them.

use std::{sync::Mutex, time::Duration};

use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine, SandboxId},
    grade::{CourseKey, Variables},
    link::AgentLink,
    manifest::Catalog,
    sandbox::provision,
};

use crate::{
    cli::{
        engine,
        exit::{CliResult, machine},
        images::LabsOption,
    },
    clock::Clock,
    live::images::Images,
    random::{Random, hex},
};

const OWNER: &str = "content";
/// No run of a lesson takes as long; what is older was left by one that was killed.
const LIFETIME: Duration = Duration::from_hours(2);

pub(super) struct Sandboxes {
    engine: DockerEngine,
    catalog: Catalog,
    images: Images,
    /// Tells this run's sandboxes from those of another.
    name: String,
    /// Not destroyed yet.
    open: Mutex<Vec<SandboxId>>,
}

/// A sandbox of one lesson.
pub(super) struct Sandbox {
    id: SandboxId,
    pub(super) link: AgentLink,
    pub(super) machines: Vec<String>,
    /// The student's own.
    pub(super) host: String,
}

impl Sandboxes {
    pub(super) async fn open(labs: &LabsOption) -> CliResult<Self> {
        let installed = labs.installed();
        let catalog = installed.catalog().map_err(machine)?;
        let images = installed.images(&catalog).map_err(machine)?;
        let engine = engine::connect(OWNER).await?;
        let now = Clock::system().now().to_datetime();
        for left in engine.list().await.map_err(machine)?.into_iter().filter(|found| found.expires < now) {
            engine.destroy(&left.id).await.map_err(machine)?;
        }
        let [a, b, c, d] = Random::system().bytes();
        Ok(Self { engine, catalog, images, name: hex(&[a, b, c, d]), open: Mutex::default() })
    }

    /// Why there is none is a sentence.
    pub(super) async fn fresh(&self, number: usize, lab: &str) -> Result<Sandbox, String> {
        let lab = self.catalog.lab(lab).ok_or_else(|| format!("there is no lab `{lab}`"))?;
        let host = lab.host().ok_or_else(|| format!("the lab `{}` has no docker host", lab.id))?;
        let image = self.images.of(lab.id.as_str()).ok_or_else(|| format!("the lab `{}` has no image", lab.id))?;
        if !self.engine.has_image(image).await.map_err(|error| error.to_string())? {
            return Err(format!("the image {image} is not built. Build it: bulkhead images build"));
        }
        let id = format!("content-{}-{number}", self.name);
        let id = SandboxId::parse(&id).ok_or_else(|| format!("`{id}` cannot name a sandbox"))?;
        let variables = Variables::derive(&CourseKey::new(OWNER), OWNER, &lab.id, 1, &lab.variables);
        let expires = Clock::system().now().plus(LIFETIME).to_datetime();
        let plan = lab.plan(id.clone(), OWNER, 1, expires, image, &variables);
        self.opened().push(id.clone());
        let ready = provision(&self.engine, &plan, &|_| ()).await.map_err(|error| error.to_string())?;
        let machines = lab.machines.iter().map(|machine| machine.name.to_string()).collect();
        Ok(Sandbox { id, link: ready.link, machines, host: host.name.to_string() })
    }

    pub(super) async fn end(&self, sandbox: Sandbox) -> Result<(), String> {
        self.engine.destroy(&sandbox.id).await.map_err(|error| error.to_string())?;
        self.opened().retain(|id| *id != sandbox.id);
        Ok(())
    }

    /// Takes away what an interruption left.
    pub(super) async fn clear(&self) {
        let left: Vec<SandboxId> = self.opened().drain(..).collect();
        for id in left {
            if let Err(error) = self.engine.destroy(&id).await {
                tracing::error!(sandbox = %id, %error, "left behind");
            }
        }
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Vec<SandboxId>> {
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
