//! The engine is out of reach, or stops in the middle of something: every call ends with an error that says so, and what was half
//! made is gone after a destroy.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use bulkhead_labs::{
    engine::{DockerEngine, EngineError, SandboxEngine, SandboxId},
    link::{AgentLink, LinkError},
    sandbox::{ProvisionError, Ready, provision},
};
use nix::unistd::{Uid, setfsuid};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};

use crate::ground::{Ground, with};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bulkhead-machine-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("open to all");
    folder
}

async fn refused(path: &Path) -> String {
    match DockerEngine::connect("outage", path.to_str()).await {
        Err(error @ EngineError::Unreachable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_path_says_what_to_do() {
    let folder = folder("wrong");
    let file = folder.join("file");
    std::fs::write(&file, "no socket").expect("a file");
    for (path, advice) in [
        (folder.join("nothing"), "apt install docker.io"),
        (folder.join("no/such/folder"), "apt install docker.io"),
        (file, "systemctl"),
        (folder.clone(), "systemctl"),
    ] {
        let said = refused(&path).await;
        assert!(said.contains(advice) && said.contains(path.to_str().expect("a path")), "{said}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn a_socket_of_others_says_which_group() {
    let folder = folder("forbidden");
    let path = folder.join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("closed");
    let asked = path.clone();
    // Root may open every socket. One thread of root can give that up.
    let said = std::thread::spawn(move || {
        if Uid::effective().is_root() {
            setfsuid(Uid::from_raw(65_534));
        } else {
            std::fs::set_permissions(&asked, PermissionsExt::from_mode(0o000)).expect("closed");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(refused(&asked))
    });
    let said = said.join().expect("an answer");
    assert!(said.contains("usermod -aG docker"), "{said}");
    drop(listener);
    std::fs::remove_dir_all(folder).expect("removed");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Connections end, and new ones at once.
    Cut,
    /// Nothing is said any more, and nobody hangs up.
    Stall,
}

/// Stands between the platform and the engine. The engine does what it is asked; in trouble, its answers do not come.
struct Proxy {
    socket: PathBuf,
    wires: Arc<Wires>,
    task: JoinHandle<()>,
}

struct Wires {
    engine: String,
    /// What a request holds that is the last to get through, and what then happens.
    fuse: Mutex<Option<(&'static str, Trouble)>>,
    trouble: watch::Sender<Option<Trouble>>,
}

impl Proxy {
    fn new(folder: &Path, engine: &str) -> Self {
        let socket = folder.join("engine");
        let listener = UnixListener::bind(&socket).expect("bound");
        let wires =
            Arc::new(Wires { engine: engine.to_owned(), fuse: Mutex::default(), trouble: watch::Sender::new(None) });
        let task = tokio::spawn({
            let wires = Arc::clone(&wires);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(Arc::clone(&wires).carry(stream));
                }
            }
        });
        Self { socket, wires, task }
    }

    fn arm(&self, request: &'static str, trouble: Trouble) {
        *self.wires.fuse.lock().expect("no panic") = Some((request, trouble));
    }

    fn mend(&self) {
        self.wires.fuse.lock().expect("no panic").take();
        if self.wires.trouble.send_replace(None) == Some(Trouble::Stall) {
            tokio::time::resume();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.mend();
        self.task.abort();
    }
}

impl Wires {
    fn strike(&self, trouble: Trouble) {
        // With the engine silent nothing but the clock moves, so it may jump from one deadline to the next.
        if self.trouble.send_replace(Some(trouble)) != Some(Trouble::Stall) && trouble == Trouble::Stall {
            tokio::time::pause();
        }
    }

    fn burns(&self, bytes: &[u8]) -> Option<Trouble> {
        let mut fuse = self.fuse.lock().expect("no panic");
        let (request, trouble) = (*fuse)?;
        let burns = bytes.windows(request.len()).any(|window| window == request.as_bytes());
        if burns {
            *fuse = None;
        }
        burns.then_some(trouble)
    }

    async fn carry(self: Arc<Self>, mut ours: UnixStream) {
        let mut trouble = self.trouble.subscribe();
        let now = *trouble.borrow_and_update();
        match now {
            Some(Trouble::Cut) => return,
            Some(Trouble::Stall) => {
                let _mended = trouble.wait_for(Option::is_none).await;
                return;
            }
            None => {}
        }
        let Ok(mut theirs) = UnixStream::connect(&self.engine).await else { return };
        let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        loop {
            tokio::select! {
                () = async { trouble.wait_for(Option::is_some).await.map_or((), drop) } => {
                    // Held open until the engine is back, or dropped at once.
                    let _mended = trouble.wait_for(|now| *now != Some(Trouble::Stall)).await;
                    return;
                }
                read = ours.read(&mut up) => {
                    let Ok(count @ 1..) = read else { return };
                    let bytes = &up[..count];
                    let burns = self.burns(bytes);
                    if theirs.write_all(bytes).await.is_err() { return }
                    if let Some(burns) = burns {
                        // It was done, and nobody will hear of it.
                        let _answer = theirs.read(&mut down).await;
                        self.strike(burns);
                    }
                }
                read = theirs.read(&mut down) => {
                    let Ok(count @ 1..) = read else { return };
                    if ours.write_all(&down[..count]).await.is_err() { return }
                }
            }
        }
    }
}

fn is_an_outage(error: &EngineError) -> bool {
    match error {
        EngineError::Unreachable { hint, .. } => !hint.is_empty(),
        EngineError::TimedOut(after) => *after > Duration::ZERO,
        _ => false,
    }
}

fn failed(provisioned: Result<Ready, ProvisionError>) -> EngineError {
    match provisioned {
        Err(ProvisionError::Engine(error)) => error,
        Err(ProvisionError::TimedOut { within, .. }) => EngineError::TimedOut(within),
        other => panic!("{other:?}"),
    }
}

async fn assert_gone_after_a_destroy(ground: &Ground, through: &DockerEngine, id: &SandboxId) {
    through.destroy(id).await.expect("destroyed, once the engine is back");
    assert!(ground.engine.list().await.expect("a list").is_empty(), "something was left");
}

async fn stops_while_it_makes_a_sandbox(trouble: Trouble) {
    with(async |ground| {
        let folder = folder(&format!("making-{trouble:?}"));
        let proxy = Proxy::new(&folder, ground.engine.socket());
        let through =
            DockerEngine::connect(ground.engine.instance(), proxy.socket.to_str()).await.expect("through the proxy");
        let plan = ground.plan("outage", "");
        for request in ["/containers/create", "/start HTTP", "/exec HTTP", "/exec/"] {
            proxy.arm(request, trouble);
            let error = failed(provision(&through, &plan, &|_| {}).await);
            assert!(is_an_outage(&error), "{request}: {error:?}");
            assert_eq!(*proxy.wires.trouble.borrow(), Some(trouble), "{request} was never asked");
            proxy.mend();
            assert_gone_after_a_destroy(ground, &through, &plan.id).await;
        }
        std::fs::remove_dir_all(folder).expect("removed");
    })
    .await;
}

#[tokio::test]
async fn cut_off_while_it_makes_a_sandbox() {
    stops_while_it_makes_a_sandbox(Trouble::Cut).await;
}

#[tokio::test]
async fn silent_while_it_makes_a_sandbox() {
    stops_while_it_makes_a_sandbox(Trouble::Stall).await;
}

async fn stops_under_a_running_sandbox(trouble: Trouble) {
    with(async |ground| {
        let folder = folder(&format!("running-{trouble:?}"));
        let proxy = Proxy::new(&folder, ground.engine.socket());
        let through =
            DockerEngine::connect(ground.engine.instance(), proxy.socket.to_str()).await.expect("through the proxy");
        let plan = ground.plan("outage", "");
        let link = provision(&through, &plan, &|_| {}).await.expect("a sandbox").link;
        let shell = link.start(crate::ground::terminal(&[])).await.expect("a terminal").id;

        proxy.wires.strike(trouble);
        let said = link.status().await.expect_err("the engine stopped");
        match trouble {
            Trouble::Cut => assert!(matches!(said, LinkError::Closed(_)), "{said:?}"),
            Trouble::Stall => assert!(matches!(said, LinkError::TimedOut(_)), "{said:?}"),
        }
        for (what, error) in [
            ("list", through.list().await.map(drop).expect_err("stopped")),
            ("status", through.status(&plan.id).await.map(drop).expect_err("stopped")),
            ("connect", through.connect(&plan.id).await.map(drop).expect_err("stopped")),
            ("create", failed(provision(&through, &plan, &|_| {}).await)),
            ("has_image", through.has_image(&plan.image).await.map(drop).expect_err("stopped")),
            ("destroy", through.destroy(&plan.id).await.expect_err("stopped")),
        ] {
            assert!(is_an_outage(&error), "{what}: {error:?}");
        }

        proxy.mend();
        let link = AgentLink::open(through.connect(&plan.id).await.expect("a stream")).await.expect("a link");
        assert_eq!(link.attach(shell).await.expect("the same shell").id, shell);
        assert_gone_after_a_destroy(ground, &through, &plan.id).await;
        std::fs::remove_dir_all(folder).expect("removed");
    })
    .await;
}

#[tokio::test]
async fn cut_off_under_a_running_sandbox() {
    stops_under_a_running_sandbox(Trouble::Cut).await;
}

#[tokio::test]
async fn silent_under_a_running_sandbox() {
    stops_under_a_running_sandbox(Trouble::Stall).await;
}
