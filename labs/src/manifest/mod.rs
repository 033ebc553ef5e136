//! `lab.toml` → typed [`Lab`]. Parsing is pure; [`Catalog::read`] alone touches a disk.
//!
//! ```text
//! lab          what a lab is, once it was read
//! ids          LabId, TaskId, CheckId, MachineName
//! units        "60m" and "1g"
//! catalog      all labs of a folder, with every diagnostic
//! read         lab.toml -> Lab, collecting all errors
//! fields       one TOML table being read: types, spans, unknown keys
//! machines     [[network]] and [[machine]]
//! plan         Lab -> SandboxPlan
//! placeholder  `{{name}}` in a manifest's texts
//! diagnostic   file, line, what is wrong, what would be right
//! lint         what only the whole lab can show: graph, points, files, scripts
//! schema       the published JSON Schema
//! scaffold     `lab new`
//! files        relative path -> bytes, from a folder
//! ```

mod catalog;
mod diagnostic;
mod fields;
mod files;
mod ids;
mod lab;
pub mod lint;
mod machines;
mod placeholder;
mod plan;
mod read;
pub mod scaffold;
pub mod schema;
mod units;

pub use catalog::Catalog;
pub use diagnostic::{Diagnostic, Severity};
pub(crate) use fields::Fields;
pub use files::{Files, ReadError, read_dir};
pub use ids::{BadId, CheckId, LabId, MachineName, TaskId};
pub use lab::{
    Check, Difficulty, Hint, Lab, Machine, MachineKind, Network, Regrade, Requires, Script, Solution, Task, TimeRules,
    VariableKind, WrongFix,
};
pub use placeholder::Text;
pub use units::{format_size, parse_duration, parse_size};
