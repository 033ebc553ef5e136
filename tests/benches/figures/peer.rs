//! The engine without Bulkhead: the same container, started raw; a plain container of the student's machine.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine as _, SandboxId},
    link::AgentLink,
};
use tokio::time::sleep;

pub(crate) async fn docker() -> Result<Docker> {
    Ok(Docker::connect_with_defaults()?.negotiate_version().await?)
}

/// What a running sandbox was made of, to be made again by hand.
pub(crate) async fn shape_of(docker: &Docker, sandbox: &str) -> Result<ContainerCreateBody> {
    let label = format!("bulkhead.sandbox={sandbox}");
    let filters = std::collections::HashMap::from([("label", vec![label.as_str()])]);
    let found = docker.list_containers(Some(ListContainersOptionsBuilder::new().filters(&filters).build())).await?;
    let id = found.first().and_then(|container| container.id.clone()).context("the sandbox has no container")?;
    let inspect = docker.inspect_container(&id, None).await?;
    let config = inspect.config.context("no config")?;
    Ok(ContainerCreateBody {
        image: config.image,
        env: config.env,
        host_config: inspect.host_config,
        ..Default::default()
    })
}

/// Create and start → the agent answers, → the engine inside answers.
pub(crate) async fn raw_start(
    docker: &Docker,
    shape: &ContainerCreateBody,
    round: usize,
) -> Result<(Duration, Duration)> {
    let engine = DockerEngine::connect("figures", None).await?;
    let id = SandboxId::parse(&format!("raw-{round}")).context("an id")?;
    let name = engine.container_name(&id);
    let start = Instant::now();
    docker.create_container(Some(CreateContainerOptionsBuilder::new().name(&name).build()), shape.clone()).await?;
    let times = async {
        docker.start_container(&name, None).await?;
        let link = loop {
            if let Ok(stream) = engine.connect(&id).await
                && let Ok(link) = AgentLink::open(stream).await
            {
                break link;
            }
            if start.elapsed() > Duration::from_secs(30) {
                bail!("the raw container's agent does not answer");
            }
            sleep(Duration::from_millis(5)).await;
        };
        let agent = start.elapsed();
        while !link.status().await?.machines.iter().any(|machine| machine.engine) {
            if start.elapsed() > Duration::from_secs(30) {
                bail!("the raw container's engine does not answer");
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok((agent, start.elapsed()))
    }
    .await;
    remove(docker, &name).await?;
    times
}

/// A plain container of the student's machine, not baked: a shell, and no Bulkhead.
pub(crate) async fn plain(docker: &Docker) -> Result<String> {
    let images = docker.list_images(None::<bollard::query_parameters::ListImagesOptions>).await?;
    let image = images
        .iter()
        .flat_map(|image| &image.repo_tags)
        .find(|tag| tag.starts_with("bulkhead/machine:"))
        .context("no bulkhead/machine image")?;
    let body = ContainerCreateBody {
        image: Some(image.clone()),
        entrypoint: Some(vec!["sleep".into()]),
        cmd: Some(vec!["600".into()]),
        host_config: Some(HostConfig { network_mode: Some("none".into()), ..Default::default() }),
        ..Default::default()
    };
    let id = docker.create_container(None, body).await?.id;
    docker.start_container(&id, None).await?;
    Ok(id)
}

pub(crate) async fn remove(docker: &Docker, container: &str) -> Result<()> {
    Ok(docker.remove_container(container, Some(RemoveContainerOptionsBuilder::new().force(true).build())).await?)
}

/// `docker exec -i` or, with a terminal, `docker exec -it`.
pub(crate) async fn exec(docker: &Docker, container: &str, command: &[&str], tty: bool) -> Result<StartExecResults> {
    let options = CreateExecOptions {
        cmd: Some(command.iter().map(|&word| word.to_owned()).collect()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        tty: Some(tty),
        ..Default::default()
    };
    let exec = docker.create_exec(container, options).await?;
    Ok(docker
        .start_exec(&exec.id, Some(StartExecOptions { tty, output_capacity: Some(64 * 1024), ..Default::default() }))
        .await?)
}
