//! The few commands that a fake machine understands, so that one suite runs on the fake and on a real Linux.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// What one command line comes to, bit by bit.
pub(super) enum Act {
    Print(String),
    Sleep(Duration),
    /// Copies its input to its output, to the end.
    Cat,
    /// Prints the terminal's rows and columns.
    Size,
    /// The line's exit code so far.
    Code(i32),
    /// Ends the shell.
    Exit(i32),
}

/// Understands `argv`, or `sh -c SCRIPT` with commands separated by `;` and new lines.
pub(super) fn plan(argv: &[String], env: &BTreeMap<String, String>) -> Vec<Act> {
    match argv {
        [shell, flag, script, ..] if shell.ends_with("sh") && flag.ends_with('c') => script_plan(script, env),
        _ => command(&argv.iter().map(String::as_str).collect::<Vec<_>>(), env),
    }
}

pub(super) fn script_plan(script: &str, env: &BTreeMap<String, String>) -> Vec<Act> {
    script
        .split([';', '\n'])
        .map(str::split_whitespace)
        .flat_map(|words| command(&words.collect::<Vec<_>>(), env))
        .collect()
}

fn command(words: &[&str], env: &BTreeMap<String, String>) -> Vec<Act> {
    let [name, rest @ ..] = words else { return Vec::new() };
    let number = |default: u64| rest.first().and_then(|word| expand(word, env).parse().ok()).unwrap_or(default);
    match name.rsplit('/').next().unwrap_or(name) {
        "echo" => {
            let words: Vec<_> = rest.iter().map(|word| expand(word, env)).collect();
            vec![Act::Print(words.join(" ") + "\n"), Act::Code(0)]
        }
        "env" => {
            let lines = env.iter().fold(String::new(), |mut all, (key, value)| {
                let _infallible = writeln!(all, "{key}={value}");
                all
            });
            vec![Act::Print(lines), Act::Code(0)]
        }
        "printenv" => match rest.first().and_then(|key| env.get(*key)) {
            Some(value) => vec![Act::Print(format!("{value}\n")), Act::Code(0)],
            None => vec![Act::Code(1)],
        },
        "seq" => {
            let lines = (1..=number(0)).fold(String::new(), |mut all, line| {
                let _infallible = writeln!(all, "{line}");
                all
            });
            vec![Act::Print(lines), Act::Code(0)]
        }
        "sleep" => vec![Act::Sleep(Duration::from_secs(number(0))), Act::Code(0)],
        "cat" => vec![Act::Cat, Act::Code(0)],
        "stty" => vec![Act::Size, Act::Code(0)],
        "true" | ":" => vec![Act::Code(0)],
        "false" => vec![Act::Code(1)],
        "exit" => vec![Act::Exit(i32::try_from(number(0)).unwrap_or(255))],
        other => vec![Act::Print(format!("sh: {other}: not found\n")), Act::Code(127)],
    }
}

fn expand(word: &str, env: &BTreeMap<String, String>) -> String {
    let word = word.trim_matches(['"', '\'']);
    match word.strip_prefix('$') {
        Some(key) => env.get(key.trim_matches(['{', '}'])).cloned().unwrap_or_default(),
        None => word.to_owned(),
    }
}
