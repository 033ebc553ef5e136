//! An idle sandbox, and the server with ten open terminals.

use anyhow::{Context as _, Result};
use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt as _;

use crate::{
    bench::{Bench, LAB, memory_of},
    peer,
    report::Report,
};

const TERMINALS: usize = 10;

pub(crate) async fn take(report: &mut Report) -> Result<()> {
    let mut bench = Bench::new().await?;
    let pid = bench.server.pid().context("the server has no pid")?;
    let before = memory_of(pid, "VmRSS")?;
    let view = bench.ready().await?;
    let docker = peer::docker().await?;
    report.add("an idle sandbox with one service", sandbox_memory(&docker, &view.id).await?, "MiB");
    let mut open = Vec::new();
    for _ in 0..TERMINALS {
        let terminal = bench.user.open_terminal(LAB, "host").await?;
        let mut terminal = bench.user.terminal(&view.id, terminal.id).await?;
        terminal.until("# ", std::time::Duration::from_secs(20)).await?;
        open.push(terminal);
    }
    report
        .add("server with ten terminals (RSS)", memory_of(pid, "VmRSS")?, "MiB")
        .beside("before any sandbox", before)
        .aim("80 MB");
    drop(open);
    bench.stop().await?;
    bench.server.stop().await
}

/// What the container's memory cgroup counts, page cache that can go left out.
async fn sandbox_memory(docker: &bollard::Docker, sandbox: &str) -> Result<f64> {
    let filters = std::collections::HashMap::from([("label".to_owned(), vec![format!("bulkhead.sandbox={sandbox}")])]);
    let options = bollard::query_parameters::ListContainersOptionsBuilder::new().filters(&filters).build();
    let id = docker.list_containers(Some(options)).await?.first().and_then(|c| c.id.clone()).context("no container")?;
    let mut stats = docker.stats(&id, Some(StatsOptionsBuilder::new().stream(false).one_shot(true).build()));
    let stats = stats.next().await.context("no stats")??;
    let memory = stats.memory_stats.context("no memory stats")?;
    let inactive = memory
        .stats
        .as_ref()
        .and_then(|s| s.get("total_inactive_file").or_else(|| s.get("inactive_file")))
        .copied()
        .unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "mebibytes")]
    Ok(memory.usage.unwrap_or(0).saturating_sub(inactive) as f64 / 1_048_576.0)
}
