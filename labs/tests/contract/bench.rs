//! An engine with an installation of its own.

use std::{
    collections::HashMap,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bollard::query_parameters::ListImagesOptionsBuilder;
use bulkhead_agent::{
    boot::{Boot, Interface, LAN, Machine, MachineKind},
    protocol::{Exec, ExecResult},
};
use bulkhead_labs::{
    engine::{CreateStep, DockerEngine, FakeEngine, Limits, Mode, SandboxEngine, SandboxId, SandboxSpec, Tier},
    link::AgentLink,
};
use time::OffsetDateTime;

pub(crate) const MIB: u64 = 1024 * 1024;
/// Time for what takes a moment; only a broken engine takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Makes names and owner ids differ within a test process. The ids are far from what real sandboxes get.
static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
pub(crate) enum Kind {
    Fake(FakeEngine),
    Docker(DockerEngine),
}

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) kind: Kind,
    pub(crate) image: String,
}

impl Bench {
    pub(crate) fn fake() -> Self {
        Self { kind: Kind::Fake(FakeEngine::new()), image: "bulkhead/docker-host:test".to_owned() }
    }

    pub(crate) fn engine(&self) -> &dyn SandboxEngine {
        match &self.kind {
            Kind::Fake(engine) => engine,
            Kind::Docker(engine) => engine,
        }
    }

    pub(crate) fn inject(&self, step: CreateStep, mode: Mode) {
        match &self.kind {
            Kind::Fake(engine) => engine.inject(step, mode),
            Kind::Docker(engine) => engine.inject(step, mode),
        }
    }

    /// Ends a sandbox behind the engine's back.
    pub(crate) async fn kill(&self, id: &SandboxId) {
        match &self.kind {
            Kind::Fake(engine) => engine.kill(id),
            Kind::Docker(engine) => {
                let options = bollard::query_parameters::KillContainerOptionsBuilder::default().signal("KILL").build();
                engine
                    .docker()
                    .kill_container(&engine.container_name(id), Some(options))
                    .await
                    .expect("a running container");
                let mut ends = engine.docker().wait_container(&engine.container_name(id), None);
                let _code = futures::StreamExt::next(&mut ends).await;
            }
        }
    }

    /// A small machine with an engine, and a probe beside it.
    pub(crate) fn spec(&self, id: &str) -> SandboxSpec {
        let id = SandboxId::parse(id).expect("an id");
        let machine = |name: &str, kind, number: u8, memory_mib: u64, disk_mib: u64| Machine {
            name: name.to_owned(),
            kind,
            id_base: u32::from(number) * 100_000,
            interfaces: vec![Interface::lan([10, 77, 0, number + 1])],
            routes: Vec::new(),
            ip_forward: false,
            memory_bytes: memory_mib * MIB,
            pids: 256,
            disk_bytes: disk_mib * MIB,
        };
        let owner_uid =
            0x6800_0000 + (std::process::id() % 0x10_0000) * 16 + COUNT.fetch_add(1, Ordering::Relaxed) % 16;
        SandboxSpec {
            owner: "student-1".to_owned(),
            lab: "contract".to_owned(),
            generation: 1,
            expires: OffsetDateTime::from_unix_timestamp_nanos(1_900_000_000_123_000_000).expect("a time"),
            image: self.image.clone(),
            limits: Limits { memory_bytes: (640 + 64 + 64) * MIB, pids: 576, milli_cpus: 1000 },
            boot: Boot {
                sandbox: id.to_string(),
                generation: 1,
                owner_uid,
                networks: vec![LAN.to_owned()],
                machines: vec![
                    machine("host", MachineKind::DockerHost, 1, 640, 128),
                    machine("probe", MachineKind::Probe, 2, 64, 0),
                ],
            },
            id,
            tier: Tier::Userns,
        }
    }

    /// Creates it and opens a link.
    pub(crate) async fn start(&self, spec: &SandboxSpec) -> AgentLink {
        self.engine().create(spec).await.expect("a sandbox");
        self.link(&spec.id).await
    }

    pub(crate) async fn link(&self, id: &SandboxId) -> AgentLink {
        AgentLink::open(self.engine().connect(id).await.expect("a stream")).await.expect("a link")
    }

    pub(crate) async fn assert_nothing_left(&self) {
        let left = self.engine().list().await.expect("a list");
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

pub(crate) async fn run(link: &AgentLink, machine: &str, script: &str) -> ExecResult {
    link.exec(exec(machine, &["/bin/sh", "-c", script])).await.expect("an exec that runs")
}

pub(crate) fn exec(machine: &str, argv: &[&str]) -> Exec {
    Exec {
        machine: machine.to_owned(),
        uid: 0,
        argv: argv.iter().map(ToString::to_string).collect(),
        env: Vec::new(),
        stdin: String::new(),
        timeout_ms: 20_000,
        limit: 64 * 1024,
    }
}

pub(crate) async fn on_fake<F>(case: impl FnOnce(Arc<Bench>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    on(Bench::fake(), case).await;
}

pub(crate) async fn on_docker<F>(case: impl FnOnce(Arc<Bench>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if let Some(bench) = docker().await {
        on(bench, case).await;
    }
}

/// Runs the case, and takes away what it left even when it panicked.
async fn on<F>(bench: Bench, case: impl FnOnce(Arc<Bench>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let bench = Arc::new(bench);
    let result = tokio::spawn(case(Arc::clone(&bench))).await;
    for left in bench.engine().list().await.expect("a list") {
        bench.engine().destroy(&left.id).await.expect("removed");
    }
    if let Err(error) = result {
        resume_unwind(error.into_panic());
    }
}

/// `None`, with the reason printed, where there is no engine or image.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) async fn docker() -> Option<Bench> {
    let instance = format!("t{:x}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let found = async {
        let engine = DockerEngine::connect(&instance, None).await.map_err(|error| error.to_string())?;
        let image = image(&engine).await?;
        Ok::<_, String>(Bench { kind: Kind::Docker(engine), image })
    };
    match found.await {
        Ok(bench) => Some(bench),
        Err(why) if std::env::var("BULKHEAD_TEST_ENGINE").as_deref() == Ok("required") => {
            panic!("BULKHEAD_TEST_ENGINE=required, but {why}")
        }
        Err(why) => {
            println!("SKIPPED on Docker: {why}");
            None
        }
    }
}

async fn image(engine: &DockerEngine) -> Result<String, String> {
    if let Ok(image) = std::env::var("BULKHEAD_TEST_IMAGE") {
        return match engine.has_image(&image).await {
            Ok(true) => Ok(image),
            Ok(false) => Err(format!("BULKHEAD_TEST_IMAGE={image} is not on this engine")),
            Err(error) => Err(error.to_string()),
        };
    }
    let only = HashMap::from([("reference".to_owned(), vec!["bulkhead/docker-host".to_owned()])]);
    let options = ListImagesOptionsBuilder::default().filters(&only).build();
    let mut images = engine.docker().list_images(Some(options)).await.map_err(|error| error.to_string())?;
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    let newest = images.into_iter().flat_map(|image| image.repo_tags).next();
    newest.ok_or_else(|| "there is no image bulkhead/docker-host; `bulkhead images build` makes it".to_owned())
}
