//! What a seccomp profile says of a system call, by the words of the OCI runtime specification.

use std::sync::LazyLock;

use serde_json::Value;

use crate::engine::seccomp::{Architecture, profile};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Allows,
    Refuses,
    /// There is no profile.
    Nothing,
}

/// `CLONE_NEWUSER`
const NEW_USER: u64 = 0x1000_0000;

/// The sandbox's own filter refuses the call, so that the kernel's word says nothing of the container's.
pub(super) fn sandbox_refuses(call: &str) -> bool {
    static OWN: LazyLock<Value> = LazyLock::new(|| {
        let architecture = if cfg!(target_arch = "aarch64") { Architecture::Aarch64 } else { Architecture::X86_64 };
        serde_json::from_str(&profile(architecture)).unwrap_or_default()
    });
    evaluate(&OWN, call) != Says::Allows
}

/// Of the call as a visitor makes it.
pub(super) fn evaluate(profile: &Value, call: &str) -> Says {
    let Some(default) = profile["defaultAction"].as_str() else { return Says::Nothing };
    let (name, arguments) = arguments(call);
    let rules = profile["syscalls"].as_array().into_iter().flatten();
    let named =
        rules.filter(|rule| rule["names"].as_array().is_some_and(|names| names.iter().any(|other| other == name)));
    let matching: Vec<&str> =
        named.filter(|rule| all_match(rule, &arguments)).filter_map(|rule| rule["action"].as_str()).collect();
    let allows =
        |action: &str| matches!(action, "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG" | "SCMP_ACT_TRACE" | "SCMP_ACT_NOTIFY");
    // Where rules contradict each other, the one that lets through counts.
    let allowed = if matching.is_empty() { allows(default) } else { matching.into_iter().any(allows) };
    if allowed { Says::Allows } else { Says::Refuses }
}

/// The call's name, and its arguments as far as a profile may look at them.
fn arguments(call: &str) -> (&str, Vec<u64>) {
    match call.strip_prefix("socket:") {
        Some(family) => {
            let number = match family {
                "UNIX" => 1,
                "INET" => 2,
                "INET6" => 10,
                "NETLINK" => 16,
                "PACKET" => 17,
                "ALG" => 38,
                _ => 40,
            };
            ("socket", vec![number])
        }
        None if call == "unshare" => (call, vec![NEW_USER]),
        None => (call, Vec::new()),
    }
}

fn all_match(rule: &Value, arguments: &[u64]) -> bool {
    rule["args"].as_array().into_iter().flatten().all(|condition| {
        let index = condition["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let found = index.and_then(|index| arguments.get(index)).copied().unwrap_or_default();
        let number = |key: &str| condition[key].as_u64().unwrap_or_default();
        let value = number("value");
        match condition["op"].as_str() {
            Some("SCMP_CMP_EQ") => found == value,
            Some("SCMP_CMP_NE") => found != value,
            Some("SCMP_CMP_LT") => found < value,
            Some("SCMP_CMP_LE") => found <= value,
            Some("SCMP_CMP_GT") => found > value,
            Some("SCMP_CMP_GE") => found >= value,
            Some("SCMP_CMP_MASKED_EQ") => found & value == number("valueTwo"),
            // A condition that nobody knows holds: what lets through is what counts.
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_counts_where_its_conditions_hold() {
        let own = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            { "names": ["read", "unshare"], "action": "SCMP_ACT_ALLOW" },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 38, "op": "SCMP_CMP_LT" }] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 39, "op": "SCMP_CMP_EQ" }] },
            { "names": ["ptrace"], "action": "SCMP_ACT_KILL_PROCESS" },
        ] });
        for (call, says) in [
            ("unshare", Says::Allows),
            ("socket:INET", Says::Allows),
            ("socket:ALG", Says::Refuses),
            ("socket:VSOCK", Says::Refuses),
            ("ptrace", Says::Refuses),
            ("bpf", Says::Refuses),
        ] {
            assert_eq!(evaluate(&own, call), says, "{call}");
        }
        let open = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["bpf"], "action": "SCMP_ACT_ERRNO" }] });
        assert_eq!((evaluate(&open, "bpf"), evaluate(&open, "keyctl")), (Says::Refuses, Says::Allows));
    }

    #[test]
    fn no_profile_and_nonsense_let_through() {
        for odd in [json!(null), json!({}), json!([]), json!({ "defaultAction": 7 })] {
            assert_eq!(evaluate(&odd, "bpf"), Says::Nothing, "{odd}");
        }
        let odd = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            7, { "names": "bpf" }, { "names": ["bpf"], "action": "SCMP_ACT_ALLOW", "args": [{ "op": "?" }, 3] } ] });
        assert_eq!(evaluate(&odd, "bpf"), Says::Allows);
    }

    /// As a look on the real kernel found it: these get to the kernel through the sandbox's own filter.
    #[test]
    fn the_sandbox_refuses_what_its_own_profile_does() {
        for call in ["mount", "unshare", "ptrace", "setns", "socket:NETLINK", "socket:PACKET"] {
            assert!(!sandbox_refuses(call), "{call}");
        }
        for call in ["bpf", "keyctl", "add_key", "socket:ALG", "socket:VSOCK", "io_uring_setup", "userfaultfd"] {
            assert!(sandbox_refuses(call), "{call}");
        }
    }
}
