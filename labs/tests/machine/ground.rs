//! An engine with an installation of its own, and sandboxes on it.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, resume_unwind},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bollard::query_parameters::ListImagesOptionsBuilder;
use bulkhead_agent::{
    boot::MachineKind,
    look::{Look, Seen},
    protocol::{Exec, ExecResult, Fault, MachineStatus, Open, Size},
};
use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine, SandboxId},
    link::{AgentLink, Output},
    sandbox::{MachinePlan, Placement, SandboxPlan, Setup, provision},
};
use futures::FutureExt;
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};

pub(crate) const MIB: u64 = 1024 * 1024;
pub(crate) const MEMORY: u64 = 640 * MIB;
pub(crate) const DISK: u64 = 128 * MIB;
pub(crate) const PIDS: u32 = 256;
pub(crate) const SIZE: Size = Size { cols: 80, rows: 24 };
/// Time for what takes a moment; only what is broken takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

static COUNT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Ground {
    pub(crate) engine: DockerEngine,
    image: String,
}

pub(crate) struct Sandbox<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) id: SandboxId,
    pub(crate) link: AgentLink,
}

/// Runs the case where there is an engine, and takes away what it left even when it panicked.
pub(crate) async fn with(case: impl AsyncFnOnce(&Ground)) {
    let Some(ground) = Ground::find().await else { return };
    let result = AssertUnwindSafe(case(&ground)).catch_unwind().await;
    for left in ground.engine.list().await.expect("a list") {
        ground.engine.destroy(&left.id).await.expect("removed");
    }
    if let Err(panic) = result {
        resume_unwind(panic);
    }
    assert!(ground.engine.list().await.expect("a list").is_empty(), "something was left");
}

/// The same with one sandbox, ready, after this script.
pub(crate) async fn with_sandbox(setup: &str, case: impl AsyncFnOnce(&Sandbox<'_>)) {
    with(async |ground| case(&ground.sandbox("one", setup).await).await).await;
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

impl Ground {
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    async fn find() -> Option<Self> {
        let instance = format!("m{:x}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let found = async {
            let engine = DockerEngine::connect(&instance, None).await.map_err(|error| error.to_string())?;
            let image = image(&engine).await?;
            Ok::<_, String>(Self { engine, image })
        };
        match found.await {
            Ok(ground) => Some(ground),
            Err(why) if std::env::var("BULKHEAD_TEST_ENGINE").as_deref() == Ok("required") => {
                panic!("BULKHEAD_TEST_ENGINE=required, but {why}")
            }
            Err(why) => {
                println!("SKIPPED: {why}");
                None
            }
        }
    }

    pub(crate) fn plan(&self, id: &str, setup: &str) -> SandboxPlan {
        let machine = |name: &str, kind, memory_bytes, disk_bytes| MachinePlan {
            name: name.to_owned(),
            kind,
            memory_bytes,
            pids: PIDS,
            disk_bytes,
            placement: Placement::default(),
        };
        SandboxPlan {
            id: SandboxId::parse(id).expect("an id"),
            owner: "student-1".to_owned(),
            lab: "read-only-but-alive".to_owned(),
            generation: 1,
            expires: OffsetDateTime::from_unix_timestamp(1_900_000_000).expect("a time"),
            image: self.image.clone(),
            networks: Vec::new(),
            machines: vec![
                machine("host", MachineKind::DockerHost, MEMORY, DISK),
                machine("probe", MachineKind::Probe, 64 * MIB, 0),
            ],
            milli_cpus: 2000,
            setup: (!setup.is_empty())
                .then(|| Setup { machine: "host".to_owned(), script: setup.to_owned(), timeout: PATIENCE })
                .into_iter()
                .collect(),
            variables: BTreeMap::new(),
        }
    }

    pub(crate) async fn sandbox(&self, id: &str, setup: &str) -> Sandbox<'_> {
        let plan = self.plan(id, setup);
        let ready = provision(&self.engine, &plan, &|_| {}).await.expect("a ready sandbox");
        Sandbox { ground: self, id: plan.id, link: ready.link }
    }
}

async fn image(engine: &DockerEngine) -> Result<String, String> {
    if let Ok(image) = std::env::var("BULKHEAD_TEST_LAB_IMAGE") {
        return match engine.has_image(&image).await {
            Ok(true) => Ok(image),
            Ok(false) => Err(format!("BULKHEAD_TEST_LAB_IMAGE={image} is not on this engine")),
            Err(error) => Err(error.to_string()),
        };
    }
    let name = "bulkhead/lab-read-only-but-alive";
    let only = HashMap::from([("reference".to_owned(), vec![name.to_owned()])]);
    let options = ListImagesOptionsBuilder::default().filters(&only).build();
    let mut images = engine.docker().list_images(Some(options)).await.map_err(|error| error.to_string())?;
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    let newest = images.into_iter().flat_map(|image| image.repo_tags).next();
    newest.ok_or_else(|| format!("there is no image {name}; `bulkhead images build` makes it"))
}

impl Sandbox<'_> {
    /// A link of its own, as after the platform was away.
    pub(crate) async fn another_link(&self) -> AgentLink {
        AgentLink::open(self.ground.engine.connect(&self.id).await.expect("a stream")).await.expect("a link")
    }

    /// As root on the host, with bash.
    pub(crate) async fn run(&self, script: &str) -> ExecResult {
        self.link.exec(exec(&["/bin/bash", "-c", script])).await.expect("an exec that runs")
    }

    /// What it prints, having ended well.
    pub(crate) async fn says(&self, script: &str) -> String {
        let done = self.run(script).await;
        assert_eq!((done.code, done.timed_out), (0, false), "{script}: {done:?}");
        done.stdout.trim().to_owned()
    }

    /// Runs a Perl program in the background until it says that it is ready, by making `/run/ready`. It outlives
    /// callers that hang up.
    pub(crate) async fn serve(&self, perl: &str) {
        let start =
            "rm -f /run/ready; cat > /root/serve.pl; setsid perl /root/serve.pl < /dev/null > /root/serve.log 2>&1 &";
        let started = Exec { stdin: format!("$SIG{{PIPE}} = 'IGNORE'; {perl}"), ..exec(&["/bin/bash", "-c", start]) };
        assert_eq!(self.link.exec(started).await.expect("an exec that runs").code, 0);
        until("the Perl program is ready", async || {
            self.file("/run/ready").await.is_ok_and(|seen| seen != Seen::Missing).then_some(())
        })
        .await;
    }

    pub(crate) async fn look(&self, look: Look) -> Result<Seen, Fault> {
        self.link.observe(vec![look]).await.expect("the agent answers").pop().expect("an answer")
    }

    pub(crate) async fn file(&self, path: &str) -> Result<Seen, Fault> {
        self.look(file(path, None)).await
    }

    pub(crate) async fn engine(&self, path: &str) -> Result<Seen, Fault> {
        self.look(Look::Engine {
            machine: "host".to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            body: None,
            timeout_ms: 2_000,
            limit: 64 * 1024,
        })
        .await
    }

    /// The host, as the kernel has it.
    pub(crate) async fn host(&self) -> MachineStatus {
        let status = self.link.status().await.expect("a status");
        status.machines.into_iter().find(|machine| machine.name == "host").expect("a host")
    }

    /// What grading needs still works: the status, looks, and a new stream.
    pub(crate) async fn assert_can_be_graded(&self) {
        assert!(self.host().await.up);
        let process = Look::Process { machine: "host".to_owned(), pid: 1 };
        assert!(matches!(self.look(process).await, Ok(Seen::Process(_))));
        assert!(matches!(self.file("/etc/passwd").await, Ok(Seen::File(_))));
        self.another_link().await.status().await.expect("a status over a new stream");
    }
}

pub(crate) fn file(path: &str, pid: Option<i32>) -> Look {
    Look::File { machine: "host".to_owned(), pid, path: path.to_owned(), limit: 4096 }
}

pub(crate) fn exec(argv: &[&str]) -> Exec {
    Exec {
        machine: "host".to_owned(),
        uid: 0,
        argv: argv.iter().map(ToString::to_string).collect(),
        env: Vec::new(),
        stdin: String::new(),
        timeout_ms: 20_000,
        limit: 64 * 1024,
    }
}

pub(crate) fn terminal(argv: &[&str]) -> Open {
    Open { machine: "host".to_owned(), uid: 0, argv: argv.iter().map(ToString::to_string).collect(), tty: Some(SIZE) }
}

/// Reads until `text` was printed; all that came.
pub(crate) async fn read_until(output: &mut Output, text: &str) -> String {
    let mut seen = String::new();
    let found = timeout(PATIENCE, async {
        while !seen.contains(text) {
            let Some(bytes) = output.next().await else { return false };
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        true
    });
    match found.await {
        Ok(true) => seen,
        Ok(false) => panic!("it ended without {text:?}: {seen:?}"),
        Err(late) => panic!("no {text:?} in {seen:?}: {late}"),
    }
}
