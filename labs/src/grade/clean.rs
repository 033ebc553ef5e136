//! Makes what was seen fit to show: bounded, one line, no control characters, no secrets.

/// Longest text of evidence.
pub const MAX_SHOWN: usize = 400;

/// Bounds and cleans hostile text. Escape sequences lose their escape and whatever else a terminal or a page might
/// obey: control characters and those that turn the direction of writing.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut shown = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if shown == MAX_SHOWN {
            out.push('…');
            break;
        }
        let c = match c {
            '\u{1b}' => {
                skip_sequence(&mut chars);
                continue;
            }
            '\n' | '\t' | '\r' => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => continue,
            c if c.is_control() => continue,
            c => c,
        };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
        shown += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// After an escape: `[…letter` (CSI), `]…BEL` or `]…ESC \` (OSC and its like), or one character.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Hides `secrets` wherever they stand. Before cleaning could cut one in half, so call this first.
pub fn redact(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|s| s.len() >= 4) {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), "[hidden]");
        }
    }
    text
}

/// A size for people.
pub fn bytes(count: usize) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{} KiB", count / 1024),
        _ => format!("{} MiB", count / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_a_terminal_would_obey() {
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m b"), "ared b");
        assert_eq!(clean("x\u{1b}]52;c;ZXZpbA==\u{7}y"), "xy");
        assert_eq!(clean("x\u{1b}]0;title\u{1b}\\y"), "xy");
        assert_eq!(clean("one\r\n\ttwo\0\u{202e}three"), "one twothree");
        assert_eq!(clean("\u{1b}"), "");
    }

    #[test]
    fn bounds_what_it_shows() {
        let shown = clean(&"ä".repeat(100_000));
        assert_eq!(shown.chars().count(), MAX_SHOWN + 1);
        assert!(shown.ends_with('…'));
    }

    #[test]
    fn hides_secrets() {
        assert_eq!(redact("flag=0123456789abcdef.", &["0123456789abcdef".into(), String::new()]), "flag=[hidden].");
    }
}
