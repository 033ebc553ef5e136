//! What a process could do, found out by trying it in its place: its namespaces and root, its ids, groups, capability
//! sets and no-new-privileges. Whoever watches from inside sees a file come and go; nothing of his is run.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::Path,
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    sys::{prctl, wait::waitpid},
    unistd::{Gid, Uid, chroot, execve, fchdir, setgroups, setresgid, setresuid},
};

use super::{place::Process, procfs};
use crate::{
    boot::machine::Machine,
    exec::exit_code,
    fault::{Doing, Outcome, fault},
    sys::{
        capability::{self, Sets},
        fork,
    },
};

/// How our harmless program ends; anything else was not it.
const PROOF: i32 = 42;
/// The child's code for an exec that failed is this and the errno.
const REFUSED: i32 = 100;

pub(super) fn create(machine: &Machine, pid: i32, path: &str) -> Outcome<Seen> {
    if !take_place(machine, pid)? {
        return Ok(Seen::Missing);
    }
    Ok(seen(write_new(Path::new(path), b"", 0o600).and_then(|()| fs::remove_file(path))))
}

pub(super) fn execute(machine: &Machine, pid: i32, dir: &str) -> Outcome<Seen> {
    if !take_place(machine, pid)? {
        return Ok(Seen::Missing);
    }
    let path = Path::new(dir).join(format!(".bulkhead-{}", std::process::id()));
    if let Err(error) = write_new(&path, &program(), 0o700) {
        return Ok(seen(Err(error)));
    }
    let outcome = run(&path);
    // He may have been quicker; then it is gone, which is as good.
    let _ = fs::remove_file(&path);
    outcome.map(|errno| Seen::Attempt { errno: errno.map(|errno| format!("{errno:?}")) })
}

fn seen(outcome: std::io::Result<()>) -> Seen {
    let errno = outcome.err().map(|error| {
        error.raw_os_error().map_or_else(|| error.to_string(), |raw| format!("{:?}", Errno::from_raw(raw)))
    });
    Seen::Attempt { errno }
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).custom_flags(libc::O_NOFOLLOW).open(path)?;
    file.write_all(content)
}

/// Runs our program: `None` if it ran, else what the kernel said.
fn run(path: &Path) -> Outcome<Option<Errno>> {
    let program = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| fault(FaultKind::Invalid, "a NUL byte in a path"))?;
    let child = fork::fork(&[], || match execve(&program, &[&program], &[] as &[&std::ffi::CStr]) {
        Ok(never) => match never {},
        Err(errno) => REFUSED + errno as i32,
    })
    .doing(|| "start a process".into())?;
    match waitpid(child, None).ok().and_then(exit_code) {
        Some(PROOF) => Ok(None),
        Some(code) if code > REFUSED => Ok(Some(Errno::from_raw(code - REFUSED))),
        other => Err(fault(FaultKind::Failed, format!("our program did not end as it does: {other:?}"))),
    }
}

/// Makes this process what `pid` is. False: there is no such process.
fn take_place(machine: &Machine, pid: i32) -> Outcome<bool> {
    let Some(process) = Process::find(machine, pid)? else { return Ok(false) };
    let privileges = Privileges::of(&process)?;
    let (user, mounts, root): (OwnedFd, OwnedFd, OwnedFd) =
        (process.open_namespace("user")?, process.open_namespace("mnt")?, process.root()?);
    // The mounts first: they may belong to a user namespace above the process's own.
    setns(mounts.as_fd(), CloneFlags::CLONE_NEWNS).doing(|| "join its mounts".into())?;
    setns(user.as_fd(), CloneFlags::CLONE_NEWUSER).doing(|| "join its user namespace".into())?;
    fchdir(&root).and_then(|()| chroot(".")).doing(|| "take its root".into())?;
    privileges.take()?;
    Ok(true)
}

struct Privileges {
    uid: [u32; 4],
    gid: [u32; 4],
    groups: Vec<u32>,
    sets: Sets,
    bounding: u64,
    ambient: u64,
    no_new_privs: bool,
}

impl Privileges {
    /// Reads them from outside, and translates ids to the process's own user namespace.
    fn of(process: &Process) -> Outcome<Self> {
        let text = |name: &str| process.text(name).doing(|| format!("read {name}"));
        let (status, uid_map, gid_map) =
            (text("status")?, procfs::id_map(&text("uid_map")?), procfs::id_map(&text("gid_map")?));
        let status = procfs::fields(&status);
        let odd = |what: &str| fault(FaultKind::Failed, format!("its status has no usable {what}"));
        let ids = |key: &str, map: &[[u32; 3]]| {
            let outside = procfs::four(status.get(key)).ok_or_else(|| odd(key))?;
            let inside: Option<Vec<u32>> = outside.iter().map(|id| procfs::inside(map, *id)).collect();
            inside.and_then(|ids| ids.try_into().ok()).ok_or_else(|| odd(key))
        };
        let set = |key: &str| procfs::hexadecimal(status.get(key)).ok_or_else(|| odd(key));
        Ok(Self {
            uid: ids("Uid", &uid_map)?,
            gid: ids("Gid", &gid_map)?,
            groups: procfs::many(status.get("Groups"))
                .into_iter()
                .filter_map(|id| procfs::inside(&gid_map, id))
                .collect(),
            sets: Sets { effective: set("CapEff")?, permitted: set("CapPrm")?, inheritable: set("CapInh")? },
            bounding: set("CapBnd")?,
            ambient: set("CapAmb")?,
            no_new_privs: status.get("NoNewPrivs") == Some(&"1"),
        })
    }

    fn take(&self) -> Outcome<()> {
        prctl::set_keepcaps(true).doing(|| "keep capabilities".into())?;
        capability::bound(self.bounding).doing(|| "take its bounding set".into())?;
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups).doing(|| "take its groups".into())?;
        let [real, effective, saved, _] = self.gid.map(Gid::from_raw);
        setresgid(real, effective, saved).doing(|| "take its group".into())?;
        let [real, effective, saved, _] = self.uid.map(Uid::from_raw);
        setresuid(real, effective, saved).doing(|| "take its user".into())?;
        capability::set(self.sets).doing(|| "take its capabilities".into())?;
        capability::ambient(self.ambient).doing(|| "take its ambient capabilities".into())?;
        if self.no_new_privs {
            prctl::set_no_new_privs().doing(|| "take no new privileges".into())?;
        }
        Ok(())
    }
}

/// `exit(42)` in the processor's own words.
#[cfg(target_arch = "x86_64")]
const CODE: [u8; 12] = [0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const CODE: [u8; 12] = [0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
#[cfg(target_arch = "x86_64")]
const PROCESSOR: u16 = 62;
#[cfg(target_arch = "aarch64")]
const PROCESSOR: u16 = 183;

/// The smallest static ELF program: its header, one segment, the code.
fn program() -> Vec<u8> {
    const HEADERS: u64 = 64 + 56;
    const LOAD_AT: u64 = 0x40_0000;
    let size = HEADERS + CODE.len() as u64;
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half =
        |elf: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    let word =
        |elf: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    let long =
        |elf: &mut Vec<u8>, values: &[u64]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    half(&mut elf, &[2, PROCESSOR]);
    word(&mut elf, &[1]);
    long(&mut elf, &[LOAD_AT + HEADERS, 64, 0]);
    word(&mut elf, &[0]);
    half(&mut elf, &[64, 56, 1, 64, 0, 0]);
    word(&mut elf, &[1, 5]);
    long(&mut elf, &[0, LOAD_AT, LOAD_AT, size, size, 0x1000]);
    elf.extend_from_slice(&CODE);
    elf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_runs_and_says_so() {
        let path = std::env::temp_dir().join(format!("bulkhead-agent-program-{}", std::process::id()));
        write_new(&path, &program(), 0o700).unwrap();
        let status = std::process::Command::new(&path).status().unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(status.code(), Some(PROOF));
    }

    #[test]
    fn an_attempt_never_overwrites() {
        let path = std::env::temp_dir().join(format!("bulkhead-agent-exists-{}", std::process::id()));
        fs::write(&path, "kept").unwrap();
        assert_eq!(seen(write_new(&path, b"", 0o600)), Seen::Attempt { errno: Some("EEXIST".into()) });
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(&path).unwrap();
        assert_eq!(seen(Ok(())), Seen::Attempt { errno: None });
    }
}
