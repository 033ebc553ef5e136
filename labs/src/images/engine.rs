//! The engine calls that several steps share.

use std::{collections::HashMap, io};

use bollard::{
    Docker, body_try_stream,
    errors::Error,
    models::{ContainerConfig, ContainerCreateBody},
    query_parameters::{
        CommitContainerOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
        RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
    },
};
use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::error::{ImagesError, Tail};

/// Label of every image of ours; its value is the kind.
pub(super) const LABEL: &str = "bulkhead.image";
/// Label of a [`Still`].
const TEMPORARY: &str = "bulkhead.temporary";
/// No step takes as long; a [`Still`] of that age was left by a process that died.
const ABANDONED_AFTER: i64 = 2 * 60 * 60;

pub(super) fn refused(step: &str, what: &'static str) -> impl FnOnce(Error) -> ImagesError {
    let step = step.to_owned();
    move |cause| ImagesError::Engine { step, what, cause: Box::new(cause), log: Tail::default() }
}

pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Splits `repository:tag`, minding a registry's port.
pub(super) fn repository_and_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (image, "latest"),
    }
}

/// One layer from a tar stream. The tag appears only when all of it arrived.
pub(super) async fn import(
    docker: &Docker,
    step: &str,
    image: &str,
    changes: Vec<String>,
    tar: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Result<(), ImagesError> {
    let (repository, tag) = repository_and_tag(image);
    let options = CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(tag).changes(changes).build();
    let mut answers = Box::pin(docker.create_image(Some(options), Some(body_try_stream(tar)), None));
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(refused(step, "import it"))?;
        if let Some(message) = answer.error_detail.and_then(|detail| detail.message) {
            return Err(ImagesError::failed(step, message));
        }
    }
    Ok(())
}

/// Makes an image of a container, to run the agent.
pub(super) async fn commit(
    docker: &Docker,
    step: &str,
    container: &str,
    image: &str,
    kind: &str,
) -> Result<(), ImagesError> {
    let (repository, tag) = repository_and_tag(image);
    let options = CommitContainerOptionsBuilder::new().container(container).repo(repository).tag(tag).build();
    let config = ContainerConfig {
        entrypoint: Some(vec![bulkhead_agent::boot::AGENT_PATH.to_owned(), "boot".to_owned()]),
        labels: Some([(LABEL.to_owned(), kind.to_owned())].into()),
        ..Default::default()
    };
    docker.commit_container(options, config).await.map(drop).map_err(refused(step, "commit it"))
}

/// A container that is never started: a way to read an image, or to lay files on it.
pub(super) struct Still<'a> {
    docker: &'a Docker,
    step: &'a str,
    pub id: String,
}

impl<'a> Still<'a> {
    pub(super) async fn create(docker: &'a Docker, step: &'a str, image: &str) -> Result<Self, ImagesError> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // An image without a command cannot become a container; this one never runs.
            entrypoint: Some(vec!["/never".to_owned()]),
            network_disabled: Some(true),
            labels: Some([(TEMPORARY.to_owned(), "images".to_owned())].into()),
            ..Default::default()
        };
        let made = docker.create_container(None, body).await.map_err(refused(step, "make a container of it"))?;
        Ok(Self { docker, step, id: made.id })
    }

    /// Lays a tar of files on it.
    pub(super) async fn lay(
        &self,
        layer: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), ImagesError> {
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let uploaded = self.docker.upload_to_container(&self.id, Some(options), body_try_stream(layer)).await;
        uploaded.map_err(refused(self.step, "take the layer"))
    }

    /// Undoes [`Self::create`], whatever came of the work in between, whose result it hands on.
    pub(super) async fn remove<T>(self, work: Result<T, ImagesError>) -> Result<T, ImagesError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.docker.remove_container(&self.id, Some(options)).await;
        let done = work?;
        removed.map_err(refused(self.step, "remove the temporary container"))?;
        Ok(done)
    }
}

fn is_abandoned(made: Option<i64>, now: i64) -> bool {
    made.is_some_and(|made| made < now - ABANDONED_AFTER)
}

/// Removes what a build that was killed left, as seen from `now` (seconds of Unix time).
pub(super) async fn sweep(docker: &Docker, now: i64) -> Result<(), ImagesError> {
    let only = HashMap::from([("label", vec![TEMPORARY])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&only).build();
    let stills = docker.list_containers(Some(options)).await.map_err(refused("sweep", "list containers"))?;
    for still in stills.into_iter().filter(|still| is_abandoned(still.created, now)) {
        let Some(id) = still.id else { continue };
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match docker.remove_container(&id, Some(options)).await {
            Ok(()) => {}
            // Somebody else swept.
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(refused("sweep", "remove an abandoned container")(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_is_what_is_older_than_any_step() {
        assert!(is_abandoned(Some(1000), 1001 + ABANDONED_AFTER));
        assert!(!is_abandoned(Some(1000), 1000 + ABANDONED_AFTER));
        assert!(!is_abandoned(None, i64::MAX));
    }

    #[test]
    fn tags_are_split_from_repositories() {
        assert_eq!(repository_and_tag("bulkhead/base:12"), ("bulkhead/base", "12"));
        assert_eq!(repository_and_tag("registry.example:5000/debian"), ("registry.example:5000/debian", "latest"));
        assert_eq!(repository_and_tag("debian"), ("debian", "latest"));
    }
}
