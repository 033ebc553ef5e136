//! What varies from run to run, and is the same all the same: ids, times, sizes, addresses that were drawn by lot.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Applied in this order: the longer forms come first.
const PATTERNS: &[(&str, &str)] = &[
    // 2026-11-24T10:11:12.123456789Z, 2026-11-24 10:11:12 +0000 UTC
    (r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?)?(Z| ?[+-]\d\d:?\d\d)?( UTC)?\b", "<date>"),
    // What Debian adds when it rebuilds or mends a released package: 1.1.15+ds1-2+deb13u1+b1
    (r"(\+(deb\d+u\d+|b\d+))+\b", ""),
    // A web server's log: 24/Nov/2026:10:11:12 +0100
    (r"\b\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d( [+-]\d{4})?\b", "<date>"),
    (r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b", "<mac>"),
    (r"\b\d{1,2}:\d\d(:\d\d([.,]\d+)?)?\b", "<time>"),
    // Docker's way with times
    (r"\b((Less than|About) an? |\d+ )(second|minute|hour|day|week|month)s?\b( ago\b)?", "<while>"),
    (r"\bveth[0-9a-f]{7}\b", "veth<id>"),
    (r"\btmp\.[A-Za-z0-9]{6,12}\b", "tmp.<id>"),
    // overlay's short names of layers
    (r"\b[A-Z2-7]{26}\b", "<id>"),
    // 12.5MB, 120 kB, 1.95GiB; a limit such as 64m stays what it is
    (r"\b(\d+\.\d+|\d{3,}) ?([kKMGT]i?)?B\b", "<size>"),
    (r"\b(\d+\.\d+|\d{3,})[kKMGT]\b", "<size>"),
    // 12ms, 0.25s, 1m2.5s
    (r"\b(\d+m)?\d+(\.\d+)?(ns|us|ms|s)\b", "<time>"),
    (r"\b\d+(\.\d+)?%", "<n>%"),
    (r"\b0x[0-9a-fA-F]{4,}\b", "<n>"),
    (r"\b[0-9a-fA-F]{12,}\b", "<id>"),
    (r"\b\d{3,}\b", "<n>"),
];

/// The line with everything that varies replaced, and runs of blanks made one.
pub(super) fn stable(line: &str) -> String {
    let mut line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    for (pattern, name) in &*COMPILED {
        line = pattern.replace_all(&line, *name).into_owned();
    }
    let id = |found: &Captures<'_>| {
        let word = &found[0];
        if word.contains(|character: char| character.is_ascii_digit()) { "<id>" } else { word }.to_owned()
    };
    SHORT_ID.as_ref().map_or_else(|| line.clone(), |pattern| pattern.replace_all(&line, id).into_owned())
}

/// Words such as `defaced` are none, so at least one digit is asked for.
static SHORT_ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[0-9a-fA-F]{7,11}\b").ok());

static COMPILED: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| PATTERNS.iter().filter_map(|(pattern, name)| Some((Regex::new(pattern).ok()?, *name))).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert!(COMPILED.len() == PATTERNS.len() && SHORT_ID.is_some());
    }

    #[test]
    fn what_varies() {
        for (one, other) in [
            ("pid:[4026532258]", "pid:[4026531836]"),
            ("57d2c1a0b3f4 Up 3 seconds", "0123456789ab   Up About a minute"),
            ("sha256:57d2c1a0b3f457d2c1a0b3f4", "sha256:aaaac1a0b3f457d2c1a0b3f4"),
            ("2026-11-24T10:11:12.5Z x", "2027-01-02T00:00:00.123456789Z x"),
            ("[24/Nov/2026:23:59:58] GET", "[01/Dec/2026:00:00:00 +0100] GET"),
            ("10:11:12 up", "9:00:01 up"),
            ("real 0m0.25s", "real 1m10.75s"),
            ("12.5MB / 1.95GiB", "9.75MB / 23.4GiB"),
            ("0.05%", "12%"),
            ("veth57d2c1a@if5", "vetha0b3f40@if5"),
            ("/tmp/tmp.aB3dE6gH9x", "/tmp/tmp.ZZZZZZZZZZ"),
            ("lowerdir=l/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "lowerdir=l/234567GHIJKLMNOPQRSTUVWXYZ"),
            ("02:42:ac:11:00:02", "9e:11:ac:77:01:0f"),
            ("Created 2 weeks ago", "Created 5 minutes ago"),
            ("57d2c1a0", "a57d2c1"),
            ("runc 1.1.15+ds1-2+b4", "runc 1.1.15+ds1-2+deb13u1"),
        ] {
            assert_eq!(stable(one), stable(other));
        }
    }

    #[test]
    fn what_does_not() {
        for (one, other) in [
            ("10 masked", "11 masked"),
            ("size=64m", "size=16m"),
            ("runc 1.1.15", "runc 1.1.16"),
            ("runc 1.1.15+ds1-2+b4", "runc 1.1.15+ds1-3"),
            ("172.17.0.2/16", "172.17.0.3/16"),
            ("CapEff: 0", "CapEff: 1"),
            ("cap_sys_admin", "cap_sys_ptrace"),
            ("Up 3 seconds", "Exited (0) 3 seconds ago"),
            ("exit code 1", "exit code 2"),
            ("drwxr-xr-x 2 root", "drwxr-xr-x 3 root"),
            ("defaced", "facaded"),
            ("b1", "b2"),
        ] {
            assert_ne!(stable(one), stable(other));
        }
    }
}
