//! Terminals over HTTP: who may, what is said, what is refused.

use std::net::SocketAddr;

use bulkhead_app::api::{
    Role,
    terminal::{FromBrowser, FromServer, MAX_MESSAGE},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::{Bench, PASSWORD, Server},
    wire::{Socket, sign_in, status},
};

/// A ready sandbox of Ada's, served.
async fn served(bench: &Bench) -> (Server, SocketAddr, String) {
    let mut server = bench.server().await;
    let address = server.serve().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    let terminal = server.live.terminals.find(&row.id).expect("a hub").list()[0].id;
    (server, address, format!("/ws/sandbox/{}/terminal/{terminal}", row.id))
}

#[tokio::test]
async fn a_terminal_works_and_survives_a_reload() {
    let bench = Bench::new().await;
    let (_server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.until_notice(&FromServer::Writer { yours: true }).await;
    socket.until("$").await;
    socket.say(&FromBrowser::Resize { cols: 101, rows: 31 }).await;
    socket.type_in("echo hello\n").await;
    socket.until("hello").await;
    drop(socket);
    let mut again = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    again.until_notice(&FromServer::Size { cols: 101, rows: 31 }).await;
    again.until("hello").await;
    again.type_in("exit 3\n").await;
    again.until_notice(&FromServer::Exited { code: 3 }).await;
    assert_eq!(again.until_closed().await, Some(1000));
    assert_eq!(status(Socket::open(address, &cookie, &path, &origin).await), 404);
}

/// The keyboard goes to the new tab once the old socket does not answer any more.
#[tokio::test]
async fn a_dead_socket_does_not_keep_the_keyboard() {
    let bench = Bench::new().await;
    let (_server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let mut dead = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    dead.until("$").await;
    // It is not read any more, so it answers no ping, as behind a network that was lost.
    let mut new = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    new.until_notice(&FromServer::Writer { yours: false }).await;
    new.until_notice(&FromServer::Writer { yours: true }).await;
    new.type_in("echo mine\n").await;
    new.until("mine").await;
    drop(dead);
}

#[tokio::test]
async fn others_may_not_even_know() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    server.account("bob").await;
    server.account_of("ina", Role::Instructor).await;
    let (ada, bob, ina) = (
        sign_in(address, "ada", PASSWORD).await,
        sign_in(address, "bob", PASSWORD).await,
        sign_in(address, "ina", PASSWORD).await,
    );
    assert_eq!(status(Socket::open(address, &bob, &path, &origin).await), 404);
    assert_eq!(status(Socket::open(address, "", &path, &origin).await), 401);
    assert_eq!(status(Socket::open(address, &ada, &path, "http://evil.example.org").await), 403);
    assert_eq!(status(Socket::open(address, &ada, "/ws/sandbox/none/terminal/1", &origin).await), 404);
    assert_eq!(status(Socket::open(address, &ada, &path.replace("terminal/", "terminal/9"), &origin).await), 404);
    // An instructor looks on, and types if he wants to; each is written down.
    let audited = async || -> Vec<String> {
        let entries = server.platform.store.audit().latest(10).await.expect("read");
        entries.into_iter().map(|entry| entry.action).filter(|action| action.starts_with("terminal.")).collect()
    };
    let mut own = Socket::open(address, &ada, &path, &origin).await.expect("a socket");
    own.until("$").await;
    assert_eq!(audited().await, [""; 0]);
    let mut guest = Socket::open(address, &ina, &path, &origin).await.expect("a socket");
    guest.until_notice(&FromServer::Writer { yours: false }).await;
    guest.until("$").await;
    assert_eq!(audited().await, ["terminal.watch"]);
    guest.say(&FromBrowser::Claim).await;
    guest.until_notice(&FromServer::Writer { yours: true }).await;
    assert_eq!(audited().await, ["terminal.claim", "terminal.watch"]);
}

#[tokio::test]
async fn what_is_too_long_or_makes_no_sense_ends_the_socket_and_not_the_shell() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.until("$").await;
    socket.send(Message::binary(vec![b'x'; MAX_MESSAGE + 1])).await;
    socket.until_closed().await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.send(Message::text("{\"type\":\"launch\"}")).await;
    assert_eq!(socket.until_closed().await, Some(1008));
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.type_in("echo alive\n").await;
    socket.until("alive").await;
    drop(server);
}

#[tokio::test]
async fn a_sandbox_that_ends_tells_its_browsers() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.until("$").await;
    let ada = server.account("ada").await;
    server.live.sandboxes.stop(ada, crate::bench::LAB).await.expect("stopped");
    socket.until_notice(&FromServer::Gone { reason: "The lab was stopped.".to_owned() }).await;
    assert_eq!(socket.until_closed().await, Some(1000));
}
