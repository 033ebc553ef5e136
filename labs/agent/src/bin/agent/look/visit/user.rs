//! Errands on a machine as one of its users, by a child of ours that has joined the machine.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    time::Instant,
};

use bulkhead_agent::{
    look::{Seen, errand::Errand},
    protocol::FaultKind,
};
use nix::{
    fcntl::OFlag,
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{chdir, pipe2},
};

use super::{MOST_REPORT, errands};
use crate::{
    boot::machine::Machine,
    enter,
    fault::{Doing, Outcome, fault},
    look::place,
    supervisor::Sandbox,
    sys::{descriptor, fork, ids, namespace},
    users,
};

/// Says that the errands begin.
const HELLO: &[u8] = b"here";

pub(super) fn visit(
    sandbox: &Sandbox,
    machine: &Machine,
    uid: u32,
    errands: &[Errand],
    deadline: Instant,
) -> Outcome<Seen> {
    if errands.iter().any(|errand| matches!(errand, Errand::Run { .. })) {
        return Err(fault(FaultKind::Invalid, "a user's program is run by `exec`"));
    }
    let first = place::first(machine)?;
    let doors = sandbox.cgroups.doors(&machine.spec)?;
    let (from, report) = pipe2(OFlag::O_CLOEXEC).doing(|| "make a pipe".into())?;
    let mut keep = vec![report.as_fd()];
    keep.extend(doors.iter().map(AsFd::as_fd));
    let joiner = fork::fork(&keep, || {
        let joined = namespace::join(first, &["user", "cgroup", "ipc", "uts", "net", "pid", "mnt"])
            .and_then(|()| ids::become_id(0).doing(|| "become the machine's root".into()))
            .and_then(|()| ids::hide().doing(|| "hide".into()))
            .and_then(|()| {
                let mut keep = vec![report.as_fd()];
                keep.extend(doors.iter().map(AsFd::as_fd));
                fork::sibling(&keep, || i32::from(tell(&report, uid, &doors, errands).is_err()))
                    .doing(|| "start a process on the machine".into())
            });
        i32::from(joined.is_err())
    })
    .doing(|| "start a process".into())?;
    drop(report);
    let lines = read_until(&from, deadline);
    // Both are this process's children; what is left of them goes with it.
    let _ = kill(joiner, Signal::SIGKILL);
    let _ = waitpid(joiner, None);
    let mut lines = lines.split(|byte| *byte == b'\n');
    let mut next = || lines.next().filter(|line| !line.is_empty());
    if next() != Some(HELLO) {
        return Err(fault(FaultKind::Failed, "the visitor did not get onto the machine"));
    }
    let met = std::iter::from_fn(next).map_while(|line| serde_json::from_slice(line).ok()).collect();
    Ok(Seen::Visit { visitor: None, met })
}

/// The child on the machine.
fn tell(report: &OwnedFd, uid: u32, doors: &[File], errands: &[Errand]) -> Outcome<()> {
    for mut door in doors {
        door.write_all(b"0").doing(|| "join the machine's cgroup".into())?;
    }
    let user = users::find(uid, &enter::text("/etc/passwd"), &enter::text("/etc/group"));
    ids::become_user(user.uid, user.gid, &user.groups).doing(|| format!("become user {uid}"))?;
    chdir("/").doing(|| "go to the root directory".into())?;
    // After the change of user, which clears it.
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "end with who asked".into())?;
    let mut report = File::from(report.try_clone().doing(|| "keep a pipe".into())?);
    report.write_all(HELLO).and_then(|()| report.write_all(b"\n")).doing(|| "report".into())?;
    errands::perform(errands, &mut report).doing(|| "report".into())
}

/// All that comes until its end or the deadline, bounded.
pub(super) fn read_until(from: &OwnedFd, deadline: Instant) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(mut file) = from.try_clone().map(File::from) else { return bytes };
    let mut chunk = [0_u8; 16 * 1024];
    while (bytes.len() as u64) < MOST_REPORT {
        let left = u16::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u16::MAX);
        if left == 0 || !descriptor::readable_within(from, left).unwrap_or(false) {
            break;
        }
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    bytes
}
