//! What an idle sandbox costs, and the server with ten terminals open.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_tests::{
    process,
    server::Server,
    user::{Terminal, User},
};
use tokio::time::sleep;

use crate::{
    lab::{self, LAB, Sandbox},
    raw::{self, Raw},
    report::{Report, Row},
    sample::{megabytes, number},
};

const SANDBOXES: usize = 8;
const TERMINALS: usize = 10;
/// Until engines that just started have come to rest.
const REST: Duration = Duration::from_secs(5);
const PASSWORD: &str = "a long enough password";

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    lab::with_server(&["--local"], async |server| one_student(server, report).await).await?;
    lab::with_server(&[], async |server| a_class(server, report).await).await
}

async fn one_student(server: &Server, report: &mut Report) -> Result<()> {
    let pid = server.pid().context("the server ended")?;
    let alone = process::memory(pid)?;
    let sandbox = Sandbox::start(User::local(&server.address)?).await?;
    let _open = terminals(&sandbox).await?;
    let note = format!("one sandbox; each with 1000 lines printed; {:.1} MB before", megabytes(alone.resident));
    add_server(report, "ten terminals open", process::memory(pid)?, &note);
    Ok(())
}

async fn a_class(server: &Server, report: &mut Report) -> Result<()> {
    let pid = server.pid().context("the server ended")?;
    let before = process::available()?;
    let mut sandboxes = Vec::new();
    for number in 0..SANDBOXES {
        let email = format!("student{number}@example.org");
        sandboxes.push(Sandbox::start(User::sign_up(&server.address, "Student", &email, PASSWORD).await?).await?);
    }
    sleep(REST).await;
    let taken = before.saturating_sub(process::available()?);
    let mut counted = 0;
    for sandbox in &sandboxes {
        let container = sandbox.container().await?;
        counted += raw::memory(container.engine.docker(), &container.name).await?;
    }
    let count = number(SANDBOXES as u64);
    let peer = idle_peer(&sandboxes[0]).await?;
    report.add(
        Row::new("memory", "idle sandbox, its cgroup", megabytes(counted) / count, "MB")
            .beside("a container of the same image and configuration, its inner engine up, no lab set up", peer)
            .note(format!("mean of {SANDBOXES}, without file cache that the kernel could drop")),
    );
    report.add(
        Row::new("memory", "idle sandbox, of the machine", megabytes(taken) / count, "MB")
            .note(format!("MemAvailable before and after {SANDBOXES} sandboxes, the server's share in it")),
    );
    let _open = terminals(&sandboxes[0]).await?;
    let note = format!("{SANDBOXES} sandboxes of students who signed up (argon2id) with this server");
    add_server(report, "a class, ten terminals open", process::memory(pid)?, &note);
    Ok(())
}

fn add_server(report: &mut Report, when: &str, memory: process::Memory, note: &str) {
    let more = format!("{note}; {:.1} MB of it anonymous", megabytes(memory.anonymous));
    report.add(
        Row::new("memory", format!("server, {when}, resident"), megabytes(memory.resident), "MB")
            .at_most(80.0)
            .note(more),
    );
    report.add(Row::new("memory", format!("server, {when}, its peak"), megabytes(memory.peak), "MB"));
}

async fn idle_peer(like: &Sandbox) -> Result<f64> {
    let container = like.container().await?;
    let body = raw::configuration(container.engine.docker(), &container.name).await?;
    let raw = Raw::start(body, 0).await?;
    let bytes = async {
        raw.engine_ready().await?;
        sleep(REST).await;
        raw::memory(container.engine.docker(), &raw.name()).await
    }
    .await;
    raw.remove().await?;
    Ok(megabytes(bytes?))
}

/// Ten terminals in one sandbox, watched, each with more lines than a screen model keeps.
async fn terminals(sandbox: &Sandbox) -> Result<Vec<Terminal>> {
    let mut open = vec![sandbox.terminal().await?];
    while open.len() < TERMINALS {
        let view = sandbox.user.open_terminal(LAB, "host").await?;
        open.push(lab::prompt(&sandbox.user, &sandbox.view.id, view.id).await?);
    }
    for terminal in &mut open {
        terminal.type_in("printf '%0100d\\n' $(seq 1000); echo end$((40+2))\r").await?;
        terminal.until("end42", Duration::from_secs(30)).await?;
    }
    Ok(open)
}
