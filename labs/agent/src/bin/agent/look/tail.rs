//! The end of a file.

use std::io::{Read, Seek, SeekFrom};

use bulkhead_agent::look::{FileKind, Seen};
use nix::{errno::Errno, sys::stat::fstat};

use super::{file, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    sys::rooted,
};

const MOST: u32 = 512 * 1024;

pub(super) fn look(machine: &Machine, pid: Option<i32>, path: &str, limit: u32) -> Outcome<Seen> {
    let Some(root) = place::root_as_its_root(machine, pid)? else { return Ok(Seen::Missing) };
    let found = match rooted::find(&root, path, true) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(Seen::Missing),
        other => other.doing(|| format!("find {path}"))?,
    };
    let stat = fstat(&found).doing(|| format!("look at {path}"))?;
    if file::kind(&stat) != FileKind::File {
        return Ok(Seen::Missing);
    }
    let opened = file::reopen(&found).doing(|| format!("open {path}"))?;
    end(opened, u64::try_from(stat.st_size).unwrap_or_default(), limit.min(MOST)).doing(|| format!("read {path}"))
}

fn end(mut file: impl Read + Seek, size: u64, limit: u32) -> std::io::Result<Seen> {
    let skipped = size.saturating_sub(limit.into());
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(limit.into()).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // A line of which the beginning is missing would be a lie.
    let text =
        if skipped > 0 { text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned()) } else { text };
    Ok(Seen::Text { text, truncated: skipped > 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn whole_lines_from_the_end() {
        let last = |limit| end(Cursor::new(b"one\ntwo\nthree\n"), 14, limit).unwrap();
        assert_eq!(last(100), Seen::Text { text: "one\ntwo\nthree\n".into(), truncated: false });
        assert_eq!(last(8), Seen::Text { text: "three\n".into(), truncated: true });
        assert_eq!(last(3), Seen::Text { text: String::new(), truncated: true });
    }
}
