//! `bulkhead content preview`

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use tokio::{net::TcpListener, sync::watch};

use super::CourseOption;
use crate::{
    assets::Site,
    cli::{
        exit::{CliError, CliResult, Outcome, machine},
        images::LabsOption,
        out,
    },
    preview::{Desk, Edition, Preview, Watch, counted, router},
    random::Random,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Reads the folder again when a file in it changes; open pages follow.
    #[arg(long)]
    watch: bool,
    /// Loopback only.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    #[command(flatten)]
    course: CourseOption,
    #[command(flatten)]
    labs: LabsOption,
    /// The built site, in place of the one that the binary brings.
    #[arg(long, env = "BULKHEAD_SITE", hide = true)]
    site: Option<PathBuf>,
}

pub(super) async fn run(options: Options) -> CliResult {
    if !options.listen.ip().is_loopback() {
        let port = options.listen.port();
        return Err(CliError::Usage(format!(
            "the preview has no accounts, so it answers on loopback only: use --listen 127.0.0.1:{port}"
        )));
    }
    let folder = options.course.folder();
    if !folder.is_dir() {
        return Err(CliError::Usage(format!("{} is no folder; name the course's by --course", folder.display())));
    }
    let labs = options.labs.installed().catalog().map_err(machine)?;
    // Before the first reading, so that no change falls between.
    let watch =
        options.watch.then(|| Watch::start(folder)).transpose().map_err(|error| cannot_watch(folder, &error))?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| CliError::Machine(format!("cannot listen on {}: {error}", options.listen).into()))?;
    let (desk, first) = read(Desk::new(folder)).await?;
    let Some(first) = first else { return Ok(Outcome::Fine) };
    say(&first.findings.iter().collect::<Vec<_>>(), &first);
    let (editions, present) = watch::channel(Arc::new(first));
    let address = listener.local_addr().map_err(machine)?;
    let run = Random::system().hex::<6>();
    let preview = Preview { editions: present, labs, site: Site::open(options.site), run };
    out::say(&format!("The preview is at http://{address}/ (Ctrl-C ends it)"));
    let serving = axum::serve(listener, router(Arc::new(preview)));
    tokio::select! {
        served = serving.into_future() => served.map_err(machine)?,
        kept = follow(folder, desk, watch, editions) => match kept? {},
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Outcome::Fine)
}

fn cannot_watch(folder: &Path, error: &std::io::Error) -> CliError {
    CliError::Machine(format!("{} cannot be watched: {error}", folder.display()).into())
}

/// Makes an edition of every change, until something keeps it from that.
async fn follow(
    folder: &Path,
    mut desk: Desk,
    watch: Option<Watch>,
    editions: watch::Sender<Arc<Edition>>,
) -> CliResult<Infallible> {
    let Some(mut watch) = watch else { return std::future::pending().await };
    loop {
        watch.changed().await.map_err(|error| cannot_watch(folder, &error))?;
        let begun = Instant::now();
        let read;
        (desk, read) = self::read(desk).await?;
        let Some(edition) = read else { continue };
        let edition = Arc::new(edition);
        // Pages first: somebody waits for them.
        editions.send_replace(Arc::clone(&edition));
        out::say(&format!("\n{} ({:.2} s)", edition.changed.join(", "), begun.elapsed().as_secs_f32()));
        say(&edition.concerning(|file| edition.changed.iter().any(|changed| changed == file)), &edition);
    }
}

/// Off the threads that answer requests.
async fn read(mut desk: Desk) -> CliResult<(Desk, Option<Edition>)> {
    let reading = tokio::task::spawn_blocking(move || {
        let edition = desk.read();
        (desk, edition)
    });
    reading.await.map_err(machine)
}

fn say(findings: &[&bulkhead_content::Diagnostic], edition: &Edition) {
    for finding in findings {
        out::say(&finding.to_string());
    }
    let errors = edition.errors();
    out::say(&format!("{} in the course", counted(errors, edition.findings.len() - errors)));
}
