//! Durations and sizes as authors write them.

use std::time::Duration;

/// `"300ms"`, `"90s"`, `"60m"`, `"2h"`. At most a day: a sandbox that lives longer is a mistake.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 86_400_000;
    let wrong = || format!("`{text}` is no duration; write a whole number and ms, s, m or h, such as \"60m\"");
    let (number, unit) = split(text);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let millis = u64::from(number) * factor;
    if millis > DAY {
        return Err(format!("`{text}` is longer than a day"));
    }
    Ok(Duration::from_millis(millis))
}

/// `"512k"`, `"64m"`, `"1g"`, in powers of 1024.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err(format!("`{text}` is no size; write a whole number and k, m or g, such as \"512m\"")),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .filter(|bytes| *bytes <= 1 << 40)
        .ok_or_else(|| format!("`{text}` is no size; write a whole number and k, m or g, such as \"512m\""))
}

/// The shortest exact way to write a size: `33554432` → `32m`.
pub fn format_size(bytes: u64) -> String {
    for (unit, shift) in [("g", 30), ("m", 20), ("k", 10)] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes} bytes")
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        assert_eq!(parse_duration("60m"), Ok(Duration::from_hours(1)));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
        for bad in ["", "60", "m", "-1m", "1.5h", "60 m", "99999999999h", "25h", "86400001ms", "300 ms", "１m"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_and_writes_sizes() {
        for text in ["1g", "512m", "3k"] {
            assert_eq!(parse_size(text).map(format_size), Ok(text.to_owned()));
        }
        for bad in ["", "1", "g", "1t", "99999999999999g", "9999999g"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
        assert_eq!(format_size(1025), "1025 bytes");
    }
}
