//! A lab's own image. Its fixture images are loaded into the engine of a temporary sandbox; that engine's store then goes
//! into the sandbox image, so that a student's engine has them at boot without loading anything.
//!
//! ```text
//! save (outer) ─▶ docker load (inner) ─▶ stop the inner engine ─▶ tar of its store ─▶ split ─▶ layer on docker-host
//! ```

use std::{collections::BTreeSet, io, time::Duration};

use bollard::Docker;
use bulkhead_agent::{
    boot::{Boot, Machine, MachineKind},
    protocol::{Exec, ExecResult, Open},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;

use super::{
    build::Reporter,
    engine::{Still, commit, repository_and_tag},
    error::{ImagesError, blame},
    plan::{Planted, Preload},
    source::mode as usual_mode,
    store,
    stream::{counted, through},
    tree::{HOST_ID_BASE, Owner, TreeWriter},
};
use crate::{
    engine::{Limits, SandboxEngine, SandboxId, SandboxSpec, Tier},
    link::{AgentLink, Ending, LinkError},
};

const MACHINE: &str = "host";
const MEMORY: u64 = 1 << 30;
const DISK: u64 = 2 << 30;
const PIDS: u32 = 512;
/// An outer id that no student's sandbox owns.
const OWNER_UID: u32 = 89_999;
const ENGINE_STARTS_WITHIN: Duration = Duration::from_mins(1);
/// The reaper ends the temporary sandbox after this, should this process die.
const LIFETIME: Duration = Duration::from_mins(15);

/// A lab's image: what [`super::plan`] asks for.
pub(super) struct LabImage<'a> {
    pub image: &'a str,
    pub host: &'a str,
    pub preload: &'a [Preload],
    pub planted: &'a [Planted],
}

pub(super) async fn build(
    docker: &Docker,
    sandboxes: &dyn SandboxEngine,
    report: &Reporter<'_>,
    lab: LabImage<'_>,
) -> Result<(), ImagesError> {
    if lab.preload.is_empty() {
        return lay(docker, report, &lab, stream::empty(), BTreeSet::new()).await;
    }
    let step = report.step();
    let spec = sandbox(lab.image, lab.host)
        .ok_or_else(|| ImagesError::failed(step, format!("{} does not name a sandbox", lab.image)))?;
    let outcome = match sandboxes.create(&spec).await {
        Ok(()) => preloaded(docker, sandboxes, &spec.id, report, &lab).await,
        Err(cause) => Err(ImagesError::Sandbox { step: step.to_owned(), cause }),
    };
    let destroyed = sandboxes.destroy(&spec.id).await;
    outcome?;
    destroyed.map_err(|cause| ImagesError::Sandbox { step: step.to_owned(), cause })
}

async fn preloaded(
    docker: &Docker,
    sandboxes: &dyn SandboxEngine,
    id: &SandboxId,
    report: &Reporter<'_>,
    lab: &LabImage<'_>,
) -> Result<(), ImagesError> {
    let step = report.step();
    let stream = sandboxes.connect(id).await.map_err(|cause| ImagesError::Sandbox { step: step.to_owned(), cause })?;
    let inner = Inner { link: AgentLink::open(stream).await.map_err(lost(step))?, report };
    inner.engine_ready().await?;
    inner.load(docker, lab.preload).await?;
    for image in lab.preload {
        inner.run(&["docker", "tag", &image.outer, &image.inner]).await?;
        inner.run(&["docker", "rmi", &image.outer]).await?;
    }
    inner.run(&["systemctl", "stop", "docker"]).await?;
    let hiding = inner.hiding().await?;
    lay(docker, report, lab, inner.store().await?, hiding).await
}

/// The student's machine of the temporary sandbox.
struct Inner<'a> {
    link: AgentLink,
    report: &'a Reporter<'a>,
}

impl Inner<'_> {
    async fn engine_ready(&self) -> Result<(), ImagesError> {
        let ready = async {
            while self.exec(&["docker", "version", "--format", "{{.Server.Version}}"]).await?.code != 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        };
        let late =
            |_| ImagesError::failed(self.report.step(), "the engine in the sandbox that preloads it does not answer");
        tokio::time::timeout(ENGINE_STARTS_WITHIN, ready).await.map_err(late)?
    }

    /// All images at once, so that what they share travels once.
    async fn load(&self, docker: &Docker, images: &[Preload]) -> Result<(), ImagesError> {
        let step = self.report.step();
        let names: Vec<&str> = images.iter().map(|image| image.outer.as_str()).collect();
        let saved = docker.export_images(&names).map_err(io::Error::other);
        let mut saved = Box::pin(counted(saved, self.report.bytes()));
        let mut process = self.link.start(open(&["docker", "load"])).await.map_err(lost(step))?;
        while let Some(bytes) = saved.next().await {
            let bytes =
                bytes.map_err(|error| ImagesError::failed(step, format!("save the fixture images: {error}")))?;
            process.input.send(bytes).await.map_err(lost(step))?;
        }
        process.input.end().await.map_err(lost(step))?;
        finished(step, "docker load", process.output.ending().await)
    }

    async fn run(&self, argv: &[&str]) -> Result<(), ImagesError> {
        let result = self.exec(argv).await?;
        if result.code == 0 && !result.timed_out {
            return Ok(());
        }
        let why = format!("`{}` ended with {}: {}", argv.join(" "), result.code, result.stderr.trim());
        Err(ImagesError::failed(self.report.step(), why))
    }

    async fn exec(&self, argv: &[&str]) -> Result<ExecResult, ImagesError> {
        let exec = Exec {
            machine: MACHINE.to_owned(),
            uid: 0,
            argv: argv.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
            stdin: String::new(),
            timeout_ms: 60_000,
            limit: 64 * 1024,
        };
        self.link.exec(exec).await.map_err(lost(self.report.step()))
    }

    /// Which layers hide something of earlier ones.
    async fn hiding(&self) -> Result<BTreeSet<String>, ImagesError> {
        let script = "cd /var/lib/docker/overlay2 && find */diff -type c -printf '%H\\n' | sort -u";
        let result = self.exec(&["sh", "-c", script]).await?;
        if result.code != 0 || result.truncated {
            let why = format!("list layers that delete: {} {}", result.code, result.stderr.trim());
            return Err(ImagesError::failed(self.report.step(), why));
        }
        Ok(result.stdout.lines().filter_map(|line| line.strip_suffix("/diff")).map(str::to_owned).collect())
    }

    /// A tar of what the engine keeps of images.
    async fn store(&self) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, ImagesError> {
        // Of the overlay's own marks only the one that says something about content; the others name this sandbox's inodes.
        let attributes = ["--xattrs", "--xattrs-include=user.overlay.opaque"];
        let argv = [
            "tar",
            attributes[0],
            attributes[1],
            "--numeric-owner",
            "-C",
            "/var/lib/docker",
            "-cf",
            "-",
            "image",
            "overlay2",
        ];
        let process = self.link.start(open(&argv)).await.map_err(lost(self.report.step()))?;
        Ok(stream::unfold(Some(process.output), |output| async move {
            let mut output = output?;
            if let Some(bytes) = output.next().await {
                return Some((Ok(bytes), Some(output)));
            }
            let ended = finished("store", "tar", output.ending().await);
            ended.err().map(|error| (Err(io::Error::other(error)), None))
        }))
    }
}

/// Lays the lab's files on the plain sandbox image, and tags the sum.
async fn lay(
    docker: &Docker,
    report: &Reporter<'_>,
    lab: &LabImage<'_>,
    store: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    hiding: BTreeSet<String>,
) -> Result<(), ImagesError> {
    let step = report.step();
    let (planted, preloads) = (lab.planted.to_vec(), !lab.preload.is_empty());
    let (layer, outcome) = through(store, move |read, write| {
        let mut tree = TreeWriter::new(write);
        plant(&mut tree, &planted)?;
        if preloads {
            store::split(read, &mut tree, &hiding)?;
        }
        tree.finish()
    });
    let still = Still::create(docker, step, lab.host).await?;
    let laid = async {
        let uploaded = still.lay(counted(layer, report.bytes())).await;
        blame(step, outcome.await, uploaded)?;
        commit(docker, step, &still.id, lab.image, "lab").await
    };
    let laid = laid.await;
    still.remove(laid).await
}

fn plant<W: io::Write>(tree: &mut TreeWriter<W>, planted: &[Planted]) -> io::Result<()> {
    for Planted { below, id_base, to, mode, content } in planted {
        let root = format!("{below}{to}");
        // Its parents are the machine's own, with modes that are not for us to change.
        tree.assume_parents(&root);
        tree.belongs_to(*id_base);
        for (path, bytes) in content {
            let at = if path.is_empty() { root.clone() } else { format!("{root}/{path}") };
            tree.file(at, mode.unwrap_or_else(|| usual_mode(bytes)), Owner::Machine, bytes)?;
        }
    }
    tree.belongs_to(HOST_ID_BASE);
    Ok(())
}

fn sandbox(image: &str, host: &str) -> Option<SandboxSpec> {
    // By the image it is for: a second builder of the same image finds the first one's and neither leaves one behind.
    let id = SandboxId::parse(&format!("preload-{}", repository_and_tag(image).1))?;
    Some(SandboxSpec {
        owner: "images".to_owned(),
        lab: "preload".to_owned(),
        generation: 1,
        expires: OffsetDateTime::now_utc() + LIFETIME,
        image: host.to_owned(),
        limits: Limits {
            memory_bytes: MEMORY + DISK + (256 << 20),
            pids: PIDS + bulkhead_agent::boot::AGENT_PIDS,
            milli_cpus: 2000,
        },
        boot: Boot {
            sandbox: id.to_string(),
            generation: 1,
            owner_uid: OWNER_UID,
            networks: Vec::new(),
            machines: vec![Machine {
                name: MACHINE.to_owned(),
                kind: MachineKind::DockerHost,
                id_base: HOST_ID_BASE,
                interfaces: Vec::new(),
                routes: Vec::new(),
                ip_forward: false,
                memory_bytes: MEMORY + DISK,
                pids: PIDS,
                disk_bytes: DISK,
            }],
        },
        tier: Tier::Userns,
        id,
    })
}

fn open(argv: &[&str]) -> Open {
    Open { machine: MACHINE.to_owned(), uid: 0, argv: argv.iter().map(ToString::to_string).collect(), tty: None }
}

fn lost(step: &str) -> impl Fn(LinkError) -> ImagesError {
    let step = step.to_owned();
    move |error| ImagesError::failed(&step, format!("the sandbox that preloads it: {error}"))
}

fn finished(step: &str, what: &str, ending: Ending) -> Result<(), ImagesError> {
    match ending {
        Ending::Exited { code: 0, .. } => Ok(()),
        Ending::Exited { code, stderr } => {
            Err(ImagesError::failed(step, format!("`{what}` ended with {code}: {}", stderr.trim())))
        }
        Ending::Detached => Err(ImagesError::failed(step, format!("`{what}` was taken over"))),
        Ending::Lost(error) => Err(ImagesError::failed(step, format!("`{what}`: {error}"))),
    }
}
