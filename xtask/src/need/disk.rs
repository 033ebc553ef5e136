//! Room for what a build writes: a full disk shows as a linker's bus error, long after the start and without its cause.

use anyhow::{Context as _, Result, bail};

use crate::shell::{command, read, root, target};

const GIB: u64 = 1 << 30;

/// What a job leaves below `target` when it begins with nothing, rounded up.
#[derive(Clone, Copy)]
pub(crate) enum Job {
    /// The release build and the sandbox images.
    Serve,
    /// Every test binary, the lints and an engine's images: 11.4 GiB on CI, more where cargo keeps incremental builds.
    Test,
}

impl Job {
    fn bytes(self) -> u64 {
        match self {
            Job::Serve => 8 * GIB,
            Job::Test => 16 * GIB,
        }
    }
}

/// Refuses to begin what the disk cannot hold; what `target` already has need not be written again.
pub(crate) fn ensure(job: Job) -> Result<()> {
    let target = target();
    let folder = if target.exists() { target.as_path() } else { root() };
    let disk =
        rustix::fs::statvfs(folder).with_context(|| format!("cannot ask {} for its free space", folder.display()))?;
    let free = disk.f_bavail * disk.f_frsize;
    let there = read(command("du").args(["--summarize", "--block-size=1"]).arg(&target)).unwrap_or_default();
    let there: u64 = there.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).unwrap_or_default();
    let more = job.bytes().saturating_sub(there);
    if free < more {
        bail!(
            "This needs about {} GiB more below {}, and {} GiB are free. Make room, for instance with `cargo clean` in another checkout or `docker system prune`, and run it again.",
            more.div_ceil(GIB),
            target.display(),
            free / GIB
        );
    }
    Ok(())
}
