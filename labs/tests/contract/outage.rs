//! The engine stops, hangs, or was never there: every call ends with an error that says what to do, and nothing hangs.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use bulkhead_labs::{
    engine::{DockerEngine, EngineError, SandboxEngine},
    link::{AgentLink, LinkError},
};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

use crate::bench::{Bench, Kind, docker};

fn socket(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bulkhead-contract-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    let path = folder.join(name);
    let _stale = std::fs::remove_file(&path);
    path
}

async fn unreachable(path: &std::path::Path) -> String {
    match DockerEngine::connect("outage", path.to_str()).await {
        Err(error @ EngineError::Unreachable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_socket_says_how_to_install() {
    let said = unreachable(&socket("missing")).await;
    assert!(said.contains("apt install docker.io") && said.contains("missing"), "{said}");
}

#[tokio::test]
async fn a_stopped_engine_says_how_to_start() {
    let path = socket("stopped");
    drop(UnixListener::bind(&path).expect("bound"));
    let said = unreachable(&path).await;
    assert!(said.contains("systemctl start docker"), "{said}");
}

#[tokio::test]
async fn a_forbidden_socket_says_which_group() {
    if nobody_is_refused_anything() {
        return;
    }
    let path = socket("forbidden");
    let _listener = UnixListener::bind(&path).expect("bound");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).expect("closed");
    let said = unreachable(&path).await;
    assert!(said.contains("usermod -aG docker"), "{said}");
}

/// Root may open every socket; the words are tested with the error beside the code.
fn nobody_is_refused_anything() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0")))
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_given_up() {
    let path = socket("hung");
    let listener = UnixListener::bind(&path).expect("bound");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let said = unreachable(&path).await;
    assert!(said.contains("in time"), "{said}");
}

/// Stands between the platform and the engine; aborted, it is an engine that stopped.
fn proxy(path: &std::path::Path, engine: String) -> tokio::task::JoinHandle<()> {
    let listener = UnixListener::bind(path).expect("bound");
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut ours, _)) = listener.accept().await {
            let mut theirs = UnixStream::connect(&engine).await.expect("the engine");
            connections.spawn(async move {
                let _ended = copy_bidirectional(&mut ours, &mut theirs).await;
            });
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_a_stop_in_the_middle_reaches_everyone() {
    let Some(bench) = docker().await else { return };
    let Kind::Docker(direct) = &bench.kind else { return };
    let path = socket("proxy");
    let proxied = proxy(&path, direct.socket().to_owned());
    let through = DockerEngine::connect(direct.instance(), path.to_str()).await.expect("through the proxy");
    let spec = bench.spec("outage");
    through.create(&spec).await.expect("a sandbox");
    let link = AgentLink::open(through.connect(&spec.id).await.expect("a stream")).await.expect("a link");

    proxied.abort();
    let _aborted = proxied.await;
    let closed = tokio::time::timeout(Duration::from_secs(10), link.closed()).await.expect("the link notices");
    assert!(matches!(closed, LinkError::Closed(_)), "{closed:?}");
    assert!(matches!(link.status().await, Err(LinkError::Closed(_))));
    for (what, error) in [
        ("list", through.list().await.map(drop).expect_err("stopped")),
        ("status", through.status(&spec.id).await.map(drop).expect_err("stopped")),
        ("connect", through.connect(&spec.id).await.map(drop).expect_err("stopped")),
        ("create", through.create(&spec).await.expect_err("stopped")),
        ("destroy", through.destroy(&spec.id).await.expect_err("stopped")),
    ] {
        assert!(matches!(error, EngineError::Unreachable { .. }), "{what}: {error:?}");
    }

    let again = socket("proxy");
    let proxied = proxy(&again, direct.socket().to_owned());
    through.create(&spec).await.expect("the same sandbox, adopted");
    through.destroy(&spec.id).await.expect("destroyed");
    proxied.abort();
    bench.assert_nothing_left().await;
}

#[tokio::test]
async fn on_the_fake_a_stop_in_the_middle_reaches_everyone() {
    let bench = Arc::new(Bench::fake());
    let spec = bench.spec("outage");
    let link = bench.start(&spec).await;
    let Kind::Fake(engine) = &bench.kind else { return };
    engine.set_stopped(true);
    assert!(matches!(link.closed().await, LinkError::Closed(_)));
    assert!(matches!(engine.create(&spec).await, Err(EngineError::Unreachable { .. })));
    engine.set_stopped(false);
    bench.start(&spec).await.status().await.expect("the same sandbox, adopted");
}
