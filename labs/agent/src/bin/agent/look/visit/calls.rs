//! System calls whose arguments make the kernel's own code fail with a word that no filter uses, or that undo themselves.
//! `EPERM` and `ENOSYS` then mean that the call was refused before, but for those where the kernel itself asks for a
//! capability first; a lab names only calls that reach the kernel at its start.

use std::ffi::CStr;

use nix::errno::Errno;

const NOWHERE: &CStr = c"/proc/self/no-such-place";

/// Calls of the set that is tested, by name; `socket:` with an address family.
pub(super) fn make(name: &str) -> Result<(), Errno> {
    let here = NOWHERE.as_ptr().addr();
    let none = usize::MAX;
    let (number, arguments) = match name {
        // The place is looked up before rights are.
        "mount" => (libc::SYS_mount, [here, here, c"tmpfs".as_ptr().addr(), 0, 0]),
        "umount2" => (libc::SYS_umount2, [here, 0, 0, 0, 0]),
        "chroot" => (libc::SYS_chroot, [here, 0, 0, 0, 0]),
        "unshare" => (libc::SYS_unshare, [flag(libc::CLONE_NEWUSER), 0, 0, 0, 0]),
        "setns" => (libc::SYS_setns, [none, 0, 0, 0, 0]),
        // No process has this number.
        "ptrace" => (libc::SYS_ptrace, [16, none, 0, 0, 0]),
        "process_vm_readv" => (libc::SYS_process_vm_readv, [none, 0, 0, 0, 0]),
        "kcmp" => (libc::SYS_kcmp, [none, none, 0, 0, 0]),
        "keyctl" => (libc::SYS_keyctl, [9_999, 0, 0, 0, 0]),
        "add_key" => (libc::SYS_add_key, [0, 0, 0, 0, 0]),
        "request_key" => (libc::SYS_request_key, [0, 0, 0, 0, 0]),
        "bpf" => (libc::SYS_bpf, [none, 0, 0, 0, 0]),
        "perf_event_open" => (libc::SYS_perf_event_open, [0, 0, 0, 0, 0]),
        "userfaultfd" => (libc::SYS_userfaultfd, [none, 0, 0, 0, 0]),
        "io_uring_setup" => (libc::SYS_io_uring_setup, [0, 0, 0, 0, 0]),
        "open_tree" => (libc::SYS_open_tree, [none, here, 0, 0, 0]),
        "name_to_handle_at" => (libc::SYS_name_to_handle_at, [none, here, 0, 0, 0]),
        "clone3" => (libc::SYS_clone3, [0, 0, 0, 0, 0]),
        "personality" => (libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0]),
        _ => match name.strip_prefix("socket:").and_then(family) {
            Some((family, kind)) => (libc::SYS_socket, [family, flag(kind), 0, 0, 0]),
            None => return Err(Errno::EDOM),
        },
    };
    raw(number, arguments)
}

fn family(name: &str) -> Option<(usize, libc::c_int)> {
    Some(match name {
        "UNIX" => (flag(libc::AF_UNIX), libc::SOCK_STREAM),
        "INET" => (flag(libc::AF_INET), libc::SOCK_STREAM),
        "INET6" => (flag(libc::AF_INET6), libc::SOCK_STREAM),
        "NETLINK" => (flag(libc::AF_NETLINK), libc::SOCK_RAW),
        "PACKET" => (flag(libc::AF_PACKET), libc::SOCK_RAW),
        "ALG" => (flag(libc::AF_ALG), libc::SOCK_SEQPACKET),
        "VSOCK" => (flag(libc::AF_VSOCK), libc::SOCK_STREAM),
        _ => return None,
    })
}

fn flag(flag: libc::c_int) -> usize {
    usize::try_from(flag).unwrap_or_default()
}

#[expect(unsafe_code, reason = "most of these calls have no wrapper, and all are to be made as they are")]
fn raw(number: libc::c_long, arguments: [usize; 5]) -> Result<(), Errno> {
    let [first, second, third, fourth, fifth] = arguments;
    // SAFETY: of the calls above none writes to memory of ours: pointers are null or lead to constant texts, and every
    // other argument is a number that the kernel refuses or that changes this process alone, which ends after it.
    Errno::result(unsafe { libc::syscall(number, first, second, third, fourth, fifth) }).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_filter_the_kernel_has_the_word() {
        for (name, word) in [
            ("mount", Errno::ENOENT),
            ("umount2", Errno::ENOENT),
            ("chroot", Errno::ENOENT),
            ("setns", Errno::EBADF),
            ("ptrace", Errno::ESRCH),
        ] {
            assert_eq!(make(name), Err(word), "{name}");
        }
        assert_eq!(make("socket:INET"), Ok(()));
        assert_eq!(make("no_such_call"), Err(Errno::EDOM));
        assert_eq!(make("socket:NO"), Err(Errno::EDOM));
    }
}
