//! The lab's image, and one sandbox of it for each test.

use std::{
    collections::BTreeMap,
    fs::File,
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{Exec, ExecResult},
};
use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine, SandboxId},
    grade::{CourseKey, Variables},
    images::{self, BASE_VARIABLE, BaseSource, LabSource, Silent, Sources},
    link::AgentLink,
    manifest::{Catalog, Files, Lab, read_dir},
    sandbox::provision,
};
use futures::FutureExt;
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};

/// Time for what takes a moment; only what is broken takes as long.
const PATIENCE: Duration = Duration::from_secs(30);
const LAB: &str = "neighbours";

pub(crate) struct Sandbox {
    pub(crate) link: AgentLink,
    pub(crate) flag: String,
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn lab() -> (Lab, Files) {
    let files = read_dir(&folder("tests/several/lab")).expect("the lab's files");
    let catalog = Catalog::parse(&files);
    assert_eq!(catalog.diagnostics(), [], "the lab holds");
    (catalog.lab(LAB).expect("the lab").clone(), files)
}

fn sources(lab: &Lab, files: &Files) -> Result<Sources, String> {
    let programs = std::env::var_os("BULKHEAD_TEST_PROGRAMS")
        .map_or_else(|| folder("../target/static/x86_64-unknown-linux-gnu/static"), PathBuf::from);
    let program = |name: &str| {
        let path = programs.join(name);
        std::fs::read(&path)
            .map(|bytes| (name.to_owned(), bytes.into()))
            .map_err(|why| format!("{}: {why}", path.display()))
    };
    let below = |prefix: &str| {
        let inside =
            |(path, bytes): (&String, &Vec<u8>)| Some((path.strip_prefix(prefix)?.to_owned(), bytes.clone().into()));
        files.iter().filter_map(inside).collect()
    };
    let read = |path| match read_dir(&folder(path)) {
        Ok(files) => Ok(files.into_iter().map(|(path, bytes)| (path, bytes.into())).collect()),
        Err(why) => Err(why.to_string()),
    };
    let base = std::env::var(BASE_VARIABLE).ok().filter(|image| !image.is_empty());
    Ok(Sources {
        base: base.map_or(BaseSource::Bootstrap, BaseSource::Image),
        machine: read("images/docker-host")?,
        plain: read("images/plain")?,
        stock: read("images/stock")?,
        programs: [program("agent")?, program("init")?].into(),
        tools: folder("../target/tools"),
        labs: vec![LabSource {
            id: LAB.to_owned(),
            machines: lab.machines.iter().map(|machine| (machine.name.to_string(), machine.kind)).collect(),
            fixtures: below(&format!("{LAB}/fixtures/")),
        }],
    })
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Builds what is not there yet, one test at a time.
async fn image(engine: &DockerEngine, lab: &Lab, files: &Files) -> Result<String, String> {
    let lock = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("several.lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let plan = images::plan(&sources(lab, files)?).map_err(|error| error.to_string())?;
    images::build(engine.docker(), engine, &plan, Arc::new(Silent)).await.map_err(|error| error.to_string())?;
    plan.lab_image(LAB).map(str::to_owned).ok_or_else(|| "the lab has no image".to_owned())
}

/// Runs the case in a ready sandbox where there is an engine, and takes it away even when it panicked.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) async fn with_sandbox(test: &str, case: impl AsyncFnOnce(&Sandbox)) {
    let (lab, files) = lab();
    let found = async {
        // Each test takes away all that is its installation's, and they may share a process.
        let instance = format!("s{:x}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let engine = DockerEngine::connect(&instance, None).await.map_err(|error| error.to_string())?;
        let image = image(&engine, &lab, &files).await?;
        Ok::<_, String>((engine, image))
    };
    let (engine, image) = match found.await {
        Ok(found) => found,
        Err(why) if std::env::var("BULKHEAD_TEST_ENGINE").as_deref() == Ok("required") => {
            panic!("BULKHEAD_TEST_ENGINE=required, but {why}")
        }
        Err(why) => return println!("SKIPPED on Docker: {why}"),
    };
    let id = SandboxId::parse(test).expect("an id");
    let variables = Variables::derive(&CourseKey::new([7; 32]), "student-1", &lab.id, 1, &lab.variables);
    let expires = OffsetDateTime::from_unix_timestamp(1_900_000_000).expect("a time");
    let plan = lab.plan(id, "student-1", 1, expires, &image, &variables);
    let run = async {
        let ready = provision(&engine, &plan, &|_| {}).await.expect("a ready sandbox");
        let environment: BTreeMap<_, _> = variables.environment().into_iter().collect();
        let flag = environment["BULKHEAD_FLAG"].clone();
        case(&Sandbox { link: ready.link, flag }).await;
    };
    let result = AssertUnwindSafe(run).catch_unwind().await;
    for left in engine.list().await.expect("a list") {
        engine.destroy(&left.id).await.expect("removed");
    }
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

impl Sandbox {
    pub(crate) async fn run(&self, machine: &str, uid: u32, script: &str) -> ExecResult {
        let exec = Exec {
            machine: machine.to_owned(),
            uid,
            argv: ["/bin/bash", "-c", script].map(str::to_owned).to_vec(),
            env: Vec::new(),
            stdin: String::new(),
            timeout_ms: 20_000,
            limit: 64 * 1024,
        };
        self.link.exec(exec).await.expect("an exec that runs")
    }

    /// What it prints as root there, having ended well.
    pub(crate) async fn says(&self, machine: &str, script: &str) -> String {
        let done = self.run(machine, 0, script).await;
        assert_eq!((done.code, done.timed_out), (0, false), "on {machine}: {script}: {done:?}");
        done.stdout.trim().to_owned()
    }

    /// As root there it ends badly, in time.
    pub(crate) async fn refuses(&self, machine: &str, script: &str) -> String {
        let done = self.run(machine, 0, script).await;
        assert!(done.code != 0 && !done.timed_out, "on {machine}: {script}: {done:?}");
        done.stderr
    }

    pub(crate) async fn look(&self, look: Look) -> Seen {
        self.link.observe(vec![look]).await.expect("the agent answers").pop().expect("an answer").expect("a sight")
    }
}

/// Asks again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let found = timeout(PATIENCE, async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
