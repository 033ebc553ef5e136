//! The image pipeline on a real engine, with a base of three files so that it takes no network and no time. Preloading
//! needs the real agent: `bulkhead lab test` proves it with every lab that has fixtures.
//!
//! Runs when an engine answers, and says so when none does. With `BULKHEAD_TEST_ENGINE=required` it must run.

use std::{
    collections::BTreeMap,
    io::Read,
    process,
    sync::{Arc, Mutex},
};

use bollard::{
    Docker, body_full,
    models::ContainerCreateBody,
    query_parameters::{CreateImageOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures::TryStreamExt;

use super::{plan::Work, *};
use crate::engine::DockerEngine;

struct Bench {
    engine: DockerEngine,
    base: String,
}

impl Bench {
    /// `None` where no engine answers.
    async fn new(test: &str) -> Option<Self> {
        let engine = match DockerEngine::connect("imagestest", None).await {
            Ok(engine) => engine,
            Err(why) => {
                let required = std::env::var("BULKHEAD_TEST_ENGINE").is_ok_and(|value| value == "required");
                assert!(!required, "{why}");
                eprintln!("not run: {why}");
                return None;
            }
        };
        let (repository, tag) = ("bulkhead-test/images", format!("{test}-{}", process::id()));
        let options = CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(&tag).build();
        let body = body_full(base_tar().into());
        engine.docker().create_image(Some(options), Some(body), None).try_collect::<Vec<_>>().await.unwrap();
        Some(Self { engine, base: format!("{repository}:{tag}") })
    }

    fn plan(&self, dockerfile: &str) -> Plan {
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec().into());
        let sources = Sources {
            base: BaseSource::Image(self.base.clone()),
            machine: Files::from([file("Dockerfile", dockerfile), file("etc/motd", "hello\n")]),
            plain: Files::new(),
            stock: Files::new(),
            programs: Files::from([file("agent", "#!agent"), file("init", "#!init")]),
            tools: "tools".into(),
            labs: Vec::new(),
        };
        let mut plan = plan(&sources).unwrap();
        // Under names that nobody takes for a real sandbox image.
        let apart = |image: &mut String| *image = image.replace("bulkhead/", "bulkhead-test/");
        for step in &mut plan.steps {
            apart(&mut step.image);
            if let Work::Bake { machine, .. } = &mut step.work {
                apart(machine);
            }
        }
        plan
    }

    async fn build(&self, plan: &Plan) -> (Result<(), String>, Vec<String>) {
        let events = Arc::new(Events::default());
        let progress: Arc<dyn Progress> = events.clone();
        let built = build(self.engine.docker(), &self.engine, plan, progress).await;
        (built.map_err(|error| error.to_string()), events.0.lock().unwrap().clone())
    }

    async fn remove(&self, plan: &Plan) {
        for step in plan.steps.iter().rev() {
            let options = RemoveImageOptionsBuilder::new().build();
            // A step that failed has no image.
            let _ = self.engine.docker().remove_image(&step.image, Some(options), None).await;
        }
    }
}

#[derive(Default)]
struct Events(Mutex<Vec<String>>);

impl Progress for Events {
    fn event(&self, event: Event<'_>) {
        let told = match event {
            Event::Present { step, .. } => format!("present {step}"),
            Event::Started { step, number, of } => format!("started {number}/{of} {step}"),
            Event::Finished { step, .. } => format!("finished {step}"),
            Event::Line { .. } | Event::Bytes { .. } => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_built_and_baked_once() {
    let Some(bench) = Bench::new("once").await else { return };
    let plan = bench.plan("ARG BASE\nFROM ${BASE}\nCOPY init /sbin/init\nCOPY etc/motd /etc/motd\n");
    let (built, events) = bench.build(&plan).await;
    built.unwrap();
    let base = format!("present {}", bench.base);
    let made = ["bulkhead/machine", "bulkhead/docker-host"];
    let expected =
        made.iter().zip(2..).flat_map(|(step, n)| [format!("started {n}/3 {step}"), format!("finished {step}")]);
    assert_eq!(events, [base.clone()].into_iter().chain(expected).collect::<Vec<_>>());

    let found = status(bench.engine.docker(), &plan).await.unwrap();
    assert!(found.iter().all(|image| image.present && image.bytes.is_some()), "{found:?}");
    let (again, events) = bench.build(&plan).await;
    again.unwrap();
    assert_eq!(events, [base, format!("present {}", made[0]), format!("present {}", made[1])]);

    let image = bench.engine.docker().inspect_image(&plan.steps[2].image).await.unwrap();
    let entrypoint = image.config.and_then(|config| config.entrypoint);
    assert_eq!(entrypoint, Some(vec!["/bulkhead/agent".to_owned(), "boot".to_owned()]));

    let tree = tree(bench.engine.docker(), &plan.steps[2].image).await;
    let expected = [
        ("bulkhead/agent", 0, 0o755, "#!agent"),
        ("host/sbin/init", 100_000, 0o755, "#!init"),
        ("host/etc/motd", 100_000, 0o644, "hello\n"),
        ("host/bin/su", 100_000, 0o4755, "su"),
        ("host/home/student/notes", 101_000, 0o600, "mine"),
    ];
    for (path, uid, mode, content) in expected {
        assert_eq!(tree.get(path), Some(&(uid, mode, content.to_owned())), "{path}");
    }
    // Nobody but the build made these two, and they are the student's all the same.
    assert_eq!((tree["host/home"].0, tree["host/sbin"].0), (100_000, 100_000));
    bench.remove(&plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_fails_names_its_step_and_shows_the_log() {
    let Some(bench) = Bench::new("fails").await else { return };
    let plan = bench.plan("ARG BASE\nFROM ${BASE}\nCOPY etc/motd /etc/motd\nCOPY nowhere /etc/nowhere\n");
    let (built, _) = bench.build(&plan).await;
    let why = built.unwrap_err();
    assert!(why.starts_with("image bulkhead/machine: ") && why.contains("nowhere"), "{why}");
    assert!(why.contains("\n  Step 3/5 : COPY etc/motd /etc/motd"), "{why}");
    let found = status(bench.engine.docker(), &plan).await.unwrap();
    assert_eq!(found.iter().map(|image| image.present).collect::<Vec<_>>(), [true, false, false]);
    bench.remove(&plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_an_id_that_no_machine_has_stops_the_bake() {
    let Some(bench) = Bench::new("ids").await else { return };
    let plan = bench.plan("ARG BASE\nFROM ${BASE}\nCOPY --chown=70000:70000 etc/motd /motd\n");
    let (built, _) = bench.build(&plan).await;
    let why = built.unwrap_err();
    assert!(why.starts_with("image bulkhead/docker-host: ") && why.contains("host/motd belongs to id 70000"), "{why}");
    assert!(!status(bench.engine.docker(), &plan).await.unwrap()[2].present);
    bench.remove(&plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_spares_a_build_that_runs() {
    let Some(bench) = Bench::new("swept").await else { return };
    let docker = bench.engine.docker();
    let still = engine::Still::create(docker, "test", &bench.base).await.unwrap();
    let id = still.id.clone();
    engine::sweep(docker, time::OffsetDateTime::now_utc().unix_timestamp()).await.unwrap();
    assert!(docker.inspect_container(&id, None).await.is_ok());
    still.remove(Ok(())).await.unwrap();
    assert!(docker.inspect_container(&id, None).await.is_err());
    docker.remove_image(&bench.base, Some(RemoveImageOptionsBuilder::new().build()), None).await.unwrap();
}

/// `bin/su` and a home whose parents are not in the tar.
fn base_tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, mode, id, content) in [("bin/su", 0o4755, 0, "su"), ("home/student/notes", 0o600, 1000, "mine")] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_uid(id);
        header.set_gid(id);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Path → owner, mode, content.
async fn tree(docker: &Docker, image: &str) -> BTreeMap<String, (u64, u32, String)> {
    let body = ContainerCreateBody { image: Some(image.to_owned()), ..Default::default() };
    let made = docker.create_container(None, body).await.unwrap();
    let exported: Vec<_> = docker.export_container(&made.id).try_collect().await.unwrap();
    docker.remove_container(&made.id, Some(RemoveContainerOptionsBuilder::new().force(true).build())).await.unwrap();
    let bytes = exported.concat();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        (path, (entry.header().uid().unwrap(), entry.header().mode().unwrap() & 0o7777, content))
    });
    entries.collect()
}
