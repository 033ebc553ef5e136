//! What an image holds, over its merged tree or in any layer.

use bulkhead_agent::look::{FileKind, Look, Seen, facts::ScanEntry};

use super::{config, layers, which::Image};
use crate::grade::{Eyes, Finding, Halt, Outcome, eyes::misplaced};

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_LIMIT: u32 = 512 * 1024;
/// Where an engine keeps what a build left, beside the images' layers.
const CACHE: [&str; 3] = ["/var/lib/docker/buildkit", "/var/lib/docker/overlay2", "/var/lib/docker/image"];
/// Names of so many are shown.
const SHOWN: usize = 5;
const SET_IDS: u32 = 0o6000;

fn scan<'a>(eyes: &mut Eyes<'a>, image: &Image) -> Result<&'a [ScanEntry], Halt> {
    let layers = layers::layers(&image.inspect)?;
    match eyes.see(Look::Scan { machine: image.machine.to_string(), pid: None, layers })? {
        Seen::Scan { truncated: true, .. } => Err(Halt::unknown("the image holds more than is looked at")),
        Seen::Scan { entries, .. } => Ok(entries),
        other => Err(misplaced(other)),
    }
}

/// No file of the merged tree gives rights to whoever runs it.
pub(super) fn no_setuid(eyes: &mut Eyes<'_>, image: &Image) -> Outcome {
    let gives = |entry: &&ScanEntry| entry.kind == FileKind::File && (entry.mode & SET_IDS != 0 || entry.capable);
    let found: Vec<String> = scan(eyes, image)?.iter().filter(gives).map(|entry| entry.path.clone()).collect();
    Ok(if found.is_empty() {
        Finding::pass("no file has a set-id bit or a capability")
    } else {
        Finding::fail(format!("{} have a set-id bit or a capability: {}", found.len(), some(&found)))
    })
}

/// None of these programs lies in a directory of programs.
pub(super) fn without_programs(eyes: &mut Eyes<'_>, image: &Image, programs: &[String]) -> Outcome {
    let entries = scan(eyes, image)?;
    let named = |entry: &&ScanEntry| {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        entry.kind != FileKind::Directory && programs.iter().any(|program| program == name)
    };
    let found: Vec<String> = entries.iter().filter(named).map(|entry| entry.path.clone()).collect();
    Ok(if found.is_empty() {
        Finding::pass(format!("none of {} is there", programs.join(", ")))
    } else {
        Finding::fail(format!("there is {}", some(&found)))
    })
}

/// None of these packages is installed, by the merged tree's package database.
pub(super) fn without_packages(eyes: &mut Eyes<'_>, image: &Image, packages: &[String]) -> Outcome {
    let layers = layers::layers(&image.inspect)?;
    let Some(status) = layers::merged(eyes, &image.machine, &layers, STATUS, STATUS_LIMIT)? else {
        return Ok(Finding::pass("the image has no package database"));
    };
    let found: Vec<String> =
        installed(status).filter(|name| packages.iter().any(|package| package == name)).map(str::to_owned).collect();
    Ok(if found.is_empty() {
        Finding::pass(format!("none of {} is installed", packages.join(", ")))
    } else {
        Finding::fail(format!("{} is installed", some(&found)))
    })
}

fn installed(status: &str) -> impl Iterator<Item = &str> {
    status.split("\n\n").filter_map(|entry| {
        let field = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        (field("Status")? == "install ok installed").then(|| field("Package")).flatten()
    })
}

/// These texts are nowhere: not in a layer, nor in the configuration and its history; with `cache` nor in what builds
/// left.
pub(super) fn lacks_text(eyes: &mut Eyes<'_>, image: &Image, texts: &[String], cache: bool) -> Outcome {
    let layers = layers::layers(&image.inspect)?;
    let (text, _) = config::read(eyes, image)?;
    if texts.iter().any(|needle| text.contains(needle.as_str())) {
        return Ok(Finding::fail("it is in the image's configuration or history"));
    }
    let mut directories = layers.clone();
    if cache {
        directories.extend(CACHE.map(str::to_owned));
    }
    let look = Look::Search { machine: image.machine.to_string(), pid: None, directories, needles: texts.to_vec() };
    match eyes.see(look)? {
        Seen::Search { hits, files, truncated, .. } => match hits.first() {
            Some(hit) => {
                let place = match layers.iter().rev().position(|layer| *layer == hit.directory) {
                    Some(layer) => format!("in layer {} of {}", layer + 1, layers.len()),
                    None => format!("below {}", hit.directory),
                };
                Ok(Finding::fail(format!("it is {place}, in {}", hit.path)))
            }
            None if *truncated => Err(Halt::unknown("there is more in the image than was looked through")),
            None => Ok(Finding::pass(format!("none of {files} files has it"))),
        },
        other => Err(misplaced(other)),
    }
}

fn some(names: &[String]) -> String {
    let rest = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_package_is_not_installed() {
        let status = "Package: sudo\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: curl\nStatus: install ok installed\n\nPackage: broken\n\nStatus: install ok installed\n";
        assert_eq!(installed(status).collect::<Vec<_>>(), ["curl"]);
        assert_eq!(installed("").count(), 0);
    }
}
