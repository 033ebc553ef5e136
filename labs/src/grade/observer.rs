//! Where looks are taken.

use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::Fault,
};

/// One request to the sandbox's agent. What one look meets is in its own result; this is the way to all of them.
#[async_trait]
pub trait Observer: Send + Sync {
    /// Answers in order, one for each look.
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError>;
}

/// The agent did not answer at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox's agent did not answer: {0}")]
pub struct ObserveError(pub String);
