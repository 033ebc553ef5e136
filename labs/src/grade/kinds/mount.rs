//! `kind = "mount"`: a mount point in a container, as the kernel shows it to the container's first process.
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "cms" }` |
//! | `at` | the mount point; where several lie on each other, the topmost counts |
//! | `absent` | `true`: nothing may be mounted there (no other key then) |
//! | `fs_type` | a type, or a list of which one must be |
//! | `options` | all of these must be set (`ro`, `noexec`, `nosuid`, …), for this mount or its file system |
//! | `without` | none of these may be set |
//! | `max_size` | a tmpfs with a limit of at most this (`"32m"`) |
//! | `source_volume` | a named volume of that name |

use bulkhead_agent::look::MountFacts;

use super::{Kind, Watch};
use crate::{
    grade::{
        Eyes, Finding, Outcome,
        containers::{self, Of},
    },
    manifest::{Fields, MachineName, format_size, parse_size},
};

#[derive(Debug)]
pub(super) struct MountCheck {
    of: Of,
    at: String,
    absent: bool,
    fs_type: Vec<String>,
    options: Vec<String>,
    without: Vec<String>,
    max_size: Option<u64>,
    source_volume: Option<String>,
}

impl MountCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read(fields);
        let at = fields.parsed("at", |path| {
            let fits = path == "/" || (path.starts_with('/') && !path.ends_with('/'));
            if fits { Ok(path.to_owned()) } else { Err("write an absolute path without a slash at its end") }
        });
        let absent = fields.opt_bool("absent").unwrap_or(false);
        let fs_type = fields.one_or_more("fs_type");
        let options = fields.strings("options");
        let without = fields.strings("without");
        let max_size = fields.opt_parsed("max_size", parse_size);
        let source_volume = fields.opt_string("source_volume");
        let asks = !fs_type.is_empty()
            || !options.is_empty()
            || !without.is_empty()
            || max_size.is_some()
            || source_volume.is_some();
        if absent && asks {
            fields.error("the mount is to be absent and to have properties", "keep `absent` or the other keys");
        }
        Some(Self { of: of?, at: at?, absent, fs_type, options, without, max_size, source_volume })
    }

    fn judge_mounts(&self, mounts: &[MountFacts]) -> Finding {
        let Some(mount) = mounts.iter().rev().find(|mount| mount.mount_point == self.at) else {
            return Finding::new(self.absent, format!("nothing is mounted on {}", self.at));
        };
        let seen = describe(mount);
        if self.absent {
            return Finding::fail(seen);
        }
        let set = |option: &String| mount.options.contains(option) || mount.super_options.contains(option);
        // A read-only mount of a writable file system is read-only: for these two the mount's own word counts.
        let has = |option: &String| match option.as_str() {
            "rw" => !has_ro(mount),
            "ro" => has_ro(mount),
            _ => set(option),
        };
        let wrong = if !self.fs_type.is_empty() && !self.fs_type.contains(&mount.fs_type) {
            Some(format!("its type is {}", mount.fs_type))
        } else if let Some(option) = self.options.iter().find(|option| !has(option)) {
            Some(format!("{option} is not set"))
        } else if let Some(option) = self.without.iter().find(|option| has(option)) {
            Some(format!("{option} is set"))
        } else if let Some(name) = self.source_volume.as_ref().filter(|name| !is_volume(mount, name)) {
            Some(format!("it is not the volume {name}"))
        } else {
            self.max_size.and_then(|most| match size(mount) {
                None => Some("it has no size limit".to_owned()),
                Some(bytes) if bytes > most => Some(format!("it may grow to {}", format_size(bytes))),
                Some(_) => None,
            })
        };
        match wrong {
            None => Finding::pass(seen),
            Some(wrong) => Finding::fail(format!("{seen}: {wrong}")),
        }
    }
}

impl Kind for MountCheck {
    fn name(&self) -> &'static str {
        "mount"
    }

    fn expected(&self) -> String {
        if self.absent {
            return format!("nothing is mounted on {} in the {} container", self.at, self.of.role);
        }
        let mut wants = Vec::new();
        if !self.fs_type.is_empty() {
            wants.push(format!("of type {}", self.fs_type.join(" or ")));
        }
        if let Some(name) = &self.source_volume {
            wants.push(format!("from the volume {name}"));
        }
        if !self.options.is_empty() {
            wants.push(format!("with {}", self.options.join(", ")));
        }
        if !self.without.is_empty() {
            wants.push(format!("without {}", self.without.join(", ")));
        }
        if let Some(most) = self.max_size {
            wants.push(format!("of at most {}", format_size(most)));
        }
        format!("{} in the {} container is a mount {}", self.at, self.of.role, wants.join(", "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        containers::every(eyes, &self.of, |eyes, container| {
            let facts = containers::process(eyes, container)?;
            Ok(self.judge_mounts(&facts.mounts))
        })
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.of.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }
}

fn has_ro(mount: &MountFacts) -> bool {
    mount.options.iter().chain(&mount.super_options).any(|option| option == "ro")
}

/// A local named volume is a bind of `…/volumes/NAME/_data`.
fn is_volume(mount: &MountFacts, name: &str) -> bool {
    mount.root.ends_with(&format!("/volumes/{name}/_data"))
}

/// A tmpfs's limit. `None`: none that the kernel shows.
fn size(mount: &MountFacts) -> Option<u64> {
    let text = mount.super_options.iter().find_map(|option| option.strip_prefix("size="))?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn describe(mount: &MountFacts) -> String {
    let size = size(mount).map(|bytes| format!(", size {}", format_size(bytes))).unwrap_or_default();
    format!("{} is of type {} ({}{size})", mount.mount_point, mount.fs_type, mount.options.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tmpfs(super_options: &[&str]) -> MountFacts {
        MountFacts {
            root: "/".into(),
            mount_point: "/run".into(),
            options: vec!["rw".into(), "nosuid".into()],
            fs_type: "tmpfs".into(),
            source: "tmpfs".into(),
            super_options: super_options.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    #[test]
    fn sizes_as_the_kernel_writes_them() {
        assert_eq!(size(&tmpfs(&["rw", "size=4096k"])), Some(4 << 20));
        assert_eq!(size(&tmpfs(&["rw"])), None);
        for hostile in ["size=", "size=99999999999999999999k", "size=18446744073709551615g", "size=4x", "size=ä"] {
            assert_eq!(size(&tmpfs(&[hostile])), None, "{hostile}");
        }
    }

    #[test]
    fn a_volume_is_its_whole_name() {
        let mount = |root: &str| MountFacts { root: root.into(), ..tmpfs(&[]) };
        assert!(is_volume(&mount("/docker/volumes/up/_data"), "up"));
        assert!(!is_volume(&mount("/docker/volumes/backup/_data"), "up"));
        assert!(!is_volume(&mount("/tmp/up"), "up"));
    }
}
