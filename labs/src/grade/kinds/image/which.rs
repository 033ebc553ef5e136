//! Which images a check is about.

use serde_json::Value;

use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, containers::Of, finding},
    manifest::{Fields, MachineName},
};

const INSPECT_LIMIT: u32 = 128 * 1024;
const LIST_LIMIT: u32 = 512 * 1024;
const MOST_IMAGES: usize = 64;

#[derive(Debug)]
pub(super) enum Which {
    Of(Of),
    Name { machine: MachineName, name: String },
    Every { machine: MachineName, filter: Filter },
}

#[derive(Debug)]
pub(super) enum Filter {
    /// With intermediate ones and those without a name.
    All,
    Label(String),
    /// All tags of a repository, or one name.
    Reference(String),
}

impl Which {
    /// Reads `of`, `name` or `every`, and `machine`.
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let name = fields.opt_parsed("name", image_name);
        let machine = containers::read_machine(fields, "machine", "host");
        let every = fields.opt_table("every").map(|every| {
            let label = every.opt_parsed("label", image_name);
            let reference = every.opt_parsed("reference", image_name);
            let all = every.opt_bool("all").unwrap_or(false);
            let filter = match (label, reference, all) {
                (Some(label), None, false) => Some(Filter::Label(label)),
                (None, Some(reference), false) => Some(Filter::Reference(reference)),
                (None, None, true) => Some(Filter::All),
                _ => {
                    every.error("`every` names no one set", "write one of `label`, `reference` and `all = true`");
                    None
                }
            };
            every.finish();
            filter
        });
        match (of, name, every) {
            (Some(of), None, None) => Some(Self::Of(of)),
            (None, Some(name), None) => Some(Self::Name { machine: machine?, name }),
            (None, None, Some(filter)) => Some(Self::Every { machine: machine?, filter: filter? }),
            (None, None, None) if ["of", "name", "every"].iter().any(|key| fields.has(key)) => None,
            _ => {
                fields.error(
                    "the check does not say which image it is about",
                    "add one of `of = { role = \"…\" }`, `name` and `every`",
                );
                None
            }
        }
    }

    pub(super) fn machine(&self) -> &MachineName {
        match self {
            Self::Of(of) => &of.machine,
            Self::Name { machine, .. } | Self::Every { machine, .. } => machine,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Of(of) => format!("the image of the {} container", of.role),
            Self::Name { name, .. } => format!("the image {name}"),
            Self::Every { filter: Filter::All, .. } => "every image".to_owned(),
            Self::Every { filter: Filter::Label(label), .. } => format!("every image with the label {label}"),
            Self::Every { filter: Filter::Reference(name), .. } => format!("every image {name}"),
        }
    }

    /// Judges each; all must hold.
    pub(super) fn judge<'a>(
        &self,
        eyes: &mut Eyes<'a>,
        mut judge: impl FnMut(&mut Eyes<'a>, &Image) -> Outcome,
    ) -> Outcome {
        match self {
            Self::Name { machine, name } => {
                let image = Image::find(eyes, machine, name)?;
                judge(eyes, &image)
            }
            Self::Of(of) => containers::every(eyes, of, |eyes, container| {
                let id = container.inspect["Image"].as_str().filter(|id| is_digest(id));
                let id = id.ok_or_else(|| Halt::unknown("the engine names no image of the container"))?;
                let image = Image::find(eyes, &container.machine, id)?;
                judge(eyes, &image)
            }),
            Self::Every { machine, filter } => {
                let outcomes: Vec<Outcome> = filter
                    .ids(eyes, machine)?
                    .iter()
                    .map(|id| {
                        let image = Image::find(eyes, machine, id)?;
                        match judge(eyes, &image) {
                            Ok(finding) => Ok(named(&image, finding)),
                            Err(Halt::Fails(finding)) => Err(Halt::Fails(named(&image, finding))),
                            other => other,
                        }
                    })
                    .collect();
                if outcomes.is_empty() {
                    return Ok(Finding::fail("there is no such image"));
                }
                finding::all(outcomes)
            }
        }
    }
}

fn named(image: &Image, finding: Finding) -> Finding {
    // What holds for all need not be told of each.
    if finding.holds {
        finding
    } else {
        Finding { observed: format!("{}: {}", image.name(), finding.observed), ..finding }
    }
}

impl Filter {
    fn ids(&self, eyes: &mut Eyes<'_>, machine: &MachineName) -> Result<Vec<String>, Halt> {
        // Filtered here and not by the engine: its own word decides either way, and this needs no quoting.
        let (status, list) = eyes.engine(machine, "/images/json?all=1", LIST_LIMIT)?;
        let Value::Array(list) = list else {
            return Err(Halt::unknown(format!("the engine answered {status} and no list of images")));
        };
        let meant = list.iter().filter(|image| self.fits(image));
        let ids: Option<Vec<String>> =
            meant.map(|image| image["Id"].as_str().filter(|id| is_digest(id)).map(str::to_owned)).collect();
        let ids = ids.ok_or_else(|| Halt::unknown("the engine lists an image without a proper id"))?;
        if ids.len() > MOST_IMAGES {
            return Err(Halt::unknown(format!("there are {} such images; {MOST_IMAGES} are looked at", ids.len())));
        }
        Ok(ids)
    }

    fn fits(&self, image: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Label(label) => {
                let (key, value) = label.split_once('=').unwrap_or((label, ""));
                image["Labels"][key].as_str().is_some_and(|found| found == value || !label.contains('='))
            }
            Self::Reference(name) => image["RepoTags"].as_array().into_iter().flatten().any(|tag| {
                tag.as_str()
                    .is_some_and(|tag| tag == name || tag.rsplit_once(':').is_some_and(|(stem, _)| stem == name))
            }),
        }
    }
}

/// An image, as its engine describes it.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) machine: MachineName,
    pub(super) inspect: Value,
}

impl Image {
    pub(super) fn find(eyes: &mut Eyes<'_>, machine: &MachineName, name: &str) -> Result<Self, Halt> {
        let (status, inspect) = eyes.engine(machine, &format!("/images/{name}/json"), INSPECT_LIMIT)?;
        match status {
            200 => Ok(Self { machine: machine.clone(), inspect }),
            404 => Err(Halt::fails(format!("there is no image {name}"))),
            status => Err(Halt::unknown(format!("the engine answered {status} when asked for image {name}"))),
        }
    }

    /// For people: a tag, or the beginning of its id.
    fn name(&self) -> String {
        let tag = self.inspect["RepoTags"][0].as_str();
        let id = || self.inspect["Id"].as_str().map(|id| id.trim_start_matches("sha256:").chars().take(12).collect());
        tag.map(str::to_owned).or_else(id).unwrap_or_else(|| "?".to_owned())
    }
}

pub(in crate::grade::kinds) fn is_digest(id: &str) -> bool {
    id.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(super) fn image_name(name: &str) -> Result<String, String> {
    let fits = (1..=200).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/:._-@=".contains(&b))
        && !name.contains("..");
    if fits { Ok(name.to_owned()) } else { Err("write an image as name:tag".to_owned()) }
}
