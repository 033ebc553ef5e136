//! Connections: those that say nothing, and those that are open when the server ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bulkhead::http::serve;
use bulkhead_app::api::lab::LabEvent;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{pause, resume, timeout},
};

use crate::{
    bench::{Bench, LAB, PASSWORD},
    wire::{Stream, sign_in},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// By a clock that leaps whenever nobody has anything to do.
const MINUTES: Duration = Duration::from_mins(5);

async fn say(address: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(words.as_bytes()).await.expect("written");
    stream
}

/// Reads to the end that the server makes.
async fn rest(stream: &mut TcpStream, within: Duration) -> String {
    let mut said = String::new();
    timeout(within, stream.read_to_string(&mut said)).await.expect("an end in time").expect("read");
    said
}

#[tokio::test]
async fn whoever_does_not_end_his_headers_loses_his_place() {
    let bench = Bench::new().await;
    let mut server = bench.server().await;
    let address = server.serve().await;
    let ada = server.account("ada").await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (_, mut stream) = Stream::open(address, &cookie, LAB).await;
    while !matches!(stream.next().await, LabEvent::Solution { .. }) {}
    let mut silent = say(address, "").await;
    let mut slow = say(address, &format!("GET / HTTP/1.1\r\nHost: {address}\r\nX-Slow: ")).await;
    pause();
    assert_eq!(rest(&mut silent, MINUTES).await, "");
    let said = rest(&mut slow, MINUTES).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    resume();
    // An answer may take as long as it likes.
    server.live.events.publish(ada, LAB, LabEvent::Warning { minutes: 7 });
    while stream.next().await != (LabEvent::Warning { minutes: 7 }) {}
}

#[tokio::test]
async fn a_server_that_ends_lets_idle_connections_go_and_takes_no_more() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async move { drop(ended.await) };
    let serving = tokio::spawn(serve(Arc::clone(&server.platform), listener, shutdown));
    let mut idle = say(address, &format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n")).await;
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    end.send(()).expect("it serves");
    rest(&mut idle, PATIENCE).await;
    timeout(PATIENCE, serving).await.expect("an end in time").expect("no panic").expect("served");
    TcpStream::connect(address).await.expect_err("nobody listens");
}
