use std::fs;

use crate::ground::{DISK, MEMORY, MIB, PIDS, Sandbox, exec, read_until, terminal, until, with_sandbox};

const PRIVILEGED: &str = "docker run --rm --privileged --pid host --network host -v /:/host tiny:1";

#[tokio::test]
async fn the_preloaded_images_take_no_disk_and_run() {
    with_sandbox("", async |sandbox| {
        let images = sandbox.says("docker images --format '{{.Repository}}:{{.Tag}}' | sort").await;
        assert_eq!(images, "cms:1\ntiny:1");
        // What `docker load` would have written: files of the images' layers on the student's own disk.
        let files = sandbox.says("find /var/lib/docker/overlay2 -xdev -type f -path '*/diff/*' | wc -l").await;
        assert_eq!(files, "0", "layers lie on the student's disk");
        assert_eq!(sandbox.says("docker run --rm tiny:1 sh -c 'echo in $((40 + 2))'").await, "in 42");
    })
    .await;
}

#[tokio::test]
async fn limits_are_what_was_asked_and_its_root_cannot_raise_them() {
    with_sandbox("", async |sandbox| {
        let limits = async || {
            let host = sandbox.host().await;
            (host.memory_bytes, host.pids, host.disk_bytes)
        };
        let asked = (Some(MEMORY), Some(u64::from(PIDS)), Some(DISK));
        assert_eq!(limits().await, asked);
        sandbox
            .run(
                "for f in $(find /sys/fs/cgroup -name pids.max -o -name memory.max -o -name 'memory*limit_in_bytes'); do
                   echo max > $f; echo -1 > $f; echo 99999999999 > $f
                 done 2>/dev/null
                 mount -o remount,size=8g /; mount -o remount,size=8g /var/lib/docker; true",
            )
            .await;
        assert_eq!(limits().await, asked, "the student raised his own limits");
        let outer = sandbox.link.status().await.expect("a status").outer;
        assert_eq!(outer.memory_bytes, Some(MEMORY + 128 * MIB));
        assert_eq!(
            (outer.swap_bytes, outer.pids, outer.milli_cpus),
            (Some(0), Some(2 * u64::from(PIDS) + 64), Some(2000))
        );
    })
    .await;
}

#[tokio::test]
async fn a_privileged_container_sees_the_sandbox_and_no_more() {
    let marker = format!("bulkhead-outside-{}", std::process::id());
    let outside = std::env::temp_dir().join(&marker);
    fs::write(&outside, "outside").expect("a file on the real host");
    with_sandbox("touch /root/inside", async |sandbox| {
        let seen = sandbox.says(&format!("{PRIVILEGED} sh -c 'ls /host/root; ls /host'")).await;
        assert!(seen.contains("inside"), "it sees the sandbox's own tree: {seen}");
        assert!(!seen.split_whitespace().any(|name| name == "bulkhead" || name == "preload"), "{seen}");
        let file = outside.to_str().expect("a path");
        let found = sandbox.run(&format!("{PRIVILEGED} cat /host{file} /host/proc/1/root{file}")).await;
        assert!(found.code != 0 && !found.stdout.contains("outside"), "{found:?}");

        // Every process that the kernel shows him is one of his machine's own.
        let commands = sandbox.says(&format!("{PRIVILEGED} sh -c 'cat /proc/[0-9]*/cmdline' | tr '\\0' ' '")).await;
        assert!(commands.contains("dockerd"), "{commands}");
        let ours = fs::read_to_string("/proc/self/cmdline").expect("our own command line");
        let ours = ours.split('\0').next().expect("a program");
        assert!(!commands.contains(ours) && !commands.contains("/bulkhead/agent"), "{commands}");
        let numbers = sandbox.says(&format!("{PRIVILEGED} sh -c 'ls /proc' | grep -c '^[0-9]'")).await;
        let host = sandbox.host().await;
        let numbers: u64 = numbers.parse().expect("a count");
        assert!(numbers <= host.pids_used + 8, "{numbers} processes are visible, his machine has {}", host.pids_used);

        // Root there is nobody outside: no device, no kernel setting, no way up.
        for attempt in [
            "mknod /host/root/disk b 254 0 && cat /host/root/disk",
            "mount -t debugfs x /mnt",
            "echo x > /proc/sys/kernel/core_pattern",
            "echo b > /proc/sysrq-trigger",
            "cat /dev/mem",
            "dmesg",
        ] {
            let done = sandbox.run(&format!("{PRIVILEGED} sh -c '{attempt}'")).await;
            assert_ne!(done.code, 0, "{attempt}: {done:?}");
        }
        let map = sandbox.says(&format!("{PRIVILEGED} cat /proc/self/uid_map")).await;
        assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", "100000", "65536"]);
        // The switch between the machines serves nobody, and no socket of the platform is in the machine's network.
        let sockets = sandbox.says("cat /proc/net/unix").await;
        assert!(!sockets.contains("bulkhead") && !sockets.contains("/run/m"), "{sockets}");
        let ports = sandbox
            .run("for p in 22 80 2375 2376 8080; do (exec 3<>/dev/tcp/10.77.0.1/$p) 2>/dev/null && echo $p; done; true")
            .await;
        assert_eq!(ports.stdout, "", "the switch serves something");
    })
    .await;
    fs::remove_file(outside).expect("removed");
}

#[tokio::test]
async fn sudo_su_and_ssh_work() {
    with_sandbox("", async |sandbox| {
        let student =
            |script: &'static str| bulkhead_agent::protocol::Exec { uid: 1000, ..exec(&["/bin/bash", "-lc", script]) };
        for (script, expected) in [
            ("id -un", "student"),
            ("sudo -n id -un", "root"),
            ("sudo -n -u nobody id -un", "nobody"),
            ("sudo -n docker ps -q 2>&1", ""),
            ("ssh -o BatchMode=yes -o StrictHostKeyChecking=no localhost id -un 2>/dev/null", "student"),
            ("ssh -o BatchMode=yes -o StrictHostKeyChecking=no localhost 'tty; true' 2>/dev/null", "not a tty"),
        ] {
            let done = sandbox.link.exec(student(script)).await.expect("an exec that runs");
            assert_eq!((done.code, done.stdout.trim()), (0, expected), "{script}: {done:?}");
        }
        assert_eq!(sandbox.says("su student -c 'id -un'").await, "student");
        assert_eq!(sandbox.says("su - student -c pwd").await, "/home/student");
        assert_ne!(sandbox.run("su student -c 'cat /etc/shadow'").await.code, 0);
        let tty = student("ssh -tt -o BatchMode=yes -o StrictHostKeyChecking=no localhost tty < /dev/null 2>/dev/null");
        let done = sandbox.link.exec(tty).await.expect("an exec that runs");
        assert!(done.code == 0 && done.stdout.starts_with("/dev/pts/"), "{done:?}");
    })
    .await;
}

#[tokio::test]
async fn services_restart_and_a_reboot_keeps_what_was_written() {
    with_sandbox("", async |sandbox| {
        for service in ["cron", "ssh", "docker"] {
            let pid = format!("systemctl show -p MainPID --value {service}");
            let before = sandbox.says(&pid).await;
            assert_eq!(
                sandbox.says(&format!("systemctl restart {service} && systemctl is-active {service}")).await,
                "active"
            );
            let after = sandbox.says(&pid).await;
            assert!(
                after != before && after != "0" && after.parse::<u32>().is_ok(),
                "{service}: {before:?}, {after:?}"
            );
        }
        assert_eq!(sandbox.says("docker run --rm tiny:1 echo again").await, "again");
        sandbox.says("echo kept > /root/kept; docker create --name kept tiny:1 true").await;
        let shell = sandbox.link.start(terminal(&[])).await.expect("a terminal");
        shell.input.send("reboot\n").await.expect("sent");
        until("the machine is back", async || {
            let host = sandbox.host().await;
            (host.restarts == 1 && host.up && host.engine).then_some(())
        })
        .await;
        assert_kept(sandbox).await;
        let mut shell = sandbox.link.start(terminal(&[])).await.expect("a terminal on the new machine");
        shell.input.send("echo $((40 + 2))\n").await.expect("sent");
        read_until(&mut shell.output, "42\r\n").await;
    })
    .await;
}

async fn assert_kept(sandbox: &Sandbox<'_>) {
    assert_eq!(sandbox.says("cat /root/kept").await, "kept");
    assert_eq!(sandbox.says("docker ps -a --format '{{.Names}}'").await, "kept");
    assert_eq!(sandbox.says("systemctl is-active docker ssh cron").await, "active\nactive\nactive");
}
