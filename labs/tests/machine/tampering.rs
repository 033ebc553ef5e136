//! Programs of the student's that are no longer the image's: each is told, whatever was done to it, and what is still the
//! image's is not. Whoever answers in the engine's place is told too.

use std::collections::BTreeSet;

use crate::{
    ground::{Sandbox, until, with_sandbox},
    lies,
};

/// What a grading says of programs.
async fn told(sandbox: &Sandbox<'_>) -> Vec<String> {
    let grading = lies::grade(sandbox).await;
    let told: BTreeSet<String> = grading.results.into_iter().flat_map(|result| result.tampered).collect();
    told.into_iter().collect()
}

#[tokio::test]
async fn what_was_done_to_a_program_is_told() {
    with_sandbox("printf '#!/bin/sh\\necho all is well\\n' > /root/lie; chmod 755 /root/lie", async |sandbox| {
        assert_eq!(told(sandbox).await, [""; 0]);
        // Copied up, and the same; and what the image never had.
        sandbox
            .says(
                "touch /usr/bin/docker; chmod 755 /usr/sbin/dockerd; cp /usr/bin/bash /tmp/b; cp --remove-destination /tmp/b /usr/bin/bash
                 cp /root/lie /usr/bin/mine; cp /root/lie /usr/local/bin/mine; mount --bind /usr/bin/dash /usr/bin/dash
                 mkdir /tmp/empty; mount --bind /tmp/empty /opt",
            )
            .await;
        assert_eq!(told(sandbox).await, [""; 0]);
        for (done, undone, expected) in [
            (
                "mv /usr/bin/docker /usr/bin/docker.real; ln -s /root/lie /usr/bin/docker",
                "mv -f /usr/bin/docker.real /usr/bin/docker",
                "host: /usr/bin/docker was replaced",
            ),
            (
                "mv /usr/bin/docker /root/docker; ln -s /root/docker /usr/bin/docker",
                "mv -f /root/docker /usr/bin/docker",
                "host: /usr/bin/docker was replaced",
            ),
            ("mount --bind /root/lie /usr/sbin/runc", "umount /usr/sbin/runc", "host: /usr/sbin/runc is covered by a mount"),
            ("mount --bind /dev/zero /usr/bin/dash", "umount /usr/bin/dash", "host: /usr/bin/dash is covered by a mount"),
            ("cp /root/lie /usr/local/bin/docker", "rm /usr/local/bin/docker", "host: /usr/local/bin/docker was put before the image's own"),
            // Of the same size, and as old by the file's own word.
            (
                "cp -p /usr/bin/less /tmp/d; printf X | dd of=/tmp/d bs=1 seek=200 conv=notrunc status=none; touch -r /usr/bin/less /tmp/d; mv /tmp/d /usr/bin/less",
                "true",
                "host: /usr/bin/less was changed",
            ),
            ("rm /usr/sbin/nft", "true", "host: /usr/sbin/nft was removed"),
            ("rm /usr/bin/jq; mkfifo /usr/bin/jq", "true", "host: /usr/bin/jq was replaced"),
            ("echo /root/lie.so > /etc/ld.so.preload", "rm /etc/ld.so.preload", "host: /etc/ld.so.preload was put before the image's own"),
        ] {
            sandbox.says(done).await;
            let seen = told(sandbox).await;
            assert!(seen.iter().any(|told| told == expected), "{done}: {seen:?}");
            sandbox.says(undone).await;
        }
        // A whole directory under a mount, and a link in the place of one.
        sandbox.says("mkdir /root/bin; cp /root/lie /root/bin/sudo; mount --bind /root/bin /usr/bin").await;
        let seen = told(sandbox).await;
        assert!(seen.iter().any(|told| told == "host: /usr/bin/docker is covered by a mount"), "{seen:?}");
        sandbox.assert_can_be_graded().await;
    })
    .await;
}

#[tokio::test]
async fn who_answers_in_the_engines_place_is_told() {
    with_sandbox("", async |sandbox| {
        let engine = async |program: &str| {
            sandbox.run("systemctl stop docker docker.socket; pkill dockerd; pkill perl; while pgrep -x dockerd; do sleep 0.1; done; rm -f /run/docker.sock /run/docker.pid").await;
            sandbox.says(&format!("setsid {program} -H unix:///run/docker.sock > /root/engine.log 2>&1 < /dev/null & disown")).await;
            until("an engine answers", async || (sandbox.run("curl -fs --unix-socket /run/docker.sock http://x/_ping").await.code == 0).then_some(())).await;
        };
        // The image's engine by another name, and one that is nearly the image's.
        sandbox.says("mkdir /root/e; cp /usr/sbin/dockerd /root/e/dockerd").await;
        engine("/root/e/dockerd").await;
        assert_eq!(told(sandbox).await, [""; 0]);
        sandbox.run("pkill dockerd; while pgrep -x dockerd; do sleep 0.1; done").await;
        sandbox.says("printf x >> /root/e/dockerd").await;
        engine("/root/e/dockerd").await;
        assert_eq!(told(sandbox).await, ["host: /root/e/dockerd holds the engine's socket"]);
        // A socket that was made under another name.
        sandbox.run("pkill dockerd; while pgrep -x dockerd; do sleep 0.1; done; rm -f /run/docker.sock").await;
        sandbox
            .serve(
                "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => '/run/x', Listen => 50) or die $!;
                 rename '/run/x', '/run/docker.sock' or die; open(my $r, '>', '/run/ready'); close $r;
                 while (my $c = $s->accept) { print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n[]\"; close $c }",
            )
            .await;
        let seen = told(sandbox).await;
        assert!(matches!(seen.as_slice(), [one] if one.starts_with("host: /usr/bin/perl") && one.ends_with("holds the engine's socket")), "{seen:?}");
    })
    .await;
}
