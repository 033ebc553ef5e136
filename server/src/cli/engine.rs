//! The container engine, as a command wants it.

use bulkhead_labs::engine::DockerEngine;

use super::exit::{CliResult, machine};

/// Sandboxes that commands make are no server's.
pub(super) const INSTANCE: &str = "cli";

/// At `DOCKER_HOST`, or where engines usually listen.
pub(super) async fn connect(instance: &str) -> CliResult<DockerEngine> {
    DockerEngine::connect(instance, None).await.map_err(machine)
}
