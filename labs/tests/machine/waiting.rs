//! Who waits for something to happen on a machine hears of it soon, once, and of nothing else.

use std::time::{Duration, Instant};

use bulkhead_agent::look::{Look, Seen, facts::Mark};

use crate::ground::{Sandbox, until, with_sandbox};

const DAEMON: &str = "/etc/docker/daemon.json";
/// Longer than anything should take to be heard of.
const LONG: u32 = 20_000;
/// Nothing is to be heard of within this.
const SHORT: u32 = 1_500;

struct Ear<'a> {
    sandbox: &'a Sandbox<'a>,
    mark: Option<Mark>,
}

impl Ear<'_> {
    async fn waits(&mut self, timeout_ms: u32) -> (bool, Vec<String>) {
        let paths = vec![DAEMON.to_owned(), "/srv/not/there".to_owned()];
        let look = Look::Wait { machine: "host".to_owned(), paths, since: self.mark.clone(), timeout_ms };
        match self.sandbox.look(look).await.expect("it can wait") {
            Seen::Happened { mark, engine, paths } => {
                self.mark = Some(mark);
                (engine, paths)
            }
            other => panic!("{other:?}"),
        }
    }

    /// While it waits, this is done.
    async fn hears(&mut self, script: &str) -> (bool, Vec<String>) {
        let began = Instant::now();
        let sandbox = self.sandbox;
        let (heard, _) = tokio::join!(self.waits(LONG), sandbox.says(script));
        assert!(began.elapsed() < Duration::from_secs(15), "{script}: {:?}", began.elapsed());
        heard
    }
}

#[tokio::test]
async fn what_happens_on_a_machine_wakes_who_waits_for_it() {
    let setup = "mkdir -p /etc/docker; echo '{}' > /etc/docker/daemon.json; docker run -d --name web tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let mut ear = Ear { sandbox, mark: None };
        let nothing = (false, Vec::new());
        assert_eq!(ear.waits(1).await, nothing);
        assert_eq!(ear.hears("docker run -d --name two tiny:1 sleep 1000").await, (true, vec![]));
        assert_eq!(
            ear.hears("echo '{\"icc\": true}' > /etc/docker/daemon.json").await,
            (false, vec![DAEMON.to_owned()])
        );
        assert_eq!(ear.hears("mv /etc/docker/daemon.json /etc/docker/old").await, (false, vec![DAEMON.to_owned()]));
        assert_eq!(ear.hears("mv /etc/docker/old /etc/docker/daemon.json").await, (false, vec![DAEMON.to_owned()]));
        assert_eq!(
            ear.hears("mkdir -p /srv/not; echo x > /srv/not/there").await,
            (false, vec!["/srv/not/there".to_owned()])
        );
        // What is done in a container, what is read, and what lies beside.
        let quiet =
            "docker exec web true; docker ps -a; cat /etc/docker/daemon.json; echo > /etc/docker/other; touch /etc/x";
        let (heard, _) = tokio::join!(ear.waits(SHORT), sandbox.says(quiet));
        assert_eq!(heard, nothing);
        // What happens while nobody waits is not lost, and is told once.
        sandbox.says("docker rm -f two; echo '{}' > /etc/docker/daemon.json").await;
        let began = Instant::now();
        assert_eq!(ear.waits(LONG).await, (true, vec![DAEMON.to_owned()]));
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(ear.waits(SHORT).await, nothing);
        // An engine that goes and comes again, and one that is away.
        assert_eq!(ear.hears("systemctl restart docker").await, (true, vec![]));
        until("it is quiet again", async || (ear.waits(SHORT).await == nothing).then_some(())).await;
        sandbox.says("systemctl stop docker docker.socket").await;
        until("it is quiet again", async || (ear.waits(SHORT).await == nothing).then_some(())).await;
        assert_eq!(
            ear.hears("echo '{\"icc\": false}' > /etc/docker/daemon.json").await,
            (false, vec![DAEMON.to_owned()])
        );
        assert_eq!(ear.hears("systemctl start docker").await, (true, vec![]));
        sandbox.assert_can_be_graded().await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_heard_of_once_and_ends_the_waiting() {
    with_sandbox("mkdir -p /etc/docker", async |sandbox| {
        let mut ear = Ear { sandbox, mark: None };
        ear.waits(1).await;
        sandbox.says("setsid sh -c 'while :; do echo x >> /etc/docker/daemon.json; : > /etc/docker/daemon.json; done' > /dev/null 2>&1 < /dev/null &").await;
        for _ in 0..3 {
            let began = Instant::now();
            assert_eq!(ear.waits(LONG).await.1, [DAEMON]);
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }
        sandbox.says("pkill -f '[w]hile :'; true").await;
        // An engine that tells without end.
        sandbox.run("systemctl stop docker docker.socket; rm -f /run/docker.sock").await;
        sandbox
            .serve(
                "use IO::Socket::UNIX; $SIG{CHLD} = 'IGNORE';
                 my $s = IO::Socket::UNIX->new(Local => '/run/docker.sock', Listen => 50) or die $!;
                 open(my $r, '>', '/run/ready'); close $r;
                 while (1) { my $c = $s->accept or next; next if fork; print $c \"HTTP/1.1 200 OK\\r\\n\\r\\n\"; 1 while print $c 'x' x 65536; exit }",
            )
            .await;
        for _ in 0..3 {
            let began = Instant::now();
            assert!(ear.waits(LONG).await.0);
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }
        sandbox.assert_can_be_graded().await;
    })
    .await;
}
