//! Labs: everything that the pages ask of the live side.
//!
//! ```text
//! page      list of labs, a lab's page
//! act       start, extend, reset, stop, check, answer, hint, terminals
//! record    scores and attempts for progress and the instructor's matrix
//! report    the printable report of an attempt
//! fault     domain errors to the one error that pages know
//! ```

mod act;
mod fault;
mod page;
mod record;
mod report;

pub(super) use act::{answer, check, close_terminal, extend, hint, open_terminal, reset, start, stop};
pub(super) use page::{lab, labs, link};
pub(super) use record::{best_scores, matrix_cells, matrix_labs, progress};
pub(super) use report::report;

use bulkhead_app::api::{ApiError, ApiResult};
use bulkhead_labs::manifest::Lab;

use super::Platform;

fn find<'p>(platform: &'p Platform, id: &str) -> ApiResult<&'p Lab> {
    platform.live.catalog.lab(id).ok_or(ApiError::NotFound)
}

fn report_href(lab: &str, attempt: i64) -> String {
    format!("/labs/{lab}/report/{attempt}")
}
