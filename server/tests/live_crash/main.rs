//! `kill -9`, the real server, the real engine: at each step of provisioning, with a terminal open, while grading.
//!
//! Needs an engine and built images. Where there are none it says so and passes, unless `BULKHEAD_TEST_ENGINE=required`.

mod server;
#[path = "../live/wire.rs"]
#[expect(dead_code, reason = "each test binary uses its own part")]
mod wire;

use bulkhead_app::api::lab::{SandboxState, Verdict};
use server::{LAB, Machine, Server, Ungoverned};

/// After each of these a sandbox is on its way, half made or made; the server that follows brings it to ready.
const MAKING: [&str; 4] = ["creating", "booting", "setting-up", "set-up"];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_any_step_leaves_a_sandbox_that_gets_ready() {
    let Some(machine) = Machine::find().await else { return };
    let data = Ungoverned::new();
    for step in MAKING {
        let dying = Server::crashing_at(&data, step).await;
        dying.ask("start_lab", &format!("lab={LAB}")).await;
        dying.until_dead().await;
        let server = Server::start(&data).await;
        let sandbox = server.until(SandboxState::Ready).await;
        assert_eq!(machine.sandboxes(&data).await, std::slice::from_ref(&sandbox.id), "after {step}");
        let mut shell = server.shell(&sandbox).await;
        shell.type_in("docker inspect -f '{{.State.Running}}' cms; echo $((20+3)) done\n").await;
        shell.until("true\r\n23 done").await;
        server.ask("stop_lab", &format!("lab={LAB}")).await;
        server.until_none().await;
        assert_eq!(machine.sandboxes(&data).await, Vec::<String>::new(), "after {step}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_while_it_stops_one_leaves_nothing() {
    let Some(machine) = Machine::find().await else { return };
    let data = Ungoverned::new();
    for step in ["stopping", "destroyed"] {
        let dying = Server::crashing_at(&data, step).await;
        dying.ask("start_lab", &format!("lab={LAB}")).await;
        dying.until(SandboxState::Ready).await;
        dying.ask("stop_lab", &format!("lab={LAB}")).await;
        dying.until_dead().await;
        let server = Server::start(&data).await;
        server.until_none().await;
        assert_eq!(machine.sandboxes(&data).await, Vec::<String>::new(), "after {step}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_finds_the_same_shell_again() {
    let Some(machine) = Machine::find().await else { return };
    let data = Ungoverned::new();
    let server = Server::start(&data).await;
    server.ask("start_lab", &format!("lab={LAB}")).await;
    let sandbox = server.until(SandboxState::Ready).await;
    let mut shell = server.shell(&sandbox).await;
    shell.type_in("echo pid-$$-; touch /root/once; ls /root/once | wc -l\n").await;
    let before = shell.until_between("pid-", "-").await;
    shell.until("\n1\r\n").await;
    // Something that would be seen twice if it were run twice, and a query that must not be answered twice.
    shell.type_in("echo run >> /root/count; printf 'a\\033[6nb\\n'; wc -l < /root/count\n").await;
    shell.until("\n1\r\n").await;
    server.kill().await;

    let server = Server::start(&data).await;
    let again = server.until(SandboxState::Ready).await;
    assert_eq!((again.id.as_str(), again.terminals.clone()), (sandbox.id.as_str(), sandbox.terminals.clone()));
    let mut shell = server.shell(&again).await;
    let first = shell.first_picture().await;
    assert!(first.contains(&format!("pid-{before}-")), "the picture holds what was there: {first:?}");
    assert!(!first.contains("\x1b[6n"), "and no query: {first:?}");
    shell.type_in("clear; echo now-$$-; wc -l < /root/count\n").await;
    assert_eq!(shell.until_between("now-", "-").await, before);
    shell.until("\n1\r\n").await;
    assert_eq!(machine.sandboxes(&data).await, [sandbox.id]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_graded_twice_or_lost() {
    let Some(_machine) = Machine::find().await else { return };
    let data = Ungoverned::new();
    let server = Server::start(&data).await;
    server.ask("start_lab", &format!("lab={LAB}")).await;
    server.until(SandboxState::Ready).await;
    server.kill().await;
    for (round, step) in ["grading", "graded", "finished"].into_iter().enumerate() {
        let dying = Server::crashing_at(&data, step).await;
        dying.until(SandboxState::Ready).await;
        dying.ask("check_lab", &format!("lab={LAB}")).await;
        dying.until_dead().await;
        let server = Server::start(&data).await;
        let attempts = u32::try_from(round + 1).expect("a few");
        let score = server.until_attempts(attempts).await;
        assert!(score.score < 40, "the untouched lab, after {step}");
        assert_eq!(data.attempts().await, vec!["done"; round + 1], "after {step}");
        let verdicts = server.verdicts().await;
        assert!(verdicts.contains(&Some(Verdict::Fail)) && !verdicts.contains(&None), "{verdicts:?}");
        server.kill().await;
    }
    Server::start(&data).await.stop().await;
}
