//! What only a browser has. On the server every function answers with nothing, so that islands read the same on both.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod present;
#[cfg(feature = "hydrate")]
mod terminal;

#[cfg(not(feature = "hydrate"))]
pub(crate) use absent::*;
#[cfg(feature = "hydrate")]
pub(crate) use present::*;
#[cfg(feature = "hydrate")]
pub(crate) use terminal::*;

/// What a terminal tells the page about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's terminal gets beyond connecting"))]
pub(crate) enum Link {
    Connecting,
    Open,
    /// Lost; trying again.
    Waiting,
    /// The shell ended, or the terminal is gone.
    Over,
}

/// The live events of one lab.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser hears events"))]
pub(crate) enum Heard {
    Opened,
    Lost,
    Event(Box<crate::api::lab::LabEvent>),
}
