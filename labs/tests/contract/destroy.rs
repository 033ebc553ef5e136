use std::sync::Arc;

use bulkhead_labs::engine::{CreateStep, EngineError, Mode, SandboxId};

use crate::bench::Bench;

pub(crate) async fn is_idempotent(bench: Arc<Bench>) {
    let spec = bench.spec("twice");
    let link = bench.start(&spec).await;
    bench.engine().destroy(&spec.id).await.expect("destroyed");
    let _why = link.closed().await;
    bench.engine().destroy(&spec.id).await.expect("destroyed again");
    bench.engine().destroy(&SandboxId::parse("never-was").expect("an id")).await.expect("nothing to do");
    bench.assert_nothing_left().await;
    let at_once = (0..3).map(|_| bench.engine().destroy(&spec.id));
    assert!(futures::future::join_all(at_once).await.iter().all(Result::is_ok));
}

pub(crate) async fn wins_over_a_create_that_runs(bench: Arc<Bench>) {
    let spec = bench.spec("pending");
    // At once; and as soon as there is something to destroy.
    for wait in [false, true] {
        let (created, destroyed) = tokio::join!(bench.engine().create(&spec), async {
            while wait && bench.engine().status(&spec.id).await.expect("a status").is_none() {
                tokio::task::yield_now().await;
            }
            bench.engine().destroy(&spec.id).await
        });
        destroyed.expect("destroyed");
        assert!(matches!(created, Ok(()) | Err(EngineError::Destroyed(_))), "{created:?}");
        bench.assert_nothing_left().await;
    }
    bench.engine().create(&spec).await.expect("a later create is a new one");
}

pub(crate) async fn of_a_created_container(bench: Arc<Bench>) {
    let spec = bench.spec("created");
    bench.inject(CreateStep::Make, Mode::Crash);
    bench.engine().create(&spec).await.expect_err("the platform died");
    bench.engine().destroy(&spec.id).await.expect("destroyed");
    bench.assert_nothing_left().await;
}
