//! The seccomp profile of a sandbox's outer container, generated from a table in which every call that Docker's default
//! would not allow has its reason.
//!
//! Two facts shape it. Engine 20.10 ignores `defaultErrnoRet`, so a call that must look absent is named. And the profile
//! names one architecture only: 32-bit calls (`socketcall`, say) would slip past the filters on arguments.

mod table;

use serde::Serialize;
use table::{ABSENT, FILTERED, OPENED, OPENED_X86_64, ORDINARY, REFUSED};

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Aarch64,
}

impl Architecture {
    /// From the name that an engine reports.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "x86_64" | "amd64" => Some(Self::X86_64),
            "aarch64" | "arm64" => Some(Self::Aarch64),
            _ => None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: &'static str,
    default_errno_ret: u32,
    architectures: [&'static str; 1],
    syscalls: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    names: Vec<&'static str>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Argument>,
}

#[derive(Serialize)]
struct Argument {
    index: u32,
    value: u64,
    op: &'static str,
}

/// The profile as the engine takes it: JSON, the same bytes for the same table.
pub fn profile(architecture: Architecture) -> String {
    serde_json::to_string(&build(architecture)).unwrap_or_default()
}

fn build(architecture: Architecture) -> Profile {
    let (name, own) = match architecture {
        Architecture::X86_64 => ("SCMP_ARCH_X86_64", OPENED_X86_64),
        Architecture::Aarch64 => ("SCMP_ARCH_AARCH64", &[][..]),
    };
    let mut allowed: Vec<_> =
        ORDINARY.iter().chain(OPENED.iter().chain(own).flat_map(|(names, _)| names.iter())).copied().collect();
    allowed.sort_unstable();
    allowed.dedup();
    let mut syscalls = vec![Rule { names: allowed, action: "SCMP_ACT_ALLOW", errno_ret: None, args: Vec::new() }];
    for (name, index, values, _) in FILTERED {
        syscalls.extend(values.iter().map(|value| Rule {
            names: vec![name],
            action: "SCMP_ACT_ALLOW",
            errno_ret: None,
            args: vec![Argument { index: *index, value: *value, op: "SCMP_CMP_EQ" }],
        }));
    }
    syscalls.extend([(ABSENT, ENOSYS), (REFUSED, EPERM)].map(|(lines, errno)| Rule {
        names: lines.iter().flat_map(|(names, _)| names.iter()).copied().collect(),
        action: "SCMP_ACT_ERRNO",
        errno_ret: Some(errno),
        args: Vec::new(),
    }));
    Profile { default_action: "SCMP_ACT_ERRNO", default_errno_ret: ENOSYS, architectures: [name], syscalls }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(lines: &[(&[&'static str], &str)]) -> Vec<&'static str> {
        lines.iter().flat_map(|(names, _)| names.iter()).copied().collect()
    }

    #[test]
    fn the_profile_is_as_reviewed() {
        for (architecture, name) in [(Architecture::X86_64, "x86_64"), (Architecture::Aarch64, "aarch64")] {
            insta::assert_json_snapshot!(name, build(architecture));
        }
    }

    #[test]
    fn nothing_dangerous_is_allowed() {
        let dangerous = [
            "init_module",
            "finit_module",
            "delete_module",
            "kexec_load",
            "kexec_file_load",
            "reboot",
            "bpf",
            "perf_event_open",
            "userfaultfd",
            "open_by_handle_at",
            "syslog",
            "process_vm_writev",
            "fanotify_init",
            "quotactl",
            "clock_settime",
            "settimeofday",
            "swapon",
            "acct",
            "keyctl",
            "add_key",
            "request_key",
            "io_uring_setup",
            "iopl",
            "ioperm",
            "modify_ldt",
            "socketcall",
        ];
        let profile = build(Architecture::X86_64);
        let allowed: BTreeSet<_> = profile
            .syscalls
            .iter()
            .filter(|rule| rule.action == "SCMP_ACT_ALLOW")
            .flat_map(|rule| &rule.names)
            .copied()
            .collect();
        for call in dangerous {
            assert!(!allowed.contains(call), "{call} is allowed");
        }
    }

    #[test]
    fn a_call_is_in_one_list_only() {
        let mut seen = BTreeSet::new();
        let filtered = FILTERED.iter().map(|(name, ..)| *name);
        let all = [ORDINARY.to_vec(), names(OPENED), names(OPENED_X86_64), names(ABSENT), names(REFUSED)].concat();
        for call in all.into_iter().chain(filtered) {
            assert!(seen.insert(call), "{call} is listed twice");
        }
    }

    #[test]
    fn every_line_has_a_reason_and_no_address_family_beyond_the_ordinary() {
        for (calls, why) in [OPENED, OPENED_X86_64, ABSENT, REFUSED].concat() {
            assert!(!why.is_empty(), "{calls:?}");
        }
        let families = FILTERED.iter().find(|(name, ..)| *name == "socket").map(|(_, _, values, _)| *values);
        assert_eq!(families, Some(&[1, 2, 10, 16, 17][..]), "16 is NETLINK, 38 ALG, 40 VSOCK");
    }
}
