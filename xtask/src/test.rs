//! `cargo xtask test`: every check this project has, with an engine, databases and a browser of their own.
//!
//! In the order in which a fault is cheapest to see: form, lints, docs, licences; then the parts are built; then the
//! test binaries of every crate and the scripts of the browser, and last the commands of the lessons and the proofs of
//! every lab.

use std::time::Instant;

use anyhow::Result;

use crate::{
    build::{self, HOST, Profile},
    licences,
    need::{
        disk::{self, Job},
        engine::TestEngine,
        packages::{self, Group},
    },
    shell::{cargo, command, root, run, say, target},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not ask before installing packages.
    #[arg(long, short)]
    yes: bool,
    /// Only these stages; all by default.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Stage>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Format, lints, documentation, licences.
    Form,
    /// The test binaries of every crate: units, contracts, stores, router, crash safety, browser.
    Tests,
    /// The five proofs of every lab.
    Labs,
    /// Of every lesson what leads to its first testable command, in a fresh sandbox.
    Lessons,
}

pub(crate) fn execute(options: &Options) -> Result<()> {
    let start = Instant::now();
    let wants = |stage| options.only.is_empty() || options.only.contains(&stage);
    disk::ensure(Job::Test)?;
    packages::ensure(&[Group::Build, Group::Test], options.yes)?;
    if wants(Stage::Form) {
        form()?;
    }
    if wants(Stage::Tests) || wants(Stage::Labs) || wants(Stage::Lessons) {
        let engine = TestEngine::start(options.yes)?;
        build::for_tests()?;
        let binary = build::binary(Profile::Dev);
        run("Sandbox images", command(&binary).env("DOCKER_HOST", &engine.host).args(["images", "build"]))?;
        if wants(Stage::Tests) {
            let mut tests = cargo(&["test", "--locked", "--no-fail-fast"]);
            tests
                .args(HOST)
                .env("DOCKER_HOST", &engine.host)
                // Skipping is for a machine without an engine; here one is there, so a test that cannot reach it fails.
                .env("BULKHEAD_TEST_ENGINE", "required")
                .env("BULKHEAD_TEST_ARTEFACTS", target().join("artefacts"))
                .env_remove("RUST_BACKTRACE");
            run("Tests of every crate", &mut tests)?;
            run("Tests of the browser's scripts", command("node").arg("--test").current_dir(root().join("app/web")))?;
        }
        if wants(Stage::Lessons) {
            run(
                "Commands of every lesson",
                command(&binary).env("DOCKER_HOST", &engine.host).args(["content", "run", "--all", "--first"]),
            )?;
        }
        if wants(Stage::Labs) {
            let report = target().join("lab-test.xml");
            run(
                "Proofs of every lab",
                command(&binary).env("DOCKER_HOST", &engine.host).args(["lab", "test", "--all", "--junit"]).arg(report),
            )?;
        }
    }
    say(&format!("\nAll passed in {:.0} s.", start.elapsed().as_secs_f32()));
    Ok(())
}

fn form() -> Result<()> {
    run("Format", &mut cargo(&["fmt", "--all", "--check"]))?;
    run("Lints", cargo(&["clippy", "--locked", "--all-targets"]).args(HOST).args(["--", "-D", "warnings"]))?;
    run("Documentation", cargo(&["doc", "--locked", "--no-deps"]).args(HOST).env("RUSTDOCFLAGS", "-D warnings"))?;
    licences::check()
}
