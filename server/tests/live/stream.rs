//! The lab's events over HTTP: the whole state first, then what changes.

use bulkhead::live::{sandboxes::phase::Phase, streams::MOST};
use bulkhead_app::api::lab::{LabEvent, SandboxState};

use crate::{
    bench::{Bench, LAB, PASSWORD, Server, eventually},
    wire::{Stream, sign_in},
};

async fn served(bench: &Bench) -> (Server, std::net::SocketAddr) {
    let mut server = bench.server().await;
    let address = server.serve().await;
    (server, address)
}

#[tokio::test]
async fn a_page_gets_the_whole_state_and_then_what_changes() {
    let bench = Bench::new().await;
    let (server, address) = served(&bench).await;
    let ada = server.account("ada").await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (head, mut stream) = Stream::open(address, &cookie, LAB).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
    assert_eq!(stream.next().await, LabEvent::Sandbox { sandbox: None });
    assert_eq!(stream.next().await, LabEvent::Grading { running: false });
    for id in ["kept", "told"] {
        assert!(
            matches!(stream.next().await, LabEvent::Check { check, .. } if check.id == id && check.verdict.is_none())
        );
    }
    assert!(matches!(stream.next().await, LabEvent::Solution { .. }));
    server.live.sandboxes.start(ada, server.lab()).await.expect("started");
    loop {
        if let LabEvent::Sandbox { sandbox: Some(sandbox) } = stream.next().await
            && sandbox.state == SandboxState::Ready
        {
            break;
        }
    }
    // A page that was away misses nothing.
    let (_, mut later) = Stream::open(address, &cookie, LAB).await;
    assert!(
        matches!(later.next().await, LabEvent::Sandbox { sandbox: Some(sandbox) } if sandbox.state == SandboxState::Ready)
    );
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    server.until(ada, Phase::Stopped).await;
    while stream.next().await != (LabEvent::Sandbox { sandbox: None }) {}
}

#[tokio::test]
async fn a_page_that_falls_behind_gets_the_state_again() {
    let bench = Bench::new().await;
    let (server, address) = served(&bench).await;
    let ada = server.account("ada").await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (_, mut stream) = Stream::open(address, &cookie, LAB).await;
    assert_eq!(stream.next().await, LabEvent::Sandbox { sandbox: None });
    // More than the socket and the backlog hold, while nobody reads.
    let filler =
        LabEvent::Solution { solution: bulkhead_app::api::lab::SolutionView::Open { html: "x".repeat(100_000) } };
    for _ in 0..500 {
        server.live.events.publish(ada, LAB, filler.clone());
        tokio::task::yield_now().await;
    }
    while stream.next().await != (LabEvent::Sandbox { sandbox: None }) {}
}

#[tokio::test]
async fn strangers_and_unknown_labs_get_nothing() {
    let bench = Bench::new().await;
    let (server, address) = served(&bench).await;
    let (head, _) = Stream::open(address, "", LAB).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    server.account("ada").await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (head, _) = Stream::open(address, &cookie, "nothing").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let bench = Bench::new().await;
    let (server, address) = served(&bench).await;
    server.account("ada").await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (_, mut stream) = Stream::open(address, &cookie, LAB).await;
    stream.next().await;
    server.live.close();
    stream.until_ended().await;
}

#[tokio::test]
async fn nobody_has_more_open_than_he_has_use_for() {
    let bench = Bench::new().await;
    let (server, address) = served(&bench).await;
    server.account("ada").await;
    server.account("bob").await;
    let (ada, bob) = (sign_in(address, "ada", PASSWORD).await, sign_in(address, "bob", PASSWORD).await);
    let mut open = Vec::new();
    for _ in 0..MOST {
        let (head, stream) = Stream::open(address, &ada, LAB).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        open.push(stream);
    }
    let (head, _) = Stream::open(address, &ada, LAB).await;
    assert!(head.starts_with("HTTP/1.1 409"), "{head}");
    let (head, _) = Stream::open(address, &bob, LAB).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    open.pop();
    // The server hears of it when it writes next.
    server.live.events.publish(server.account("ada").await, LAB, LabEvent::Warning { minutes: 7 });
    eventually("a place is free again", async || {
        let (head, _) = Stream::open(address, &ada, LAB).await;
        head.starts_with("HTTP/1.1 200")
    })
    .await;
}
