//! Databases to run the suite on.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use bulkhead::{
    clock::{Clock, Moment},
    random::Random,
    store::{DatabaseUrl, Dialect, Store},
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// An empty database with all tables, and a clock that stands still.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(crate) url: DatabaseUrl,
    pub(crate) clock: Clock,
}

impl Fresh {
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }
}

pub(crate) enum Server {
    Sqlite(Scratch),
    Postgres { cluster: Cluster, databases: AtomicU32 },
}

impl Server {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Scratch::new())
    }

    /// `None`, said aloud, where PostgreSQL is not installed; a failure where `BULKHEAD_TEST_ENGINE=required`.
    pub(crate) async fn postgres() -> Option<Self> {
        let Some(binaries) = binaries() else {
            let required = std::env::var("BULKHEAD_TEST_ENGINE").is_ok_and(|value| value == "required");
            assert!(!required, "PostgreSQL is not installed: apt-get install postgresql");
            let _ = writeln!(std::io::stderr(), "SKIPPED: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        Some(Self::Postgres { cluster: Cluster::start(&binaries).await, databases: AtomicU32::new(0) })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres { .. } => Dialect::Postgres,
        }
    }

    pub(crate) async fn fresh(&self) -> Fresh {
        let url = match self {
            Self::Sqlite(scratch) => {
                DatabaseUrl::sqlite_file(&scratch.0.join(format!("{}.db", Random::system().hex::<8>())))
            }
            Self::Postgres { cluster, databases } => {
                let name = format!("suite_{}", databases.fetch_add(1, Ordering::Relaxed));
                let mut connection = cluster.connect("postgres").await.expect("the cluster answers");
                let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
                connection.execute(create).await.expect("a database");
                DatabaseUrl::parse(&cluster.url(&name)).expect("a PostgreSQL URL")
            }
        };
        let store = Store::open(&url).await.expect("the database opens");
        Fresh { store, url, clock: Clock::fixed(Moment::from_millis(1_790_000_000_000)) }
    }
}

/// A folder that goes when it is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("bulkhead-store-{}", Random::system().hex::<6>()));
        fs::create_dir_all(&folder).expect("a scratch folder");
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A PostgreSQL of our own: its data in a scratch folder, reachable by a socket in it and by nothing else.
pub(crate) struct Cluster {
    server: Child,
    folder: Scratch,
}

impl Cluster {
    async fn start(binaries: &Path) -> Self {
        let folder = Scratch::new();
        // The folder guards the socket, as whoever reaches that is let in.
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).expect("a private folder");
        if is_root(&folder.0) {
            let (uid, gid) =
                user("postgres").expect("PostgreSQL refuses to run as root, and there is no user postgres");
            chown(&folder.0, Some(uid), Some(gid)).expect("a folder of postgres' own");
        }
        let data = folder.0.join("data");
        let made = unprivileged(&folder.0, &binaries.join("initdb"))
            .args(["--username=bulkhead", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .expect("initdb runs");
        assert!(made.success(), "initdb: {made}");
        let log = fs::File::create(folder.0.join("log")).expect("a log");
        let server = unprivileged(&folder.0, &binaries.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder.0)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres runs");
        let mut cluster = Self { server, folder };
        cluster.wait().await;
        cluster
    }

    async fn wait(&mut self) {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            match self.connect("postgres").await {
                Ok(_) => return,
                Err(error) => {
                    let log = || fs::read_to_string(self.folder.0.join("log")).unwrap_or_default();
                    assert!(Instant::now() < patience, "PostgreSQL does not answer: {error}\n{}", log());
                }
            }
            if let Ok(Some(status)) = self.server.try_wait() {
                panic!("PostgreSQL ended: {status}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn connect(&self, database: &str) -> sqlx::Result<AnyConnection> {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url(database)).await
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://bulkhead@localhost/{database}?host={}", self.folder.0.display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT: a fast shutdown, which a killed server would not get to.
        let pid = self.server.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status().is_ok_and(|status| status.success());
        if !asked {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// Runs `program` as somebody who is not root, and ends it with this thread.
fn unprivileged(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    let owner = fs::metadata(folder).expect("the folder is there");
    if is_root(Path::new("/proc/self")) {
        command.args(["--reuid", &owner.uid().to_string(), "--regid", &owner.gid().to_string(), "--clear-groups"]);
    }
    command.arg(program).current_dir(folder).env("LC_ALL", "C");
    command
}

fn is_root(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.uid() == 0)
}

fn user(name: &str) -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = passwd.lines().find(|line| line.split(':').next() == Some(name))?.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// The newest of Debian's.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .max()?;
    Some(newest.1)
}
