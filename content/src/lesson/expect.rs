//! Does a command still print what a lesson shows? Ids, inodes, times and sizes vary from run to run and are not compared.

use super::Command;

/// A line of an `output` fence that stands for any number of lines.
const TRIMMED: &str = "[...]";

/// The first line that differs, as it was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Line of the output, from 1.
    pub line: usize,
    pub expected: String,
    pub printed: String,
}

impl Command {
    /// Compares with the `output` fence; a command without one agrees with anything.
    pub fn agrees(&self, printed: &str) -> Result<(), Difference> {
        let Some(expected) = &self.output else { return Ok(()) };
        let expected: Vec<String> = expected.trim_end().lines().map(stable).collect();
        let printed: Vec<String> = printed.trim_end().lines().map(stable).collect();
        agrees(&expected, &printed, 1)
    }
}

fn agrees(expected: &[String], printed: &[String], line: usize) -> Result<(), Difference> {
    let Some((first, rest)) = expected.split_first() else {
        return printed.first().map_or(Ok(()), |extra| Err(difference(line, "", extra)));
    };
    if first == TRIMMED {
        // What was left out may have any length: look for the place where the rest fits.
        let fits = (0..=printed.len()).any(|skipped| agrees(rest, &printed[skipped..], line + 1).is_ok());
        return if fits { Ok(()) } else { Err(difference(line, &rest.join("\n"), &printed.join("\n"))) };
    }
    match printed.split_first() {
        Some((found, after)) if found == first => agrees(rest, after, line + 1),
        found => Err(difference(line, first, found.map_or("", |(found, _)| found))),
    }
}

fn difference(line: usize, expected: &str, printed: &str) -> Difference {
    Difference { line, expected: expected.to_owned(), printed: printed.to_owned() }
}

/// The line with everything that varies replaced: numbers of three digits or more, hexadecimal ids, runs of blanks.
fn stable(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let mut stable = String::new();
        let mut run = String::new();
        for character in word.chars().chain([' ']) {
            if character.is_ascii_alphanumeric() {
                run.push(character);
            } else {
                stable.push_str(&piece(&run));
                run.clear();
                stable.push(character);
            }
        }
        stable.trim_end().to_owned()
    });
    words.collect::<Vec<_>>().join(" ")
}

fn piece(run: &str) -> String {
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let hex = run.len() >= 7 && digits > 0 && run.chars().all(|character| character.is_ascii_hexdigit());
    if hex && run.len() >= 12 {
        "<id>".to_owned()
    } else if hex || (run.len() >= 3 && digits == run.len()) {
        "<n>".to_owned()
    } else {
        run.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(output: &str) -> Command {
        let output = Some(output.to_owned());
        Command { line: 1, input: String::new(), output, tab: None, testable: true, runnable: true }
    }

    #[test]
    fn what_varies_is_not_compared() {
        let shown = command("pid:[4026532258]\n57d2c1a0b3f4 Up\n10 masked\n");
        assert_eq!(shown.agrees("pid:[4026531836]\n0123456789ab   Up\n10 masked\n"), Ok(()));
        let found = shown.agrees("pid:[4026531836]\n0123456789ab Up\n11 masked").expect_err("differs");
        assert_eq!((found.line, found.printed.as_str()), (3, "11 masked"));
    }

    #[test]
    fn trimmed_lines_match_any_number() {
        let shown = command("first\n[...]\nlast");
        for printed in ["first\nlast", "first\na\nb\nlast\n"] {
            assert_eq!(shown.agrees(printed), Ok(()), "{printed}");
        }
        assert!(shown.agrees("first\na").is_err() && shown.agrees("first\nlast\nmore").is_err());
        assert_eq!(command("x\n[...]").agrees("x\ny\nz"), Ok(()));
    }

    #[test]
    fn missing_and_extra_lines_differ() {
        assert!(command("a\nb").agrees("a").is_err() && command("a").agrees("a\nb").is_err());
        assert_eq!(command("").agrees(""), Ok(()));
    }
}
