//! The kinds of checks. One file each; its head documents its keys. A new kind is one file and one line in `KINDS`.
//!
//! ```text
//! container  jq over the engine's account of a container
//! image      jq over an image, what lies in its layers, its configuration; image-history
//! process    ids, capabilities, no_new_privs, seccomp, as the kernel shows them
//! mount      a mount point, as the kernel shows it
//! file       mode, owner, content of a file
//! probe      asks the service from a machine that the student does not control
//! attack     our exploit must fail now, for the right reason
//! answer     what the student wrote
//! exec       what commands do for somebody
//! cgroup     what a container may use up, as the kernel limits it
//! network    a network of an engine, and who is on it
//! listen     who waits for callers, by the kernel's list
//! net        who reaches whom, tried from inside each network
//! events     what happened on an engine      logs       what a program wrote last
//! firewall   the packet filter                sysctl     kernel settings
//! engine     an engine itself                 inventory  what it keeps, by name
//! tls        who shows the right certificate is let in, and nobody else
//! latency    how quickly a service answers
//! address    (shared) where something can be reached, by IPv4 and IPv6
//! http       (shared by probe and attack) requests, expectations, captures
//! place      (shared) in a container, or on a machine as a user
//! ```

mod address;
mod answer;
mod attack;
mod capabilities;
mod cgroup;
mod container;
mod engine;
mod events;
mod exec;
mod file;
mod firewall;
mod http;
mod image;
mod inventory;
mod latency;
mod listen;
mod logs;
mod mount;
mod net;
mod network;
mod place;
mod probe;
mod process;
mod sysctl;
mod tls;

use std::{fmt, sync::Arc};

use super::{Eyes, Outcome};
use crate::manifest::{Fields, MachineName, Text};

/// What a check looks at and how it judges.
pub trait Kind: fmt::Debug + Send + Sync {
    /// As in the manifest.
    fn name(&self) -> &'static str;

    /// What would be right, for the student.
    fn expected(&self) -> String;

    /// Judges what was seen. Pure: run again until it no longer asks for looks that were not taken.
    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome;

    /// Machines that it looks at, for lint.
    fn machines(&self) -> Vec<&MachineName>;

    /// Texts whose placeholders must be known, each with the names that are known at that place only.
    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        Vec::new()
    }

    /// The question, where the student must write an answer.
    fn question(&self) -> Option<&str> {
        None
    }

    /// It acts, or asks more than the sandbox's kernel and engine: it is not repeated until it holds.
    fn does_something(&self) -> bool {
        false
    }

    /// What tells that it may come to something else by now. `None`: nothing does, or looking at it does something, so it
    /// is looked at when the student asks.
    fn watch(&self) -> Option<Watch<'_>> {
        None
    }

    /// The untouched start must fail it because the exploit works, not for another reason.
    fn works_at_start(&self) -> bool {
        false
    }
}

/// What a check depends on that tells of its changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch<'a> {
    /// What happens to containers, images, networks and volumes of the student's engine, and to itself.
    pub engine: bool,
    /// Files of the student's machine.
    pub files: Vec<&'a str>,
}

impl Watch<'_> {
    /// The engine alone.
    pub(crate) fn engine() -> Self {
        Self { engine: true, files: Vec::new() }
    }
}

type Read = fn(&Fields<'_>) -> Option<Arc<dyn Kind>>;

/// Every kind, by its name in the manifest.
pub(crate) const KINDS: &[(&str, Read)] = &[
    ("container", |f| arc(container::ContainerCheck::read(f))),
    ("image", |f| arc(image::ImageCheck::read(f))),
    ("process", |f| arc(process::ProcessCheck::read(f))),
    ("mount", |f| arc(mount::MountCheck::read(f))),
    ("file", |f| arc(file::FileCheck::read(f))),
    ("probe", |f| arc(probe::ProbeCheck::read(f))),
    ("attack", |f| arc(attack::AttackCheck::read(f))),
    ("answer", |f| arc(answer::AnswerCheck::read(f))),
    ("exec", |f| arc(exec::ExecCheck::read(f))),
    ("cgroup", |f| arc(cgroup::CgroupCheck::read(f))),
    ("network", |f| arc(network::NetworkCheck::read(f))),
    ("listen", |f| arc(listen::ListenCheck::read(f))),
    ("net", |f| arc(Some(net::NetCheck::read(f)))),
    ("image-history", |f| arc(image::HistoryCheck::read(f))),
    ("events", |f| arc(events::EventsCheck::read(f))),
    ("logs", |f| arc(logs::LogsCheck::read(f))),
    ("firewall", |f| arc(firewall::FirewallCheck::read(f))),
    ("sysctl", |f| arc(sysctl::SysctlCheck::read(f))),
    ("engine", |f| arc(engine::EngineCheck::read(f))),
    ("inventory", |f| arc(inventory::InventoryCheck::read(f))),
    ("tls", |f| arc(tls::TlsCheck::read(f))),
    ("latency", |f| arc(latency::LatencyCheck::read(f))),
];

fn arc<K: Kind + 'static>(kind: Option<K>) -> Option<Arc<dyn Kind>> {
    kind.map(|kind| Arc::new(kind) as Arc<dyn Kind>)
}

/// A value as evidence: compact JSON, a text without its quotes.
fn show(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
