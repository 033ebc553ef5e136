//! What leaves the app as a document, rendered by askama: it stands alone, without scripts, and prints.
//!
//! ```text
//! error   what a browser sees where the app itself cannot answer
//! report  the printable report of one lab attempt
//! ```

mod error;
mod report;

pub use error::ErrorPage;
pub(crate) use error::wording;
pub use report::{LabReport, ReportCheck, ReportTask};
