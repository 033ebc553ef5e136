//! A command on a machine, run to its end. Works in a process of its own (W), so it may wait.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use bulkhead_agent::protocol::{Exec, ExecResult, FaultKind, Reply};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, killpg},
        signalfd::{SfdFlags, SignalFd},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, pipe2},
};

use crate::{
    boot::{cgroup::Cgroups, machine::Machine},
    enter::{self, Command, Launch, Stdio},
    fault::{Doing, Outcome, fault},
    sys::{descriptor, fork},
};

/// To get onto the machine; after that the command's own time runs.
pub(crate) const LAUNCH: Duration = Duration::from_secs(10);
/// More is never kept of an output, whatever was asked for.
const MOST_KEPT: usize = 512 * 1024;

/// One output, of which the beginning is kept.
struct Kept {
    from: Option<File>,
    bytes: Vec<u8>,
    limit: usize,
    truncated: bool,
}

impl Kept {
    fn new(from: OwnedFd, limit: usize) -> Outcome<Self> {
        descriptor::nonblocking(&from).doing(|| "prepare a pipe".into())?;
        Ok(Self { from: Some(File::from(from)), bytes: Vec::new(), limit, truncated: false })
    }

    /// Reads what is there now; of an endless output only so much that the clock is looked at in between.
    fn read(&mut self) {
        let mut buffer = [0_u8; 16 * 1024];
        for _ in 0..64 {
            let Some(file) = &mut self.from else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.from = None,
                Ok(count) => {
                    let room = self.limit.saturating_sub(self.bytes.len());
                    let (kept, rest) = buffer.get(..count).unwrap_or_default().split_at(count.min(room));
                    self.bytes.extend_from_slice(kept);
                    self.truncated |= !rest.is_empty();
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.from = None,
            }
        }
    }
}

pub(crate) fn run(machine: &Machine, cgroups: &Cgroups, exec: &Exec) -> Outcome<Reply> {
    if exec.argv.is_empty() {
        return Err(fault(FaultKind::Invalid, "no command"));
    }
    let began = Instant::now();
    let signals = SignalFd::with_flags(&fork::supervised_signals(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .doing(|| "wait for signals".into())?;
    let pipe = || pipe2(OFlag::O_CLOEXEC).doing(|| "make a pipe".into());
    let ((input, to_input), (from_output, output), (from_errors, errors)) = (pipe()?, pipe()?, pipe()?);
    let command = Command {
        uid: exec.uid,
        argv: exec.argv.clone(),
        env: exec.env.clone(),
        stdio: Stdio::Pipes { input, output, errors },
    };
    let mut launch = enter::launch(machine, cgroups, &command)?;
    drop(command);
    let process = arrive(&mut launch, began + LAUNCH)?;
    let limit = usize::try_from(exec.limit).unwrap_or(MOST_KEPT).min(MOST_KEPT);
    descriptor::nonblocking(&to_input).doing(|| "prepare a pipe".into())?;
    let mut run = Run {
        process,
        signals,
        input: Some(File::from(to_input)),
        stdin: exec.stdin.as_bytes(),
        outputs: [Kept::new(from_output, limit)?, Kept::new(from_errors, limit)?],
        deadline: Instant::now() + Duration::from_millis(exec.timeout_ms.into()),
    };
    let (code, timed_out) = run.finish();
    let text = |kept: &Kept| String::from_utf8_lossy(&kept.bytes).into_owned();
    let [out, err] = &run.outputs;
    Ok(Reply::Exec(ExecResult {
        code,
        stdout: text(out),
        stderr: text(err),
        truncated: out.truncated || err.truncated,
        timed_out,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

/// Waits until the process runs its own program.
fn arrive(launch: &mut Launch, deadline: Instant) -> Outcome<Pid> {
    loop {
        let left = u16::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u16::MAX);
        if !descriptor::readable_within(&launch.link, left).doing(|| "wait for the process".into())? {
            if let Some(pid) = launch.pid {
                let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
            }
            return Err(fault(FaultKind::TimedOut, "the process did not get onto the machine in time"));
        }
        match launch.advance() {
            None => {}
            Some(outcome) => {
                return outcome.and(launch.pid.ok_or_else(|| fault(FaultKind::Failed, "the process has no pid")));
            }
        }
    }
}

struct Run<'a> {
    process: Pid,
    signals: SignalFd,
    input: Option<File>,
    stdin: &'a [u8],
    outputs: [Kept; 2],
    deadline: Instant,
}

impl Run<'_> {
    /// The exit code, and whether time ran out. What the command left running in the background may hold the pipes
    /// open; it is not waited for.
    fn finish(&mut self) -> (i32, bool) {
        loop {
            // Before the look whether it ended: a signal that comes after that look must still be there to wake for.
            let called_off = self.called_off();
            self.feed();
            for output in &mut self.outputs {
                output.read();
            }
            if let Some(code) = self.ended() {
                self.outputs.iter_mut().for_each(Kept::read);
                return (code, false);
            }
            if Instant::now() >= self.deadline || called_off {
                let _ = killpg(self.process, Signal::SIGKILL);
                self.outputs.iter_mut().for_each(Kept::read);
                return (128 + Signal::SIGKILL as i32, true);
            }
            self.wait();
        }
    }

    fn feed(&mut self) {
        while let Some(input) = &mut self.input {
            if self.stdin.is_empty() {
                self.input = None;
                return;
            }
            match input.write(self.stdin) {
                Ok(count) => self.stdin = self.stdin.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.input = None,
            }
        }
    }

    fn ended(&self) -> Option<i32> {
        match waitpid(self.process, Some(WaitPidFlag::WNOHANG)) {
            Ok(status) => exit_code(status),
            Err(Errno::EINTR) => None,
            Err(_) => Some(128),
        }
    }

    /// The supervisor wants it no longer.
    fn called_off(&self) -> bool {
        let child = u32::try_from(Signal::SIGCHLD as i32).unwrap_or_default();
        std::iter::from_fn(|| self.signals.read_signal().ok().flatten()).any(|signal| signal.ssi_signo != child)
    }

    fn wait(&self) {
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(
            self.outputs
                .iter()
                .filter_map(|output| output.from.as_ref())
                .map(|from| PollFd::new(from.as_fd(), PollFlags::POLLIN)),
        );
        fds.extend(self.input.as_ref().map(|input| PollFd::new(input.as_fd(), PollFlags::POLLOUT)));
        let left = self.deadline.saturating_duration_since(Instant::now());
        // Interrupted or not, the caller looks at everything again.
        let _ = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
    }
}

/// As a shell counts; `None` while it lives.
pub(crate) fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
