//! What the kernel says of a process's memory.

use anyhow::{Context as _, Result};

/// Bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// In memory now.
    pub resident: u64,
    /// Of that, its own: neither its program nor another file.
    pub anonymous: u64,
    /// The most that was ever resident, or since [`forget_peak`].
    pub peak: u64,
}

pub fn memory(pid: u32) -> Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name| kilobytes(&status, name).with_context(|| format!("no {name} of process {pid}"));
    Ok(Memory { resident: field("VmRSS:")?, anonymous: field("RssAnon:")?, peak: field("VmHWM:")? })
}

/// Lets the peak begin anew from what is resident now.
pub fn forget_peak(pid: u32) -> Result<()> {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").with_context(|| format!("the peak of process {pid}"))
}

/// Memory of the machine that programs could still have.
pub fn available() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    kilobytes(&text, "MemAvailable:").context("no MemAvailable")
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
