//! What it costs that a sandbox is watched while its page is open and nothing happens.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_tests::user::User;
use tokio::time::sleep;

use crate::{
    lab::{self, Container, Sandbox},
    raw,
    report::{Report, Row},
    sample::{megabytes, number},
};

/// Until an engine that just started has come to rest.
const REST: Duration = Duration::from_secs(20);
/// Longer than one wait of the watcher, so that its end is seen.
const GONE: Duration = Duration::from_secs(40);
const MEASURED: Duration = Duration::from_mins(2);

struct Cost {
    /// Milliseconds of a processor in a minute.
    processor: f64,
    memory: f64,
    processes: u64,
}

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    lab::with_server(&["--local"], async |server| {
        let Sandbox { user, events, view } = Sandbox::start(User::local(&server.address)?).await?;
        let container = Container::of(&view.id).await?;
        sleep(REST).await;
        let watched = cost(&container).await?;
        drop(events);
        sleep(GONE).await;
        let alone = cost(&container).await?;
        drop(user);
        add(report, &watched, &alone);
        Ok(())
    })
    .await
}

fn add(report: &mut Report, watched: &Cost, alone: &Cost) {
    let note =
        format!("over {} s each; {} processes beside {}", MEASURED.as_secs(), watched.processes, alone.processes);
    let peer = "the same sandbox without a page";
    report.add(
        Row::new("live", "an idle sandbox whose page is open, of a processor in a minute", watched.processor, "ms")
            .beside(peer, alone.processor)
            .note(note),
    );
    report.add(
        Row::new("live", "an idle sandbox whose page is open, its cgroup", watched.memory, "MB")
            .beside(peer, alone.memory),
    );
}

async fn cost(container: &Container) -> Result<Cost> {
    let docker = container.engine.docker();
    let before = raw::statistics(docker, &container.name).await?;
    sleep(MEASURED).await;
    let after = raw::statistics(docker, &container.name).await?;
    let minutes = number(MEASURED.as_secs()) / 60.0;
    Ok(Cost {
        processor: number(after.processor.checked_sub(before.processor).context("time ran back")?) / 1e6 / minutes,
        memory: megabytes(raw::memory(docker, &container.name).await?),
        processes: after.processes,
    })
}
