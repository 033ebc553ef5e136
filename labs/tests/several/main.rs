//! A sandbox with five machines on two networks, on the real engine.
//!
//! ```text
//! ground    builds the image of the lab in `lab/` as the platform does, and provisions it; left empty after each test
//! machines  what each kind of machine is and has
//! apart     one machine's root is nobody on another
//! networks  who reaches whom, by which name, from which address; cables cut and put back
//! layers    images whose later layers delete what earlier ones made
//! ```
//!
//! Runs where an engine answers and the platform's static programs are built (`BULKHEAD_TEST_PROGRAMS` names their folder,
//! else where `cargo xtask` puts them), and says so where not. With `BULKHEAD_TEST_ENGINE=required` it must run.

mod apart;
mod ground;
mod layers;
mod machines;
mod networks;
