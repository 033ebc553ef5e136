//! What commands printed, put into the `output` fences that follow them.

use crate::Command;

/// The lesson's text with the outputs replaced. A command whose output is part of a session, or that has none, is passed
/// over; so is one whose output still agrees, so that ids do not change for nothing.
pub fn paste(text: &str, printed: &[(&Command, &str)]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut outputs: Vec<(usize, &str)> = printed
        .iter()
        .filter(|(command, printed)| command.agrees(printed).is_err())
        .filter_map(|(command, printed)| Some((command.output_line?, *printed)))
        .collect();
    // From the end, so that the places of the others stay what they are.
    outputs.sort_by_key(|(line, _)| std::cmp::Reverse(*line));
    for (line, printed) in outputs {
        let Some(fence) = lines.get(line - 1).map(|line| line.trim_start()) else { continue };
        let ticks = &fence[..fence.len() - fence.trim_start_matches('`').len()];
        let Some(last) = lines.iter().skip(line).position(|line| line.trim() == ticks).map(|at| line + at) else {
            continue;
        };
        lines.splice(line..last, printed.trim_end().lines());
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "text\n```bash\na\n```\n\n```output\nold\n```\n\n````bash\nb\n````\n\n````output\n````\nend\n";

    fn command(line: usize, output: &str) -> Command {
        Command {
            line,
            input: String::new(),
            output: Some(output.to_owned()),
            output_line: Some(line + 4),
            tab: None,
            testable: true,
            runnable: true,
        }
    }

    #[test]
    fn outputs_are_replaced_where_they_differ() {
        let (a, b) = (command(2, "old\n"), command(10, ""));
        let text = paste(TEXT, &[(&a, "new\nnewer\n"), (&b, "x ``` y\n")]);
        assert_eq!(text, TEXT.replace("old", "new\nnewer").replace("````output\n", "````output\nx ``` y\n"));
        assert_eq!(paste(TEXT, &[(&a, "old"), (&b, "")]), TEXT);
    }
}
