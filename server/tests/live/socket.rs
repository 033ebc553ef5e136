//! Terminals over HTTP: who may, what is said, what is refused.

use std::{net::SocketAddr, time::Duration};

use bulkhead_app::api::{
    Role,
    terminal::{FromBrowser, FromServer, MAX_MESSAGE, OUTPUT, SNAPSHOT},
};
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::bench::{Bench, PASSWORD, Server};

const PATIENCE: Duration = Duration::from_secs(20);

/// The session's cookie.
pub(crate) async fn sign_in(address: SocketAddr, name: &str, password: &str) -> String {
    let body = format!("email={name}%40example.org&password={}&next=%2F", password.replace(' ', "+"));
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_else(|| panic!("not signed in: {answer}")).to_owned()
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(address: SocketAddr, cookie: &str, path: &str, origin: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(cookie).expect("a cookie"));
        headers.insert("origin", HeaderValue::from_str(origin).expect("an origin"));
        Ok(Self(connect_async(request).await?.0))
    }

    async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time").and_then(Result::ok)
    }

    /// Acknowledges until what was drawn or printed since the last snapshot holds `text`.
    async fn until(&mut self, text: &str) {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(text) {
            match self.next().await {
                Some(Message::Binary(bytes)) => {
                    match bytes[0] {
                        SNAPSHOT => seen = bytes[1..].to_vec(),
                        OUTPUT => seen.extend_from_slice(&bytes[1..]),
                        other => panic!("a message of kind {other}"),
                    }
                    self.say(&FromBrowser::Ack { bytes: u32::try_from(bytes.len() - 1).expect("a length") }).await;
                }
                Some(_) => {}
                None => panic!("the socket ended before {text:?}: {:?}", String::from_utf8_lossy(&seen)),
            }
        }
    }

    async fn until_notice(&mut self, wanted: &FromServer) {
        loop {
            match self.next().await {
                Some(Message::Text(text)) if serde_json::from_str::<FromServer>(&text).is_ok_and(|n| n == *wanted) => return,
                Some(_) => {}
                None => panic!("the socket ended before {wanted:?}"),
            }
        }
    }

    async fn say(&mut self, order: &FromBrowser) {
        let text = serde_json::to_string(order).expect("json");
        self.0.send(Message::text(text)).await.expect("sent");
    }

    async fn type_in(&mut self, keys: &str) {
        self.0.send(Message::binary(keys.as_bytes().to_vec())).await.expect("sent");
    }

    /// The close code.
    async fn until_closed(&mut self) -> Option<u16> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }
}

fn status(refused: Result<Socket, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

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
    // An instructor looks on.
    let mut guest = Socket::open(address, &ina, &path, &origin).await.expect("a socket");
    guest.until_notice(&FromServer::Writer { yours: false }).await;
    guest.until("$").await;
}

#[tokio::test]
async fn what_is_too_long_or_makes_no_sense_ends_the_socket_and_not_the_shell() {
    let bench = Bench::new().await;
    let (server, address, path) = served(&bench).await;
    let origin = format!("http://{address}");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.until("$").await;
    socket.0.send(Message::binary(vec![b'x'; MAX_MESSAGE + 1])).await.expect("sent");
    socket.until_closed().await;
    let mut socket = Socket::open(address, &cookie, &path, &origin).await.expect("a socket");
    socket.0.send(Message::text("{\"type\":\"launch\"}")).await.expect("sent");
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
