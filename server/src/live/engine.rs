//! An engine that need not answer when the server starts. Lessons are served without it; the first call that it answers
//! connects it for good.

use async_trait::async_trait;
use bulkhead_labs::engine::{
    Capabilities, DockerEngine, Duplex, EngineError, SandboxEngine, SandboxId, SandboxSpec, SandboxSummary,
};
use tokio::sync::OnceCell;

pub struct LateEngine {
    instance: String,
    connected: OnceCell<DockerEngine>,
    /// What is known of an engine that never answered: nothing.
    unknown: Capabilities,
}

impl LateEngine {
    /// `instance` as for [`DockerEngine::connect`].
    pub fn new(instance: String) -> Self {
        let unknown = Capabilities {
            engine: String::new(),
            version: String::new(),
            api_version: String::new(),
            cgroup_version: 0,
            kernel: String::new(),
            tiers: Vec::new(),
            details: std::collections::BTreeMap::new(),
        };
        Self { instance, connected: OnceCell::new(), unknown }
    }

    /// Connects if that has not happened yet.
    pub async fn engine(&self) -> Result<&DockerEngine, EngineError> {
        self.connected.get_or_try_init(|| DockerEngine::connect(&self.instance, None)).await
    }
}

#[async_trait]
impl SandboxEngine for LateEngine {
    fn capabilities(&self) -> &Capabilities {
        self.connected.get().map_or(&self.unknown, SandboxEngine::capabilities)
    }

    fn instance(&self) -> &str {
        &self.instance
    }

    async fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        self.engine().await?.has_image(image).await
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError> {
        self.engine().await?.create(spec).await
    }

    async fn status(&self, id: &SandboxId) -> Result<Option<SandboxSummary>, EngineError> {
        self.engine().await?.status(id).await
    }

    async fn connect(&self, id: &SandboxId) -> Result<Duplex, EngineError> {
        self.engine().await?.connect(id).await
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError> {
        self.engine().await?.destroy(id).await
    }

    async fn list(&self) -> Result<Vec<SandboxSummary>, EngineError> {
        self.engine().await?.list().await
    }
}
