use std::pin::pin;

use bulkhead_agent::{
    frame::{self, Frame, HEADER, Kind, MAX_PAYLOAD},
    protocol::{Event, INITIAL_CREDIT, Response},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

/// The other end of a link, by hand.
struct Peer {
    stream: DuplexStream,
    buffer: Vec<u8>,
}

impl Peer {
    fn new() -> (Self, Duplex) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        (Self { stream: ours, buffer: Vec::new() }, Box::pin(theirs))
    }

    /// A link that was greeted.
    async fn greeted() -> (Self, AgentLink) {
        let (mut peer, stream) = Self::new();
        let (link, ()) = tokio::join!(AgentLink::open(stream), async {
            let (id, request) = peer.request().await;
            assert_eq!(request, Request::Hello { protocol: PROTOCOL });
            peer.respond(id, Ok(Reply::Done)).await;
        });
        (peer, link.expect("a greeted link"))
    }

    async fn frame(&mut self) -> Frame {
        loop {
            if let Some((frame, size)) = frame::decode(&self.buffer).expect("our own frame") {
                self.buffer.drain(..size);
                return frame;
            }
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.expect("open stream"), 0, "the link was closed");
        }
    }

    async fn request(&mut self) -> (u32, Request) {
        let frame = self.frame().await;
        assert_eq!(frame.kind, Kind::Request);
        (frame.channel, serde_json::from_slice(&frame.payload).expect("a request"))
    }

    async fn send(&mut self, kind: Kind, channel: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::encode(kind, channel, payload, &mut bytes);
        self.raw(&bytes).await;
    }

    async fn raw(&mut self, bytes: &[u8]) {
        // The link may be gone already, which is what a hostile peer's test waits for.
        let _closed = self.stream.write_all(bytes).await;
    }

    async fn respond(&mut self, id: u32, response: Response) {
        self.send(Kind::Response, id, &serde_json::to_vec(&response).expect("json")).await;
    }

    async fn event(&mut self, process: u32, event: Event) {
        self.send(Kind::Event, process, &serde_json::to_vec(&event).expect("json")).await;
    }

    /// Answers the next request with a process.
    async fn gives(&mut self, process: u32) {
        let (id, _) = self.request().await;
        self.respond(id, Ok(Reply::Process { process, offset: 0 })).await;
    }
}

fn open(tty: bool) -> Open {
    Open {
        machine: "host".to_owned(),
        uid: 0,
        argv: vec!["sh".to_owned()],
        tty: tty.then_some(Size { cols: 80, rows: 24 }),
    }
}

#[tokio::test]
async fn refuses_an_agent_of_another_version() {
    let (mut peer, stream) = Peer::new();
    let (link, ()) = tokio::join!(AgentLink::open(stream), async {
        let (id, _) = peer.request().await;
        peer.respond(id, Err(Fault { kind: FaultKind::Invalid, message: "I speak version 9".to_owned() })).await;
    });
    assert_eq!(link.expect_err("another version"), LinkError::Protocol("I speak version 9".to_owned()));
}

#[tokio::test]
async fn hostile_frames_close_the_link_with_a_reason() {
    let json = |text: &str| text.as_bytes().to_vec();
    let framed = |kind: u8, payload: Vec<u8>| {
        let length = u32::try_from(payload.len() + HEADER - 4).expect("small");
        [&length.to_be_bytes()[..], &[kind], &7_u32.to_be_bytes(), &payload].concat()
    };
    let cases = [
        (
            "longer than any frame",
            (u32::try_from(MAX_PAYLOAD + HEADER).expect("small") - 3)
                .to_be_bytes()
                .into_iter()
                .chain([2, 0, 0, 0, 0])
                .collect(),
        ),
        ("shorter than a header", vec![0, 0, 0, 4, 2, 0, 0, 0, 0]),
        ("as long as a number can be", vec![0xff; HEADER]),
        ("of unknown kind", framed(9, Vec::new())),
        ("a request", framed(Kind::Request as u8, json("{}"))),
        ("not a response", framed(Kind::Response as u8, json("[1,2"))),
        ("not an event", framed(Kind::Event as u8, json(r#"{"event":"party"}"#))),
    ];
    for (what, bytes) in cases {
        let (mut peer, link) = Peer::greeted().await;
        peer.raw(&bytes).await;
        assert!(matches!(link.closed().await, LinkError::Protocol(_)), "{what}: {:?}", link.closed().await);
        assert!(matches!(link.status().await, Err(LinkError::Protocol(_))), "{what}");
    }
}

#[tokio::test]
async fn a_sender_beyond_its_credit_is_cut_off() {
    let (mut peer, link) = Peer::greeted().await;
    let (process, ()) = tokio::join!(link.start(open(true)), peer.gives(3));
    let mut process = process.expect("a process");
    let full = vec![b'x'; INITIAL_CREDIT as usize];
    peer.send(Kind::Data, 3, &full).await;
    peer.send(Kind::Data, 3, b"y").await;
    assert!(matches!(link.closed().await, LinkError::Protocol(_)));
    assert_eq!(
        process.output.next().await.map(|bytes| bytes.len()),
        Some(full.len()),
        "what was within the credit is kept"
    );
    assert!(matches!(process.output.ending().await, Ending::Lost(LinkError::Protocol(_))));
}

#[tokio::test]
async fn credit_comes_back_as_the_consumer_takes() {
    let (mut peer, link) = Peer::greeted().await;
    let (process, ()) = tokio::join!(link.start(open(true)), peer.gives(3));
    let mut process = process.expect("a process");
    let mut given = 0_u64;
    for _ in 0..40 {
        peer.send(Kind::Data, 3, &vec![b'x'; 32 * 1024]).await;
        let mut taken = 0;
        while taken < 32 * 1024 {
            taken += process.output.next().await.expect("bytes").len();
        }
        given += 32 * 1024;
    }
    peer.event(3, Event::Exited { code: 3, stderr: String::new() }).await;
    assert_eq!(process.output.ending().await, Ending::Exited { code: 3, stderr: String::new() });
    let mut credit = 0_u64;
    while credit + u64::from(INITIAL_CREDIT) < given {
        let frame = peer.frame().await;
        assert_eq!((frame.kind, frame.channel), (Kind::Credit, 3));
        credit += u64::from(u32::from_be_bytes(frame.payload.try_into().expect("four bytes")));
    }
    assert!(credit <= given);
}

#[tokio::test]
async fn answers_find_their_requests_in_any_order() {
    let (mut peer, link) = Peer::greeted().await;
    let exec = |code: i32| {
        let argv = vec!["exit".to_owned(), code.to_string()];
        Exec {
            machine: "host".to_owned(),
            uid: 0,
            argv,
            env: vec![],
            stdin: String::new(),
            timeout_ms: 1000,
            limit: 10,
        }
    };
    let asked = futures::future::join_all((0..10).map(|code| link.exec(exec(code))));
    let (answers, ()) = tokio::join!(asked, async {
        let mut requests = Vec::new();
        for _ in 0..10 {
            requests.push(peer.request().await);
        }
        for (id, request) in requests.into_iter().rev() {
            let Request::Exec(exec) = request else { panic!("not an exec") };
            let code = exec.argv[1].parse().expect("a code");
            let result = ExecResult {
                code,
                stdout: String::new(),
                stderr: String::new(),
                truncated: false,
                timed_out: false,
                millis: 0,
            };
            peer.respond(id, Ok(Reply::Exec(result))).await;
        }
    });
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer").code).collect();
    assert_eq!(codes, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_end_of_the_stream_reaches_everyone() {
    let (mut peer, link) = Peer::greeted().await;
    let (process, ()) = tokio::join!(link.start(open(true)), peer.gives(3));
    let mut process = process.expect("a process");
    let (status, ()) = tokio::join!(link.status(), async {
        peer.request().await;
        drop(peer);
    });
    assert!(matches!(status, Err(LinkError::Closed(_))), "{status:?}");
    assert!(matches!(process.output.ending().await, Ending::Lost(LinkError::Closed(_))));
    assert!(matches!(process.input.send("x").await, Err(LinkError::Closed(_))));
    assert!(matches!(link.start(open(true)).await, Err(LinkError::Closed(_))));
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_does_not_hang_anybody() {
    let (_peer, stream) = Peer::new();
    assert_eq!(AgentLink::open(stream).await.expect_err("silence"), LinkError::TimedOut(REQUEST));
    let (_peer, link) = Peer::greeted().await;
    let many = futures::future::join_all((0..300).map(|_| link.status())).await;
    assert!(many.iter().all(|answer| matches!(answer, Err(LinkError::TimedOut(_)))), "those that queue time out too");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_comes_too_late_is_closed_and_a_terminal_is_not() {
    let (mut peer, link) = Peer::greeted().await;
    assert!(matches!(link.start(open(false)).await, Err(LinkError::TimedOut(_))));
    peer.gives(3).await;
    assert_eq!(peer.request().await.1, Request::Close { process: 3 });

    assert!(matches!(link.attach(4).await, Err(LinkError::TimedOut(_))));
    peer.gives(4).await;
    let mut status = pin!(link.status());
    let asked = tokio::select! {
        _ = &mut status => panic!("nobody answered"),
        request = peer.request() => request.1,
    };
    assert_eq!(asked, Request::Status, "no close for the terminal");
}

#[tokio::test]
async fn dropping_a_piped_process_ends_it_and_dropping_a_terminal_does_not() {
    let (mut peer, link) = Peer::greeted().await;
    let (process, ()) = tokio::join!(link.start(open(false)), peer.gives(3));
    drop(process);
    assert_eq!(peer.request().await.1, Request::Close { process: 3 });
    let (process, ()) = tokio::join!(link.start(open(true)), peer.gives(4));
    drop(process);
    for _ in 0..3 {
        peer.send(Kind::Data, 4, &vec![0; INITIAL_CREDIT as usize / 2]).await;
        assert_eq!(peer.frame().await.kind, Kind::Credit, "the terminal runs on unseen");
    }
}

#[tokio::test]
async fn the_last_handle_ends_the_stream() {
    let (mut peer, link) = Peer::greeted().await;
    let second = link.clone();
    drop(link);
    assert!(!second.is_closed());
    drop(second);
    assert_eq!(peer.stream.read_buf(&mut peer.buffer).await.expect("a clean end"), 0);
}

#[tokio::test]
async fn a_second_attach_detaches_the_first() {
    let (mut peer, link) = Peer::greeted().await;
    let (first, ()) = tokio::join!(link.attach(5), peer.gives(5));
    let (second, ()) = tokio::join!(link.attach(5), peer.gives(5));
    let (mut first, mut second) = (first.expect("a terminal"), second.expect("a terminal"));
    assert_eq!(first.output.ending().await, Ending::Detached);
    drop(first);
    peer.send(Kind::Data, 5, b"on").await;
    assert_eq!(second.output.next().await.as_deref(), Some(&b"on"[..]));
}

#[tokio::test]
async fn a_closed_process_ends_for_its_reader() {
    let (mut peer, link) = Peer::greeted().await;
    let (process, ()) = tokio::join!(link.start(open(true)), peer.gives(3));
    let mut process = process.expect("a process");
    let (closed, ()) = tokio::join!(link.close(3), async {
        let (id, request) = peer.request().await;
        assert_eq!(request, Request::Close { process: 3 });
        peer.respond(id, Ok(Reply::Done)).await;
    });
    closed.expect("closed");
    assert_eq!(process.output.ending().await, Ending::Exited { code: 129, stderr: String::new() });
}
