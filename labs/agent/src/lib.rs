//! The language that the platform and the agent in a sandbox speak. Plain data and framing, no IO:
//! `labs` links this library; the binary beside it (`main.rs`) is the only program of ours in a sandbox.

pub mod boot;
pub mod frame;
pub mod look;
pub mod protocol;
