//! The lessons: in a release build part of the binary, in a debug build read from the checkout.

use std::path::Path;

use bulkhead_content::{Files, read_dir};
use rust_embed::RustEmbed;

use super::exit::{CliResult, machine};

#[derive(RustEmbed)]
#[folder = "../content/course"]
struct Lessons;

/// The files of a folder, or those that the binary brings.
pub(super) fn files(folder: Option<&Path>) -> CliResult<Files> {
    match folder {
        Some(folder) => read_dir(folder).map_err(machine),
        None => Ok(Lessons::iter()
            .filter_map(|path| Some((path.to_string(), Lessons::get(&path)?.data.into_owned())))
            .collect()),
    }
}
