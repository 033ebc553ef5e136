//! What the student can bend: the verdict is `unknown` with a reason or `fail`, never a pass and never a panic.

use bulkhead_agent::{
    look::{FileKind, Look, Seen},
    protocol::Fault,
};
use serde_json::{Value, json};

use super::{
    judge,
    recorded::{Recorded, down, pid},
};
use crate::grade::{CheckResult, Verdict};

/// One check of each kind that asks the engine; each passes on `hard`.
const CHECKS: [&str; 5] = [
    "kind = \"container\"\nof = { role = \"cms\" }\nthat = \".HostConfig.ReadonlyRootfs\"",
    "kind = \"process\"\nof = { role = \"cms\" }\nnot_root = true\nno_new_privs = true",
    "kind = \"mount\"\nof = { role = \"cms\" }\nat = \"/run\"\noptions = [\"noexec\"]",
    "kind = \"file\"\nof = { role = \"cms\" }\npath = \"/app/shell.php\"\nabsent = true",
    "kind = \"image\"\nof = { role = \"cms\" }\nlacks = [\"/app/shell.php\"]",
];

async fn never_passes(recorded: &Recorded, check: &str) -> CheckResult {
    let result = judge(recorded, check).await;
    assert_ne!(result.verdict, Verdict::Pass, "{check}: {result:?}");
    assert!(!result.reason.is_empty(), "{check}: {result:?}");
    result
}

async fn all_unknown(recorded: &Recorded) {
    for check in CHECKS {
        let result = never_passes(recorded, check).await;
        assert_eq!(result.verdict, Verdict::Unknown, "{check}: {result:?}");
    }
}

#[tokio::test]
async fn the_checks_pass_on_what_was_recorded() {
    for check in CHECKS {
        let result = judge(&Recorded::with(&["hard"]), check).await;
        assert_eq!(result.verdict, Verdict::Pass, "{check}: {result:?}");
    }
}

#[tokio::test]
async fn an_engine_that_is_down_costs_nothing() {
    let mut recorded = Recorded::with(&["hard"]);
    recorded.instead = Some(|look| matches!(look, Look::Engine { .. }).then(down));
    all_unknown(&recorded).await;
}

#[tokio::test]
async fn an_agent_that_answers_something_else_is_not_believed() {
    let mut recorded = Recorded::with(&["hard"]);
    recorded.instead = Some(|_| Some(Ok(Seen::Attempt { errno: None })));
    all_unknown(&recorded).await;
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_not_judged() {
    fn cut(look: &Look) -> Option<Result<Seen, Fault>> {
        let body = "[]".to_owned();
        matches!(look, Look::Engine { .. }).then_some(Ok(Seen::Http {
            status: 200,
            headers: vec![],
            body,
            truncated: true,
        }))
    }
    let mut recorded = Recorded::with(&["hard"]);
    recorded.instead = Some(cut);
    all_unknown(&recorded).await;
}

#[tokio::test]
async fn lists_that_are_none_are_not_judged() {
    let deep = "[".repeat(100_000);
    let entry = |id: &str| json!([{ "Id": id, "State": "running", "Labels": { "bulkhead.role": "cms" } }]).to_string();
    let odd = [
        String::new(),
        "null".into(),
        "{}".into(),
        "\"running\"".into(),
        "[".into(),
        deep,
        "\u{0}".into(),
        entry("../../version"),
        entry(""),
        entry(&"A".repeat(64)),
        json!([{ "Id": 5, "State": "running", "Labels": { "bulkhead.role": "cms" } }]).to_string(),
        // Another container's inspect under this id, and none at all.
        entry(&"a".repeat(64)),
    ];
    for list in odd {
        let mut recorded = Recorded::with(&["hard"]);
        recorded.list(&list);
        for check in CHECKS {
            never_passes(&recorded, check).await;
        }
    }
}

#[tokio::test]
async fn strangers_and_crowds_are_not_judged() {
    let mut recorded = Recorded::with(&["hard"]);
    recorded.list(&json!([1, null, "x", { "Labels": 5 }, { "Labels": { "bulkhead.role": "other" }, "Id": "x", "State": "running" }]).to_string());
    let result = never_passes(&recorded, CHECKS[0]).await;
    assert_eq!(result.verdict, Verdict::Fail);
    let crowd: Vec<Value> = (0..9)
        .map(|n| json!({ "Id": format!("{n:064x}"), "State": "running", "Labels": { "bulkhead.role": "cms" } }))
        .collect();
    recorded.list(&json!(crowd).to_string());
    let result = never_passes(&recorded, CHECKS[0]).await;
    assert_eq!(result.observed, "9 containers run with the label bulkhead.role=cms; one is meant");
}

/// The engine names init, a process of another container, one that is not there, or nonsense.
#[tokio::test]
async fn a_forged_pid_is_found_out() {
    let mut init = Recorded::with(&["hard"]).processes[&pid("hard")].clone();
    init.pid = 77;
    init.cgroups = [("pids".to_owned(), "/".to_owned())].into();
    init.shared_with_machine.insert("mnt".into(), true);
    let mut in_cgroup = init.clone();
    in_cgroup.pid = 78;
    in_cgroup.cgroups = Recorded::with(&["hard"]).processes[&pid("hard")].cgroups.clone();
    let pids = [
        json!(1),
        json!(0),
        json!(-5),
        json!(77),
        json!(78),
        json!(pid("soft")),
        json!(99_999),
        json!(u64::MAX),
        json!("2"),
        Value::Null,
    ];
    for forged in pids {
        let mut recorded = Recorded::with(&["hard"]);
        recorded.processes.insert(77, init.clone());
        recorded.processes.insert(78, in_cgroup.clone());
        let soft = Recorded::with(&["soft"]).processes[&pid("soft")].clone();
        recorded.processes.insert(soft.pid, soft);
        recorded.forge("hard", |inspect| inspect["State"]["Pid"] = forged.clone());
        for check in &CHECKS[1..4] {
            let result = never_passes(&recorded, check).await;
            assert_eq!(result.verdict, Verdict::Unknown, "{forged}: {result:?}");
        }
    }
}

/// Every value of the engine's account replaced, one at a time, by every wrong type.
#[tokio::test]
async fn no_wrong_type_panics_or_unlocks() {
    let fields = [
        "/Id",
        "/State",
        "/State/Running",
        "/State/Pid",
        "/Image",
        "/HostConfig",
        "/Config",
        "/Name",
        "/HostConfig/SecurityOpt",
    ];
    let odd = [json!(null), json!(3), json!(-1.5e300), json!("x\u{1b}[2J"), json!([]), json!({}), json!([[[{}]]])];
    for field in fields {
        for value in &odd {
            let mut recorded = Recorded::with(&["soft"]);
            recorded.forge("soft", |inspect| *inspect.pointer_mut(field).unwrap() = value.clone());
            for check in &CHECKS[..3] {
                let result = judge(&recorded, check).await;
                // The account of `soft` cannot pass by losing or changing one value, but for what a filter itself reads.
                assert_ne!(result.verdict, Verdict::Pass, "{field} = {value}: {result:?}");
                assert!(!result.observed.contains('\u{1b}'), "{result:?}");
            }
        }
    }
}

#[tokio::test]
async fn layers_that_make_no_sense_are_not_judged() {
    let image: Value = serde_json::from_str(include_str!("recorded/image.json")).unwrap();
    let path = format!("/images/{}/json", image["Id"].as_str().unwrap());
    let many = "/x:".repeat(100);
    for (upper, lower) in [
        (json!(null), json!("")),
        (json!("relative"), json!("")),
        (json!("/empty"), json!(many)),
        (json!("/a"), json!("/b:/c")),
        (json!("/"), json!(7)),
    ] {
        let mut forged = image.clone();
        forged["GraphDriver"]["Data"]["UpperDir"] = upper.clone();
        forged["GraphDriver"]["Data"]["LowerDir"] = lower;
        let mut recorded = Recorded::with(&["hard"]);
        recorded.answer(&path, &forged);
        let result = judge(&recorded, CHECKS[4]).await;
        // One directory that is not the layer's cannot be told from one that is; all others are found out.
        let expected = if upper == "/" { Verdict::Pass } else { Verdict::Unknown };
        assert_eq!(result.verdict, expected, "{upper}: {result:?}");
    }
}

/// A whiteout hides a file of a lower layer and takes nothing out of it; a link out of the layer counts as the file.
#[tokio::test]
async fn deleting_in_a_later_layer_takes_nothing_out() {
    let mut image: Value = serde_json::from_str(include_str!("recorded/image.json")).unwrap();
    let path = format!("/images/{}/json", image["Id"].as_str().unwrap());
    image["GraphDriver"]["Data"] = json!({ "UpperDir": "/top", "LowerDir": "/middle:/bottom" });
    image["RootFS"]["Layers"] = json!(["sha256:1", "sha256:2", "sha256:3"]);
    let mut recorded = Recorded::with(&["hard"]);
    recorded.answer(&path, &image);
    assert_eq!(judge(&recorded, CHECKS[4]).await.verdict, Verdict::Pass);
    recorded.file(0, "/top/app/shell.php", "", 0);
    recorded.files.values_mut().for_each(|facts| facts.kind = FileKind::Other);
    assert_eq!(judge(&recorded, CHECKS[4]).await.verdict, Verdict::Pass, "a whiteout alone is no file");
    recorded.file(0, "/bottom/app/shell.php", "evil", 0o644);
    let result = never_passes(&recorded, CHECKS[4]).await;
    assert_eq!(result.observed, "layer 1 of 3 has /app/shell.php");
    recorded.files.remove(&(0, "/bottom/app/shell.php".into()));
    recorded.file(0, "/middle/app/shell.php", "evil", 0o644);
    recorded.files.values_mut().for_each(|facts| facts.real_path = "/root/hidden".into());
    let result = never_passes(&recorded, CHECKS[4]).await;
    assert_eq!(result.observed, "layer 2 of 3 has /app/shell.php");
}

#[tokio::test]
async fn what_is_shown_is_bounded_and_harmless() {
    let mut recorded = Recorded::with(&["soft"]);
    recorded.forge("soft", |inspect| {
        inspect["HostConfig"]["ReadonlyRootfs"] = json!(format!("\u{1b}]0;x\u{7}{}", "A".repeat(90_000)));
    });
    let check = "kind = \"container\"\nof = { role = \"cms\" }\nthat = \".HostConfig.ReadonlyRootfs == 1\"";
    let result = never_passes(&recorded, check).await;
    assert_eq!(result.verdict, Verdict::Fail, "{result:?}");
    assert!(result.observed.chars().count() < 420 && !result.observed.contains('\u{1b}'), "{result:?}");
}
