//! A check of the whole lab: request → score.

use std::time::{Duration, Instant};

use anyhow::Result;
use bulkhead_app::api::lab::LabEvent;

use crate::{
    bench::{Bench, LAB},
    report::{Report, quantile},
};

pub(crate) async fn take(rounds: usize, report: &mut Report) -> Result<()> {
    let mut bench = Bench::new().await?;
    bench.ready().await?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let asked = Instant::now();
        let () = bench.user.call("check_lab", &[("lab", LAB)]).await?;
        bench
            .events
            .until("there is a score", Duration::from_mins(1), |event| {
                matches!(event, LabEvent::Score { .. }).then_some(())
            })
            .await?;
        times.push(asked.elapsed());
        bench
            .events
            .until("grading ended", Duration::from_mins(1), |event| {
                matches!(event, LabEvent::Grading { running: false }).then_some(())
            })
            .await?;
    }
    bench.stop().await?;
    bench.server.stop().await?;
    report.add("grading of the untouched lab, median", quantile(&mut times, 0.5), "ms");
    report.add("grading of the untouched lab, p95", quantile(&mut times, 0.95), "ms");
    Ok(())
}
