//! Where a catalogue's bytes come from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Relative path (always with `/`) to bytes: a folder, or what was embedded into the binary.
pub type Files = BTreeMap<String, Vec<u8>>;

const MAX_FILE: u64 = 4 << 20;
const MAX_DEPTH: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{} is larger than {MAX_FILE} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} lies more than {MAX_DEPTH} folders deep", path.display())]
    TooDeep { path: PathBuf },
}

/// Reads every regular file below `root`. Hidden files, editor leftovers and symbolic links are passed over.
pub fn read_dir(root: &Path) -> Result<Files, ReadError> {
    let mut files = Files::new();
    let mut pending = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = pending.pop() {
        let fault = |cause| ReadError::Io { path: folder.clone(), cause };
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { path: folder });
        }
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let kind = entry.file_type().map_err(fault)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if kind.is_dir() {
                pending.push((entry.path(), relative, depth + 1));
            } else if kind.is_file() {
                files.insert(relative, read_file(&entry.path())?);
            }
        }
    }
    Ok(files)
}

fn read_file(path: &Path) -> Result<Vec<u8>, ReadError> {
    let fault = |cause| ReadError::Io { path: path.to_path_buf(), cause };
    if fs::metadata(path).map_err(fault)?.len() > MAX_FILE {
        return Err(ReadError::TooLarge { path: path.to_path_buf() });
    }
    fs::read(path).map_err(fault)
}
