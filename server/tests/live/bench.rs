//! A platform with a small lab. Servers end as a crash ends them, and the next one finds database and engine as they were.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bulkhead::{
    account::NewUser,
    backend::Platform,
    clock::{Clock, Moment},
    config::{Config, Mode, PasswordCost},
    http::serve,
    live::{
        Live, Needs,
        sandboxes::{Places, phase::Phase},
    },
    random::Random,
    store::{AccountId, DatabaseUrl, Sandbox, Store},
};
use bulkhead_app::api::{Role, lab::LabEvent};
use bulkhead_content::Course;
use bulkhead_labs::{
    engine::{FakeEngine, SandboxEngine},
    manifest::{Catalog, Files, Lab},
};
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};

pub(crate) const LAB: &str = "tiny";
pub(crate) const PASSWORD: &str = "correct horse battery";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) engine: FakeEngine,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) places: Places,
    folder: PathBuf,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("bulkhead-live-{}", Random::system().hex::<6>()));
        std::fs::create_dir_all(&folder).expect("a scratch folder");
        let store = Store::open(&DatabaseUrl::sqlite_file(&folder.join("bulkhead.db"))).await.expect("a database");
        let engine = FakeEngine::new();
        let clock = Clock::fixed(Moment::from_millis(1_790_000_000_000));
        Self { engine, clock, store, places: Places { total: 10, making: 2, per_account: 3 }, folder }
    }

    /// A server that takes up what is there.
    pub(crate) async fn server(&self) -> Server {
        let config = Config {
            data: self.folder.clone(),
            database: DatabaseUrl::sqlite_file(&self.folder.join("bulkhead.db")),
            listen: ([127, 0, 0, 1], 0).into(),
            mode: Mode::Public { origin: None },
            behind_proxy: false,
            sign_up: true,
            password_cost: PasswordCost::Least,
            site: Some(self.folder.clone()),
        };
        let course = Arc::new(Course::parse(&course()).expect("a course"));
        let catalog = Catalog::parse(&labs());
        assert!(catalog.diagnostics().is_empty(), "{:?}", catalog.diagnostics());
        let needs = Needs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: Random::system(),
            engine: Arc::new(self.engine.clone()),
            catalog,
            images: [(LAB, "bulkhead/test:1"), ("other", "bulkhead/test:1")].into_iter().collect(),
            course: Arc::clone(&course),
            places: self.places,
        };
        let live = Live::start(needs).await.expect("a live side");
        let platform =
            Platform::new(config, self.clock.clone(), Random::system(), self.store.clone(), course, live.clone());
        Server { platform: Arc::new(platform.expect("a platform")), live, store: self.store.clone(), serving: None }
    }

    /// The same database as another process has it.
    pub(crate) async fn another_store(&self) -> Store {
        Store::open(&DatabaseUrl::sqlite_file(&self.folder.join("bulkhead.db"))).await.expect("a database")
    }

    pub(crate) async fn on_engine(&self) -> Vec<(String, u32)> {
        let found = self.engine.list().await.expect("an engine");
        found.into_iter().map(|found| (found.id.to_string(), found.generation)).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) struct Server {
    pub(crate) platform: Arc<Platform>,
    pub(crate) live: Live,
    pub(crate) store: Store,
    serving: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn lab(&self) -> &Lab {
        self.live.catalog.lab(LAB).expect("the lab")
    }

    pub(crate) async fn account(&self, name: &str) -> AccountId {
        self.account_of(name, Role::Student).await
    }

    pub(crate) async fn account_of(&self, name: &str, role: Role) -> AccountId {
        let email = format!("{name}@example.org");
        if let Some(found) = self.store.accounts().by_email(&email).await.expect("asked") {
            return found.id;
        }
        let user = NewUser { name, email: &email, password: PASSWORD };
        self.platform.accounts.create(None, user, role).await.expect("an account").id
    }

    pub(crate) fn listen(&self, account: AccountId) -> broadcast::Receiver<LabEvent> {
        self.live.events.subscribe(account, LAB)
    }

    pub(crate) async fn row(&self, account: AccountId) -> Sandbox {
        self.store.sandboxes().of(account, LAB).await.expect("asked").expect("a row")
    }

    /// Waits until the account's sandbox is in that phase.
    pub(crate) async fn until(&self, account: AccountId, phase: Phase) -> Sandbox {
        let start = Instant::now();
        loop {
            let row = self.row(account).await;
            if row.phase == phase {
                return row;
            }
            assert!(start.elapsed() < PATIENCE, "{phase:?} never came; it is {row:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn ready(&self, account: AccountId) -> Sandbox {
        self.live.sandboxes.start(account, self.lab()).await.expect("started");
        self.until(account, Phase::Ready).await
    }

    /// Serves on a port of its own until the test ends.
    pub(crate) async fn serve(&mut self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let platform = Arc::clone(&self.platform);
        self.serving = Some(tokio::spawn(async move {
            serve(platform, listener, std::future::pending()).await.expect("served");
        }));
        address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.live.close();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// Waits until `done`.
pub(crate) async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < PATIENCE, "{what}: never");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn next(events: &mut broadcast::Receiver<LabEvent>, wanted: impl Fn(&LabEvent) -> bool) -> LabEvent {
    let found = async {
        loop {
            match events.recv().await {
                Ok(event) if wanted(&event) => return event,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(error) => panic!("the events ended: {error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("an event in time")
}

fn course() -> bulkhead_content::Files {
    let outline = "title = \"Course\"\nsummary = \"A course.\"\n\n[[module]]\nslug = \"one\"\ntitle = \"One\"\nsummary = \"The first.\"\n\n\
                   [[module.section]]\ntitle = \"Section\"\nlessons = [{ slug = \"first\", title = \"First\" }]\n";
    bulkhead_content::Files::from([("course.toml".to_owned(), outline.as_bytes().to_vec())])
}

fn labs() -> Files {
    let mut files = Files::new();
    for id in [LAB, "other"] {
        let manifest = MANIFEST.replace("@ID@", id);
        for (path, text) in [
            ("lab.toml", manifest.as_str()),
            ("story.md", "A story."),
            ("tasks/keep.md", "Keep it."),
            ("tasks/tell.md", "Tell it."),
            ("setup.sh", "#!/bin/sh\nset -eu\ntrue\n"),
            ("solution.sh", "#!/bin/sh\nset -eu\ntrue\n"),
            ("solution.md", "So."),
            ("wrong.sh", "#!/bin/sh\nset -eu\nfalse\n"),
        ] {
            files.insert(format!("{id}/{path}"), text.as_bytes().to_vec());
        }
    }
    files
}

const MANIFEST: &str = r#"
schema = 1
id = "@ID@"
title = "A tiny lab"
summary = "It is tiny."
module = 1
minutes = 10
objectives = ["Be tiny"]
pass = 60
time = { limit = "60m", extend = "15m", max = "80m", orphan = "10m", warn = ["10m", "2m"] }

[[machine]]
name = "host"
kind = "docker-host"
image = "bulkhead/docker-host"

[setup]
script = "setup.sh"

[[task]]
id = "keep"
title = "Keep it"
points = 60
hints = [{ text = "One.", after = 0 }, { text = "Two.", after = 1 }]
  [[task.check]]
  id = "kept"
  title = "It is kept"
  kind = "file"
  path = "/srv/key"
  mode = "0600"
  fail = "It is not kept."
  why = "Keys are kept."

[[task]]
id = "tell"
title = "Tell it"
points = 40
hints = [{ text = "One.", after = 0 }, { text = "Two.", after = 0 }]
  [[task.check]]
  id = "told"
  kind = "answer"
  question = "Which?"
  matches = "^that$"
  fail = "Not that."

[solution]
script = "solution.sh"

[[wrong_fix]]
script = "wrong.sh"
title = "Nothing done"
fails = ["kept"]
"#;
