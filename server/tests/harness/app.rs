//! One platform.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use bulkhead::{
    account::NewUser,
    backend::Platform,
    clock::{Clock, Moment},
    config::{Config, Mode, PasswordCost},
    http::router,
    live::{Live, Needs, sandboxes::Places},
    random::Random,
    store::{Account, DatabaseUrl, Sessions, Store},
};
use bulkhead_app::api::Role;
use bulkhead_labs::{engine::fake::FakeEngine, manifest::Catalog};
use serde_json::json;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

use super::{Client, course::course};

/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct TestApp {
    pub(crate) platform: Arc<Platform>,
    pub(crate) engine: FakeEngine,
    router: Router,
    folder: PathBuf,
}

impl TestApp {
    /// Everyone signs in.
    pub(crate) async fn public() -> Self {
        Self::with(|config| config.mode = Mode::Public { origin: None }).await
    }

    /// Behind TLS, at `https://labs.example.org`.
    pub(crate) async fn secure() -> Self {
        let origin = "https://labs.example.org".parse().expect("an origin");
        Self::with(|config| config.mode = Mode::Public { origin: Some(origin) }).await
    }

    /// One local learner, signed in at once.
    pub(crate) async fn local() -> Self {
        Self::with(|config| config.mode = Mode::Local).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = std::env::temp_dir().join(format!("bulkhead-app-{}", Random::system().hex::<6>()));
        std::fs::create_dir_all(folder.join("site/assets")).expect("a scratch folder");
        std::fs::write(folder.join("site/assets/app.css"), "body{}").expect("a style sheet");
        let mut config = Config {
            data: folder.clone(),
            database: DatabaseUrl::sqlite_file(&folder.join("bulkhead.db")),
            listen: ([127, 0, 0, 1], 0).into(),
            mode: Mode::Local,
            behind_proxy: false,
            sign_up: true,
            password_cost: PasswordCost::Least,
            site: Some(folder.join("site")),
        };
        change(&mut config);
        let clock = Clock::fixed(Moment::from_millis(1_790_000_000_000));
        let random = Random::seeded(1);
        let store = Store::open(&config.database).await.expect("the database opens");
        let (course, engine) = (Arc::new(course()), FakeEngine::new());
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs/catalog");
        let catalog = Catalog::read(&catalog).expect("the labs are there");
        let images =
            catalog.labs().iter().map(|lab| (lab.id.as_str().to_owned(), "bulkhead/test:1".to_owned())).collect();
        let live = Live::start(Needs {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            engine: Arc::new(engine.clone()),
            catalog,
            images,
            course: Arc::clone(&course),
            places: Places::default(),
        })
        .await
        .expect("the live side starts");
        let platform = Platform::new(config, clock, random, store, course, live).expect("the platform fits together");
        let platform = Arc::new(platform);
        Self { router: router(Arc::clone(&platform)), platform, engine, folder }
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.platform.clock.advance(span);
    }

    /// A browser that nobody signed in with.
    pub(crate) fn anonymous(&self) -> Client<'_> {
        Client::new(self)
    }

    pub(crate) async fn student(&self) -> Client<'_> {
        self.signed_in(&self.account("student", Role::Student).await).await
    }

    pub(crate) async fn instructor(&self) -> Client<'_> {
        self.signed_in(&self.account("instructor", Role::Instructor).await).await
    }

    pub(crate) async fn admin(&self) -> Client<'_> {
        self.signed_in(&self.account("admin", Role::Admin).await).await
    }

    /// `{name}@example.org`, made at the first call.
    pub(crate) async fn account(&self, name: &str, role: Role) -> Account {
        let email = format!("{name}@example.org");
        let found = self.platform.store.accounts().by_email(&email).await.expect("asked");
        if let Some(account) = found {
            return account;
        }
        let user = NewUser { name, email: &email, password: PASSWORD };
        self.platform.accounts.create(None, user, role).await.expect("an account")
    }

    /// A browser with a session of its own.
    pub(crate) async fn signed_in(&self, account: &Account) -> Client<'_> {
        let data = HashMap::from([
            ("account".to_owned(), json!(account.id.get())),
            ("agent".to_owned(), json!("the test's browser")),
        ]);
        let mut record = Record { id: Id::default(), data, expiry_date: time::OffsetDateTime::UNIX_EPOCH };
        let sessions = Sessions::new(self.platform.store.clone(), self.platform.clock.clone());
        sessions.create(&mut record).await.expect("a session");
        let mut client = Client::new(self);
        client.set_session(&record.id.to_string());
        client
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.platform.live.close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
