//! The site folder: style sheet, scripts, WASM, fonts, as `xtask` built them.
//!
//! Release builds embed `target/site`; debug builds, and any build that is told a folder, read from disk. Files carry
//! their brotli variant beside them (`app.css.br`).

use std::{
    borrow::Cow,
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::random::hex;

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Embedded;

/// The built site. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site {
    source: Arc<Source>,
    version: Arc<str>,
}

#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    Embedded,
}

/// One file as it goes out.
#[derive(Clone, Debug)]
pub struct SiteFile {
    pub bytes: Cow<'static, [u8]>,
    /// Compressed by brotli.
    pub brotli: bool,
    pub mime: &'static str,
}

impl Site {
    /// The folder, or what was embedded.
    pub fn open(folder: Option<PathBuf>) -> Self {
        let source = folder.map_or(Source::Embedded, Source::Folder);
        let mut site = Self { source: Arc::new(source), version: Arc::from("") };
        site.version = site.hash().into();
        site
    }

    /// A hash over all files, for `?v=`.
    pub fn version(&self) -> Arc<str> {
        Arc::clone(&self.version)
    }

    /// `path` is relative to the site, as it came with the request.
    pub fn get(&self, path: &str, accepts_brotli: bool) -> Option<SiteFile> {
        let mime = mime_of(path);
        if accepts_brotli && let Some(bytes) = self.read(&format!("{path}.br")) {
            return Some(SiteFile { bytes, brotli: true, mime });
        }
        self.read(path).map(|bytes| SiteFile { bytes, brotli: false, mime })
    }

    fn read(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        match &*self.source {
            Source::Embedded => Embedded::get(path).map(|file| file.data),
            Source::Folder(folder) => {
                let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
                plain.then(|| fs::read(folder.join(path)).ok()).flatten().map(Cow::Owned)
            }
        }
    }

    fn hash(&self) -> String {
        let mut paths: Vec<String> = match &*self.source {
            Source::Embedded => Embedded::iter().map(Cow::into_owned).collect(),
            Source::Folder(folder) => files_below(folder, folder),
        };
        paths.retain(|path| Path::new(path).extension().is_none_or(|extension| extension != "br"));
        paths.sort();
        let mut hash = Sha256::new();
        for path in paths {
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update(self.digest(&path));
        }
        hex(&hash.finalize()[..6])
    }

    /// What is embedded was hashed when it was built, so it need not be read, and then stay in memory, for that.
    fn digest(&self, path: &str) -> [u8; 32] {
        match &*self.source {
            Source::Embedded => Embedded::get(path).map(|file| file.metadata.sha256_hash()).unwrap_or_default(),
            Source::Folder(_) => Sha256::digest(self.read(path).unwrap_or_default()).into(),
        }
    }
}

fn files_below(root: &Path, folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => files_below(root, &path),
                Ok(kind) if kind.is_file() => {
                    path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned).into_iter().collect()
                }
                _ => Vec::new(),
            }
        })
        .collect()
}

fn mime_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "woff2" => "font/woff2",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/vnd.microsoft.icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (PathBuf, Site) {
        let folder = std::env::temp_dir().join(format!("bulkhead-site-{}", crate::random::Random::system().hex::<8>()));
        fs::create_dir_all(folder.join("site/assets")).expect("a folder");
        fs::write(folder.join("secret"), "outside").expect("a file");
        fs::write(folder.join("site/assets/app.css"), "body{}").expect("a file");
        fs::write(folder.join("site/assets/app.css.br"), "squeezed").expect("a file");
        let site = Site::open(Some(folder.join("site")));
        (folder, site)
    }

    #[test]
    fn a_file_comes_in_the_form_that_the_browser_takes() {
        let (folder, site) = site();
        let plain = site.get("assets/app.css", false).expect("the file");
        assert_eq!((&*plain.bytes, plain.brotli, plain.mime), (&b"body{}"[..], false, "text/css; charset=utf-8"));
        assert!(site.get("assets/app.css", true).expect("the file").brotli);
        assert_eq!(site.version().len(), 12);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn nothing_outside_of_the_site_is_served() {
        let (folder, site) = site();
        for path in ["../secret", "assets/../../secret", "/etc/passwd", "", "assets", "./../secret"] {
            assert!(site.get(path, true).is_none(), "{path:?} was served");
        }
        fs::remove_dir_all(folder).expect("removed");
    }
}
