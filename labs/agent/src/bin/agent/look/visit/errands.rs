//! What a visitor does. It is in its place already: paths, names and numbers mean what they mean there.

use std::{
    ffi::CStr,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    net::TcpStream,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use bulkhead_agent::look::{Seen, errand::Errand};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns},
    sys::{
        signal::Signal,
        wait::{WaitStatus, waitpid},
    },
    unistd::pipe,
};

use super::{calls, run::run};
use crate::{
    look::{
        answer::{self, Question},
        http::connect_to,
        knock, names, unix,
    },
    sys::{descriptor, fork},
};

const MOST_TEXT: u32 = 256 * 1024;

/// Does them one after the other, and writes what came of each in a line of its own.
pub(super) fn perform(errands: &[Errand], report: &mut impl Write) -> io::Result<()> {
    errands.iter().try_for_each(|errand| {
        let line = serde_json::to_vec(&one(errand)).map_err(io::Error::other)?;
        report.write_all(&line)?;
        report.write_all(b"\n")
    })
}

fn one(errand: &Errand) -> Seen {
    match errand {
        Errand::Run { argv, env, stdin, timeout_ms, limit } => run(argv, env, stdin, *timeout_ms, *limit),
        Errand::Call { name } => apart(|| calls::make(name)),
        Errand::Read { path, limit } => read(path, *limit),
        Errand::Enter { pid, path, limit } => enter(*pid, path, *limit),
        Errand::Mount { at } => apart(|| mount_and_unmount(at)),
        Errand::Create { path } => attempt(create(path)),
        Errand::Http { unix, host, port, method, path, headers, body, timeout_ms, limit } => {
            let question = Question { method, host, path, headers, body, json: true };
            http(unix.as_deref(), *port, &question, time(*timeout_ms), *limit)
        }
        Errand::Connect { host, port, protocol, send, timeout_ms } => match names::resolve(host) {
            Ok(target) => knock::knock(target.socket(*port), *protocol, send.as_bytes(), time(*timeout_ms)),
            Err(why) => Seen::NoAnswer { why },
        },
    }
}

fn time(millis: u32) -> Duration {
    Duration::from_millis(millis.clamp(1, 30_000).into())
}

pub(super) fn attempt(outcome: Result<(), Errno>) -> Seen {
    Seen::Attempt { errno: outcome.err().map(|errno| format!("{errno:?}")) }
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// In a child, which may be left changed or killed by it. A filter's killing is `SIGSYS`.
fn apart(act: impl FnOnce() -> Result<(), Errno>) -> Seen {
    let (from, to) = match pipe() {
        Ok(ends) => ends,
        Err(errno) => return attempt(Err(errno)),
    };
    let child = fork::fork(&[to.as_fd()], || {
        let code = act().err().map_or(0, |errno| errno as i32);
        let _ = nix::unistd::write(&to, &code.to_ne_bytes());
        0
    });
    drop(to);
    let child = match child {
        Ok(child) => child,
        Err(errno) => return Seen::NoAnswer { why: format!("no process could be started there: {errno:?}") },
    };
    let said = descriptor::read_bounded(File::from(from), 4).ok().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let ended = waitpid(child, None);
    match (said.map(i32::from_ne_bytes), ended) {
        (Some(0), _) => attempt(Ok(())),
        (Some(code), _) => attempt(Err(Errno::from_raw(code))),
        (None, Ok(WaitStatus::Signaled(_, Signal::SIGSYS, _))) => Seen::Attempt { errno: Some("SIGSYS".into()) },
        (None, ended) => Seen::NoAnswer { why: format!("it ended without a word: {ended:?}") },
    }
}

fn read(path: &str, limit: u32) -> Seen {
    let limit = u64::from(limit.min(MOST_TEXT));
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    match opened.and_then(|file| descriptor::read_bounded(file, limit + 1)) {
        Ok(bytes) => {
            let truncated = bytes.len() as u64 > limit;
            let kept = bytes.get(..bytes.len() - usize::from(truncated)).unwrap_or_default();
            Seen::Text { text: String::from_utf8_lossy(kept).into_owned(), truncated }
        }
        Err(error) => attempt(Err(errno(&error))),
    }
}

/// As `nsenter -t PID -m` would. In a child, which alone is moved.
fn enter(pid: i32, path: &str, limit: u32) -> Seen {
    let (from, to) = match pipe() {
        Ok(ends) => ends,
        Err(errno) => return attempt(Err(errno)),
    };
    let child = fork::fork(&[to.as_fd()], || {
        let moved = File::open(format!("/proc/{pid}/ns/mnt"))
            .map_err(|error| errno(&error))
            .and_then(|namespace| setns(namespace, CloneFlags::CLONE_NEWNS));
        let seen = moved.map_or_else(|errno| attempt(Err(errno)), |()| read(path, limit));
        let encoded = serde_json::to_vec(&seen).unwrap_or_default();
        let _ = to.try_clone().map(File::from).and_then(|mut to| to.write_all(&encoded));
        0
    });
    drop(to);
    let child = match child {
        Ok(child) => child,
        Err(errno) => return Seen::NoAnswer { why: format!("no process could be started there: {errno:?}") },
    };
    let mut said = Vec::new();
    let _ = File::from(from).take(u64::from(MOST_TEXT) * 8).read_to_end(&mut said);
    match (serde_json::from_slice(&said), waitpid(child, None)) {
        (Ok(seen), _) => seen,
        (Err(_), Ok(WaitStatus::Signaled(_, Signal::SIGSYS, _))) => Seen::Attempt { errno: Some("SIGSYS".into()) },
        (Err(_), ended) => Seen::NoAnswer { why: format!("it ended without a word: {ended:?}") },
    }
}

fn mount_and_unmount(at: &str) -> Result<(), Errno> {
    const KIND: &CStr = c"tmpfs";
    mount(Some(KIND), Path::new(at), Some(KIND), MsFlags::empty(), Some(c"size=4k"))?;
    umount2(Path::new(at), MntFlags::MNT_DETACH)
}

fn create(path: &str) -> Result<(), Errno> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path);
    made.and_then(|_| fs::remove_file(path)).map_err(|error| errno(&error))
}

fn http(socket: Option<&str>, port: u16, question: &Question<'_>, time: Duration, limit: u32) -> Seen {
    let deadline = Instant::now() + time;
    let asked = match socket {
        Some(path) => match unix::connect(Path::new(path), deadline) {
            Ok(mut stream) => answer::ask(&mut stream, question, deadline, limit.min(MOST_TEXT)),
            Err(errno) => Ok(Err(crate::fault::said(errno))),
        },
        None => match connect(question.host, port, time) {
            Ok(mut stream) => answer::ask(&mut stream, question, deadline, limit.min(MOST_TEXT)),
            Err(why) => Ok(Err(why)),
        },
    };
    match asked {
        Ok(Ok(seen)) => seen,
        Ok(Err(why)) => Seen::NoAnswer { why },
        Err(fault) => Seen::NoAnswer { why: fault.message },
    }
}

fn connect(host: &str, port: u16, time: Duration) -> Result<TcpStream, String> {
    connect_to(&names::resolve(host)?.socket(port)?, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perform_one(errand: Errand) -> Seen {
        let mut report = Vec::new();
        perform(&[errand], &mut report).unwrap();
        serde_json::from_slice(&report).unwrap()
    }

    #[test]
    fn a_file_is_read_or_the_refusal_told() {
        let read = |path: &str| perform_one(Errand::Read { path: path.into(), limit: 4 });
        assert_eq!(read("/dev/zero"), Seen::Text { text: "\0\0\0\0".into(), truncated: true });
        assert_eq!(read("/no/such"), Seen::Attempt { errno: Some("ENOENT".into()) });
    }

    #[test]
    fn what_is_made_is_removed() {
        let path = std::env::temp_dir().join(format!("bulkhead-agent-errand-{}", std::process::id()));
        let create = || perform_one(Errand::Create { path: path.to_string_lossy().into_owned() });
        assert_eq!(create(), Seen::Attempt { errno: None });
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        assert_eq!(create(), Seen::Attempt { errno: Some("EEXIST".into()) });
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(path).unwrap();
    }
}
