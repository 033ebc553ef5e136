//! From the click on "Start" to a prompt, beside the engine alone.
//!
//! Cold: no sandbox is kept ready, and each round's is made anew; the kernel's file cache is left as it is, on both sides.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bollard::models::ContainerCreateBody;
use bulkhead_app::api::lab::{LabEvent, SandboxState, SandboxView};
use bulkhead_tests::user::{Events, User};
use tokio::time::Instant;

use crate::{
    lab::{self, Container, LAB, Sandbox},
    raw::{self, Raw},
    report::{Report, Row},
    sample::Samples,
};

const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Default)]
struct Ours {
    agent: Samples,
    engine: Samples,
    ready: Samples,
    prompt: Samples,
    set_up: Samples,
}

pub(crate) async fn measure(report: &mut Report, rounds: usize) -> Result<()> {
    let (ours, agent, engine) = lab::with_server(&["--local"], async |server| {
        let Sandbox { user, mut events, view } = Sandbox::start(User::local(&server.address)?).await?;
        let body = configuration(&view.id).await?;
        lab::stop(&user, &mut events).await?;
        let mut ours = Ours::default();
        let (mut agent, mut engine) = (Samples::default(), Samples::default());
        for number in 0..rounds {
            start(&user, &mut events, &mut ours).await?;
            lab::stop(&user, &mut events).await?;
            let raw = Raw::start(body.clone(), number).await?;
            let ready = raw.engine_ready().await;
            agent.push(raw.agent);
            raw.remove().await?;
            engine.push(ready?);
        }
        Ok((ours, agent, engine))
    })
    .await?;
    let note = |more: &str| format!("{} rounds, interleaved with the peer's{more}", ours.ready.count());
    for (name, percent) in [("median", 50), ("p95", 95)] {
        let mut row = |what: &str, samples: &Samples, peer: &Samples, is: &str, aim: Option<f64>, more: &str| {
            let row = Row::new("start", format!("click → {what}, {name}"), samples.percentile(percent), "ms");
            let row = row.beside(is, peer.percentile(percent)).note(note(more));
            report.add(match aim.filter(|_| percent == 50) {
                Some(aim) => row.at_most(aim),
                None => row,
            });
        };
        let (to_agent, to_engine) =
            ("create + start until the agent answers", "create + start until the inner engine answers");
        row("agent answers", &ours.agent, &agent, to_agent, None, "");
        row("inner engine ready", &ours.engine, &engine, to_engine, Some(1500.0), "");
        let more = format!("; of it the lab's own setup script: {:.0} ms", ours.set_up.percentile(percent));
        row("ready, set up", &ours.ready, &engine, to_engine, None, &more);
        let more = "; a terminal opens once the lab is set up";
        row("prompt in the terminal", &ours.prompt, &engine, to_engine, Some(1000.0), more);
    }
    Ok(())
}

/// As our engine asks for it.
async fn configuration(sandbox: &str) -> Result<ContainerCreateBody> {
    let container = Container::of(sandbox).await?;
    raw::configuration(container.engine.docker(), &container.name).await
}

async fn start(user: &User, events: &mut Events, ours: &mut Ours) -> Result<()> {
    let began = Instant::now();
    let click = async { user.start_lab(LAB).await.map(drop) };
    let ((), (view, agent, engine)) = tokio::try_join!(click, watch(events, began))?;
    ours.ready.push(began.elapsed());
    let first = view.terminals.first().context("a ready sandbox has no terminal")?;
    let _terminal = lab::prompt(user, &view.id, first.id).await?;
    ours.prompt.push(began.elapsed());
    ours.agent.push(agent);
    ours.engine.push(engine);
    let set_up = view.steps.iter().find(|step| step.state == SandboxState::SettingUp).and_then(|step| step.millis);
    ours.set_up.push(Duration::from_millis(set_up.context("the set up took no time")?));
    Ok(())
}

/// Until the sandbox is ready; when its agent had answered, and when its inner engine.
async fn watch(events: &mut Events, began: Instant) -> Result<(SandboxView, Duration, Duration)> {
    let (mut agent, mut engine) = (None, None);
    let view = events
        .until("the sandbox is ready", PATIENCE, |event| {
            let LabEvent::Sandbox { sandbox: Some(view) } = event else { return None };
            let slot = match view.state {
                SandboxState::Booting => &mut agent,
                SandboxState::SettingUp => &mut engine,
                _ => return (view.state == SandboxState::Ready || view.state.is_over()).then(|| view.clone()),
            };
            slot.get_or_insert(began.elapsed());
            None
        })
        .await?;
    if view.state != SandboxState::Ready {
        bail!("the sandbox ended as {:?}: {}", view.state, view.error.unwrap_or_default());
    }
    Ok((view, agent.context("it never booted")?, engine.context("it was never set up")?))
}
