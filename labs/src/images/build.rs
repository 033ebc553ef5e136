//! Runs the steps of a plan that an engine has not done yet.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bollard::{
    Docker,
    models::ImageSummary,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures::{StreamExt, TryStreamExt};
use time::OffsetDateTime;

use super::{
    bake, base, dockerfile,
    engine::{LABEL, Still, import, is_missing, refused, repository_and_tag, sweep},
    error::{ImagesError, blame},
    plain,
    plan::{Plan, Step, Work},
    preload::{self, LabImage},
    progress::{Event, Progress},
    source::Content,
    stream::{counted, through},
};
use crate::engine::SandboxEngine;

/// An import answers only when the last byte is in, and the first step downloads Debian.
const PATIENCE: Duration = Duration::from_mins(30);

/// One step of a plan on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    /// Without the hash.
    pub name: String,
    pub image: String,
    pub present: bool,
    /// As the engine counts, shared layers included.
    pub bytes: Option<u64>,
}

/// Makes every image of the plan that is not there yet, in order.
///
/// `sandboxes` runs the temporary sandbox in which a lab's images are preloaded; it is on the same engine.
/// A tag appears only when its image is whole, so a call that was cut off is repaired by the next one.
pub async fn build(
    docker: &Docker,
    sandboxes: &dyn SandboxEngine,
    plan: &Plan,
    progress: Arc<dyn Progress>,
) -> Result<(), ImagesError> {
    let docker = docker.clone().with_timeout(PATIENCE);
    let present = status(&docker, plan).await?;
    if present.iter().any(|status| !status.present) {
        sweep(&docker, OffsetDateTime::now_utc().unix_timestamp()).await?;
    }
    for (number, (step, status)) in plan.steps.iter().zip(present).enumerate() {
        let report = Reporter { progress: Arc::clone(&progress), step };
        if status.present {
            progress.event(Event::Present { step: &step.name, image: &step.image });
            continue;
        }
        progress.event(Event::Started { step: &step.name, number: number + 1, of: plan.steps.len() });
        let started = Instant::now();
        run(&docker, sandboxes, &report, step).await?;
        progress.event(Event::Finished { step: &step.name, image: &step.image, took: started.elapsed() });
    }
    Ok(())
}

async fn run(
    docker: &Docker,
    sandboxes: &dyn SandboxEngine,
    report: &Reporter<'_>,
    step: &Step,
) -> Result<(), ImagesError> {
    match &step.work {
        Work::Bootstrap => base::bootstrap(docker, report, &step.image).await,
        Work::Pull => pull(docker, report, &step.image).await,
        Work::Dockerfile { context, tools, arguments, kind } => {
            let mut context = Cow::Borrowed(context);
            for tool in tools {
                let name = tool.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let why = |error| ImagesError::failed(report.step(), format!("{}: {error}", tool.display()));
                context.to_mut().insert(name, tokio::fs::read(tool).await.map_err(why)?.into());
            }
            dockerfile::build(docker, report, &step.image, &context, arguments, kind).await
        }
        Work::Bake { machine, agent } => bake_image(docker, report, &step.image, machine, agent.clone()).await,
        Work::Plain { below, machine, id_base } => {
            plain::build(docker, report, &step.image, below, machine, *id_base).await
        }
        Work::Lab { host, preload, planted } => {
            let lab = LabImage { image: &step.image, host, preload, planted };
            preload::build(docker, sandboxes, report, lab).await
        }
    }
}

async fn pull(docker: &Docker, report: &Reporter<'_>, image: &str) -> Result<(), ImagesError> {
    let (name, tag) = repository_and_tag(image);
    let mut options = CreateImageOptionsBuilder::new().from_image(image);
    if !image.contains('@') {
        options = options.from_image(name).tag(tag);
    }
    let mut answers = Box::pin(docker.create_image(Some(options.build()), None, None));
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(refused(report.step(), "pull it"))?;
        if let Some(message) = answer.error_detail.and_then(|detail| detail.message) {
            return Err(ImagesError::failed(report.step(), message));
        }
        report.line(&answer.status.unwrap_or_default());
    }
    Ok(())
}

async fn bake_image(
    docker: &Docker,
    report: &Reporter<'_>,
    image: &str,
    machine: &str,
    agent: Content,
) -> Result<(), ImagesError> {
    let step = report.step();
    let still = Still::create(docker, step, machine).await?;
    let export = docker.export_container(&still.id).map_err(io::Error::other);
    let (tar, outcome) = through(export, move |read, write| bake::bake(read, write, &agent));
    let changes = vec!["ENTRYPOINT [\"/bulkhead/agent\",\"boot\"]".to_owned(), format!("LABEL {LABEL}=docker-host")];
    let imported = import(docker, step, image, changes, counted(tar, report.bytes())).await;
    let baked = blame(step, outcome.await, imported);
    still.remove(baked).await
}

/// Which steps of the plan are done.
pub async fn status(docker: &Docker, plan: &Plan) -> Result<Vec<ImageStatus>, ImagesError> {
    let sizes: HashMap<String, u64> = ours(docker)
        .await?
        .into_iter()
        .flat_map(|image| image.repo_tags.into_iter().map(move |tag| (tag, u64::try_from(image.size).unwrap_or(0))))
        .collect();
    let mut found = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let bytes = match step.work {
            // Not ours, so it does not carry our label.
            Work::Pull => match docker.inspect_image(&step.image).await {
                Ok(image) => Some(image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)),
                Err(error) if is_missing(&error) => None,
                Err(error) => return Err(refused(&step.name, "look for it")(error)),
            },
            _ => sizes.get(&step.image).copied(),
        };
        found.push(ImageStatus { name: step.name.clone(), image: step.image.clone(), present: bytes.is_some(), bytes });
    }
    Ok(found)
}

/// Removes tags of ours that the plan does not name, but for those that a container still uses. Returns
/// what went.
pub async fn prune(docker: &Docker, plan: &Plan) -> Result<Vec<String>, ImagesError> {
    let mut gone = Vec::new();
    let tags = ours(docker).await?.into_iter().flat_map(names);
    for tag in stale(tags.collect(), plan) {
        let options = RemoveImageOptionsBuilder::new().build();
        match docker.remove_image(&tag, Some(options), None).await {
            Ok(_) => gone.push(tag),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
            Err(error) => return Err(refused(&tag, "remove it")(error)),
        }
    }
    Ok(gone)
}

/// What to ask the engine to remove: the image's tags, or itself where a newer build took them away.
fn names(image: ImageSummary) -> Vec<String> {
    let tags: Vec<String> = image.repo_tags.into_iter().filter(|tag| !tag.contains("<none>")).collect();
    if tags.is_empty() { vec![image.id] } else { tags }
}

/// Labs first: they lie on what comes after them.
fn stale(mut tags: Vec<String>, plan: &Plan) -> Vec<String> {
    let kept: HashSet<&str> = plan.steps.iter().map(|step| step.image.as_str()).collect();
    tags.retain(|tag| !kept.contains(tag.as_str()));
    tags.sort_by_key(|tag| !tag.contains("/lab-"));
    tags
}

async fn ours(docker: &Docker) -> Result<Vec<ImageSummary>, ImagesError> {
    let options = ListImagesOptionsBuilder::new().filters(&HashMap::from([("label", vec![LABEL])])).build();
    docker.list_images(Some(options)).await.map_err(refused("list", "list images"))
}

/// Progress of one step.
pub(super) struct Reporter<'a> {
    progress: Arc<dyn Progress>,
    step: &'a Step,
}

impl Reporter<'_> {
    pub(super) fn step(&self) -> &str {
        &self.step.name
    }
    pub(super) fn line(&self, line: &str) {
        if !line.is_empty() {
            self.progress.event(Event::Line { step: &self.step.name, line });
        }
    }
    /// For a stream that outlives this borrow.
    pub(super) fn bytes(&self) -> impl Fn(u64) + Send + 'static {
        let (progress, step) = (Arc::clone(&self.progress), self.step.name.clone());
        move |bytes| progress.event(Event::Bytes { step: &step, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::{BaseSource, Files, LabSource, Sources, plan};

    #[test]
    fn an_image_without_a_tag_goes_by_its_id() {
        let image = |tags: &[&str]| ImageSummary {
            id: "sha256:1".into(),
            repo_tags: tags.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        assert_eq!(names(image(&[])), ["sha256:1"]);
        assert_eq!(names(image(&["<none>:<none>"])), ["sha256:1"]);
        assert_eq!(names(image(&["bulkhead/base:1"])), ["bulkhead/base:1"]);
    }

    #[test]
    fn prune_spares_what_the_plan_names() {
        let program = |name: &str| (name.to_owned(), name.as_bytes().to_vec().into());
        let plan = plan(&Sources {
            base: BaseSource::Bootstrap,
            machine: Files::from([program("Dockerfile")]),
            plain: Files::new(),
            stock: Files::new(),
            programs: [program("agent"), program("init")].into(),
            tools: "tools".into(),
            labs: vec![LabSource { id: "x".into(), machines: Vec::new(), fixtures: Files::new() }],
        })
        .unwrap();
        let mut tags: Vec<String> = plan.steps.iter().map(|step| step.image.clone()).collect();
        tags.extend(["bulkhead/docker-host:old".to_owned(), "bulkhead/lab-x:old".to_owned()]);
        assert_eq!(stale(tags, &plan), ["bulkhead/lab-x:old", "bulkhead/docker-host:old"]);
    }
}
