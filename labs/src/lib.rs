//! Labs: definitions, sandbox engines, images, grading. No web, no database.
//!
//! ```text
//! manifest   lab.toml -> typed Lab; lint
//! engine     SandboxEngine: the trait, Docker, the stateful fake
//! link       the platform's end of the agent's stream: requests, processes, terminals
//! sandbox    from a lab to a ready sandbox: spec, boot, setup, each step with its undo
//! images     base, Dockerfile builds, bake
//! grade      look (through the agent) -> judge (pure) -> verdicts and score
//! proof      `lab test`: the five proofs of a lab
//! doctor     what this machine can do, proved by booting a sandbox
//! ```

pub mod doctor;
pub mod engine;
pub mod grade;
pub mod images;
pub mod link;
pub mod manifest;
pub mod proof;
pub mod sandbox;
