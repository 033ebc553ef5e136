//! Kinds about an engine, its images and what it tells.

use bulkhead_agent::look::{Look, Seen, facts::ProcessBrief};
use insta::assert_snapshot;
use serde_json::json;

use super::{hosts::show, judge, recorded::Recorded};
use crate::grade::Verdict;

const CONFIG: &str =
    "{\"config\":{\"User\":\"app\",\"Cmd\":[\"/app\"]},\"rootfs\":{\"diff_ids\":[\"sha256:1\"]},\"history\":[]}";

#[tokio::test]
async fn a_configuration_is_the_one_that_the_id_names() {
    let check = "kind = \"image\"\nname = \"grade/tiny:latest\"\nexec_form = true\nuser_at_least = 1000";
    let mut recorded = Recorded::with(&[]);
    assert_eq!(judge(&recorded, check).await.reason, "the image's configuration is not where the engine keeps it");
    let image: serde_json::Value = serde_json::from_str(include_str!("recorded/image.json")).unwrap();
    let hash = image["Id"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let path = format!("/var/lib/docker/image/overlay2/imagedb/content/sha256/{hash}");
    recorded.file(0, &path, CONFIG, 0o600);
    assert_eq!(
        judge(&recorded, check).await.reason,
        "the image's configuration on the disk is not the one that its id names"
    );
    recorded.files.values_mut().for_each(|facts| facts.sha256 = Some(hash.clone()));
    let passwd = |text: &str| {
        let mut facts = Recorded::with(&[]);
        facts.file(0, "/etc/passwd", text, 0o644);
        Seen::File(facts.files.into_values().next().unwrap())
    };
    assert_snapshot!(show(&recorded, check).await, @"fail | the image grade/tiny:latest runs as a user with an id of at least 1000 and starts its program without a shell | the image's user is app, whom its /etc/passwd does not have | Not yet.");
    for (text, verdict) in [
        ("app:x:10001:1::/:/x\n", Verdict::Pass),
        ("app:x:0:0::/:/x\n", Verdict::Fail),
        ("app:x:nonsense:0::/:/x\n", Verdict::Fail),
        ("", Verdict::Fail),
    ] {
        recorded.on(|look| matches!(look, Look::Layered { .. }), passwd(text));
        assert_eq!(judge(&recorded, check).await.verdict, verdict, "{text}");
    }
}

#[tokio::test]
async fn what_was_not_looked_through_is_not_judged() {
    let check = "kind = \"image\"\nname = \"grade/tiny:latest\"\nno_setuid = true\nwithout_programs = [\"sudo\"]";
    let mut recorded = Recorded::with(&[]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
    let scan = |truncated| Seen::Scan { entries: Vec::new(), truncated };
    recorded.on(|look| matches!(look, Look::Scan { .. }), scan(true));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
    recorded.on(|look| matches!(look, Look::Scan { .. }), scan(false));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    let check = "kind = \"image\"\nevery = { label = \"lab=app\" }\nexec_form = true";
    assert_snapshot!(show(&recorded, check).await, @"fail | every image with the label lab=app starts its program without a shell | there is no such image | Not yet.");
    recorded.answer("/images/json?all=1", &json!([{ "Id": "../x", "Labels": { "lab": "app" } }]));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
}

fn text(text: &str, truncated: bool) -> Seen {
    Seen::Text { text: text.into(), truncated }
}

#[tokio::test]
async fn what_is_told_of_the_past_may_be_anything() {
    let events = "kind = \"events\"\nevent = [\"create\"]\nat_most = 1";
    let mut recorded = Recorded::with(&[]);
    let is = |look: &Look| matches!(look, Look::Events { .. });
    let create = "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"a\"}}\n";
    recorded.on(is, text(&format!("{create}{{\"Type\":\"container\",\"Action\":\"exec_create: sh\"}}\n"), false));
    assert_snapshot!(show(&recorded, events).await, @"pass | of container events create on host there are at most 1 | there are 1 container events create |");
    recorded.on(is, text(&create.repeat(2), false));
    assert_eq!(judge(&recorded, events).await.verdict, Verdict::Fail);
    for (odd, truncated) in [("nonsense\n", false), ("", true), (create, true)] {
        recorded.on(is, text(odd, truncated));
        assert_eq!(judge(&recorded, events).await.verdict, Verdict::Unknown, "{odd}");
    }
    recorded.on(is, text("7\n[]\nnull\n{\"Type\":7,\"Action\":[]}\n", false));
    assert_eq!(judge(&recorded, events).await.verdict, Verdict::Pass, "none of these is a container that was made");
}

#[tokio::test]
async fn logs_are_judged_line_by_line() {
    let check = "kind = \"logs\"\npath = \"/var/log/x\"\nmatches = \"^ok {{nonce}}$\"\nlacks = \"denied\"";
    let mut recorded = Recorded::with(&[]);
    assert_snapshot!(show(&recorded, check).await, @"fail | /var/log/x on host has a line with a match of ^ok {{nonce}}$ and has no line with a match of denied | there is no /var/log/x on host | Not yet.");
    let nonce = "07".repeat(16);
    recorded.on(|look| matches!(look, Look::Tail { .. }), text(&format!("start\nok {nonce}\n"), true));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    recorded
        .on(|look| matches!(look, Look::Tail { .. }), text(&format!("not ok {nonce}\nit was denied\u{1b}[2J\n"), true));
    let result = judge(&recorded, check).await;
    assert!(result.verdict == Verdict::Fail && !result.observed.contains('\u{1b}'), "{result:?}");
}

#[tokio::test]
async fn the_filter_is_what_the_images_tools_print() {
    let check = "kind = \"firewall\"\nchain = \"DOCKER-USER\"\nhas = [\"--ctorigdstport 8080\"]\nbefore = \"RETURN\"";
    let mut recorded = Recorded::with(&[]);
    let is = |look: &Look| matches!(look, Look::Firewall { .. });
    let saved = |rules: &str| format!("## /usr/sbin/iptables-nft-save\n*filter\n:DOCKER-USER - [0:0]\n{rules}COMMIT\n");
    let (drop, back) = ("-A DOCKER-USER -m conntrack --ctorigdstport 8080 -j DROP\n", "-A DOCKER-USER -j RETURN\n");
    recorded.on(is, text(&saved(&format!("{drop}{back}")), false));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    recorded.on(is, text(&saved(&format!("{back}{drop}")), false));
    assert_snapshot!(show(&recorded, check).await, @"fail | the chain DOCKER-USER has a match of --ctorigdstport 8080 and has it before any match of RETURN | the rule is number 2 of DOCKER-USER, the other number 1 | Not yet.");
    recorded.on(is, text("", false));
    assert_snapshot!(show(&recorded, check).await, @"fail | the chain DOCKER-USER has a match of --ctorigdstport 8080 and has it before any match of RETURN | there is no chain DOCKER-USER in the table filter | Not yet.");
    recorded.on(is, text(&saved(drop), true));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
}

#[tokio::test]
async fn an_inventory_is_told_by_what_is_missing_and_what_is_too_much() {
    let check =
        "kind = \"inventory\"\nwhat = \"images\"\nexactly = [\"shop:{{flag}}\", \"a:1,b:1\"]\nignore = \"^base:\"";
    let flag = super::context().variables.get("flag").unwrap().to_owned();
    let mut recorded = Recorded::with(&[]);
    let tags = |tags: &[&str]| json!(tags.iter().map(|tag| json!({ "RepoTags": [tag] })).collect::<Vec<_>>());
    recorded.answer("/images/json", &tags(&[&format!("shop:{flag}"), "a:1", "b:1", "base:7"]));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    recorded.answer(
        "/images/json",
        &json!([{ "RepoTags": ["a:1", "b:1"] }, { "RepoTags": null }, { "RepoTags": ["<none>:<none>"] }, 7]),
    );
    assert_snapshot!(show(&recorded, check).await, @"fail | the images on host are exactly shop:{{flag}}, a:1,b:1 | there are 3 images, shop:[hidden] is missing, <none> should not be there | Not yet.");
    for odd in [json!(null), json!({}), json!("x")] {
        recorded.answer("/images/json", &odd);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown, "{odd}");
    }
    recorded.answer("/volumes", &json!({ "Volumes": null }));
    let volumes = "kind = \"inventory\"\nwhat = \"volumes\"\nexactly = []";
    assert_eq!(judge(&recorded, volumes).await.verdict, Verdict::Pass);
}

#[tokio::test]
async fn an_engine_is_its_running_command_line_over_its_file() {
    let check = "kind = \"engine\"\nthat = \".effective.icc == false\"";
    let mut recorded = Recorded::with(&[]);
    let dockerd = |argv: &[&str]| Seen::Processes {
        processes: vec![ProcessBrief {
            pid: 70,
            parent: 1,
            uid: 0,
            exe: "/usr/sbin/dockerd".into(),
            cmdline: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            cgroup: "/".into(),
        }],
        truncated: false,
    };
    let is = |look: &Look| matches!(look, Look::Processes { .. });
    recorded.on(is, Seen::Processes { processes: Vec::new(), truncated: false });
    assert_snapshot!(show(&recorded, check).await, @"fail | what the engine was started with satisfies .effective.icc == false | no engine runs | Not yet.");
    recorded.on(is, dockerd(&["dockerd", "-H", "fd://"]));
    recorded.file(0, "/etc/docker/daemon.json", "{\"icc\": false}", 0o644);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    recorded.on(is, dockerd(&["dockerd", "--icc=true"]));
    assert_snapshot!(show(&recorded, check).await, @"fail | what the engine was started with satisfies .effective.icc == false | .effective.icc is true | Not yet.");
    recorded.on(is, dockerd(&["dockerd", "--config-file=/root/other.json"]));
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Fail);
    recorded.file(0, "/root/other.json", "{", 0o644);
    assert!(judge(&recorded, check).await.observed.starts_with("/root/other.json is no JSON"));
}
