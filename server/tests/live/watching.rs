//! What happens in a sandbox is looked at by itself, while a page is open.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use bulkhead::store::AccountId;
use bulkhead_agent::look::{FileFacts, FileKind, Look, Seen, facts::Mark};
use bulkhead_app::api::lab::{CheckView, LabEvent, Verdict};
use bulkhead_labs::grade::Scope;

use crate::{
    bench::{Bench, LAB, PASSWORD, Server, eventually},
    wire::{Stream, sign_in},
};

/// Whether the engine told of something, and the files that changed.
type Happening = (bool, Vec<String>);

/// A sandbox in which things happen when the test says so.
#[derive(Clone, Default)]
struct World {
    /// The key's mode.
    mode: Arc<AtomicU32>,
    happenings: Arc<Mutex<VecDeque<Happening>>>,
    waits: Arc<AtomicUsize>,
}

impl World {
    fn of(bench: &Bench) -> Self {
        let world = Self::default();
        let there = world.clone();
        bench.engine.behave(move |behaviour| {
            behaviour.look = Arc::new(move |look| {
                Ok(match look {
                    Look::File { .. } => Seen::File(FileFacts {
                        kind: FileKind::File,
                        mode: there.mode.load(Ordering::SeqCst),
                        uid: 0,
                        gid: 0,
                        size: 4,
                        real_path: "/srv/key".to_owned(),
                        sha256: None,
                        content: "key\n".to_owned(),
                        truncated: false,
                    }),
                    Look::Wait { paths, .. } => {
                        assert_eq!(*paths, ["/srv/key"]);
                        there.waits.fetch_add(1, Ordering::SeqCst);
                        let mut happenings = there.happenings.lock().unwrap_or_else(PoisonError::into_inner);
                        let (engine, paths) = happenings.pop_front().unwrap_or_default();
                        Seen::Happened { mark: Mark { time: "1.0".to_owned(), files: BTreeMap::new() }, engine, paths }
                    }
                    _ => Seen::Missing,
                })
            });
        });
        world
    }

    /// The key gets this mode, and whoever waits hears of it.
    fn key(&self, mode: u32) {
        self.mode.store(mode, Ordering::SeqCst);
        self.happens(false, &["/srv/key"]);
    }

    fn happens(&self, engine: bool, paths: &[&str]) {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        self.happenings.lock().unwrap_or_else(PoisonError::into_inner).push_back((engine, paths));
    }

    /// Everything that happened was heard of, and once more nothing was.
    async fn heard(&self) {
        eventually("it is heard of", async || {
            self.happenings.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
        })
        .await;
        let before = self.waits.load(Ordering::SeqCst);
        eventually("it waits again", async || self.waits.load(Ordering::SeqCst) > before).await;
    }
}

async fn told(stream: &mut Stream, wanted: impl Fn(&CheckView) -> bool) -> CheckView {
    loop {
        if let LabEvent::Check { check, .. } = stream.next().await
            && wanted(&check)
        {
            return check;
        }
    }
}

async fn verdicts(server: &Server, account: AccountId) -> Vec<(String, Option<Verdict>, bool)> {
    let state = server.live.state(&server.store, account, server.lab()).await.expect("a state");
    state.checks.into_iter().map(|(_, check)| (check.id, check.verdict, check.stale)).collect()
}

#[tokio::test]
async fn what_happens_is_looked_at_by_itself_while_a_page_is_open() {
    let bench = Bench::new().await;
    let world = World::of(&bench);
    let mut server = bench.server().await;
    let address = server.serve().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    assert_eq!(world.waits.load(Ordering::SeqCst), 0, "nobody looks at a sandbox without a page");
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (_, mut stream) = Stream::open(address, &cookie, LAB).await;
    world.heard().await;

    // A failure that he did not ask for is not held against him; a pass is told.
    world.key(0o644);
    world.heard().await;
    assert_eq!(verdicts(&server, ada).await[0], ("kept".to_owned(), None, false));
    world.key(0o600);
    let kept = told(&mut stream, |check| check.id == "kept" && check.verdict.is_some()).await;
    assert_eq!((kept.verdict, kept.stale), (Some(Verdict::Pass), false));
    // A verdict that is known is told when it changes.
    world.key(0o644);
    let kept = told(&mut stream, |check| check.id == "kept").await;
    assert_eq!((kept.verdict, kept.stale), (Some(Verdict::Fail), false));
    world.key(0o600);
    told(&mut stream, |check| check.verdict == Some(Verdict::Pass)).await;
    // None of it was an attempt.
    assert_eq!(server.store.attempts().done(ada, LAB).await.expect("asked"), []);

    // What cannot be looked at by itself is of the past from then on, until he asks.
    server.live.grader.check(ada, server.lab(), Scope::All).await.expect("accepted");
    told(&mut stream, |check| check.id == "told" && check.verdict.is_some()).await;
    while stream.next().await != (LabEvent::Grading { running: false }) {}
    world.happens(true, &[]);
    let past = told(&mut stream, |check| check.id == "told").await;
    assert_eq!((past.verdict, past.stale), (Some(Verdict::Fail), true));
    assert!(verdicts(&server, ada).await.iter().all(|(_, _, stale)| *stale), "a page that is loaded now shows it too");
    server.live.grader.check(ada, server.lab(), Scope::All).await.expect("accepted");
    let now = told(&mut stream, |check| check.id == "told" && !check.running).await;
    assert!(!now.stale);

    // A page that is gone costs nothing.
    drop(stream);
    let mut before = 0;
    let mut still = 0;
    eventually("nobody waits any more", async || {
        let now = world.waits.load(Ordering::SeqCst);
        still = if now == before { still + 1 } else { 0 };
        before = now;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        still > 80
    })
    .await;
}

#[tokio::test]
async fn verdicts_from_before_the_server_are_looked_at_anew() {
    let bench = Bench::new().await;
    let world = World::of(&bench);
    world.mode.store(0o600, Ordering::SeqCst);
    let ada = {
        let server = bench.server().await;
        let ada = server.account("ada").await;
        server.ready(ada).await;
        server.live.grader.check(ada, server.lab(), Scope::All).await.expect("accepted");
        eventually("it is graded", async || {
            verdicts(&server, ada).await.iter().all(|(_, verdict, _)| verdict.is_some())
        })
        .await;
        ada
    };
    world.mode.store(0o644, Ordering::SeqCst);
    let mut server = bench.server().await;
    let address = server.serve().await;
    let cookie = sign_in(address, "ada", PASSWORD).await;
    let (_, mut stream) = Stream::open(address, &cookie, LAB).await;
    let kept = told(&mut stream, |check| check.id == "kept" && check.verdict == Some(Verdict::Fail)).await;
    assert!(!kept.stale);
    eventually("the answer's verdict is of the past", async || {
        verdicts(&server, ada).await.iter().any(|(check, _, stale)| check == "told" && *stale)
    })
    .await;
}
