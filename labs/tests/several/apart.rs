use crate::ground::with_sandbox;

/// Ids as the sandbox's outer side numbers them: none is two machines'.
#[tokio::test]
async fn no_two_machines_share_an_id() {
    with_sandbox("ids", async |sandbox| {
        let mut ranges = Vec::new();
        for name in ["host", "attacker", "registry", "work"] {
            let map = sandbox.says(name, "cat /proc/self/uid_map").await;
            let numbers: Vec<u64> = map.split_whitespace().map(|number| number.parse().expect("a number")).collect();
            assert_eq!((numbers[0], numbers[2]), (0, 65_536), "{name}");
            ranges.push(numbers[1]);
        }
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|two| two[1] - two[0] >= 65_536), "{ranges:?}");
    })
    .await;
}

#[tokio::test]
async fn root_on_one_machine_is_nowhere_on_another() {
    with_sandbox("apart", async |sandbox| {
        sandbox.says("registry", "echo theirs > /root/secret; touch /run/here; sleep 1000 > /dev/null 2>&1 &").await;
        // Neither files, processes, mounts nor cgroups of others are in sight.
        for name in ["host", "work"] {
            sandbox.refuses(name, "cat /root/secret").await;
            assert_eq!(sandbox.says(name, "pgrep -x sleep | wc -l").await, "0", "{name}");
            assert_eq!(sandbox.says(name, "find / -xdev -name secret -path '*root*' 2>/dev/null | wc -l").await, "0");
            let mounts = sandbox.says(name, "cat /proc/self/mountinfo").await;
            assert!(!mounts.contains("m-registry") && !mounts.contains("/plain/300000/root"), "{name}: {mounts}");
            let groups = sandbox.says(name, "find /sys/fs/cgroup -maxdepth 3 -name 'm-*' | wc -l").await;
            assert_eq!(groups, "0", "{name}");
        }
        // A namespace needs a process or a file to be named by, and there is none of another machine's.
        let own = sandbox.says("work", "readlink /proc/1/ns/{user,net,pid,mnt} | sort").await;
        let others = sandbox.says("registry", "readlink /proc/1/ns/{user,net,pid,mnt} | sort").await;
        assert!(own.lines().all(|namespace| !others.contains(namespace)), "{own}\n{others}");
        let seen = sandbox.says("work", "readlink /proc/[0-9]*/ns/{user,net,pid,mnt} | sort -u").await;
        assert!(others.lines().all(|namespace| !seen.contains(namespace)), "{seen}\n{others}");
        // Abstract sockets and System V memory are a network's and a machine's own.
        sandbox.says("registry", "ipcmk -M 4096").await;
        assert!(!sandbox.says("work", "tail -n +2 /proc/sysvipc/shm").await.contains("4096"));
    })
    .await;
}
