//! Labs that this machine's engine cannot run: skipped where their author looks, and not offered to students.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use bulkhead_labs::engine::{Capabilities, DockerEngine, SandboxEngine};
use bulkhead_tests::{
    server::{Server, binary},
    user::User,
};
use serde_json::Value;
use tempfile::TempDir;

/// A lab's id, what it requires, and why that cannot be had here.
type Asks = (&'static str, String, String);

fn asks(here: &Capabilities) -> [Asks; 3] {
    let other = if here.cgroup_version == 1 { 2 } else { 1 };
    [
        (
            "asks-cgroup",
            format!("cgroup = {other}"),
            format!("This lab needs cgroup v{other}; here is v{}.", here.cgroup_version),
        ),
        (
            "asks-engine",
            "engine = \"999.1\"".to_owned(),
            format!("This lab needs engine 999.1 or newer; here is {}.", here.version),
        ),
        (
            "asks-kernel",
            "kernel = \"999.2\"".to_owned(),
            format!("This lab needs kernel 999.2 or newer; here is {}.", here.kernel),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_that_cannot_run_here_says_so_everywhere() -> Result<()> {
    let engine = DockerEngine::connect("elsewhere", None).await?;
    let asks = asks(engine.capabilities());
    let folder = TempDir::with_prefix("bulkhead-labs-")?;
    for (id, requires, _) in &asks {
        expect(&bulkhead(folder.path(), &["lab", "new", id])?, 0)?;
        let manifest = folder.path().join(id).join("lab.toml");
        let text = std::fs::read_to_string(&manifest)?;
        std::fs::write(&manifest, format!("{text}\n[requires]\n{requires}\n"))?;
    }
    listed(folder.path(), &asks)?;
    not_started(folder.path(), &asks)?;
    tested(folder.path(), &asks)?;
    not_offered(folder.path(), &asks).await
}

fn bulkhead(labs: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--labs").arg(labs);
    command.output().with_context(|| format!("{command:?}"))
}

/// What it printed.
fn expect(output: &Output, code: i32) -> Result<String> {
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.code() == Some(code), "{}, not {code}: {said}{complained}", output.status);
    Ok(said.into_owned())
}

/// The line that begins with a lab's id.
fn line<'t>(text: &'t str, id: &str) -> Result<&'t str> {
    text.lines().find(|line| line.starts_with(&format!("{id} "))).with_context(|| format!("no line of {id} in {text}"))
}

fn listed(labs: &Path, asks: &[Asks]) -> Result<()> {
    let table = expect(&bulkhead(labs, &["lab", "list"])?, 0)?;
    let rows: Vec<Value> = serde_json::from_str(&expect(&bulkhead(labs, &["lab", "list", "--json"])?, 0)?)?;
    for (id, _, reason) in asks {
        ensure!(line(&table, id)?.ends_with(&format!("  cannot run here: {reason}")), "{table}");
        let row = rows.iter().find(|row| row["id"] == *id).context("no row")?;
        ensure!(row["unmet"] == serde_json::json!([reason]), "{row}");
    }
    Ok(())
}

/// No image of these labs was built: that would be told, had the engine been asked to make one.
fn not_started(labs: &Path, asks: &[Asks]) -> Result<()> {
    for (id, _, reason) in asks {
        for more in [&[][..], &["--fresh"]] {
            let output = bulkhead(labs, &[&["lab", "start", id], more].concat())?;
            ensure!(expect(&output, 3)?.is_empty(), "{output:?}");
            ensure!(String::from_utf8_lossy(&output.stderr) == format!("error: {reason}\n"), "{output:?}");
        }
    }
    Ok(())
}

fn tested(labs: &Path, asks: &[Asks]) -> Result<()> {
    let file = labs.join("junit.xml");
    let name = file.to_str().context("a name")?;
    let table = expect(&bulkhead(labs, &["lab", "test", "--all", "--junit", name])?, 0)?;
    ensure!(table.contains("\n0 proved, 0 not proved, 3 skipped\n"), "{table}");
    let xml = std::fs::read_to_string(&file)?;
    ensure!(xml.contains("tests=\"3\" failures=\"0\" errors=\"0\""), "{xml}");
    for (id, _, reason) in asks {
        ensure!(line(&table, id)?.ends_with(&format!("  skipped: {reason}")), "{table}");
        let suite = xml.split("<testsuite ").find(|suite| suite.contains(&format!("name=\"lab {id}\"")));
        let suite = suite.with_context(|| format!("no suite of {id} in {xml}"))?;
        ensure!(suite.contains(&format!("<skipped message=\"{reason}\"")), "{suite}");

        // Alone, where there is no table.
        let alone = expect(&bulkhead(labs, &["lab", "test", id])?, 0)?;
        ensure!(alone.ends_with(&format!("({id})\n  skipped: {reason}\n")), "{alone}");
    }
    let json = expect(&bulkhead(labs, &["lab", "test", "--all", "--json"])?, 0)?;
    let tested: Vec<Value> = serde_json::from_str(&json)?;
    ensure!(tested.len() == 3 && tested.iter().all(|lab| lab["outcome"] == "skipped"), "{json}");
    Ok(())
}

/// As it comes from the server: without WASM there is nothing to press either.
async fn not_offered(labs: &Path, asks: &[Asks]) -> Result<()> {
    let server = Server::start(&["--local", "--labs", labs.to_str().context("a name")?]).await?;
    let user = User::local(&server.address)?;
    let list = user.get("/labs").await?.text().await?;
    for (id, _, reason) in asks {
        ensure!(list.contains(reason), "{list}");
        let page = user.get(&format!("/labs/{id}")).await?.text().await?;
        ensure!(page.contains("This lab cannot run here.") && page.contains(reason), "{page}");
        ensure!(!page.contains("start-lab") && !page.contains("/api/start_lab"), "{id} is offered: {page}");

        // Whoever asks all the same.
        let refused = user.start_lab(id).await.err().context("it started")?.to_string();
        ensure!(refused.contains("503") && refused.contains(reason), "{refused}");
    }
    server.stop().await
}
