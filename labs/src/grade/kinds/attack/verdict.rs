//! What came of an attempt.

use bulkhead_agent::look::{FileKind, Look, Seen};
use serde_json::Value;

use super::{
    attempt::{Act, Attempt},
    profile::{self, Says},
};
use crate::grade::{Eyes, Finding, Halt, Outcome, clean, containers::Container, eyes::misplaced, pattern::Pattern};

/// Where the runtime keeps what it was given, whether the engine started its own containerd or found one.
const BUNDLES: [&str; 2] = [
    "/run/containerd/io.containerd.runtime.v2.task/moby",
    "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby",
];
const SPEC_LIMIT: u32 = 256 * 1024;

/// `None`: the kernel let it happen.
pub(super) fn refused(attempt: &Attempt, errno: Option<&str>) -> Finding {
    let what = attempt.describe();
    match errno {
        None => breach(format!("{what} worked")),
        Some(errno) if attempt.refused_with.iter().any(|word| word == errno) => {
            Finding::pass(format!("{what} gives {errno}"))
        }
        Some(errno) => Finding::fail(format!("{what} gives {errno}"))
            .because("The attempt failed, but not because of the defence that is asked for."),
    }
}

fn breach(observed: String) -> Finding {
    Finding { breach: true, ..Finding::fail(observed) }
}

pub(super) fn judge(attempt: &Attempt, eyes: &mut Eyes<'_>, seen: &Seen, container: Option<&Container>) -> Outcome {
    match (&attempt.act, seen) {
        (Act::Call(name), Seen::Attempt { errno }) => called(attempt, eyes, name, errno.as_deref(), container),
        (Act::Read { finds, .. } | Act::Enter { finds, .. }, Seen::Text { text, .. }) => {
            found(attempt, eyes, finds.as_ref(), text)
        }
        (Act::MountAt(dir), Seen::Attempt { errno: Some(errno) }) if errno == "ENOENT" => {
            Ok(Finding::fail(format!("there is no {dir}")).because("The attack could not be tried."))
        }
        (Act::Create(_) | Act::Read { .. } | Act::Enter { .. } | Act::MountAt(_), Seen::Attempt { errno }) => {
            Ok(refused(attempt, errno.as_deref()))
        }
        (Act::Request { status, .. }, Seen::Http { status: answered, headers, body, .. }) => {
            Ok(answer(attempt, status, *answered, headers, body))
        }
        (Act::Request { silent, .. }, Seen::NoAnswer { why }) => {
            let finding = Finding::new(*silent, format!("{} gets no answer: {why}", attempt.describe()));
            Ok(if *silent { finding } else { finding.because("The attack could not be tried.") })
        }
        (_, Seen::NoAnswer { why }) => Err(Halt::unknown(why.clone())),
        (_, other) => Err(misplaced(other)),
    }
}

/// A call that got to the kernel's own code worked, whatever that then said to its arguments.
fn called(
    attempt: &Attempt,
    eyes: &mut Eyes<'_>,
    name: &str,
    errno: Option<&str>,
    container: Option<&Container>,
) -> Outcome {
    let refused = errno.is_some_and(|errno| attempt.refused_with.iter().any(|word| word == errno));
    let said = errno.unwrap_or("success");
    if !refused {
        return Ok(breach(format!("{} gets through to the kernel ({said})", attempt.describe())));
    }
    let passed = Finding::pass(format!("{} gives {said}", attempt.describe()));
    let (Some(container), true) = (container, profile::sandbox_refuses(name)) else { return Ok(passed) };
    let own = match spec(eyes, container)? {
        Some(spec) => profile::evaluate(&spec["linux"]["seccomp"], name),
        None => return Err(Halt::unknown("what the runtime was given for this container is not where it is kept")),
    };
    Ok(match own {
        Says::Refuses => passed,
        Says::Allows | Says::Nothing => Finding::fail(format!(
            "the container's own filter lets {name} through; only the sandbox around it gives {said}"
        )),
    })
}

/// What the runtime was given, in the words of the OCI runtime specification.
pub(in crate::grade::kinds) fn spec(eyes: &mut Eyes<'_>, container: &Container) -> Result<Option<Value>, Halt> {
    let mut waiting = false;
    for bundle in BUNDLES {
        let path = format!("{bundle}/{}/config.json", container.id);
        let look = Look::File { machine: container.machine.to_string(), pid: None, path, limit: SPEC_LIMIT };
        match eyes.see(look) {
            Err(Halt::NotYet) => waiting = true,
            Err(halt) => return Err(halt),
            Ok(Seen::File(facts)) if facts.kind == FileKind::File && !facts.truncated => {
                let spec = serde_json::from_str(&facts.content);
                return spec.map(Some).map_err(|why| Halt::unknown(format!("the runtime was given no JSON: {why}")));
            }
            Ok(_) => {}
        }
    }
    if waiting { Err(Halt::NotYet) } else { Ok(None) }
}

fn found(attempt: &Attempt, eyes: &Eyes<'_>, finds: Option<&Pattern>, text: &str) -> Outcome {
    let what = attempt.describe();
    let Some(finds) = finds else { return Ok(breach(format!("{what} worked"))) };
    let regex = finds.with(&eyes.values()).map_err(Halt::Unknown)?;
    Ok(if regex.is_match(text) {
        breach(format!("{what} gave what an attacker is after"))
    } else {
        Finding::pass(format!("{what} gives nothing that an attacker is after"))
    })
}

fn answer(attempt: &Attempt, right: &[u16], status: u16, headers: &[(String, String)], body: &str) -> Finding {
    let what = attempt.describe();
    let said = clean::clean(body).chars().take(120).collect::<String>();
    if right.contains(&status) {
        return Finding::pass(format!("{what} gets {status}"));
    }
    // Every answer of an engine says which version of its API it is.
    let by_engine = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let observed = format!("{what} gets {status}: {said}");
    if by_engine || (200..300).contains(&status) {
        breach(observed)
    } else {
        Finding::fail(observed).because("The attempt failed, but not as a defended service would refuse it.")
    }
}
