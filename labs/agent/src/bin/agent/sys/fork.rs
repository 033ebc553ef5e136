//! New processes that go on running our own code, and how they end.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::{
    errno::Errno,
    sys::signal::{SigSet, Signal},
    unistd::Pid,
};

use super::descriptor;

/// Starts a child that runs `body` and ends with its code. It keeps standard input and output and `keep`, nothing else.
pub(crate) fn fork(keep: &[BorrowedFd<'_>], body: impl FnOnce() -> i32) -> nix::Result<Pid> {
    split(libc::SIGCHLD, keep, body)
}

/// Like [`fork`], but the new process is a sibling: our parent's child, who will reap it.
pub(crate) fn sibling(keep: &[BorrowedFd<'_>], body: impl FnOnce() -> i32) -> nix::Result<Pid> {
    split(libc::CLONE_PARENT | libc::SIGCHLD, keep, body)
}

#[expect(unsafe_code, reason = "clone without a new stack")]
fn split(flags: libc::c_int, keep: &[BorrowedFd<'_>], body: impl FnOnce() -> i32) -> nix::Result<Pid> {
    // SAFETY: without a stack and CLONE_VM this is fork(2): the child has a copy of the address space. The agent is
    // single-threaded, so no lock can be left held by a thread that the child does not have.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(flags), 0_usize, 0_usize, 0_usize, 0_usize) };
    let pid = match Errno::result(pid) {
        // A container's filter may know the newer call alone.
        Err(Errno::EPERM | Errno::ENOSYS) => clone3(flags)?,
        other => other?,
    };
    match pid {
        0 => {
            let keep: Vec<i32> = keep.iter().map(AsRawFd::as_raw_fd).collect();
            descriptor::close_all_but(&keep);
            end(body())
        }
        pid => Ok(Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX))),
    }
}

/// The same by the call that takes its arguments in a structure, the first five of which matter here.
#[expect(unsafe_code, reason = "clone3 has no wrapper")]
fn clone3(flags: libc::c_int) -> nix::Result<libc::c_long> {
    let parent = if flags & libc::CLONE_PARENT == 0 { 0 } else { libc::CLONE_PARENT };
    // CLONE_PARENT takes no signal of its own here: the child's is the caller's.
    let signal = if parent == 0 { libc::SIGCHLD } else { 0 };
    let number = |value: libc::c_int| u64::try_from(value).unwrap_or_default();
    let arguments: [u64; 8] = [number(parent), 0, 0, 0, number(signal), 0, 0, 0];
    // SAFETY: the structure is as long as it is said to be and outlives the call; without a stack and CLONE_VM this is
    // fork(2), as above.
    Errno::result(unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) })
}

/// Ends this process at once: no destructor, no flush of what was copied from the parent.
#[expect(unsafe_code, reason = "_exit has no wrapper")]
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: _exit touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// What the supervisor waits for through a descriptor, and so blocks.
pub(crate) fn supervised_signals() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGINT);
    set
}

/// Signals as a freshly started program expects them: none blocked, `SIGPIPE` deadly (Rust's start-up ignores it).
#[expect(unsafe_code, reason = "signal(2)")]
pub(crate) fn default_signals() -> nix::Result<()> {
    use nix::sys::signal::{SigHandler, signal};
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    SigSet::empty().thread_set_mask()
}
