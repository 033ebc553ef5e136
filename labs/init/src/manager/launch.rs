//! One command of a unit as a child of pid 1.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{Mutex, PoisonError},
};

use super::notify;
use crate::{
    tools::complain,
    unit::{Environment, ServiceKind, Unit, expand},
};

/// `argv[0]` of the step between pid 1 and a socket-activated service.
pub(crate) const LAUNCH: &str = "bulkhead-init-launch";

/// Held while children are reaped.
pub(super) static REAPING: Mutex<()> = Mutex::new(());

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOGS: &str = "/var/log/units";
/// At a start, a longer log begins anew.
const LOG_LIMIT: u64 = 4 * 1024 * 1024;

pub(crate) fn log_file(unit: &str) -> PathBuf {
    Path::new(LOGS).join(format!("{unit}.log"))
}

fn open_log(unit: &str) -> std::io::Result<File> {
    fs::create_dir_all(LOGS)?;
    OpenOptions::new().create(true).append(true).open(log_file(unit))
}

/// A line of our own in a unit's log.
pub(super) fn log(unit: &str, line: &str) {
    if let Ok(mut file) = open_log(unit) {
        let _ = writeln!(file, "init: {line}");
    }
}

/// What a unit needs before its first command.
pub(super) fn prepare(unit: &Unit) {
    for folder in &unit.service.runtime_directory {
        let _ = fs::create_dir_all(Path::new("/run").join(folder));
    }
    if fs::metadata(log_file(&unit.name)).is_ok_and(|log| log.len() > LOG_LIMIT) {
        let _ = File::create(log_file(&unit.name));
    }
}

/// Starts a command and answers with its pid; its end arrives as an event.
pub(super) fn spawn(unit: &Unit, line: &str, main_pid: Option<i32>, listener: Option<OwnedFd>) -> std::io::Result<i32> {
    let mut environment = environment(unit);
    if let Some(pid) = main_pid {
        environment.insert("MAINPID".into(), pid.to_string());
    }
    let line = expand(line, &environment).ok_or_else(|| std::io::Error::other("the command is empty"))?;
    let mut command = if let Some(listener) = listener {
        // LISTEN_PID must be the service's own pid, which only the child knows.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(LAUNCH).args(&line.words).stdin(Stdio::from(listener));
        command
    } else {
        let mut command = Command::new(&line.words[0]);
        command.args(&line.words[1..]).stdin(Stdio::null());
        command
    };
    let log = open_log(&unit.name)?;
    command.env_clear().envs(&environment).process_group(0).stdout(log.try_clone()?).stderr(log);
    command.current_dir(
        unit.service.working_directory.as_deref().filter(|folder| Path::new(folder).is_dir()).unwrap_or("/"),
    );
    // A child that cannot execute its program is waited for by `spawn` itself; the reaper must not be quicker.
    let held = REAPING.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    drop(held);
    Ok(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

fn environment(unit: &Unit) -> Environment {
    let mut environment = Environment::from([("PATH".into(), PATH.into()), ("LANG".into(), "C.UTF-8".into())]);
    if unit.service.kind == ServiceKind::Notify {
        environment.insert("NOTIFY_SOCKET".into(), notify::path(&unit.name).display().to_string());
    }
    for file in &unit.service.environment_files {
        let text = fs::read_to_string(file.trim_start_matches('-')).unwrap_or_default();
        environment.extend(text.lines().filter_map(assignment));
    }
    for line in &unit.service.environment {
        let words = expand(line, &Environment::new()).map(|line| line.words).unwrap_or_default();
        environment.extend(words.iter().filter_map(|word| assignment(word)));
    }
    environment
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim().to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()))
}

/// The step between: standard input is the listener; becomes descriptor 3 as `sd_listen_fds` wants it, then the service.
pub(crate) fn launch_with_socket(words: &[String]) -> ExitCode {
    let Some((program, arguments)) = words.split_first() else { return complain("nothing to launch", 2) };
    let moved = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3).and_then(|listener| {
        rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty())?;
        Ok(listener)
    });
    match moved {
        Ok(listener) if listener.as_raw_fd() == 3 => {
            if let Ok(null) = File::open("/dev/null") {
                let _ = rustix::stdio::dup2_stdin(&null);
            }
            let error = Command::new(program)
                .args(arguments)
                .env("LISTEN_FDS", "1")
                .env("LISTEN_PID", std::process::id().to_string())
                .exec();
            complain(&format!("{program}: {error}"), 203)
        }
        _ => complain("cannot pass the socket on", 202),
    }
}
