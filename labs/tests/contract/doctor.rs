use std::sync::Mutex;

use bulkhead_labs::doctor::{Row, RowStatus, Subject, examine};

use crate::bench::{Kind, docker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_it_proves_the_tier() {
    let Some(bench) = docker().await else { return };
    let Kind::Docker(engine) = &bench.kind else { return };
    let subject = Subject {
        instance: bench.engine().instance().to_owned(),
        socket: Some(engine.socket().to_owned()),
        images: vec![bench.image.clone()],
    };
    let seen = Mutex::new(Vec::new());
    let report = examine(&subject, &|row: &Row| seen.lock().expect("no panic").push(row.id.clone())).await;
    let ids: Vec<_> = report.rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(*seen.lock().expect("no panic"), ids, "each row was shown as it came");
    for id in ["engine", "sandbox", "escape-machine", "escape-privileged"] {
        let row = report.rows.iter().find(|row| row.id == id).expect("the row");
        assert_eq!(row.status, RowStatus::Ok, "{row:?}");
    }
    for row in report.rows.iter().filter(|row| row.status != RowStatus::Ok) {
        assert!(row.fix.is_some(), "{row:?}");
    }
    assert_eq!(report.tier.is_some(), report.worst() < RowStatus::Fail);
    bench.assert_nothing_left().await;
}

#[tokio::test]
async fn without_an_engine_it_says_what_to_do_and_claims_nothing() {
    let socket = std::env::temp_dir().join("bulkhead-no-such.sock").to_string_lossy().into_owned();
    let subject = Subject { instance: "none".to_owned(), socket: Some(socket), images: vec![] };
    let report = examine(&subject, &|_| {}).await;
    assert_eq!((report.worst(), report.tier), (RowStatus::Fail, None));
    let row = report.rows.last().expect("a row");
    assert!(row.id == "engine" && row.fix.as_deref().is_some_and(|fix| fix.contains("docker.io")), "{row:?}");
}
