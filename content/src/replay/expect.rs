//! Does a command still print what a lesson shows? What varies from run to run is not compared.

use super::varies::stable;
use crate::Command;

/// A line of an `output` fence that stands for any number of lines.
const TRIMMED: &str = "[...]";
/// Within a line: any text.
const ANYTHING: &str = "[..]";

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
        Some((found, after)) if same(first, found) => agrees(rest, after, line + 1),
        found => Err(difference(line, first, found.map_or("", |(found, _)| found))),
    }
}

fn same(expected: &str, printed: &str) -> bool {
    let pieces: Vec<&str> = expected.split(ANYTHING).collect();
    let [first, middle @ .., last] = pieces.as_slice() else { return expected == printed };
    let ends = |rest: &str| rest.strip_suffix(last).map(str::to_owned);
    let Some(rest) = printed.strip_prefix(first).and_then(ends) else { return false };
    let mut rest = rest.as_str();
    middle.iter().all(|piece| rest.find(piece).map(|at| rest = &rest[at + piece.len()..]).is_some())
}

fn difference(line: usize, expected: &str, printed: &str) -> Difference {
    Difference { line, expected: expected.to_owned(), printed: printed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(output: &str) -> Command {
        let output = Some(output.to_owned());
        Command { line: 1, input: String::new(), output, output_line: None, tab: None, testable: true, runnable: true }
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
    fn a_part_of_a_line_may_be_left_out() {
        let shown = command("a [..] c\n[..] end");
        assert!(shown.agrees("a b c\nthe end").is_ok() && shown.agrees("a b c c\nend end").is_ok());
        for printed in ["a c\nthe end", "a b\nthe end", "a b c\nthe end.", "a b c\nend"] {
            assert!(shown.agrees(printed).is_err(), "{printed}");
        }
        assert!(command("a[..]b[..]c").agrees("a1b2c").is_ok() && command("a[..]b[..]c").agrees("ac").is_err());
    }

    #[test]
    fn missing_and_extra_lines_differ() {
        assert!(command("a\nb").agrees("a").is_err() && command("a").agrees("a\nb").is_err());
        assert_eq!(command("").agrees(""), Ok(()));
    }
}
