use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bulkhead_labs::{
    engine::{CreateStep, EngineError, Mode, SandboxSpec},
    sandbox::{MachinePlan, Placement, Progress, ProvisionError, SandboxPlan, Setup, Step, provision},
};

use crate::bench::{Bench, Kind, run};

fn plan(spec: &SandboxSpec, setup: Option<&str>) -> SandboxPlan {
    let machines = spec.boot.machines.iter().map(|machine| MachinePlan {
        name: machine.name.clone(),
        kind: machine.kind,
        memory_bytes: machine.memory_bytes,
        pids: machine.pids,
        disk_bytes: machine.disk_bytes,
        placement: Placement::default(),
    });
    SandboxPlan {
        id: spec.id.clone(),
        owner: spec.owner.clone(),
        lab: spec.lab.clone(),
        generation: spec.generation,
        expires: spec.expires,
        image: spec.image.clone(),
        networks: Vec::new(),
        machines: machines.collect(),
        milli_cpus: 1000,
        setup: setup
            .map(|script| Setup {
                machine: "host".to_owned(),
                script: script.to_owned(),
                timeout: Duration::from_secs(30),
            })
            .into_iter()
            .collect(),
        variables: BTreeMap::from([("FLAG".to_owned(), "f00d".to_owned())]),
    }
}

pub(crate) async fn ends_ready_with_every_step_told(bench: Arc<Bench>) {
    let told = Mutex::new(Vec::new());
    let tell = |progress: Progress| {
        told.lock().expect("no panic").push(match progress {
            Progress::Began(step) => (step, "began"),
            Progress::Done(step, _) => (step, "done"),
        });
    };
    let ready = provision(bench.engine(), &plan(&bench.spec("ready"), Some("printenv FLAG")), &tell)
        .await
        .expect("a ready sandbox");
    let expected = [
        (Step::Creating, "began"),
        (Step::Creating, "done"),
        (Step::Booting, "began"),
        (Step::Booting, "done"),
        (Step::SettingUp, "began"),
        (Step::SettingUp, "done"),
        (Step::Ready, "done"),
    ];
    assert_eq!(*told.lock().expect("no panic"), expected);
    assert_eq!(ready.took.iter().map(|(step, _)| *step).collect::<Vec<_>>(), Step::ALL);
    assert!(ready.status.machines.iter().any(|machine| machine.name == "host" && machine.engine));
    assert_eq!(run(&ready.link, "host", "echo in").await.stdout, "in\n");
}

pub(crate) async fn a_failed_setup_leaves_nothing(bench: Arc<Bench>) {
    let failed = provision(bench.engine(), &plan(&bench.spec("setup"), Some("echo no luck; exit 9")), &|_| {}).await;
    match failed {
        Err(ProvisionError::Setup { code: 9, output, .. }) => assert_eq!(output, "no luck"),
        other => panic!("{other:?}"),
    }
    bench.assert_nothing_left().await;
    let mut impossible = plan(&bench.spec("setup"), None);
    impossible.machines[0].memory_bytes = 1;
    assert!(matches!(provision(bench.engine(), &impossible, &|_| {}).await, Err(ProvisionError::Plan(_))));
    bench.assert_nothing_left().await;
}

/// The platform died at each step in turn, and comes back.
pub(crate) async fn goes_on_after_a_crash(bench: Arc<Bench>) {
    let plan = plan(&bench.spec("again"), Some("echo set up"));
    for step in CreateStep::ALL {
        bench.inject(step, Mode::Crash);
        bench.engine().create(&bench.spec("again")).await.expect_err("the platform died");
        let ready = provision(bench.engine(), &plan, &|_| {}).await.expect("provisioned after all");
        assert_eq!(run(&ready.link, "host", "echo in").await.stdout, "in\n");
        bench.engine().destroy(&plan.id).await.expect("destroyed");
    }
    bench.assert_nothing_left().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_never_comes_up_is_given_up() {
    let bench = Bench::fake();
    let Kind::Fake(engine) = &bench.kind else { return };
    engine.behave(|behaviour| behaviour.engine_ready = false);
    let failed = provision(engine, &plan(&bench.spec("slow"), None), &|_| {}).await;
    assert!(matches!(failed, Err(ProvisionError::TimedOut { step: Step::Booting, .. })), "{failed:?}");
    bench.assert_nothing_left().await;
}

#[tokio::test]
async fn another_generation_is_not_taken_down() {
    let bench = Bench::fake();
    let first = plan(&bench.spec("generation"), None);
    provision(bench.engine(), &first, &|_| {}).await.expect("the first");
    let second = SandboxPlan { generation: 2, ..first.clone() };
    let refused = provision(bench.engine(), &second, &|_| {}).await;
    assert!(matches!(refused, Err(ProvisionError::Engine(EngineError::Generation { .. }))), "{refused:?}");
    assert!(bench.engine().status(&first.id).await.expect("a status").is_some());
}
