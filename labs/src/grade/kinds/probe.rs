//! `kind = "probe"`: the service does its work, asked from a machine that the student does not control.
//!
//! | key | |
//! |---|---|
//! | `from` | the machine that asks (default `probe`) |
//! | `to`, `port` | whom (default `host`), and where it is published |
//! | `family` | `"ipv4"` (default), or `"ipv6"`: at an address that the kernel of `to` has on a network with `from` |
//! | `tls` | ask over TLS as this client, and trust the server as he may; see `tls/client.rs` for its keys |
//! | `timeout` | for each request (default `"3s"`, at most `"10s"`; `"300ms"`) |
//! | `step` | requests in a row; see `http.rs` for their keys |
//!
//! Put `{{nonce}}` into what is sent and expect it back: a stand-in with canned answers then fails.

use super::{Kind, http::Requests};
use crate::{
    grade::{Eyes, Finding, Outcome},
    manifest::{Fields, MachineName, Text},
};

#[derive(Debug)]
pub(super) struct ProbeCheck(Requests);

impl ProbeCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let requests = Requests::read(fields, false)?;
        if !fields.has("step") {
            fields.error("the probe asks nothing", "add a [[task.check.step]] with a `path`");
        }
        Some(Self(requests))
    }
}

impl Kind for ProbeCheck {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn expected(&self) -> String {
        match self.0.steps.len() {
            1 => format!("{} answers as it should", self.0.target()),
            count => format!("{} answers {count} requests as it should", self.0.target()),
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        Ok(match self.0.run(eyes)? {
            Ok(last) => Finding::pass(last),
            Err(missed) => missed.into_finding(),
        })
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        self.0.machines()
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        self.0.texts()
    }
}
