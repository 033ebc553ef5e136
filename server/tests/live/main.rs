//! The live side on a real database, with an engine in memory.
//!
//! ```text
//! bench      a platform with a small lab; servers that end and begin
//! lifecycle  start, reset, stop, expire, fail, wait
//! takeover   what a dead server left, what the engine lost, what no row claims
//! grading    attempts: one at a time, stored once, whoever dies
//! watching   what happens is looked at by itself
//! stream     events over HTTP            socket     terminals over HTTP
//! signed_out what ends with a session connections  slow ones, and the server's end
//! wire       the other end: requests, event stream, socket
//! ```

mod bench;
mod connections;
mod grading;
mod lifecycle;
mod signed_out;
mod socket;
mod stream;
mod takeover;
mod watching;
mod wire;
