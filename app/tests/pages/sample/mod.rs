//! Made-up data, as the server would hand it over.

pub(crate) mod account;
pub(crate) mod course;
pub(crate) mod lab;
pub(crate) mod progress;
pub(crate) mod test;
