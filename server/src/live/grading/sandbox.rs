//! How a sandbox is looked at: over its hub's link, whichever is open at the moment.

use std::sync::Arc;

use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::Fault,
};
use bulkhead_labs::{
    grade::{ObserveError, Observer, RestartError, Restarter},
    manifest::MachineName,
};

use crate::live::terminals::Hub;

pub(crate) struct Watched(Arc<Hub>);

impl Watched {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[async_trait]
impl Observer for Watched {
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
        let link = self.0.link().await.map_err(|error| ObserveError(error.to_string()))?;
        Observer::observe(&link, looks).await
    }
}

#[async_trait]
impl Restarter for Watched {
    async fn restart_engine(&self, machine: &MachineName, containers: bool) -> Result<(), RestartError> {
        let link = self.0.link().await.map_err(|error| RestartError::Unreachable(error.to_string()))?;
        link.restart_engine(machine, containers).await
    }
}
