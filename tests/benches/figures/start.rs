//! Start click → usable prompt and → ready, cold.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    bench::Bench,
    peer,
    report::{Report, quantile},
};

pub(crate) async fn take(rounds: usize, report: &mut Report) -> Result<()> {
    let mut bench = Bench::new().await?;
    let docker = peer::docker().await?;
    let (mut ready, mut prompt, mut raw_agent, mut raw_ready) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let click = Instant::now();
        let view = bench.ready().await?;
        ready.push(click.elapsed());
        let mut terminal = bench.first_terminal(&view).await?;
        terminal.until("# ", Duration::from_secs(20)).await?;
        prompt.push(click.elapsed());
        let shape = peer::shape_of(&docker, &view.id).await?;
        drop(terminal);
        bench.stop().await?;
        // In turn, so that both see the same machine.
        let (agent, engine) = peer::raw_start(&docker, &shape, round).await?;
        raw_agent.push(agent);
        raw_ready.push(engine);
    }
    bench.server.stop().await?;
    for (name, at) in [("median", 0.5), ("p95", 0.95)] {
        report
            .add(&format!("start click to set up and ready, {name}"), quantile(&mut ready, at), "ms")
            .beside("raw, engine answers", quantile(&mut raw_ready, at));
        report.aim(if at < 0.9 { "1500 ms" } else { "" });
        report
            .add(&format!("start click to prompt, {name}"), quantile(&mut prompt, at), "ms")
            .beside("raw, agent answers", quantile(&mut raw_agent, at));
        report.aim(if at < 0.9 { "1000 ms" } else { "" });
    }
    Ok(())
}
