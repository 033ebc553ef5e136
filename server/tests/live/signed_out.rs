//! Sockets and streams end with the session that they came with, and with no other.

use std::net::SocketAddr;

use bulkhead_app::api::{lab::LabEvent, terminal::FromServer};

use crate::{
    bench::{Bench, LAB, PASSWORD, Server},
    wire::{Socket, Stream, post_as, sign_in},
};

/// One browser: a session, a terminal, the events of its page.
struct Browser {
    cookie: String,
    socket: Socket,
    stream: Stream,
}

impl Browser {
    async fn open(address: SocketAddr, path: &str) -> Self {
        let cookie = sign_in(address, "ada", PASSWORD).await;
        let mut socket = Socket::open(address, &cookie, path, &format!("http://{address}")).await.expect("a socket");
        socket.until("$").await;
        let (head, mut stream) = Stream::open(address, &cookie, LAB).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        while !matches!(stream.next().await, LabEvent::Solution { .. }) {}
        Self { cookie, socket, stream }
    }

    async fn ends_signed_out(mut self) {
        loop {
            match self.socket.next_notice().await {
                FromServer::Gone { reason } if reason.contains("signed out") => break,
                FromServer::Writer { .. } | FromServer::Size { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.socket.until_closed().await, Some(1000));
        self.stream.until_ended().await;
    }

    async fn goes_on(&mut self, server: &Server) {
        let ada = server.account("ada").await;
        server.live.events.publish(ada, LAB, LabEvent::Warning { minutes: 7 });
        while self.stream.next().await != (LabEvent::Warning { minutes: 7 }) {}
        self.socket.type_in("echo still here\n").await;
        self.socket.until("still here").await;
    }
}

async fn served(bench: &Bench) -> (Server, SocketAddr, String) {
    let mut server = bench.server().await;
    let address = server.serve().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    let terminal = server.live.terminals.find(&row.id).expect("a hub").list()[0].id;
    (server, address, format!("/ws/sandbox/{}/terminal/{terminal}", row.id))
}

#[tokio::test]
async fn signing_out_ends_what_that_browser_has_open() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let (mut kept, left) = (Browser::open(address, &path).await, Browser::open(address, &path).await);
    post_as(address, &left.cookie, "/sign-out", "").await.expect("an answer");
    left.ends_signed_out().await;
    kept.goes_on(&server).await;
}

#[tokio::test]
async fn a_new_password_ends_what_the_others_have_open() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let (mut mine, stolen) = (Browser::open(address, &path).await, Browser::open(address, &path).await);
    let form = format!("old={}&new=another+horse+battery", PASSWORD.replace(' ', "+"));
    let answer = post_as(address, &mine.cookie, "/account/password", &form).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    stolen.ends_signed_out().await;
    mine.goes_on(&server).await;
}

/// As `bulkhead user` ends them, which is another process.
#[tokio::test]
async fn what_another_process_ends_is_noticed() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let browser = Browser::open(address, &path).await;
    let ada = server.account("ada").await;
    assert_eq!(bench.another_store().await.sessions().end_all(ada).await.expect("ended"), 1);
    browser.ends_signed_out().await;
}
