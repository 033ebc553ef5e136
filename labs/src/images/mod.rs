//! The images that sandboxes run, and how they come to be on an engine.
//!
//! ```text
//!  base ──▶ machine ──▶ docker-host ─(▶ with-1-plain ▶ …)─▶ lab-<id>    every tag is the hash of all that goes into
//!  mmdebstrap  Dockerfile    bake          ▲ plain            ▲ preload   the image, so "up to date" = "the tag is there"
//!      ├──▶ plain ─────────────────────────┘ Dockerfile       │
//!      └──▶ fixture-<lab>-<name> ─────────────────────────────┘ Dockerfile
//!
//! source    what goes in: files, programs, labs' fixtures            (plain data, no disk)
//! fixtures  a lab's fixtures.toml
//! plan      sources -> steps with their tags                         (pure)
//! build     runs the steps that are missing; status; prune
//! base      mmdebstrap, streamed into an import
//! dockerfile the engine's own builder, with a context made in memory
//! bake      a machine's tree -> /host with ids shifted, plus agent    (pure, tar to tar)
//! plain     the tree of one more machine, as a layer
//! preload   fixtures loaded into a temporary sandbox's engine, its store taken out and laid on top
//! store     an engine's store -> /preload/{layers,notes,meta}         (pure, tar to tar)
//! tree      writes tar entries: parents explicit, ids shifted
//! stream    a blocking tar-to-tar pass in the middle of two async streams
//! engine    the few engine calls that all steps share
//! ```
//!
//! Nothing here reads the outer engine's own storage, so that any storage driver or image store will do.

mod bake;
mod base;
mod build;
mod dockerfile;
mod engine;
mod error;
mod fixtures;
mod plain;
mod plan;
mod preload;
mod progress;
mod source;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod tree;

pub use build::{ImageStatus, build, prune, status};
pub use error::ImagesError;
pub use fixtures::FixturesError;
pub use plan::{Plan, Step, plan};
pub use progress::{Event, Progress, Silent};
pub use source::{BASE_VARIABLE, BaseSource, Content, Files, LabSource, Sources};
