//! What a process could do, found out by trying it in its place: its namespaces and root, its ids, groups, capability
//! sets and no-new-privileges. Who watches from inside sees a file come and go.
//!
//! He may be quick enough to put his own program where ours was. It then runs as what he is, where he is, within the
//! machine's limits; and what he did to our file is noticed, so that a failure is never of his making.

mod privileges;
mod program;

use std::{
    ffi::{CStr, CString},
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sched::{CloneFlags, setns},
    sys::{prctl, signal::Signal, wait::waitpid},
    unistd::{chroot, execve, fchdir, pipe2},
};

use super::place::Process;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    supervisor::Sandbox,
    sys::fork,
};
pub(super) use privileges::Privileges;
use program::program;

/// The user namespace last: it decides over what this process may join.
const NAMESPACES: [&str; 7] = ["mnt", "net", "ipc", "uts", "cgroup", "pid", "user"];
const MODE: u32 = 0o700;

pub(super) fn create(machine: &Machine, pid: i32, path: &str) -> Outcome<Seen> {
    if !take_place(machine, pid)? {
        return Ok(Seen::Missing);
    }
    let attempt = write_new(Path::new(path), b"").and_then(|_| fs::remove_file(path));
    Ok(seen(attempt.err().map(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))))
}

pub(super) fn execute(sandbox: &Sandbox, machine: &Machine, pid: i32, dir: &str) -> Outcome<Seen> {
    let doors = sandbox.cgroups.doors(&machine.spec)?;
    if !take_place(machine, pid)? {
        return Ok(Seen::Missing);
    }
    let path = Path::new(dir).join(format!(".bulkhead-{}", std::process::id()));
    let made = match write_new(&path, &program()) {
        Ok(file) => file.metadata().map(|facts| facts.ino()).doing(|| "look at our program".into())?,
        Err(error) => return Ok(seen(Some(Errno::from_raw(error.raw_os_error().unwrap_or_default())))),
    };
    let outcome = run(&path, &doors);
    let untouched = is_ours(&path, made);
    // He may have been quicker; then it is gone, which is as good.
    let _ = fs::remove_file(&path);
    match outcome? {
        Some(_) if !untouched => Err(fault(FaultKind::Failed, "our program was changed while it was tried")),
        errno => Ok(seen(errno)),
    }
}

fn seen(errno: Option<Errno>) -> Seen {
    Seen::Attempt { errno: errno.map(|errno| format!("{errno:?}")) }
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<File> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).custom_flags(libc::O_NOFOLLOW).open(path)?;
    file.write_all(content)?;
    Ok(file)
}

/// The file at `path` is the one we made, as we made it.
fn is_ours(path: &Path, made: u64) -> bool {
    let expected = program();
    let Ok(file) = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path) else {
        return false;
    };
    let mut content = Vec::new();
    let same = file.metadata().is_ok_and(|facts| facts.ino() == made && facts.mode() & 0o7777 == MODE);
    same && file.take(expected.len() as u64 + 1).read_to_end(&mut content).is_ok() && content == expected
}

/// Runs our program: `None` if the kernel let it start, else what it said.
fn run(path: &Path, doors: &[File]) -> Outcome<Option<Errno>> {
    let program = CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| fault(FaultKind::Invalid, "a NUL byte in a path"))?;
    let (refusal, to) = pipe2(OFlag::O_CLOEXEC).doing(|| "make a pipe".into())?;
    let keep: Vec<_> = doors.iter().map(AsFd::as_fd).chain([to.as_fd()]).collect();
    let child = fork::fork(&keep, || {
        // Only a pipe that is closed by the exec can tell a refusal from a program that ends with some code.
        let errno = begin(&program, doors);
        let _ = nix::unistd::write(&to, &(errno as i32).to_ne_bytes());
        127
    })
    .doing(|| "start a process".into())?;
    drop(to);
    let mut said = Vec::new();
    File::from(refusal).take(4).read_to_end(&mut said).doing(|| "hear from our program".into())?;
    // How it ends says nothing more: something ran, and if it was not ours, that was its owner's doing.
    let _ = waitpid(child, None);
    Ok(<[u8; 4]>::try_from(said).ok().map(|errno| Errno::from_raw(i32::from_ne_bytes(errno))))
}

/// The child: joins the machine's limits, and becomes the program. Comes back only if it may not.
fn begin(program: &CStr, doors: &[File]) -> Errno {
    let joined = doors.iter().try_for_each(|mut door| door.write_all(b"0"));
    if let Err(error) = joined {
        return Errno::from_raw(error.raw_os_error().unwrap_or_default());
    }
    // Should this worker be ended, nothing of it stays.
    if let Err(errno) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return errno;
    }
    match execve(program, &[program], &[] as &[&CStr]) {
        Ok(never) => match never {},
        Err(errno) => errno,
    }
}

/// Makes this process what `pid` is, as far as it and its children are concerned. False: there is no such process.
pub(super) fn take_place(machine: &Machine, pid: i32) -> Outcome<bool> {
    let Some(process) = Process::find(machine, pid)? else { return Ok(false) };
    let privileges = Privileges::of(&process)?;
    let namespaces = NAMESPACES.map(|name| process.open_namespace(name).map(|namespace| (name, namespace)));
    let root = process.root()?;
    for namespace in namespaces {
        let (name, namespace) = namespace?;
        setns(&namespace, CloneFlags::empty()).doing(|| format!("join its {name} namespace"))?;
    }
    fchdir(&root).and_then(|()| chroot(".")).doing(|| "take its root".into())?;
    privileges.take()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("bulkhead-agent-{name}-{}", std::process::id()))
    }

    #[test]
    fn the_program_runs_and_says_so() {
        let path = place("program");
        drop(write_new(&path, &program()).unwrap());
        let status = std::process::Command::new(&path).status().unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(status.code(), Some(42));
    }

    #[test]
    fn an_attempt_never_overwrites() {
        let path = place("exists");
        fs::write(&path, "kept").unwrap();
        assert_eq!(write_new(&path, b"").unwrap_err().raw_os_error(), Some(libc::EEXIST));
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_was_done_to_our_program_is_noticed() {
        let path = place("touched");
        let made = write_new(&path, &program()).unwrap().metadata().unwrap().ino();
        assert!(is_ours(&path, made));
        assert!(!is_ours(&path, made + 1), "another file in its place");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert!(!is_ours(&path, made), "not executable any more");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(MODE)).unwrap();
        fs::write(&path, [program(), b"x".to_vec()].concat()).unwrap();
        assert!(!is_ours(&path, made), "another content");
        fs::remove_file(&path).unwrap();
        assert!(!is_ours(&path, made), "gone");
    }
}
