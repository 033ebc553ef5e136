//! What the command line and the environment ask for, as one typed value. Nothing below `cli` reads the environment.

mod origin;

use std::{net::SocketAddr, path::PathBuf};

pub use origin::{Origin, OriginError};

use crate::store::DatabaseUrl;

#[derive(Clone, Debug)]
pub struct Config {
    /// Database file, secrets, recordings.
    pub data: PathBuf,
    pub database: DatabaseUrl,
    pub listen: SocketAddr,
    pub mode: Mode,
    /// Take the client's address from the last `X-Forwarded-For` entry: a proxy that we trust stands in front.
    pub behind_proxy: bool,
    /// Whether strangers may make themselves an account.
    pub sign_up: bool,
    pub password_cost: PasswordCost,
    /// The built site (`BULKHEAD_SITE`); `None`: `target/site` in debug builds, embedded in release builds.
    pub site: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Self-paced: loopback only, one local learner, signed in at once.
    Local,
    /// Everyone signs in. With `https` as its origin's scheme, cookies are `Secure` and HSTS is sent.
    Public { origin: Option<Origin> },
}

impl Mode {
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local)
    }

    /// Whether browsers reach us over TLS.
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Public { origin: Some(origin) } if origin.is_secure())
    }
}

/// What one password hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCost {
    /// argon2id with 19 MiB and two passes, as OWASP advises.
    Production,
    /// The least that argon2 takes, for tests that sign in often.
    Least,
}
