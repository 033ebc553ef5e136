//! Runs the commands of lessons and compares what they print with what the lessons show.
//!
//! ```text
//! cargo run -p bulkhead-content --example commands -- [--write] MODULE/LESSON… -- SHELL…
//! ```
//! `SHELL…` is whatever gives a root shell on the student's machine of a fresh sandbox and reads commands from its standard
//! input, for instance `bulkhead lab shell read-only-but-alive -- bash`. Every command of a lesson runs in one shell, in
//! order, but those marked `no-run`; those marked `testable` are compared. `--write` pastes what was printed instead.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command as Process, ExitCode, Stdio},
};

use bulkhead_content::{Command, Course, Lesson};

const MARK: &str = "@@bulkhead";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (options, paths): (Vec<_>, Vec<_>) =
        arguments.by_ref().take_while(|argument| argument != "--").partition(|argument| argument.starts_with("--"));
    let shell: Vec<String> = arguments.collect();
    let write = options.iter().any(|option| option == "--write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("course");
    let course = Course::read(&folder)?;
    let mut fine = true;
    for path in &paths {
        let lesson = course.lesson(path).ok_or_else(|| format!("no lesson `{path}`"))?.lesson;
        let commands: Vec<&Command> = lesson.commands.iter().filter(|command| command.runnable).collect();
        let printed = execute(&shell, &commands)?;
        if write {
            paste(&folder.join(&lesson.file), &commands, &printed)?;
        } else {
            fine &= compare(lesson, &commands, &printed)?;
        }
    }
    Ok(fine)
}

/// What each command printed, in order.
fn execute(shell: &[String], commands: &[&Command]) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (program, arguments) = shell.split_first().ok_or("name the shell after `--`")?;
    let mut script = String::from("exec 2>&1\n");
    for command in commands {
        script += &["echo '", MARK, "'\n{\n", &command.input, "\n} </dev/null\n"].concat();
    }
    let mut child = Process::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    input.write_all(script.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed: Vec<String> =
        text.split(&format!("{MARK}\n")).skip(1).map(|printed| printed.trim_end().to_owned()).collect();
    if printed.len() != commands.len() {
        return Err(format!("the shell ended after {} of {} commands:\n{text}", printed.len(), commands.len()).into());
    }
    Ok(printed)
}

fn compare(lesson: &Lesson, commands: &[&Command], printed: &[String]) -> io::Result<bool> {
    let mut out = io::stdout();
    let mut fine = true;
    for (command, printed) in commands.iter().zip(printed).filter(|(command, _)| command.testable) {
        match command.agrees(printed) {
            Ok(()) => writeln!(out, "{}:{}: same", lesson.file, command.line)?,
            Err(found) => {
                fine = false;
                let at = [lesson.file.as_str(), ":", &command.line.to_string()].concat();
                writeln!(
                    out,
                    "{at}: line {} of the output\n  shown   {}\n  printed {}",
                    found.line, found.expected, found.printed
                )?;
            }
        }
    }
    Ok(fine)
}

/// Puts what was printed into the `output` fence that follows each command.
fn paste(file: &PathBuf, commands: &[&Command], printed: &[String]) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let mut lines: Vec<&str> = text.lines().collect();
    for (command, printed) in commands.iter().zip(printed).rev() {
        let end =
            |from: usize, lines: &[&str]| lines.iter().skip(from).position(|line| *line == "```").map(|at| from + at);
        let Some(closed) = end(command.line, &lines) else { continue };
        let Some(opened) = lines.iter().skip(closed + 1).position(|line| !line.is_empty()).map(|at| closed + 1 + at)
        else {
            continue;
        };
        if !lines[opened].starts_with("```output") {
            continue;
        }
        let Some(last) = end(opened + 1, &lines) else { continue };
        lines.splice(opened + 1..last, printed.lines());
    }
    fs::write(file, lines.join("\n") + "\n")
}
