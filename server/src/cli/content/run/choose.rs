//! Which lessons are run, and where.

use bulkhead_content::{Course, Diagnostic, Lesson};

use crate::cli::exit::{CliError, CliResult};

/// The sandbox of a lesson that names none.
const USUAL: &str = "playground";

pub(super) struct Chosen<'c> {
    pub(super) lesson: &'c Lesson,
    /// The lab whose sandbox it runs in.
    pub(super) lab: &'c str,
}

/// In course order. Faults count where they are in a lesson that was asked for.
pub(super) fn lessons<'c>(
    course: &'c Course,
    findings: &[Diagnostic],
    asked: &[String],
    all: bool,
) -> CliResult<Vec<Chosen<'c>>> {
    if asked.is_empty() && !all {
        return Err(CliError::Usage("name a lesson or a module, or say --all".to_owned()));
    }
    let wanted = |path: &str| all || asked.iter().any(|asked| is_or_holds(asked, path));
    let faults: Vec<String> = findings
        .iter()
        .filter(|finding| finding.is_error() && finding.file.strip_suffix("/lesson.md").is_none_or(wanted))
        .map(ToString::to_string)
        .collect();
    if !faults.is_empty() {
        return Err(CliError::Usage(format!("the course has faults:\n{}", faults.join("\n"))));
    }
    if let Some(unknown) =
        asked.iter().find(|asked| !course.lessons().any(|placed| is_or_holds(asked, &placed.lesson.path)))
    {
        return Err(CliError::Usage(format!("no lesson `{unknown}` is written")));
    }
    let lessons = course.lessons().map(|placed| placed.lesson).filter(|lesson| wanted(&lesson.path));
    Ok(lessons.map(|lesson| Chosen { lesson, lab: lesson.sandbox.as_deref().unwrap_or(USUAL) }).collect())
}

fn is_or_holds(asked: &str, path: &str) -> bool {
    path.strip_prefix(asked.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::is_or_holds;

    #[test]
    fn a_module_stands_for_its_lessons() {
        for (asked, fits) in [("a/b", true), ("a", true), ("a/", true), ("a/bc", false), ("b", false), ("", false)] {
            assert_eq!(is_or_holds(asked, "a/b"), fits, "{asked}");
        }
    }
}
