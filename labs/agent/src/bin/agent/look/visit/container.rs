//! W, for a visit to a container: the engine starts our program there, and we look who came before he gets his errands.

use std::{
    fs::{self, File},
    io::Write,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    time::{Duration, Instant},
};

use bulkhead_agent::{
    look::{
        Seen,
        errand::{Errand, Visitor},
    },
    protocol::FaultKind,
};
use nix::{
    fcntl::AtFlags,
    sys::{
        signal::{Signal, kill},
        socket::MsgFlags,
        wait::waitpid,
    },
    unistd::{Pid, execveat},
};
use serde_json::{Value, json};

use super::{
    hold::{self, Way},
    user::read_until,
};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    look::{
        answer::Question,
        attempt::{self, Privileges},
        engine::Caller,
        place::Process,
        procfs,
    },
    sys::{capability, descriptor, fork},
};

/// Between two looks whether the visitor has come.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) fn visit(machine: &Machine, id: &str, pid: i32, errands: &[Errand], deadline: Instant) -> Outcome<Seen> {
    let plain = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return Err(fault(FaultKind::Invalid, "not a container's id"));
    }
    let Some(process) = Process::find(machine, pid)? else { return Ok(Seen::Missing) };
    let user = Privileges::of(&process)?.user();
    let first = Process::first(machine)?.text("status").doing(|| "read the first process's status".into())?;
    let target = Target { id, process, user, first };
    let mut stay = Stay::begin(machine, pid, deadline)?;
    let mut caller = Caller::new(machine)?;
    // From here on this process is the machine's root, and no more.
    let outcome = stay.serve(&mut caller, &target, errands, deadline);
    stay.end();
    outcome
}

/// H at work.
struct Stay {
    link: OwnedFd,
    /// J, then H; both are children of this process.
    children: Vec<Pid>,
    way: Way,
    to_errands: Option<OwnedFd>,
    report: OwnedFd,
}

impl Stay {
    fn begin(machine: &Machine, pid: i32, deadline: Instant) -> Outcome<Self> {
        let program = File::open("/proc/self/exe").doing(|| "open our program".into())?;
        let (link, theirs) = descriptor::message_pair().doing(|| "make a socket pair".into())?;
        let joiner = fork::fork(&[theirs.as_fd(), program.as_fd()], || {
            let moved = attempt::take_place(machine, pid).and_then(|there| {
                if !there {
                    return Err(fault(FaultKind::NotFound, "it has ended"));
                }
                fork::sibling(&[theirs.as_fd(), program.as_fd()], || become_holder(&theirs, &program))
                    .doing(|| "start a process in the container".into())
            });
            match moved {
                Ok(holder) => {
                    let _ = descriptor::send(&theirs, &holder.as_raw().to_ne_bytes(), &[]);
                    0
                }
                Err(fault) => {
                    let _ =
                        descriptor::send(&theirs, fault.message.get(..200).unwrap_or(&fault.message).as_bytes(), &[]);
                    1
                }
            }
        })
        .doing(|| "start a process".into())?;
        drop(theirs);
        let mut children = vec![joiner];
        let mut pipes = None;
        // J's word and H's may come in any order.
        while children.len() < 2 || pipes.is_none() {
            let left =
                u16::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u16::MAX);
            if !descriptor::readable_within(&link, left).doing(|| "wait for the container".into())? {
                end(&children);
                return Err(fault(FaultKind::TimedOut, "nobody got into the container in time"));
            }
            let (said, mut fds) =
                descriptor::receive(&link, MsgFlags::empty()).doing(|| "hear from the container".into())?;
            match (<[u8; 4]>::try_from(said.as_slice()), Way::decode(&said), fds.len()) {
                (_, Some(way), 2) if said.len() == 12 => pipes = fds.pop().zip(fds.pop()).map(|fds| (way, fds)),
                (Ok(holder), ..) => children.push(Pid::from_raw(i32::from_ne_bytes(holder))),
                _ => {
                    end(&children);
                    let why = String::from_utf8_lossy(&said).into_owned();
                    return Err(fault(FaultKind::Failed, format!("nobody got into the container: {why}")));
                }
            }
        }
        let (way, (report, to_errands)) =
            pipes.ok_or_else(|| fault(FaultKind::Failed, "the container gave no pipes"))?;
        Ok(Self { link, children, way, to_errands: Some(to_errands), report })
    }

    fn serve(
        &mut self,
        caller: &mut Caller,
        target: &Target<'_>,
        errands: &[Errand],
        deadline: Instant,
    ) -> Outcome<Seen> {
        let Way { pid, errands: from, report } = self.way;
        let (id, (uid, gid)) = (target.id, target.user);
        let program = format!("/proc/{pid}/fd/{}", hold::PROGRAM);
        let argv = [program, "visit".to_owned(), pid.to_string(), from.to_string(), report.to_string()];
        let body = json!({ "Cmd": argv, "User": format!("{uid}:{gid}"), "AttachStdout": false, "AttachStderr": false });
        let made = ask(caller, &format!("/containers/{id}/exec"), &body, deadline)?;
        let exec = made["Id"].as_str().filter(|exec| exec.bytes().all(|b| b.is_ascii_hexdigit()));
        let exec = exec.ok_or_else(|| fault(FaultKind::Failed, "the engine made no exec"))?;
        ask(caller, &format!("/exec/{exec}/start"), &json!({ "Detach": true, "Tty": false }), deadline)?;
        self.line(deadline)?;
        // He may not be let know his own number by the filter, so the engine is asked; who he is, the kernel says.
        let told = get(caller, &format!("/exec/{exec}/json"), deadline)?;
        let pid = told["Pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 1);
        let visitor = pid.and_then(|pid| target.visitor(pid)).ok_or_else(|| {
            fault(FaultKind::Failed, "what the engine started there is not our program in that container")
        })?;
        // He holds the pipes himself by now, so they end with him.
        descriptor::send(&self.link, b"x", &[]).doing(|| "let go of the pipes".into())?;
        let encoded = serde_json::to_vec(errands).unwrap_or_default();
        let sent = self.to_errands.take().map(File::from).map(|mut to| to.write_all(&encoded));
        sent.transpose().doing(|| "hand the errands over".into())?;
        let report = read_until(&self.report, deadline);
        let met: Vec<Seen> = report
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map_while(|line| serde_json::from_slice(line).ok())
            .take(errands.len())
            .collect();
        Ok(Seen::Visit { visitor: Some(visitor), met })
    }

    /// One line, byte by byte: what follows is not ours to take yet.
    fn line(&self, deadline: Instant) -> Outcome<String> {
        let mut line = Vec::new();
        while line.len() < 16 {
            let left =
                u16::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u16::MAX);
            if left == 0 || !descriptor::readable_within(&self.report, left).unwrap_or(false) {
                return Err(fault(FaultKind::TimedOut, "our program did not start in the container in time"));
            }
            let mut byte = [0];
            match nix::unistd::read(&self.report, &mut byte) {
                Ok(1) if byte != *b"\n" => line.push(byte[0]),
                _ => break,
            }
        }
        String::from_utf8(line).map_err(|_| fault(FaultKind::Failed, "a visitor without a number"))
    }

    fn end(self) {
        end(&self.children);
    }
}

fn end(children: &[Pid]) {
    for child in children {
        let _ = kill(*child, Signal::SIGKILL);
        let _ = waitpid(*child, None);
    }
}

/// The new sibling: gives up what it could do, and becomes H.
fn become_holder(link: &OwnedFd, program: &File) -> i32 {
    let ready = capability::drop_all().and_then(|()| descriptor::become_standard(link, program, program));
    if ready.is_ok() {
        let _ = execveat(program, c"", &[c"agent", c"hold"], &[] as &[&std::ffi::CStr], AtFlags::AT_EMPTY_PATH);
    }
    71
}

/// Asks the engine for something that must succeed.
fn ask(caller: &mut Caller, path: &str, body: &Value, deadline: Instant) -> Outcome<Value> {
    let body = body.to_string();
    put(caller, &Question { method: "POST", host: "docker", path, headers: &[], body: &body, json: true }, deadline)
}

fn get(caller: &mut Caller, path: &str, deadline: Instant) -> Outcome<Value> {
    put(caller, &Question { method: "GET", host: "docker", path, headers: &[], body: "", json: true }, deadline)
}

fn put(caller: &mut Caller, question: &Question<'_>, deadline: Instant) -> Outcome<Value> {
    let answer = caller.ask(question, deadline, 64 * 1024)?;
    if !(200..300).contains(&answer.status) {
        let said = String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
        return Err(fault(FaultKind::Failed, format!("the engine lets nobody into the container: {said}")));
    }
    Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// The container that is visited.
struct Target<'a> {
    id: &'a str,
    process: Process,
    user: (u32, u32),
    /// The status of the machine's first process.
    first: String,
}

impl Target<'_> {
    /// The visitor from outside, by the number that the engine gives him, if he is our program in that container.
    fn visitor(&self, pid: i32) -> Option<Visitor> {
        let ours = fs::metadata("/proc/self/exe").ok()?;
        let home = self.process.namespace("pid").ok()?;
        for _ in 0..20 {
            let numbers =
                fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            for number in numbers {
                let Ok(found) = Process::open(number) else { continue };
                let Ok(status) = found.text("status") else { continue };
                // Our own number for him, the machine's, and in a container with numbers of its own that one.
                if procfs::pids(&status).get(1) != Some(&pid) || found.namespace("pid").ok() != Some(home) {
                    continue;
                }
                let exe = fs::metadata(found.path("exe")).ok()?;
                let inside = found.text("cgroup").ok()?.contains(self.id);
                if (exe.dev(), exe.ino()) != (ours.dev(), ours.ino()) || !inside {
                    return None;
                }
                let fields = procfs::fields(&status);
                let [gid, ..] = procfs::four(fields.get("Gid"))?;
                let [uid, ..] = procfs::four(fields.get("Uid"))?;
                return Some(Visitor {
                    uid,
                    gid,
                    cap_effective: procfs::hexadecimal(fields.get("CapEff"))?,
                    cap_bounding: procfs::hexadecimal(fields.get("CapBnd"))?,
                    no_new_privs: fields.get("NoNewPrivs") == Some(&"1"),
                    seccomp: procfs::seccomp(&fields, &procfs::fields(&self.first))?,
                });
            }
            std::thread::sleep(PAUSE);
        }
        None
    }
}
