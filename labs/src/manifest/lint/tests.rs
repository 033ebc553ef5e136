use super::*;
use crate::grade::tests::lab_files as files;

const SMALL: &str = crate::grade::tests::MANIFEST;

/// What a catalogue with this manifest reports, one finding a line or two.
fn errors(manifest: &str) -> String {
    let catalog = Catalog::parse(&files(manifest));
    assert_eq!(catalog.lab("small").is_some(), catalog.diagnostics().is_empty(), "an error keeps a lab out");
    catalog.diagnostics().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn replaced(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    errors(&SMALL.replacen(from, to, 1))
}

#[test]
fn a_lab_that_holds_has_no_error() {
    assert_eq!(errors(SMALL), "");
}

#[test]
fn variables_are_of_a_kind_or_chosen_from_a_list() {
    let with = |value: &str| errors(&SMALL.replace("flag = \"hex16\"", &format!("flag = {value}")));
    for right in ["\"flag\"", "\"name\"", "\"container\"", "[\"redis\", \"postgres\"]", "[\"a,b\", \"b,c\", \"a,c\"]"] {
        assert_eq!(with(right), "", "{right}");
    }
    for (wrong, said) in [
        ("[\"one\"]", "`flag` cannot be \"one\""),
        ("[]", "`flag` is a list of less than two texts"),
        ("[\"a\", \"a\"]", "`flag` names the same text twice"),
        ("[\"a\", \"b\\nc\"]", "of more than one line"),
        ("3", "`flag` is an integer"),
    ] {
        let errors = with(wrong);
        assert!(errors.contains(said), "{wrong}: {errors}");
    }
}

#[test]
fn all_errors_of_a_file_come_at_once() {
    let manifest = SMALL
        .replace("title = \"Small\"", "titel = \"Small\"")
        .replace("minutes = 5", "minutes = \"5\"")
        .replace("kind = \"docker-host\"", "kind = \"vm\"")
        .replace("flag = \"hex16\"", "flag = \"uuid\"")
        .replace("points = 60", "points = 600")
        .replace("weight = 3", "weight = -3")
        .replace("kind = \"process\"", "kind = \"proces\"")
        .replace("id = \"one\"", "id = \"One\"");
    insta::assert_snapshot!(errors(&manifest), @r#"
    small/lab.toml:1:1: error: the lab lacks `title`
        fix: add title = "…"
    small/lab.toml:3:1: error: the lab has an unknown key `titel`
        fix: did you mean `title`?
    small/lab.toml:6:11: error: `minutes` is a string
        fix: write a whole number from 1 to 600
    small/lab.toml:12:8: error: `kind` cannot be "vm"
        fix: write one of docker-host, probe, plain, registry, attacker
    small/lab.toml:18:1: error: `flag` cannot be "uuid"
        fix: write one of hex16, flag, port, word, name, container, or a list to choose from
    small/lab.toml:25:6: error: `id` does not hold
        fix: `One` is no id: 1 to 40 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
    small/lab.toml:27:10: error: `points` is out of range
        fix: write a whole number from 1 to 100
    small/lab.toml:39:8: error: there is no kind of check "proces"
        fix: write one of container, image, process, mount, file, probe, attack, answer, exec, cgroup, network, listen, net, image-history, events, logs, firewall, sysctl, engine, inventory, tls, latency
    small/lab.toml:40:10: error: `weight` is out of range
        fix: write a whole number from 1 to 100
    "#);
}

#[test]
fn values_say_what_would_be_right() {
    insta::assert_snapshot!(replaced("that = \".HostConfig.ReadonlyRootfs\"", "that = \".a |\""), @r#"
    small/lab.toml:34:8: error: `that` does not hold
        fix: the jq filter does not parse: it wants term at its end
    "#);
    insta::assert_snapshot!(replaced("matches = \"nonce={{nonce}}\"", "matches = \"(\""), @r#"
    small/lab.toml:67:11: error: `matches` does not hold
        fix: the regular expression does not compile: unclosed group
    "#);
    insta::assert_snapshot!(replaced("of = { role = \"cms\" }", "of = { name = \"web\" }"), @r#"
    small/lab.toml:33:6: error: `of` lacks `role`
        fix: add role = "…"
    small/lab.toml:33:8: error: `of` has an unknown key `name`
        fix: the keys here are role, machine
    "#);
    insta::assert_snapshot!(replaced("pass = 80", "pass = 80\ntime = { limit = \"1 hour\", max = \"5m\" }"), @r#"
    small/lab.toml:8:8: error: `max` is shorter than `limit`
        fix: make `max` at least as long
    small/lab.toml:8:18: error: `limit` does not hold
        fix: `1 hour` is no duration; write a whole number and ms, s, m or h, such as "60m"
    "#);
    insta::assert_snapshot!(replaced("not_root = true\nno_new_privs = true", ""), @r#"
    small/lab.toml:37:1: error: the check asks nothing of the process
        fix: add `not_root`, `uid`, `no_new_privs`, `seccomp`, `capabilities` or `that`
    "#);
    insta::assert_snapshot!(replaced("path = \"/echo?n={{nonce}}\"", "path = \"echo\""), @r#"
    small/lab.toml:66:8: error: `path` does not hold
        fix: write a path that starts with /
    "#);
    insta::assert_snapshot!(replaced("pass = 80", "pass = 80\nstory = \"missing.md\""), @r#"
    small/lab.toml:8:9: error: there is no file missing.md
        fix: write the file, or name another, relative to the lab's folder
    "#);
}

#[test]
fn the_whole_must_fit_together() {
    insta::assert_snapshot!(replaced("points = 60", "points = 50\nneeds = [\"two\", \"three\"]"), @r#"
    small/lab.toml:1:1: error: the tasks' points sum to 90
        fix: make them sum to 100
    small/lab.toml:24:1: error: task one needs three, which is no task
        fix: name a task of this lab
    "#);
    insta::assert_snapshot!(replaced("id = \"b\"", "id = \"a\""), @r#"
    small/lab.toml:37:1: error: two checks have the id a
        fix: rename one; ids are unique in the whole lab
    "#);
    insta::assert_snapshot!(replaced("title = \"Two\"", "title = \"Two\"\nneeds = [\"two\"]"), @r#"
    small/lab.toml:1:1: error: tasks need each other in a circle: two → two
        fix: take one `needs` out
    "#);
    insta::assert_snapshot!(replaced("port = 8080", "port = 8080\nafter = [\"c\"]"), @r#"
    small/lab.toml:1:1: error: checks come after each other in a circle: c → gate → c
        fix: take one `after` out
    "#);
    insta::assert_snapshot!(replaced("checks = [\"gate\"]", "checks = [\"a\", \"z\"]"), @r#"
    small/lab.toml:1:1: error: the gate names z, which is no check
        fix: name a check of kind probe
    small/lab.toml:30:1: error: the gate names a, which is no probe
        fix: name a check of kind probe
    "#);
    insta::assert_snapshot!(replaced("[gate]\nchecks = [\"gate\"]", ""), @r#"
    small/lab.toml:1:1: error: the lab has services and no gate
        fix: add [gate] with checks = ["…"], naming a probe that asks the service
    "#);
    insta::assert_snapshot!(replaced("fails = [\"a\"]", "fails = [\"z\"]"), @r#"
    small/lab.toml:72:1: error: wrong/nothing.sh fails z, which is no check
        fix: name a check of this lab
    "#);
    insta::assert_snapshot!(replaced("equals = \"{{flag}}\"", "equals = \"{{flagg}}\""), @r#"
    small/lab.toml:52:1: error: check c says {{flagg}}, which nothing defines
        fix: name a variable, `nonce`, or what an earlier step captures
    "#);
    insta::assert_snapshot!(replaced("[[machine]]\nname = \"probe\"\nkind = \"probe\"", ""), @r#"
    small/lab.toml:58:1: error: check gate looks at probe, which is no machine of this lab
        fix: name a [[machine]]
    "#);
    insta::assert_snapshot!(replaced("kind = \"docker-host\"", "kind = \"docker-host\"\nmemory = \"1g\"\ndisk = \"3g\""), @r#"
    small/lab.toml:10:1: error: no sandbox can be as this lab asks
        fix: machine "host" asks for 3072 MiB of disk and 1024 MiB of memory: the disk lies in memory, and what runs there needs 512 MiB beside it. Give it at least 3584 MiB of memory, or a smaller disk
    "#);
    insta::assert_snapshot!(replaced("hints = [{ text = \"Look.\" }]", ""), @r#"
    small/lab.toml:24:1: error: task one has no hint
        fix: add hints = [{ text = "…" }]
    "#);
    let bare = SMALL.split("[solution]").next().unwrap();
    insta::assert_snapshot!(errors(bare), @r#"
    small/lab.toml:1:1: error: the lab has no solution
        fix: add [solution] with script = "solution.sh", and solution.md
    small/lab.toml:1:1: error: the lab has no wrong fix
        fix: add a [[wrong_fix]]: something plausible that must not pass
    "#);
}

#[test]
fn what_is_no_toml_and_no_text_is_said_so() {
    insta::assert_snapshot!(errors("schema = 1\nid = \n= 3\n"), @r#"
    small/lab.toml:2:6: error: not TOML: string values must be quoted, expected literal string
        fix: write what is expected there, as toml.io has it
    small/lab.toml:3:1: error: not TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
        fix: write what is expected there, as toml.io has it
    "#);
    let mut files = files(SMALL);
    files.insert("small/lab.toml".into(), vec![b'a', 0xff, 0xfe]);
    insta::assert_snapshot!(Catalog::parse(&files).diagnostics()[0].to_string(), @r#"
    small/lab.toml:1:1: error: not UTF-8 after byte 1
        fix: save the file as UTF-8
    "#);
}

#[test]
fn advice_and_scripts() {
    let mut files =
        files(&SMALL.replacen("fail = \"The root", "refs = [\"CIS\"]\nlesson = \"Nope!\"\nfail = \"The root", 1));
    files.insert("small/solution.sh".into(), b"echo hello\n".to_vec());
    files.insert("small/wrong/nothing.sh".into(), b"#!/bin/bash\nif true; then\n".to_vec());
    files.insert("stray/readme.md".into(), Vec::new());
    let findings = lint(&files).into_iter().filter(|finding| !finding.message.starts_with("shellcheck"));
    insta::assert_snapshot!(findings.map(|f| f.to_string()).collect::<Vec<_>>().join("\n"), @r#"
    small/lab.toml: warning: no check attacks
        fix: add a check of kind attack: what counts is that the exploit fails
    small/lab.toml: warning: task one has one hint only
        fix: add a second one that goes further
    small/lab.toml: warning: task two has one hint only
        fix: add a second one that goes further
    small/lab.toml: warning: the lab has no objectives
        fix: say what one can do after it
    small/lab.toml:30:1: warning: check a: `CIS` is no known reference
        fix: write "CIS 5.13", "NIST SP 800-190 4.4.4", "PCI DSS 2.2.6", "HIPAA 164.312(b)", "CVE-2019-5736" or an https address
    small/lab.toml:30:1: warning: check a: `Nope!` is no lesson's id
        fix: lesson ids are of a-z, 0-9 and `-`
    small/solution.sh:1:1: error: the script starts with `echo hello`
        fix: start it with #!/bin/sh or #!/bin/bash
    small/wrong/nothing.sh:1:1: warning: the script goes on after a failure
        fix: add `set -eu` below the first line
    small/wrong/nothing.sh:3:1: error: bash -n: bash: line 3: syntax error: unexpected end of file
        fix: make it parse
    stray/lab.toml: error: the folder has no manifest
        fix: write lab.toml, or start with `lab new`
    "#);
}

/// Any prefix, and any byte replaced: an error perhaps, a panic never.
#[test]
fn no_damage_panics() {
    for end in (0..SMALL.len()).step_by(7) {
        errors(&SMALL[..end]);
    }
    for at in (0..SMALL.len()).step_by(5) {
        for odd in ["\"", "[", "{{", "\u{0}", "ä", "9999999999999999999999"] {
            errors(&format!("{}{odd}{}", &SMALL[..at], &SMALL[at + 1..]));
        }
    }
}
