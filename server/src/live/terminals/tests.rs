//! Hubs and their viewers on the fake engine's agents, which speak the real protocol.

use std::{sync::Arc, time::Duration};

use bulkhead_agent::{
    boot::{Boot, Interface, LAN, Machine, MachineKind},
    protocol::{INITIAL_CREDIT, Size},
};
use bulkhead_app::api::terminal::{FromServer, OUTPUT, SNAPSHOT, WINDOW};
use bulkhead_labs::engine::{FakeEngine, Limits, SandboxEngine, SandboxId, SandboxSpec, Tier};
use bytes::Bytes;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    Hub, MAX_TERMINALS, Rights, TerminalError, Terminals, Viewer,
    outbox::Item,
    screen::{Screen, worked},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn id() -> SandboxId {
    SandboxId::parse("sandbox").expect("an id")
}

async fn engine() -> FakeEngine {
    let engine = FakeEngine::new();
    let host = Machine {
        name: "host".to_owned(),
        kind: MachineKind::DockerHost,
        id_base: 100_000,
        interfaces: vec![Interface::lan([10, 77, 0, 2])],
        routes: Vec::new(),
        ip_forward: false,
        memory_bytes: 1 << 30,
        pids: 100,
        disk_bytes: 1 << 30,
    };
    let spec = SandboxSpec {
        id: id(),
        owner: "1".to_owned(),
        lab: "lab".to_owned(),
        generation: 1,
        expires: time::OffsetDateTime::UNIX_EPOCH,
        image: "image".to_owned(),
        limits: Limits { memory_bytes: 1 << 30, pids: 100, milli_cpus: 1000 },
        boot: Boot {
            sandbox: "sandbox".to_owned(),
            generation: 1,
            owner_uid: 1,
            networks: vec![LAN.to_owned()],
            machines: vec![host],
        },
        tier: Tier::Userns,
    };
    engine.create(&spec).await.expect("a sandbox");
    engine
}

struct Platform {
    terminals: Terminals,
    changed: mpsc::UnboundedReceiver<SandboxId>,
}

impl Platform {
    fn on(engine: &FakeEngine) -> Self {
        let (tell, changed) = mpsc::unbounded_channel();
        Self { terminals: Terminals::new(Arc::new(engine.clone()), tell), changed }
    }

    fn hub(&self) -> Arc<Hub> {
        self.terminals.of(&id(), None)
    }
}

async fn view(hub: &Arc<Hub>, terminal: u32, rights: Rights) -> Browser {
    let viewer = hub.view(terminal, rights).await.expect("a hub that answers").expect("a terminal");
    Browser {
        viewer,
        screen: Screen::new(Size { cols: 80, rows: 24 }),
        bytes: Vec::new(),
        notices: Vec::new(),
        snapshots: 0,
    }
}

/// What a browser does with a viewer: draws, acknowledges, remembers.
struct Browser {
    viewer: Viewer,
    screen: Screen,
    /// Output that came after the last snapshot.
    bytes: Vec<u8>,
    notices: Vec<FromServer>,
    snapshots: u32,
}

impl Browser {
    /// The next message, not acknowledged: its kind byte and what follows.
    async fn receive(&mut self) -> Option<Bytes> {
        loop {
            match timeout(PATIENCE, self.viewer.next()).await.expect("a message in time")? {
                Item::Notice(notice) => {
                    if let FromServer::Size { cols, rows } = notice {
                        self.screen.resize(Size { cols, rows });
                    }
                    self.notices.push(notice);
                }
                Item::Probe => {}
                Item::Bytes(message) => {
                    match message[0] {
                        SNAPSHOT => {
                            self.screen = Screen::new(self.screen.size());
                            self.bytes.clear();
                            self.snapshots += 1;
                        }
                        OUTPUT => {
                            assert!(self.snapshots > 0, "output before the first snapshot");
                            self.bytes.extend_from_slice(&message[1..]);
                        }
                        other => panic!("a message of kind {other}"),
                    }
                    self.screen.feed_all(&message[1..]);
                    return Some(message);
                }
            }
        }
    }

    /// Reads and acknowledges until the screen holds `text`.
    async fn until(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shows(text) {
            assert!(Instant::now() < deadline, "{text:?} never came; the screen is {:?}", self.contents());
            let Some(message) = self.receive().await else { panic!("the terminal ended before {text:?} came") };
            self.viewer.acknowledge(message.len() - 1).await;
        }
    }

    async fn until_notice(&mut self, wanted: FromServer) {
        let deadline = Instant::now() + PATIENCE;
        while !self.notices.contains(&wanted) {
            assert!(Instant::now() < deadline, "{wanted:?} never came, only {:?}", self.notices);
            match timeout(PATIENCE, self.viewer.next()).await.expect("a notice in time") {
                Some(Item::Notice(notice)) => self.notices.push(notice),
                Some(Item::Bytes(message)) => {
                    self.screen.feed_all(&message[1..]);
                    self.viewer.acknowledge(message.len() - 1).await;
                }
                Some(Item::Probe) => {}
                None => panic!("the terminal ended before {wanted:?}: {:?}", self.notices),
            }
        }
    }

    fn contents(&mut self) -> String {
        let snapshot = self.screen.snapshot();
        String::from_utf8_lossy(&snapshot).into_owned()
    }

    fn shows(&mut self, text: &str) -> bool {
        self.snapshots > 0 && self.screen.text().contains(text)
    }

    async fn types(&self, keys: &str) {
        self.viewer.type_in(Bytes::copy_from_slice(keys.as_bytes())).await;
    }
}

async fn open(hub: &Arc<Hub>) -> u32 {
    hub.open("host", 0).await.expect("a terminal").id
}

// Time stands still while there is work to do: a slow machine is no slow viewer.
#[tokio::test(start_paused = true)]
async fn a_viewer_gets_a_snapshot_then_output() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut browser = view(&hub, terminal, Rights::Owner).await;
    browser.until("$").await;
    assert_eq!(browser.notices[..2], [FromServer::Size { cols: 80, rows: 24 }, FromServer::Writer { yours: true }]);
    browser.types("echo hello\n").await;
    browser.until("hello\n$").await;
    assert_eq!(browser.snapshots, 1);
    // One who comes later sees the same, and nothing of it as output.
    let mut later = view(&hub, terminal, Rights::Owner).await;
    later.until("hello").await;
    assert_eq!((later.snapshots, later.bytes.as_slice()), (1, &b""[..]));
}

#[tokio::test(start_paused = true)]
async fn output_waits_for_the_writer_and_loses_nothing() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut browser = view(&hub, terminal, Rights::Owner).await;
    browser.until("$").await;
    browser.bytes.clear();
    browser.types("seq 100000\n").await;
    // Nothing is acknowledged, so the window fills, and then nothing more comes.
    let mut waiting = Vec::new();
    while let Ok(message) = timeout(Duration::from_millis(300), browser.receive()).await {
        waiting.push(message.expect("the terminal lives").len() - 1);
    }
    let sent: usize = waiting.iter().sum();
    let most = WINDOW as usize + INITIAL_CREDIT as usize;
    assert!((WINDOW as usize..=most).contains(&sent), "{sent} bytes were sent unacknowledged");
    browser.viewer.acknowledge(sent).await;
    browser.until("\n100000\n$").await;
    let expected = (1..=100_000).fold(String::new(), |text, line| text + &format!("{line}\r\n"));
    let got = String::from_utf8_lossy(&browser.bytes).into_owned();
    assert!(got.ends_with(&format!("{expected}$ ")), "{} bytes of {}", got.len(), expected.len());
    assert_eq!(browser.snapshots, 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_parse_gets_the_picture_later_and_holds_up_nobody() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut slow = view(&hub, terminal, Rights::Owner).await;
    slow.until("$").await;
    slow.types("seq 100000\n").await;
    let mut sent = 0;
    while let Ok(message) = timeout(Duration::from_millis(300), slow.receive()).await {
        sent += message.expect("the terminal lives").len() - 1;
    }
    // A second viewer sees the program run to its end although the first one never parses.
    let mut other = view(&hub, terminal, Rights::Guest).await;
    other.until("\n100000\n$").await;
    assert_eq!(slow.snapshots, 1);
    slow.viewer.acknowledge(sent).await;
    slow.until("\n100000\n$").await;
    assert_eq!(slow.snapshots, 2, "what he missed came as a picture");
    slow.types("echo again\n").await;
    slow.until("again").await;
    assert_eq!(slow.snapshots, 2);
}

#[tokio::test(start_paused = true)]
async fn one_types_and_hands_over() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut first = view(&hub, terminal, Rights::Owner).await;
    first.until("$").await;
    let mut second = view(&hub, terminal, Rights::Owner).await;
    second.until_notice(FromServer::Writer { yours: false }).await;
    second.until("$").await;
    second.types("echo not heard\n").await;
    first.types("echo one\n").await;
    second.until("one\n$").await;
    assert!(!second.shows("not heard"));

    second.viewer.claim().await;
    second.until_notice(FromServer::Writer { yours: true }).await;
    first.until_notice(FromServer::Writer { yours: false }).await;
    first.types("echo nor this\n").await;
    second.types("echo two\n").await;
    first.until("two\n$").await;
    assert!(!first.shows("nor this"));

    // Whoever is left gets the keyboard back.
    drop(second);
    first.notices.clear();
    first.until_notice(FromServer::Writer { yours: true }).await;
    first.types("echo three\n").await;
    first.until("three\n$").await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_types_only_after_he_claimed() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut guest = view(&hub, terminal, Rights::Guest).await;
    guest.until("$").await;
    assert!(guest.notices.contains(&FromServer::Writer { yours: false }));
    guest.types("echo unasked\n").await;
    guest.viewer.claim().await;
    guest.until_notice(FromServer::Writer { yours: true }).await;
    guest.types("echo asked\n").await;
    guest.until("asked\n$").await;
    assert!(!guest.shows("unasked"));
    // The owner comes and finds the keyboard taken.
    let mut owner = view(&hub, terminal, Rights::Owner).await;
    owner.until_notice(FromServer::Writer { yours: false }).await;
}

#[tokio::test(start_paused = true)]
async fn the_writer_says_the_size_and_others_follow() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut writer = view(&hub, terminal, Rights::Owner).await;
    writer.until("$").await;
    let mut other = view(&hub, terminal, Rights::Guest).await;
    other.until("$").await;
    other.viewer.resize(Size { cols: 10, rows: 10 }).await;
    writer.viewer.resize(Size { cols: 132, rows: 50 }).await;
    other.until_notice(FromServer::Size { cols: 132, rows: 50 }).await;
    assert!(!other.notices.contains(&FromServer::Size { cols: 10, rows: 10 }));
    // The request to the agent is under way; ask until it has arrived.
    let deadline = Instant::now() + PATIENCE;
    while !writer.shows("50 132") {
        assert!(Instant::now() < deadline);
        writer.types("stty size\n").await;
        writer.until("\n$").await;
    }
    writer.viewer.resize(Size { cols: u16::MAX, rows: 0 }).await;
    other.until_notice(FromServer::Size { cols: super::screen::MAX_COLS, rows: 1 }).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_shell_is_told_with_its_code() {
    let mut platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut browser = view(&hub, terminal, Rights::Owner).await;
    browser.until("$").await;
    browser.types("exit 7\n").await;
    browser.until_notice(FromServer::Exited { code: 7 }).await;
    assert_eq!(timeout(PATIENCE, browser.viewer.next()).await.expect("an end"), None);
    while !hub.list().is_empty() {
        timeout(PATIENCE, platform.changed.recv()).await.expect("a change").expect("a hub");
    }
    assert!(hub.view(terminal, Rights::Owner).await.expect("an answer").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_closed_terminal_and_a_sandbox_that_ends_say_so() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let (one, two) = (open(&hub).await, open(&hub).await);
    assert_eq!(hub.list().into_iter().map(|t| t.title).collect::<Vec<_>>(), ["host 1", "host 2"]);
    let mut first = view(&hub, one, Rights::Owner).await;
    let mut second = view(&hub, two, Rights::Owner).await;
    hub.close(one).await.expect("closed");
    hub.close(one).await.expect("closing is idempotent");
    first.until_notice(FromServer::Gone { reason: "This terminal was closed.".to_owned() }).await;
    platform.terminals.shut(&id(), "The lab was stopped.").await;
    second.until_notice(FromServer::Gone { reason: "The lab was stopped.".to_owned() }).await;
    assert!(matches!(hub.open("host", 0).await, Err(TerminalError::Over)));
}

/// On one thread: whoever holds it holds up everybody.
#[tokio::test]
async fn what_is_dear_to_draw_holds_up_its_own_terminal_only() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let (mut hostile, terminal) = (view(&hub, open(&hub).await, Rights::Owner).await, open(&hub).await);
    let mut other = view(&hub, terminal, Rights::Owner).await;
    hostile.until("$").await;
    other.until("$").await;
    hostile.viewer.resize(Size { cols: u16::MAX, rows: u16::MAX }).await;
    // A new screen for every two bytes.
    hostile.types(&format!("echo {}\n", "\x1bc".repeat(64 * 1024))).await;
    let began = worked();
    for round in 0..20 {
        other.types(&format!("echo round{round}\n")).await;
        other.until(&format!("round{round}\n")).await;
    }
    let took = worked().checked_sub(began).expect("time that only grows");
    // All of it takes minutes.
    assert!(took < Duration::from_secs(10), "twenty echoes took {took:?}");
}

#[tokio::test(start_paused = true)]
async fn terminals_are_few() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    for _ in 0..MAX_TERMINALS {
        open(&hub).await;
    }
    assert!(matches!(hub.open("host", 0).await, Err(TerminalError::TooMany)));
    assert!(matches!(hub.open("moon", 0).await, Err(TerminalError::TooMany)));
    hub.close(1).await.expect("closed");
    assert!(matches!(hub.open("moon", 0).await, Err(TerminalError::NotFound)));
    open(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn however_many_are_asked_for_at_once() {
    let platform = Platform::on(&engine().await);
    let hub = platform.hub();
    let asked = futures::future::join_all((0..4 * MAX_TERMINALS).map(|_| hub.open("host", 0))).await;
    assert_eq!(
        (asked.iter().filter(|opened| opened.is_ok()).count(), hub.list().len()),
        (MAX_TERMINALS, MAX_TERMINALS)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_opened_again_and_nothing_is_shown_twice() {
    let engine = engine().await;
    let platform = Platform::on(&engine);
    let hub = platform.hub();
    let terminal = open(&hub).await;
    let mut browser = view(&hub, terminal, Rights::Owner).await;
    browser.until("$").await;
    browser.types("echo before\n").await;
    browser.until("before\n$").await;
    let seen = browser.bytes.len();
    engine.set_stopped(true);
    timeout(PATIENCE, async {
        while hub.link().await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a loss");
    engine.set_stopped(false);
    timeout(PATIENCE, async { while hub.link().await.is_err() {} }).await.expect("a link");
    assert_eq!(hub.list().len(), 1);
    browser.types("echo after\n").await;
    browser.until("after\n$").await;
    assert_eq!(browser.snapshots, 1);
    assert_eq!(String::from_utf8_lossy(&browser.bytes[seen..]), "echo after\r\nafter\r\n$ ");
}

#[tokio::test(start_paused = true)]
async fn the_next_server_finds_the_shell_and_replays_nothing() {
    let engine = engine().await;
    let before = Platform::on(&engine);
    let hub = before.hub();
    let terminal = open(&hub).await;
    let mut browser = view(&hub, terminal, Rights::Owner).await;
    browser.until("$").await;
    browser.viewer.resize(Size { cols: 100, rows: 30 }).await;
    browser.types("echo remember \x1b[6n\x1b[c me\n").await;
    browser.until("me\n$").await;
    assert!(String::from_utf8_lossy(&browser.bytes).contains("\x1b[6n"), "the first browser answers the query");

    let after = Platform::on(&engine);
    let hub = after.hub();
    let mut again = view(&hub, terminal, Rights::Owner).await;
    assert_eq!(hub.list().len(), 1);
    again.until("me\n$").await;
    assert!(again.notices.contains(&FromServer::Size { cols: 100, rows: 30 }), "{:?}", again.notices);
    assert_eq!(again.bytes, b"", "what was printed before is in the picture only");
    assert!(!again.contents().contains("\x1b[6n"));
    again.types("echo still here\n").await;
    again.until("still here\n$").await;
    // The server before it lost the terminal to its successor.
    browser.until_notice(FromServer::Gone { reason: "Another server took this terminal over.".to_owned() }).await;
}
