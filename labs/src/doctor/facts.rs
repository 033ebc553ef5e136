//! What is asked of the machine and its engine. No judgement here.

use std::{fs, path::Path};

use crate::engine::{Capabilities, DockerEngine, SandboxEngine};

/// The machine that the platform runs on. `None`: the kernel does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HostFacts {
    pub(super) max_user_namespaces: Option<u64>,
    /// Debian's switch.
    pub(super) unprivileged_user_namespaces: Option<bool>,
    /// Ubuntu's switch.
    pub(super) apparmor_restricts_user_namespaces: Option<bool>,
    pub(super) apparmor_profile: bool,
}

pub(super) fn host() -> HostFacts {
    HostFacts {
        max_user_namespaces: number("/proc/sys/user/max_user_namespaces"),
        unprivileged_user_namespaces: number("/proc/sys/kernel/unprivileged_userns_clone").map(|value| value != 0),
        apparmor_restricts_user_namespaces: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
            .map(|value| value != 0),
        apparmor_profile: Path::new("/etc/apparmor.d/bulkhead-sandbox").exists(),
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineFacts {
    pub(super) capabilities: Capabilities,
    pub(super) socket: String,
    /// Free bytes where the engine keeps its data, if that can be seen from here.
    pub(super) free_bytes: Option<u64>,
}

pub(super) fn engine(engine: &DockerEngine) -> EngineFacts {
    let capabilities = engine.capabilities().clone();
    let root = capabilities.details.get("data root").map(String::as_str).unwrap_or_default();
    // Not every platform's types are 64 bits wide here.
    #[cfg_attr(target_pointer_width = "64", expect(clippy::useless_conversion, reason = "32 bits wide elsewhere"))]
    let free_bytes = nix::sys::statvfs::statvfs(root)
        .ok()
        .map(|stat| u64::from(stat.blocks_available()) * u64::from(stat.fragment_size()));
    EngineFacts { capabilities, socket: engine.socket().to_owned(), free_bytes }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageFacts {
    pub(super) present: Vec<String>,
    pub(super) missing: Vec<String>,
    /// Why the engine could not be asked.
    pub(super) trouble: Option<String>,
}

pub(super) async fn images(engine: &DockerEngine, wanted: &[String]) -> ImageFacts {
    let mut facts = ImageFacts::default();
    for image in wanted {
        match engine.has_image(image).await {
            Ok(true) => facts.present.push(image.clone()),
            Ok(false) => facts.missing.push(image.clone()),
            Err(error) => facts.trouble = Some(error.to_string()),
        }
    }
    facts
}
