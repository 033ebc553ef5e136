//! Debian from its archive: mmdebstrap's tar goes straight into an import.

use std::{io, process::Stdio};

use bollard::Docker;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::oneshot,
};
use tokio_util::io::ReaderStream;

use super::{
    build::Reporter,
    engine::{LABEL, import},
    error::{ImagesError, Tail},
    stream::counted,
};

const ARGUMENTS: [&str; 10] = [
    "--variant=minbase",
    "--format=tar",
    "--include=ca-certificates",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "trixie",
    "-",
];
const HINT: &str = "Install it (`apt-get install mmdebstrap`), or name a Debian trixie image in BULKHEAD_BASE_IMAGE";

/// What the base's tag hashes.
pub(super) fn recipe() -> String {
    ARGUMENTS.join(" ")
}

pub(super) async fn bootstrap(docker: &Docker, report: &Reporter<'_>, image: &str) -> Result<(), ImagesError> {
    let step = report.step();
    let tool = |cause| ImagesError::Tool { step: step.to_owned(), tool: "mmdebstrap", cause, hint: HINT };
    let mut child = Command::new("mmdebstrap")
        .args(ARGUMENTS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(tool)?;
    let (Some(tar), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(ImagesError::failed(step, "mmdebstrap has no output"));
    };

    let (ended, end) = oneshot::channel();
    let body = counted(until_success(ReaderStream::with_capacity(tar, 256 * 1024), child, ended), report.bytes());
    let listen = async {
        let mut log = Tail::default();
        let mut lines = BufReader::new(said).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            report.line(&line);
            log.push(&line);
        }
        log
    };
    let (imported, log) = tokio::join!(import(docker, step, image, vec![format!("LABEL {LABEL}=base")], body), listen);
    match end.await {
        // The engine's complaint about a body that broke off only follows from this.
        Ok(why) => Err(ImagesError::Failed { step: step.to_owned(), why, log }),
        Err(_) => imported,
    }
}

/// The child's output, which ends in an error unless the child ended well: half a system must not become an image.
fn until_success(
    output: impl Stream<Item = io::Result<bytes::Bytes>> + Send + 'static,
    mut child: Child,
    ended: oneshot::Sender<String>,
) -> impl Stream<Item = io::Result<bytes::Bytes>> + Send + 'static {
    let end = stream::once(async move {
        let why = match child.wait().await {
            Ok(status) if status.success() => return Ok(bytes::Bytes::new()),
            Ok(status) => format!("mmdebstrap ended with {status}"),
            Err(error) => format!("mmdebstrap could not be waited for: {error}"),
        };
        let _ = ended.send(why.clone());
        Err(io::Error::other(why))
    })
    .try_filter(|bytes| std::future::ready(!bytes.is_empty()));
    output.chain(end)
}
