//! Capability sets by name.

/// In the kernel's order.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The bit of `NET_ADMIN` or `CAP_NET_ADMIN`.
pub(super) fn bit(name: &str) -> Result<u64, String> {
    let short = name.strip_prefix("CAP_").unwrap_or(name);
    let index = NAMES.iter().position(|known| *known == short);
    index
        .map(|index| 1 << index)
        .ok_or_else(|| format!("`{name}` is no capability; write NET_BIND_SERVICE, for example"))
}

/// For people: `nothing`, `CHOWN, SETUID`, or `all`.
pub(super) fn names(set: u64) -> String {
    let all = (1 << NAMES.len()) - 1;
    match set {
        0 => "nothing".to_owned(),
        set if set & all == all => "all".to_owned(),
        set => {
            let mut names: Vec<String> = NAMES
                .iter()
                .enumerate()
                .filter(|(index, _)| set >> index & 1 == 1)
                .map(|(_, name)| (*name).to_owned())
                .collect();
            names
                .extend((NAMES.len()..64).filter(|index| set >> index & 1 == 1).map(|index| format!("number {index}")));
            names.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_agree_with_the_kernel() {
        assert_eq!(bit("CAP_SYS_ADMIN"), Ok(1 << 21));
        assert_eq!(bit("CHECKPOINT_RESTORE"), Ok(1 << 40));
        assert!(bit("ALL").is_err());
        assert_eq!(names(0x400), "NET_BIND_SERVICE");
        assert_eq!(names(0x01ff_ffff_ffff), "all");
        assert_eq!(names(1 << 60), "number 60");
    }
}
