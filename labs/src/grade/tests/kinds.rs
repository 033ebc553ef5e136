//! Each kind on what was recorded.

use insta::assert_snapshot;

use super::{
    judge, line,
    recorded::{Recorded, pid},
};

async fn show(recorded: &Recorded, check: &str) -> String {
    line(&judge(recorded, check).await)
}

const OF: &str = "of = { role = \"cms\" }\n";

#[tokio::test]
async fn container_reads_the_engines_account() {
    let check = format!("kind = \"container\"\n{OF}that = \".HostConfig.ReadonlyRootfs\"");
    assert_snapshot!(show(&Recorded::with(&["hard"]), &check).await, @"pass | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | .HostConfig.ReadonlyRootfs is true |");
    assert_snapshot!(show(&Recorded::with(&["soft"]), &check).await, @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | .HostConfig.ReadonlyRootfs is false | Not yet.");
}

#[tokio::test]
async fn a_hardened_twin_fixes_nothing() {
    let check = format!("kind = \"container\"\n{OF}that = \".HostConfig.ReadonlyRootfs\"");
    assert_snapshot!(show(&Recorded::with(&["hard", "soft"]), &check).await, @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | soft: .HostConfig.ReadonlyRootfs is false | Not yet.");
}

#[tokio::test]
async fn what_does_not_run_does_not_count() {
    let check = format!("kind = \"container\"\n{OF}that = \".HostConfig.ReadonlyRootfs\"");
    assert_snapshot!(show(&Recorded::with(&["gone"]), &check).await, @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | no container with the label bulkhead.role=cms runs (1 that do not run: exited) | Not yet.");
    assert_snapshot!(show(&Recorded::with(&[]), &check).await, @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | no container with the label bulkhead.role=cms runs | Not yet.");
    let mut restarting = Recorded::with(&["hard"]);
    restarting.forge("hard", |inspect| inspect["State"]["Restarting"] = true.into());
    assert_snapshot!(show(&restarting, &check).await, @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | no container with the label bulkhead.role=cms runs (1 that do not run: restarting or paused) | Not yet.");
}

#[tokio::test]
async fn container_reads_what_was_written() {
    let check = format!(
        "kind = \"container\"\n{OF}see = \"changes\"\nthat = \"[.[].Path | select(startswith(\\\"/app\\\"))] == []\"\nshow = \"[.[].Path]\""
    );
    assert_snapshot!(show(&Recorded::with(&["hard"]), &check).await, @r#"pass | the changes to the cms container satisfies [.[].Path | select(startswith("/app"))] == [] | [.[].Path] is ["/srv","/srv/upload"] |"#);
    assert_snapshot!(show(&Recorded::with(&["soft"]), &check).await, @r#"fail | the changes to the cms container satisfies [.[].Path | select(startswith("/app"))] == [] | [.[].Path] is ["/app","/app/y"] | Not yet."#);
}

#[tokio::test]
async fn process_reads_the_kernel() {
    let check = format!(
        "kind = \"process\"\n{OF}not_root = true\nno_new_privs = true\nseccomp = \"filter\"\ncapabilities = {{ effective = [], bounding = [] }}"
    );
    assert_snapshot!(show(&Recorded::with(&["hard"]), &check).await, @"pass | the first process of the cms container does not run as user 0 and has NoNewPrivs 1 and has seccomp filter and holds nothing in its effective set and holds nothing in its bounding set | its user ids are 10001; NoNewPrivs is 1; seccomp is filter; its effective set holds nothing; its bounding set holds nothing |");
    assert_snapshot!(show(&Recorded::with(&["soft"]), &check).await, @"fail | the first process of the cms container does not run as user 0 and has NoNewPrivs 1 and has seccomp filter and holds nothing in its effective set and holds nothing in its bounding set | its user ids are 0; NoNewPrivs is 0; its effective set also holds CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP; its bounding set also holds CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP | Not yet.");
}

#[tokio::test]
async fn process_says_where_the_engine_claims_otherwise() {
    let check = format!("kind = \"process\"\n{OF}no_new_privs = true");
    let mut forged = Recorded::with(&["soft"]);
    forged.forge("soft", |inspect| inspect["HostConfig"]["SecurityOpt"] = serde_json::json!(["no-new-privileges"]));
    assert_snapshot!(show(&forged, &check).await, @"fail | the first process of the cms container has NoNewPrivs 1 | NoNewPrivs is 0, though the engine claims no-new-privileges on | Not yet. The engine claims no-new-privileges on; the kernel shows otherwise, and the kernel counts.");
}

#[tokio::test]
async fn mount_reads_mountinfo() {
    let run = format!(
        "kind = \"mount\"\n{OF}at = \"/run\"\nfs_type = \"tmpfs\"\noptions = [\"noexec\", \"nosuid\"]\nmax_size = \"32m\""
    );
    assert_snapshot!(show(&Recorded::with(&["hard"]), &run).await, @"pass | /run in the cms container is a mount of type tmpfs, with noexec, nosuid, of at most 32m | /run is of type tmpfs (rw,nosuid,nodev,noexec,relatime, size 4m) |");
    assert_snapshot!(show(&Recorded::with(&["soft"]), &run).await, @"fail | /run in the cms container is a mount of type tmpfs, with noexec, nosuid, of at most 32m | nothing is mounted on /run | Not yet.");
    let small = format!("kind = \"mount\"\n{OF}at = \"/run\"\nmax_size = \"2m\"");
    assert_snapshot!(show(&Recorded::with(&["hard"]), &small).await, @"fail | /run in the cms container is a mount of at most 2m | /run is of type tmpfs (rw,nosuid,nodev,noexec,relatime, size 4m): it may grow to 4m | Not yet.");
    let root = format!("kind = \"mount\"\n{OF}at = \"/\"\noptions = [\"ro\"]");
    assert_snapshot!(show(&Recorded::with(&["hard"]), &root).await, @"pass | / in the cms container is a mount with ro | / is of type overlay (ro,relatime) |");
    assert_snapshot!(show(&Recorded::with(&["soft"]), &root).await, @"fail | / in the cms container is a mount with ro | / is of type overlay (rw,relatime): ro is not set | Not yet.");
    let volume = format!("kind = \"mount\"\n{OF}at = \"/srv/upload\"\nsource_volume = \"up\"");
    assert_snapshot!(show(&Recorded::with(&["hard"]), &volume).await, @"pass | /srv/upload in the cms container is a mount from the volume up | /srv/upload is of type ext4 (rw,relatime) |");
    let absent = format!("kind = \"mount\"\n{OF}at = \"/app\"\nabsent = true");
    assert_snapshot!(show(&Recorded::with(&["hard"]), &absent).await, @"pass | nothing is mounted on /app in the cms container | nothing is mounted on /app |");
}

#[tokio::test]
async fn file_masks_modes_and_reads_content() {
    let check =
        "kind = \"file\"\npath = \"/etc/docker/daemon.json\"\nmode = \"0644\"\nowner = 0\nthat = \".icc == false\"";
    let mut recorded = Recorded::with(&[]);
    assert_snapshot!(show(&recorded, check).await, @"fail | /etc/docker/daemon.json on host has no mode bit beyond 0644 and belongs to user 0 and satisfies .icc == false | there is no /etc/docker/daemon.json | Not yet.");
    recorded.file(0, "/etc/docker/daemon.json", "{\"icc\": false}", 0o100_640);
    assert_snapshot!(show(&recorded, check).await, @"pass | /etc/docker/daemon.json on host has no mode bit beyond 0644 and belongs to user 0 and satisfies .icc == false | /etc/docker/daemon.json is a file; its mode is 0640; its owner is 0; .icc is false |");
    // As a decimal number 0602 is less than 0644, and it lets everybody write.
    recorded.file(0, "/etc/docker/daemon.json", "{\"icc\": false}", 0o100_602);
    assert_snapshot!(show(&recorded, check).await, @"fail | /etc/docker/daemon.json on host has no mode bit beyond 0644 and belongs to user 0 and satisfies .icc == false | its mode is 0602, which has 0002 beyond 0644 | Not yet.");
    recorded.file(0, "/etc/docker/daemon.json", "not JSON", 0o644);
    assert_snapshot!(show(&recorded, check).await, @"fail | /etc/docker/daemon.json on host has no mode bit beyond 0644 and belongs to user 0 and satisfies .icc == false | it is no JSON: expected ident at line 1 column 2 | Not yet.");
}

#[tokio::test]
async fn file_looks_into_a_container() {
    let check = format!("kind = \"file\"\n{OF}path = \"/app/shell.php\"\nabsent = true");
    let mut recorded = Recorded::with(&["hard"]);
    assert_snapshot!(show(&recorded, &check).await, @"pass | there is no /app/shell.php in the cms container | there is no /app/shell.php |");
    recorded.file(pid("hard"), "/app/shell.php", "evil", 0o644);
    assert_snapshot!(show(&recorded, &check).await, @"fail | there is no /app/shell.php in the cms container | there is a /app/shell.php | Not yet.");
}

#[tokio::test]
async fn image_looks_into_layers() {
    let check = format!("kind = \"image\"\n{OF}lacks = [\"/app/shell.php\"]\nthat = \".Os\"");
    let mut recorded = Recorded::with(&["hard"]);
    assert_snapshot!(show(&recorded, &check).await, @"pass | the image of the cms container satisfies .Os and has no /app/shell.php in any layer | .Os is linux; none of 1 layers has /app/shell.php |");
    let layer = "/var/lib/docker/overlay2/67677e0cebebeef3ca754bf1630a0a54174277956c7cd523a679f5fc8692c882/diff";
    recorded.file(0, &format!("{layer}/app/shell.php"), "evil", 0o644);
    assert_snapshot!(show(&recorded, &check).await, @"fail | the image of the cms container satisfies .Os and has no /app/shell.php in any layer | layer 1 of 1 has /app/shell.php | Not yet.");
    let named = "kind = \"image\"\nname = \"grade/tiny:latest\"\nhas = [\"/app/shell.php\"]";
    assert_snapshot!(show(&recorded, named).await, @"pass | the image grade/tiny:latest has /app/shell.php | the image has /app/shell.php |");
    assert_snapshot!(show(&recorded, "kind = \"image\"\nname = \"no/such:1\"\nhas = [\"/x\"]").await, @"fail | the image no/such:1 has /x | there is no image no/such:1 | Not yet.");
}

#[tokio::test]
async fn attack_wants_the_right_refusal() {
    let check = format!(
        "kind = \"attack\"\n{OF}[[task.check.attempt]]\ncreate_in = \"/app\"\n[[task.check.attempt]]\nexecute_in = \"/run\""
    );
    let mut recorded = Recorded::with(&["hard"]);
    let mut says = |app: Option<&str>, run: Option<&str>| {
        recorded.attempts.insert("/app".into(), app.map(str::to_owned));
        recorded.attempts.insert("/run".into(), run.map(str::to_owned));
    };
    says(Some("EROFS"), Some("EACCES"));
    assert_snapshot!(show(&recorded, &check).await, @"pass | in the place of the cms container's first process, making a file in /app gives EROFS and running a program from /run gives EACCES | making a file in /app gives EROFS; running a program from /run gives EACCES |");
    let mut says = |app: Option<&str>, run: Option<&str>| {
        recorded.attempts.insert("/app".into(), app.map(str::to_owned));
        recorded.attempts.insert("/run".into(), run.map(str::to_owned));
    };
    says(None, Some("EACCES"));
    assert_snapshot!(show(&recorded, &check).await, @"fail (breach) | in the place of the cms container's first process, making a file in /app gives EROFS and running a program from /run gives EACCES | making a file in /app worked | Not yet.");
    recorded.attempts.insert("/app".into(), Some("EACCES".into()));
    assert_snapshot!(show(&recorded, &check).await, @"fail | in the place of the cms container's first process, making a file in /app gives EROFS and running a program from /run gives EACCES | making a file in /app gives EACCES | Not yet. The attempt failed, but not because of the defence that is asked for.");
    recorded.attempts.insert("/app".into(), Some("ENOENT".into()));
    assert_snapshot!(show(&recorded, &check).await, @"fail | in the place of the cms container's first process, making a file in /app gives EROFS and running a program from /run gives EACCES | there is no /app | Not yet. The attack could not be tried.");
}

#[tokio::test]
async fn attack_by_request_is_no_pass_when_nobody_answers() {
    let check = "kind = \"attack\"\nport = 8080\n[[task.check.step]]\npath = \"/plugins/shell?cmd=id\"\nstatus = [403, 404]\nbreach = \"uid=[0-9]+\"";
    let mut recorded = Recorded::with(&["hard"]);
    recorded.http = |_, _| Some((404, "not found".into()));
    assert_snapshot!(show(&recorded, check).await, @"pass | our exploit against host:8080 is refused, while the service answers | GET /plugins/shell?cmd=id answered 404 |");
    recorded.http = |_, _| Some((200, "uid=0(root) gid=0(root)".into()));
    assert_snapshot!(show(&recorded, check).await, @"fail (breach) | our exploit against host:8080 is refused, while the service answers | GET /plugins/shell?cmd=id answered 200: uid=0 | Not yet. The exploit still works.");
    recorded.http = |_, _| Some((500, "oops".into()));
    assert_snapshot!(show(&recorded, check).await, @"fail | our exploit against host:8080 is refused, while the service answers | GET /plugins/shell?cmd=id answered 500: `oops` | Not yet. Step 1 of the attack did not come out as a defended service would answer it.");
    recorded.http = |_, _| None;
    assert_snapshot!(show(&recorded, check).await, @"fail | our exploit against host:8080 is refused, while the service answers | host:8080 does not answer: connection refused | Not yet. The attack could not be tried: a service that is down is not a service that is hardened.");
}

/// Whether the exploit works shows in its last step, however the first one went.
#[tokio::test]
async fn attack_by_request_goes_on_to_its_end() {
    let check = "kind = \"attack\"\nport = 8080\n\
        [[task.check.step]]\nmethod = \"POST\"\npath = \"/plugins?name=x\"\nbody = \"x\"\nstatus = [403]\n\
        [[task.check.step]]\npath = \"/plugins/x\"\nstatus = [404]\nbreach = \"owned-{{nonce}}\"";
    let mut recorded = Recorded::with(&[]);
    recorded.http = |_, body| {
        if body.is_empty() { Some((200, format!("owned-{}", "07".repeat(16)))) } else { Some((201, String::new())) }
    };
    assert_snapshot!(show(&recorded, check).await, @"fail (breach) | our exploit against host:8080 is refused, while the service answers | GET /plugins/x answered 200: owned-[hidden] | Not yet. The exploit still works.");
    recorded.http = |_, body| Some(if body.is_empty() { (404, String::new()) } else { (201, String::new()) });
    assert_snapshot!(show(&recorded, check).await, @"fail | our exploit against host:8080 is refused, while the service answers | POST /plugins?name=x answered 201: an empty body | Not yet. Step 1 of the attack did not come out as a defended service would answer it.");
    recorded.http = |_, body| Some(if body.is_empty() { (404, String::new()) } else { (403, String::new()) });
    assert_snapshot!(show(&recorded, check).await, @"pass | our exploit against host:8080 is refused, while the service answers | GET /plugins/x answered 404 |");
}

#[tokio::test]
async fn probe_captures_and_expects_the_nonce() {
    let check = "kind = \"probe\"\nport = 8080\n\
        [[task.check.step]]\nmethod = \"POST\"\npath = \"/upload\"\nbody = \"{{nonce}}\"\nstatus = 201\ncapture = { url = \".json.url\" }\n\
        [[task.check.step]]\npath = \"{{url}}\"\nmatches = \"^{{nonce}}$\"\nthat = \".headers[\\\"x-served-by\\\"] == \\\"cms\\\"\"";
    // A path must start with `/` as the author writes it.
    let check = check.replace("path = \"{{url}}\"", "path = \"/files/{{url}}\"");
    let mut recorded = Recorded::with(&[]);
    recorded.http = |path, body| match path {
        "/upload" => Some((201, format!("{{\"url\": \"{}.txt\"}}", &body[..4]))),
        "/files/0707.txt" => Some((200, "07".repeat(16))),
        _ => Some((404, String::new())),
    };
    assert_snapshot!(show(&recorded, &check).await, @"pass | host:8080 answers 2 requests as it should | GET /files/{{url}} answered 200 |");
    recorded.http = |path, _| match path {
        "/upload" => Some((201, "{\"url\": \"0707.txt\"}".into())),
        _ => Some((200, "canned".into())),
    };
    assert_snapshot!(show(&recorded, &check).await, @"fail | host:8080 answers 2 requests as it should | GET /files/{{url}} answered 200: `canned` does not match ^{{nonce}}$ | Not yet.");
    recorded.http = |_, _| Some((201, "{\"url\": \"a b\\r\\nHost: evil\"}".into()));
    assert_snapshot!(show(&recorded, &check).await, @"fail | host:8080 answers 2 requests as it should | POST /upload: its answer's .json.url is too long or holds control characters | Not yet.");
    recorded.http = |_, _| Some((201, "[]".into()));
    assert_snapshot!(show(&recorded, &check).await, @"fail | host:8080 answers 2 requests as it should | POST /upload: its answer has no .json.url | Not yet.");
}
