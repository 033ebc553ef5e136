//! Runs a program of the place to its end, bounded.

use std::{
    ffi::CString,
    fs::File,
    io::{ErrorKind, Read, Write},
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use bulkhead_agent::{look::Seen, protocol::ExecResult};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, killpg},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::{Pid, execvpe, pipe, setsid},
};

use crate::{
    exec::exit_code,
    sys::{descriptor, fork},
};

const MOST_KEPT: u32 = 256 * 1024;
/// How often it is looked whether the program has ended, while something else holds its output open.
const TICK: u16 = 20;

pub(in crate::look) fn run(
    argv: &[String],
    env: &[(String, String)],
    stdin: &str,
    timeout_ms: u32,
    limit: u32,
) -> Seen {
    match start(argv, env, stdin) {
        Ok((pid, out, err)) => Seen::Exec(finish(pid, [out, err], timeout_ms.min(60_000), limit.min(MOST_KEPT))),
        Err(errno) => Seen::NoAnswer { why: format!("no process could be started there: {errno:?}") },
    }
}

fn start(argv: &[String], env: &[(String, String)], stdin: &str) -> nix::Result<(Pid, OwnedFd, OwnedFd)> {
    let text = |text: &str| CString::new(text).map_err(|_| Errno::EINVAL);
    let arguments = argv.iter().map(|argument| text(argument)).collect::<nix::Result<Vec<_>>>()?;
    let program = arguments.first().cloned().ok_or(Errno::EINVAL)?;
    let inherited = std::env::vars().filter(|(name, _)| env.iter().all(|(other, _)| other != name));
    let variables = inherited
        .chain(env.iter().cloned())
        .map(|(name, value)| text(&format!("{name}={value}")))
        .collect::<nix::Result<Vec<_>>>()?;
    let ((input, to_input), (from_out, out), (from_err, err)) = (pipe()?, pipe()?, pipe()?);
    // Short enough for a pipe, so that it need not be fed while the output is read.
    descriptor::nonblocking(&to_input)?;
    let _ = File::from(to_input).write(stdin.as_bytes());
    let pid = fork::fork(&[input.as_fd(), out.as_fd(), err.as_fd()], || {
        let became = setsid()
            .and_then(|_| descriptor::become_standard(&input, &out, &err))
            .and_then(|()| fork::default_signals())
            .and_then(|()| execvpe(&program, &arguments, &variables));
        // As a shell says it.
        if became == Err(Errno::ENOENT) { 127 } else { 126 }
    })?;
    Ok((pid, from_out, from_err))
}

fn finish(pid: Pid, outputs: [OwnedFd; 2], timeout_ms: u32, limit: u32) -> ExecResult {
    let began = Instant::now();
    let deadline = began + Duration::from_millis(timeout_ms.into());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut outputs = outputs.map(|fd| {
        let _ = descriptor::nonblocking(&fd);
        (Some(File::from(fd)), Vec::new(), false)
    });
    let (code, timed_out) = loop {
        let ended = waitpid(pid, Some(WaitPidFlag::WNOHANG)).map_or(Some(128), exit_code);
        for (from, kept, cut) in &mut outputs {
            drain(from, kept, cut, limit);
        }
        match ended {
            Some(code) => break (code, false),
            None if Instant::now() >= deadline => {
                let _ = killpg(pid, Signal::SIGKILL);
                let _ = waitpid(pid, None);
                break (128 + Signal::SIGKILL as i32, true);
            }
            None => {}
        }
        let mut fds: Vec<PollFd<'_>> = outputs
            .iter()
            .filter_map(|(from, ..)| from.as_ref())
            .map(|from| PollFd::new(from.as_fd(), PollFlags::POLLIN))
            .collect();
        if poll(&mut fds, PollTimeout::from(TICK)).is_err() {
            // Where polling is refused, time passes all the same.
            std::thread::sleep(Duration::from_millis(TICK.into()));
        }
    };
    let [(_, out, out_cut), (_, err, err_cut)] = outputs;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ExecResult {
        code,
        stdout: text(&out),
        stderr: text(&err),
        truncated: out_cut || err_cut,
        timed_out,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// Reads what is there; of an endless output only so much that the clock is looked at in between.
fn drain(from: &mut Option<File>, kept: &mut Vec<u8>, cut: &mut bool, limit: usize) {
    let mut buffer = [0_u8; 16 * 1024];
    for _ in 0..64 {
        let Some(file) = from else { return };
        match file.read(&mut buffer) {
            Ok(0) => *from = None,
            Ok(count) => {
                let room = limit.saturating_sub(kept.len()).min(count);
                kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
                *cut |= room < count;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => *from = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, stdin: &str, timeout_ms: u32) -> ExecResult {
        match run(&["sh".into(), "-c".into(), script.into()], &[("X".into(), "y".into())], stdin, timeout_ms, 10) {
            Seen::Exec(result) => result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn output_code_and_input_come_through() {
        let done = sh("cat; echo $X >&2; exit 3", "abc", 5_000);
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (3, "abc", "y\n"));
        assert!(!done.truncated && !done.timed_out);
    }

    #[test]
    fn what_has_no_end_is_ended() {
        let done = sh("while :; do echo 0123456789; done", "", 200);
        assert!(done.timed_out && done.truncated && done.stdout.len() == 10, "{done:?}");
        let done = sh("sleep 100 & echo gone", "", 5_000);
        assert_eq!((done.code, done.stdout.as_str(), done.timed_out), (0, "gone\n", false));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_shells_127() {
        let argv = ["/no/such".to_owned()];
        assert!(matches!(run(&argv, &[], "", 1_000, 10), Seen::Exec(ExecResult { code: 127, .. })));
        assert!(matches!(run(&[], &[], "", 1_000, 10), Seen::NoAnswer { .. }));
    }
}
