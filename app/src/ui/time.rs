//! Durations and dates for people.

/// `42 min`, `1 h 05 min`
pub(crate) fn minutes(minutes: u16) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// What is left, as a clock shows it: `59:04`, `1:02:03`. Nothing below zero.
pub(crate) fn clock(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long a step took: `340 ms`, `1.2 s`, `75 s`.
pub(crate) fn took(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} s", milliseconds / 1000),
    }
}

/// `2026-11-24 10:31` of an RFC 3339 time; the text itself where it is none.
pub(crate) fn stamp(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..16)) {
        (Some(date), Some("T"), Some(time)) => format!("{date} {time}"),
        _ => rfc3339.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(minutes(5), "5 min");
        assert_eq!(minutes(65), "1 h 05 min");
        assert_eq!(minutes(120), "2 h");
        assert_eq!(clock(59_999), "0:59");
        assert_eq!(clock(3_723_000), "1:02:03");
        assert_eq!(clock(-5), "0:00");
        assert_eq!([took(340), took(1_250), took(75_900)], ["340 ms", "1.2 s", "75 s"]);
    }

    #[test]
    fn a_stamp_drops_seconds_and_survives_nonsense() {
        assert_eq!(stamp("2026-11-24T10:31:07Z"), "2026-11-24 10:31");
        assert_eq!(stamp("gestern"), "gestern");
        assert_eq!(stamp("ääääääääääääää"), "ääääääääääääää");
    }
}
