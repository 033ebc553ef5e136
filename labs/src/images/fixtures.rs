//! A lab's `fixtures/fixtures.toml`: the images that its student's engine has from the start, and files of his machine.
//!
//! ```toml
//! [[image]]                 # in build order
//! name = "tiny:1"           # as the student's engine knows it
//! stock = "tiny"            # a Dockerfile that labs share, of labs/images/stock; or, in its place:
//! context = "cms"           # a folder beside this file, with a Dockerfile
//! arguments = { ACCOUNTS = "cms:10001:/app" }   # build arguments, as the Dockerfile asks for them
//! programs = ["cms"]        # static programs of the platform to put into the context
//! uses = ["tiny:1"]         # earlier images it builds on: passed as build argument, upper case, `TINY`
//! base = true               # it builds on the platform's Debian: build argument `BASE`
//! preload = false           # only for others to build on; the student does not see it (default true)
//!
//! [[tree]]                  # a folder that is on a machine from the start
//! machine = "host"          # default: the student's Docker host
//! from = "cms"
//! to = "/root/cms"          # a new folder in /root, /srv, /opt or /home/student
//! programs = ["cms"]
//!
//! [[file]]                  # a file that is on a machine from the start
//! machine = "registry"
//! from = "config.yml"       # beside this file; or `program = "cms"`, a static program of the platform
//! to = "/etc/docker/registry/config.yml"   # in a folder that every such machine has, see FOLDERS
//! mode = "0640"             # default 0755 for scripts and programs, else 0644
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::source::{Files, below};

pub(super) const MANIFEST: &str = "fixtures.toml";
/// The build argument that carries the platform's Debian.
pub(super) const BASE: &str = "BASE";
/// Folders that every machine has.
const HOMES: [&str; 4] = ["/root", "/srv", "/opt", "/home/student"];
/// Folders, besides, in which files may be put.
const FOLDERS: [&str; 8] = [
    "/etc",
    "/etc/docker",
    "/etc/docker/registry",
    "/etc/profile.d",
    "/etc/systemd/system",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/share",
];

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixtures {
    #[serde(default, rename = "image")]
    pub images: Vec<FixtureImage>,
    #[serde(default, rename = "tree")]
    pub trees: Vec<FixtureTree>,
    #[serde(default, rename = "file")]
    pub files: Vec<FixtureFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixtureImage {
    pub name: String,
    pub context: Option<String>,
    pub stock: Option<String>,
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    #[serde(default)]
    pub programs: Vec<String>,
    #[serde(default)]
    pub uses: Vec<String>,
    #[serde(default)]
    pub base: bool,
    #[serde(default = "yes")]
    pub preload: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixtureTree {
    pub machine: Option<String>,
    pub from: String,
    pub to: String,
    #[serde(default)]
    pub programs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixtureFile {
    pub machine: Option<String>,
    pub from: Option<String>,
    pub program: Option<String>,
    pub to: String,
    pub mode: Option<Mode>,
}

/// Octal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Mode(pub u32);

impl TryFrom<String> for Mode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777);
        mode.map(Self).ok_or_else(|| format!("{text:?} is no mode; write octal digits such as \"0640\""))
    }
}

/// What is wrong with a lab's `fixtures.toml`.
#[derive(Debug, thiserror::Error)]
pub enum FixturesError {
    #[error("lab {lab}: fixtures.toml: {cause}")]
    Syntax { lab: String, cause: Box<toml::de::Error> },
    #[error("lab {lab}: fixtures.toml: image {image}: {why}")]
    Image { lab: String, image: String, why: String },
    #[error("lab {lab}: fixtures.toml: tree {to}: {why}")]
    Tree { lab: String, to: String, why: String },
    #[error("lab {lab}: fixtures.toml: file {to}: {why}")]
    File { lab: String, to: String, why: String },
}

impl FixtureImage {
    /// `lab/tiny:1` → `tiny`: the middle of a fixture's tag on the outer engine.
    pub(super) fn short(&self) -> &str {
        short(&self.name)
    }

    /// What it is built from: the lab's own folder, or one of the stock.
    pub(super) fn context(&self, lab: &Files, stock: &Files) -> Result<Files, String> {
        let (files, wanted, place) = match (&self.context, &self.stock) {
            (Some(folder), None) => (below(lab, folder), folder, "beside fixtures.toml"),
            (None, Some(folder)) => (below(stock, folder), folder, "in labs/images/stock"),
            _ => return Err("say either `context` or `stock`".to_owned()),
        };
        if files.contains_key("Dockerfile") {
            Ok(files)
        } else {
            Err(format!("there is no {wanted}/Dockerfile {place}"))
        }
    }

    fn check_arguments(&self) -> Result<(), String> {
        let own = self.uses.iter().map(|used| argument(used)).chain(self.base.then(|| BASE.to_owned()));
        let own: Vec<String> = own.collect();
        for name in self.arguments.keys() {
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
                return Err(format!("{name:?} is no build argument; write upper case, like ACCOUNTS"));
            }
            if own.contains(name) {
                return Err(format!("the build argument {name} is given by `uses` and `base`"));
            }
        }
        Ok(())
    }
}

impl FixtureFile {
    fn check(&self, files: &Files) -> Result<(), String> {
        let folders = || HOMES.iter().chain(&FOLDERS);
        let inside = self
            .to
            .rsplit_once('/')
            .filter(|(folder, name)| folders().any(|known| known == folder) && !matches!(*name, "" | "." | ".."));
        if inside.is_none() || folders().any(|known| *known == self.to) {
            let known: Vec<_> = folders().copied().collect();
            return Err(format!("`to` is a file directly in one of {}", known.join(", ")));
        }
        match (&self.from, &self.program) {
            (Some(from), None) if files.contains_key(from) => Ok(()),
            (Some(from), None) => Err(format!("there is no {from} beside fixtures.toml")),
            (None, Some(_)) => Ok(()),
            _ => Err("say either `from` or `program`".to_owned()),
        }
    }
}

fn short(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

/// The build argument that carries an image: `tiny:1` → `TINY`.
pub(super) fn argument(name: &str) -> String {
    short(name).to_uppercase().replace(['-', '.'], "_")
}

impl Fixtures {
    pub(super) fn parse(lab: &str, files: &Files, stock: &Files) -> Result<Self, FixturesError> {
        let Some(bytes) = files.get(MANIFEST) else { return Ok(Self::default()) };
        let fixtures: Self = toml::from_slice(bytes)
            .map_err(|cause| FixturesError::Syntax { lab: lab.to_owned(), cause: Box::new(cause) })?;
        for (at, image) in fixtures.images.iter().enumerate() {
            let wrong = |why: String| FixturesError::Image { lab: lab.to_owned(), image: image.name.clone(), why };
            let parts = image.name.split([':', '/', '.', '-', '_']);
            if !image.name.contains(':')
                || parts
                    .clone()
                    .any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
            {
                return Err(wrong("a name is `word:tag` in lower case, like `cms:1`".to_owned()));
            }
            if fixtures.images.iter().take(at).any(|earlier| earlier.short() == image.short()) {
                return Err(wrong(format!("another image is called {} already", image.short())));
            }
            image.context(files, stock).map_err(wrong)?;
            image.check_arguments().map_err(wrong)?;
            if let Some(missing) =
                image.uses.iter().find(|used| !fixtures.images.iter().take(at).any(|earlier| earlier.name == **used))
            {
                return Err(wrong(format!("it uses {missing}, which no image before it is called")));
            }
        }
        for tree in &fixtures.trees {
            let wrong =
                |why: &str| FixturesError::Tree { lab: lab.to_owned(), to: tree.to.clone(), why: why.to_owned() };
            let inside = tree
                .to
                .rsplit_once('/')
                .filter(|(parent, name)| HOMES.contains(parent) && !matches!(*name, "" | "." | ".."));
            if inside.is_none() {
                return Err(wrong("`to` is a new folder directly in /root, /srv, /opt or /home/student"));
            }
            if !files.keys().any(|path| path.strip_prefix(&tree.from).is_some_and(|rest| rest.starts_with('/'))) {
                return Err(wrong("there is no such folder beside fixtures.toml"));
            }
        }
        for file in &fixtures.files {
            file.check(files).map_err(|why| FixturesError::File { lab: lab.to_owned(), to: file.to.clone(), why })?;
        }
        Ok(fixtures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Fixtures, String> {
        let files = Files::from([
            (MANIFEST.to_owned(), text.as_bytes().to_vec().into()),
            ("tiny/Dockerfile".to_owned(), Vec::new().into()),
            ("cms/Dockerfile".to_owned(), Vec::new().into()),
        ]);
        let stock = Files::from([("debian/Dockerfile".to_owned(), Vec::new().into())]);
        Fixtures::parse("demo", &files, &stock).map_err(|error| error.to_string())
    }

    #[test]
    fn no_manifest_means_no_fixtures() {
        assert_eq!(Fixtures::parse("demo", &Files::new(), &Files::new()).unwrap(), Fixtures::default());
    }

    #[test]
    fn an_image_may_use_an_earlier_one_only() {
        let tiny = "[[image]]\nname = \"tiny:1\"\ncontext = \"tiny\"\nbase = true\n";
        let cms = "[[image]]\nname = \"lab/cms:1\"\ncontext = \"cms\"\nuses = [\"tiny:1\"]\n";
        let fixtures = parse(&format!("{tiny}{cms}")).unwrap();
        assert_eq!(fixtures.images.iter().map(FixtureImage::short).collect::<Vec<_>>(), ["tiny", "cms"]);
        assert!(parse(&format!("{cms}{tiny}")).unwrap_err().contains("it uses tiny:1, which no image before it"));
    }

    #[test]
    fn errors_say_what_would_be_right() {
        assert!(parse("[[image]]\nname = \"Tiny\"\ncontext = \"tiny\"").unwrap_err().contains("like `cms:1`"));
        assert!(
            parse("[[image]]\nname = \"x:1\"\ncontext = \"nowhere\"").unwrap_err().contains("no nowhere/Dockerfile")
        );
        let stock = |keys: &str| parse(&format!("[[image]]\nname = \"x:1\"\nbase = true\n{keys}"));
        assert!(stock("stock = \"debian\"\narguments = { ACCOUNTS = \"a\" }").is_ok());
        assert!(stock("stock = \"cms\"").unwrap_err().contains("no cms/Dockerfile in labs/images/stock"));
        assert!(stock("stock = \"debian\"\ncontext = \"cms\"").unwrap_err().contains("either `context` or `stock`"));
        assert!(stock("").unwrap_err().contains("either `context` or `stock`"));
        assert!(stock("stock = \"debian\"\narguments = { accounts = \"a\" }").unwrap_err().contains("upper case"));
        assert!(stock("stock = \"debian\"\narguments = { BASE = \"a\" }").unwrap_err().contains("given by `uses`"));
        assert!(parse("[[tree]]\nfrom = \"cms\"\nto = \"root/../cms\"").unwrap_err().contains("directly in /root"));
        assert!(parse("[[tree]]\nfrom = \"nowhere\"\nto = \"/root/cms\"").unwrap_err().contains("no such folder"));
        assert!(parse("[[file]]\nfrom = \"cms\"\nto = \"/etc/ssl/x\"").unwrap_err().contains("directly in one of"));
        assert!(parse("[[file]]\nfrom = \"x\"\nto = \"/etc/docker\"").unwrap_err().contains("directly in one of"));
        assert!(parse("[[file]]\nfrom = \"x\"\nto = \"/etc/x\"").unwrap_err().contains("there is no x beside"));
        assert!(parse("[[file]]\nto = \"/etc/x\"").unwrap_err().contains("either `from` or `program`"));
        let bad_mode = "[[file]]\nprogram = \"x\"\nto = \"/etc/x\"\nmode = \"rw\"";
        assert!(parse(bad_mode).unwrap_err().contains("octal digits"));
        assert!(parse("[[image]]\nnane = \"x:1\"").unwrap_err().contains("unknown field"));
    }
}
