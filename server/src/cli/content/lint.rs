//! `bulkhead content lint`

use clap::Args;

use super::CourseOption;
use crate::cli::{
    course,
    exit::{CliResult, Outcome},
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    course: CourseOption,
    #[arg(long)]
    json: bool,
    /// A warning is as bad as an error.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(options: &Options) -> CliResult {
    let findings = bulkhead_content::lint(&course::files(options.course.course.as_deref())?);
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if options.json {
        out::json(&findings);
    } else {
        for finding in &findings {
            out::say(&finding.to_string());
        }
        out::say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    }
    Ok(Outcome::from_yes(if options.strict { findings.is_empty() } else { errors == 0 }))
}
