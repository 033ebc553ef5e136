//! A real sandbox on the real engine: what its student can do, and what he cannot.
//!
//! ```text
//! ground    an engine with an installation of its own, left empty after each test; a provisioned sandbox
//! host      a Docker host with sudo, ssh and services, and nothing but the sandbox in sight
//! network   the probe reaches what the host serves, while the cable is in
//! terminal  sizes, endings, flow control, and shells that outlive the platform
//! bombs     disk, processes, memory and output used up
//! frozen    paused containers at the sandbox's end
//! lies      programs and the engine's socket replaced, the engine's answers forged
//! tampering programs of the student's that are no longer the image's
//! paths     links out of the tree, and files without an end
//! kinds     kinds of checks, each where it holds and where it does not
//! looks     what grading can look at, on a real kernel and engine
//! preloaded images that were never loaded
//! waiting   what happens on a machine wakes who waits for it, and nothing else does
//! outage    the engine is out of reach, or stops in the middle
//! ```
//!
//! Runs where an engine answers and the image of the lab `read-only-but-alive` is on it (`BULKHEAD_TEST_LAB_IMAGE` names one, else the
//! newest), and says so where not. With `BULKHEAD_TEST_ENGINE=required` it must run.

mod bombs;
mod frozen;
mod ground;
mod host;
mod kinds;
mod lies;
mod looks;
mod network;
mod outage;
mod paths;
mod preloaded;
mod tampering;
mod terminal;
mod waiting;
