//! The platform's other end: a browser's requests, its event stream, its terminal socket.

use std::{net::SocketAddr, time::Duration};

use bulkhead_app::api::{
    lab::LabEvent,
    terminal::{FromBrowser, FromServer, OUTPUT, SNAPSHOT},
};
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a form as a page of ours would. The whole answer, or nothing if the server went.
pub(crate) async fn post(address: SocketAddr, path: &str, form: &str) -> Option<String> {
    post_as(address, "", path, form).await
}

/// The same, signed in.
pub(crate) async fn post_as(address: SocketAddr, cookie: &str, path: &str, form: &str) -> Option<String> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
         Cookie: {cookie}\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    (!answer.is_empty()).then_some(answer)
}

/// The session's cookie.
pub(crate) async fn sign_in(address: SocketAddr, name: &str, password: &str) -> String {
    let body = format!("email={name}%40example.org&password={}&next=%2F", password.replace(' ', "+"));
    let answer = post(address, "/sign-in", &body).await.expect("an answer");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_else(|| panic!("not signed in: {answer}")).to_owned()
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn open(address: SocketAddr, cookie: &str, path: &str, origin: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(cookie).expect("a cookie"));
        headers.insert("origin", HeaderValue::from_str(origin).expect("an origin"));
        Ok(Self(connect_async(request).await?.0))
    }

    pub(crate) async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time").and_then(Result::ok)
    }

    /// Acknowledges until what was drawn or printed since the last snapshot holds `text`.
    pub(crate) async fn until(&mut self, text: &str) {
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

    pub(crate) async fn until_notice(&mut self, wanted: &FromServer) {
        loop {
            match self.next().await {
                Some(Message::Text(text)) if serde_json::from_str::<FromServer>(&text).is_ok_and(|n| n == *wanted) => {
                    return;
                }
                Some(_) => {}
                None => panic!("the socket ended before {wanted:?}"),
            }
        }
    }

    /// The next that is no output.
    pub(crate) async fn next_notice(&mut self) -> FromServer {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("a notice"),
                Some(_) => {}
                None => panic!("the socket ended without a word"),
            }
        }
    }

    pub(crate) async fn say(&mut self, order: &FromBrowser) {
        let text = serde_json::to_string(order).expect("json");
        self.send(Message::text(text)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("sent");
    }

    pub(crate) async fn type_in(&mut self, keys: &str) {
        self.send(Message::binary(keys.as_bytes().to_vec())).await;
    }

    /// The close code.
    pub(crate) async fn until_closed(&mut self) -> Option<u16> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }
}

pub(crate) fn status(refused: Result<Socket, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

pub(crate) struct Stream(BufReader<OwnedReadHalf>, #[expect(dead_code, reason = "held open")] OwnedWriteHalf);

impl Stream {
    pub(crate) async fn open(address: SocketAddr, cookie: &str, lab: &str) -> (String, Self) {
        let (read, mut write) = TcpStream::connect(address).await.expect("a connection").into_split();
        let request = format!(
            "GET /events/lab/{lab} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\n\r\n"
        );
        write.write_all(request.as_bytes()).await.expect("written");
        let mut reader = BufReader::new(read);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = timeout(PATIENCE, reader.read_line(&mut head)).await;
            assert!(read.expect("an answer").expect("read") > 0, "{head}");
        }
        (head, Self(reader, write))
    }

    pub(crate) async fn next(&mut self) -> LabEvent {
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.0.read_line(&mut line)).await;
            assert!(read.expect("an event in time").expect("read") > 0, "the stream ended");
            if let Some(event) = line.trim_end().strip_prefix("data: ") {
                return serde_json::from_str(event).expect("an event");
            }
        }
    }

    /// Waits for the last chunk of the chunked body.
    pub(crate) async fn until_ended(&mut self) {
        let mut rest = String::new();
        loop {
            let read = timeout(PATIENCE, self.0.read_line(&mut rest)).await.expect("an end in time");
            if read.expect("read") == 0 || rest.ends_with("\r\n0\r\n") {
                return;
            }
        }
    }
}
