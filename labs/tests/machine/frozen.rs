//! Processes that do not even die of SIGKILL before they are thawed.

use std::time::Duration;

use bollard::query_parameters::KillContainerOptionsBuilder;
use bulkhead_agent::protocol::Exec;
use bulkhead_labs::engine::SandboxEngine;
use tokio::time::{Instant, timeout};

use crate::ground::{Sandbox, exec, until, with_sandbox};

const PAUSED: &str = "docker run -d --name frozen tiny:1 sleep 1000 && docker pause frozen";
/// An agent that can ends its sandbox at once; from outside it takes a container beside it.
const AT_ONCE: Duration = Duration::from_secs(5);
const FROM_OUTSIDE: Duration = Duration::from_secs(30);

impl Sandbox<'_> {
    async fn is_gone_within(&self, time: Duration) {
        let began = Instant::now();
        timeout(time, self.ground.engine.destroy(&self.id))
            .await
            .unwrap_or_else(|_| panic!("it is there after {time:?}"))
            .expect("removed");
        let left = self.ground.engine.status(&self.id).await.expect("a status");
        assert!(left.is_none(), "{left:?} is left after {:?}", began.elapsed());
    }

    /// Behind the platform's back. The engine answers when what it sent has had its effect, if ever.
    async fn signal(&self, signal: &str) {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        let name = self.ground.engine.container_name(&self.id);
        let sent = self.ground.engine.docker().kill_container(&name, Some(options));
        let _late = timeout(Duration::from_secs(2), sent).await;
    }
}

#[tokio::test]
async fn a_paused_container_does_not_hold_up_its_sandboxs_end() {
    with_sandbox(PAUSED, async |sandbox| {
        assert_eq!(sandbox.says("docker inspect -f '{{.State.Status}}' frozen").await, "paused");
        sandbox.is_gone_within(AT_ONCE).await;
    })
    .await;
}

/// Deeper than any path is long, and one of them frozen: `docker pause` is only the friendliest way.
#[tokio::test]
async fn nor_does_a_frozen_group_at_the_end_of_a_long_way() {
    let deep = r#"use strict; my $top = '/sys/fs/cgroup/freezer';
        if (-d $top) {
            chdir $top or die $!;
            for (1 .. 1500) { mkdir 'deep' or die "mkdir: $!"; chdir 'deep' or die "chdir: $!"; }
            my $pid = fork // die $!;
            if (!$pid) { sleep 1000; exit; }
            open my $procs, '>', 'cgroup.procs' or die $!; print $procs $pid; close $procs or die "move: $!";
            open my $state, '>', 'freezer.state' or die $!; print $state 'FROZEN'; close $state or die "freeze: $!";
        }
        print "frozen\n";"#;
    with_sandbox("", async |sandbox| {
        let script = format!("exec 2>&1; setsid perl -e '{}' < /dev/null", deep.replace('\'', "'\\''"));
        assert_eq!(sandbox.says(&script).await, "frozen");
        sandbox.is_gone_within(AT_ONCE).await;
    })
    .await;
}

#[tokio::test]
async fn nor_when_the_agent_does_not_answer() {
    with_sandbox(PAUSED, async |sandbox| {
        sandbox.signal("SIGSTOP").await;
        sandbox.is_gone_within(FROM_OUTSIDE).await;
    })
    .await;
}

#[tokio::test]
async fn nor_when_the_agent_was_killed_and_left_it_behind() {
    with_sandbox(PAUSED, async |sandbox| {
        sandbox.signal("SIGKILL").await;
        sandbox.is_gone_within(FROM_OUTSIDE).await;
    })
    .await;
}

/// A fault in its own code is what the kernel lets a first process die of.
const ENDS_THE_MACHINE: &str = r#"
    open my $maps, '<', '/proc/1/maps' or die $!;
    my @code = map { /^([0-9a-f]+)-([0-9a-f]+) r-xp .*init/ ? [hex $1, hex $2] : () } <$maps>;
    open my $memory, '+<:raw', '/proc/1/mem' or die $!;
    for (@code) { sysseek $memory, $_->[0], 0; syswrite $memory, "\xcc" x ($_->[1] - $_->[0]); }
    kill 'CHLD', 1;"#;

#[tokio::test]
async fn nor_the_machines_own() {
    with_sandbox(PAUSED, async |sandbox| {
        let before = sandbox.host().await.restarts;
        let end = Exec { stdin: ENDS_THE_MACHINE.to_owned(), ..exec(&["/usr/bin/perl"]) };
        // He who does it ends with it.
        let _ended = timeout(AT_ONCE, sandbox.link.exec(end)).await;
        until("the machine is started anew", async || (sandbox.host().await.restarts > before).then_some(())).await;
        let alive =
            async || sandbox.link.exec(exec(&["/bin/true"])).await.is_ok_and(|done| done.code == 0).then_some(());
        until("it takes commands", alive).await;
        sandbox.is_gone_within(AT_ONCE).await;
    })
    .await;
}
