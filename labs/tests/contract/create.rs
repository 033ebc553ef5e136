use std::sync::Arc;

use bulkhead_agent::protocol::{Open, Size};
use bulkhead_labs::engine::{CreateStep, EngineError, EngineState, Mode, SandboxId};

use crate::bench::Bench;

pub(crate) async fn twice_makes_one(bench: Arc<Bench>) {
    let spec = bench.spec("twice");
    let link = bench.start(&spec).await;
    let open = Open { machine: "host".to_owned(), uid: 0, argv: vec![], tty: Some(Size { cols: 80, rows: 24 }) };
    let shell = link.start(open).await.expect("a shell");
    bench.engine().create(&spec).await.expect("the same again");
    let running = bench.link(&spec.id).await.processes().await.expect("processes");
    assert_eq!(
        running.iter().map(|process| process.process).collect::<Vec<_>>(),
        [shell.id],
        "the shell outlived the second create"
    );
    assert_eq!(bench.engine().list().await.expect("a list").len(), 1);
}

pub(crate) async fn another_generation_is_refused(bench: Arc<Bench>) {
    let first = bench.spec("generation");
    let mut second = first.clone();
    second.generation = 2;
    second.boot.generation = 2;
    bench.engine().create(&first).await.expect("the first generation");
    match bench.engine().create(&second).await {
        Err(EngineError::Generation { id, found: 1, asked: 2 }) => assert_eq!(id, first.id),
        other => panic!("{other:?}"),
    }
    bench.link(&first.id).await.status().await.expect("the first runs on");
    bench.engine().destroy(&first.id).await.expect("destroyed");
    bench.engine().create(&second).await.expect("the second generation");
    let summary = bench.engine().status(&second.id).await.expect("a status").expect("a sandbox");
    assert_eq!(summary.generation, 2);
}

pub(crate) async fn what_a_crash_left_is_adopted(bench: Arc<Bench>) {
    let expected = [EngineState::Created, EngineState::Running, EngineState::Running, EngineState::Running];
    for (step, left) in CreateStep::ALL.into_iter().zip(expected) {
        let spec = bench.spec(&format!("crash-{step:?}").to_lowercase());
        bench.inject(step, Mode::Crash);
        bench.engine().create(&spec).await.expect_err("the platform died");
        let summary = bench.engine().status(&spec.id).await.expect("a status").expect("what the crash left");
        assert_eq!(summary.state, left, "after {step:?}");
        bench.start(&spec).await.status().await.expect("an adopted sandbox");
        let summary = bench.engine().status(&spec.id).await.expect("a status").expect("a sandbox");
        assert_eq!(summary.state, EngineState::Running, "after {step:?}");
        bench.engine().destroy(&spec.id).await.expect("destroyed");
    }
    bench.assert_nothing_left().await;
}

pub(crate) async fn a_failed_step_leaves_nothing(bench: Arc<Bench>) {
    for step in CreateStep::ALL {
        let spec = bench.spec("failing");
        bench.inject(step, Mode::Fail);
        bench.engine().create(&spec).await.expect_err("an injected failure");
        assert_eq!(bench.engine().status(&spec.id).await.expect("a status"), None, "after {step:?}");
        bench.assert_nothing_left().await;
    }
    bench.start(&bench.spec("failing")).await.status().await.expect("and then it works");
}

pub(crate) async fn a_missing_image_is_named(bench: Arc<Bench>) {
    let mut spec = bench.spec("image");
    "bulkhead/no-such-image:0".clone_into(&mut spec.image);
    if let crate::bench::Kind::Fake(engine) = &bench.kind {
        engine.set_image(&spec.image, false);
    }
    assert!(!bench.engine().has_image(&spec.image).await.expect("an answer"));
    assert!(bench.engine().has_image(&bench.image).await.expect("an answer"));
    match bench.engine().create(&spec).await {
        Err(EngineError::NoImage { image }) => assert_eq!(image, spec.image),
        other => panic!("{other:?}"),
    }
    bench.assert_nothing_left().await;
}

pub(crate) async fn a_dead_one_is_replaced(bench: Arc<Bench>) {
    let spec = bench.spec("dead");
    let link = bench.start(&spec).await;
    bench.kill(&spec.id).await;
    let _why = link.closed().await;
    let state = bench.engine().status(&spec.id).await.expect("a status").expect("its remains").state;
    assert_eq!(state, EngineState::Dead);
    assert!(matches!(bench.engine().connect(&spec.id).await, Err(EngineError::Died { .. })));
    bench.start(&spec).await.status().await.expect("a new one in its place");
}

pub(crate) async fn the_reaper_finds_all_of_this_installation(bench: Arc<Bench>) {
    let (one, mut two) = (bench.spec("one"), bench.spec("two"));
    "student-2".clone_into(&mut two.owner);
    bench.engine().create(&one).await.expect("a sandbox");
    bench.inject(CreateStep::Make, Mode::Crash);
    bench.engine().create(&two).await.expect_err("the platform died");
    let mut found = bench.engine().list().await.expect("a list");
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let seen: Vec<_> = found
        .iter()
        .map(|it| (it.id.clone(), it.owner.as_str(), it.lab.as_str(), it.state, it.expires, it.owner_uid))
        .collect();
    let expected = [
        (one.id.clone(), "student-1", "contract", EngineState::Running, one.expires, one.boot.owner_uid),
        (two.id.clone(), "student-2", "contract", EngineState::Created, two.expires, two.boot.owner_uid),
    ];
    assert_eq!(seen, expected);
    assert!(found.iter().all(|it| it.instance == bench.engine().instance()));
    let nobody = SandboxId::parse("nobody").expect("an id");
    assert_eq!(bench.engine().status(&nobody).await.expect("a status"), None);
    assert!(matches!(bench.engine().connect(&nobody).await, Err(EngineError::NotFound(id)) if id == nobody));
}

pub(crate) async fn at_the_same_time_makes_one(bench: Arc<Bench>) {
    let spec = bench.spec("race");
    let creates = futures::future::join_all((0..4).map(|_| bench.engine().create(&spec))).await;
    assert!(creates.iter().all(Result::is_ok), "{creates:?}");
    assert_eq!(bench.engine().list().await.expect("a list").len(), 1);
}
