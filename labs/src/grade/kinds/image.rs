//! `kind = "image"`: what a container was made of.
//!
//! | key | |
//! |---|---|
//! | `of` or `name` | the image of the running container with that role, or an image by its name |
//! | `machine` | with `name`: whose engine (default `host`) |
//! | `that`, `show` | a jq filter over `GET /images/ID/json`, and what to show of it |
//! | `lacks` | paths that **no layer** may hold: what a later layer deletes is still in the image |
//! | `has` | paths that the image's merged tree must hold |
//!
//! Layers are read as directories on the machine, not from the engine's word; which directories are an image's, the
//! engine says (overlay2's `GraphDriver`).

use bulkhead_agent::look::{FileKind, Look, Seen};
use serde_json::Value;

use super::{Kind, container};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, containers::Of, eyes::misplaced, finding, jq::Jq},
    manifest::{Fields, MachineName},
};

const INSPECT_LIMIT: u32 = 128 * 1024;
const MAX_LAYERS: usize = 64;

#[derive(Debug)]
enum Which {
    Of(Of),
    Name { machine: MachineName, name: String },
}

#[derive(Debug)]
pub(super) struct ImageCheck {
    which: Which,
    that: Option<Jq>,
    show: Option<Jq>,
    lacks: Vec<String>,
    has: Vec<String>,
}

impl ImageCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let name = fields.opt_parsed("name", image_name);
        let machine = containers::read_machine(fields, "machine", "host");
        let that = fields.opt_jq("that");
        let show = fields.opt_jq("show");
        let lacks = fields.parsed_list("lacks", absolute);
        let has = fields.parsed_list("has", absolute);
        if !fields.has("that") && lacks.is_empty() && has.is_empty() {
            fields.error("the check asks nothing of the image", "add `that`, `lacks` or `has`");
        }
        let which = match (of, name) {
            (Some(of), None) => Which::Of(of),
            (None, Some(name)) => Which::Name { machine: machine?, name },
            (None, None) if fields.has("of") || fields.has("name") => return None,
            _ => {
                fields.error(
                    "the check does not say which image it is about",
                    "add either `of = { role = \"…\" }` or `name`",
                );
                return None;
            }
        };
        Some(Self { which, that, show, lacks, has })
    }

    fn judge_image(&self, eyes: &mut Eyes<'_>, machine: &MachineName, name: &str) -> Outcome {
        let (status, image) = eyes.engine(machine, &format!("/images/{name}/json"), INSPECT_LIMIT)?;
        match status {
            200 => {}
            404 => return Ok(Finding::fail(format!("there is no image {name}"))),
            status => return Err(Halt::unknown(format!("the engine answered {status} when asked for image {name}"))),
        }
        let mut outcomes = Vec::new();
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &image, that, &show));
        }
        if !self.lacks.is_empty() || !self.has.is_empty() {
            let layers = layers(&image)?;
            outcomes.extend(self.lacks.iter().map(|path| lacks(eyes, machine, &layers, path)));
            outcomes.extend(self.has.iter().map(|path| has(eyes, machine, &layers, path)));
        }
        finding::all(outcomes)
    }
}

impl Kind for ImageCheck {
    fn name(&self) -> &'static str {
        "image"
    }

    fn expected(&self) -> String {
        let mut wants = Vec::new();
        if let Some(that) = &self.that {
            wants.push(format!("satisfies {}", that.source()));
        }
        if !self.lacks.is_empty() {
            wants.push(format!("has no {} in any layer", self.lacks.join(", ")));
        }
        if !self.has.is_empty() {
            wants.push(format!("has {}", self.has.join(", ")));
        }
        let which = match &self.which {
            Which::Of(of) => format!("the image of the {} container", of.role),
            Which::Name { name, .. } => format!("the image {name}"),
        };
        format!("{which} {}", wants.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        match &self.which {
            Which::Name { machine, name } => self.judge_image(eyes, machine, name),
            Which::Of(of) => containers::every(eyes, of, |eyes, container| {
                let id = container.inspect["Image"].as_str().filter(|id| is_digest(id));
                let id = id.ok_or_else(|| Halt::unknown("the engine names no image of the container"))?;
                self.judge_image(eyes, &container.machine, id)
            }),
        }
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.which {
            Which::Of(of) => vec![&of.machine],
            Which::Name { machine, .. } => vec![machine],
        }
    }
}

/// The layers' directories, topmost first.
fn layers(image: &Value) -> Result<Vec<String>, Halt> {
    let data = &image["GraphDriver"]["Data"];
    let Some(upper) = data["UpperDir"].as_str() else {
        return Err(Halt::unknown("the engine does not say where the image's layers lie"));
    };
    let lower = data["LowerDir"].as_str().unwrap_or_default();
    let layers: Vec<String> =
        std::iter::once(upper).chain(lower.split(':').filter(|dir| !dir.is_empty())).map(str::to_owned).collect();
    let declared = image["RootFS"]["Layers"].as_array().map_or(0, Vec::len);
    if layers.len() > MAX_LAYERS || layers.iter().any(|dir| !dir.starts_with('/') || dir.len() > 1024) {
        return Err(Halt::unknown("the engine's account of the image's layers makes no sense"));
    }
    if declared != layers.len() {
        return Err(Halt::unknown(format!("the engine counts {declared} layers and shows {}", layers.len())));
    }
    Ok(layers)
}

/// What lies at a path in one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InLayer {
    Nothing,
    Here,
    /// A link of the layer leads elsewhere. No layer that should lack the path may do that, and none has it by that.
    Elsewhere,
    /// A device file that hides what lower layers have there.
    Whiteout,
}

fn in_layer(eyes: &mut Eyes<'_>, machine: &MachineName, layer: &str, path: &str) -> Result<InLayer, Halt> {
    let look = Look::File { machine: machine.to_string(), pid: None, path: format!("{layer}{path}"), limit: 0 };
    match eyes.see(look)? {
        Seen::Missing => Ok(InLayer::Nothing),
        Seen::File(facts) if facts.kind == FileKind::Other => Ok(InLayer::Whiteout),
        Seen::File(facts) if !facts.real_path.ends_with(path) => Ok(InLayer::Elsewhere),
        Seen::File(_) => Ok(InLayer::Here),
        other => Err(misplaced(other)),
    }
}

/// One look per layer, all asked for at once.
fn in_layers(eyes: &mut Eyes<'_>, machine: &MachineName, layers: &[String], path: &str) -> Result<Vec<InLayer>, Halt> {
    let found: Vec<_> = layers.iter().map(|layer| in_layer(eyes, machine, layer, path)).collect();
    if found.contains(&Err(Halt::NotYet)) {
        return Err(Halt::NotYet);
    }
    found.into_iter().collect()
}

fn lacks(eyes: &mut Eyes<'_>, machine: &MachineName, layers: &[String], path: &str) -> Outcome {
    let found = in_layers(eyes, machine, layers, path)?;
    let count = layers.len();
    let from_bottom = found.iter().rev().position(|found| matches!(found, InLayer::Here | InLayer::Elsewhere));
    Ok(match from_bottom {
        None => Finding::pass(format!("none of {count} layers has {path}")),
        Some(at) => Finding::fail(format!("layer {} of {count} has {path}", at + 1)),
    })
}

fn has(eyes: &mut Eyes<'_>, machine: &MachineName, layers: &[String], path: &str) -> Outcome {
    let found = in_layers(eyes, machine, layers, path)?;
    let top = found.into_iter().find(|found| matches!(found, InLayer::Here | InLayer::Whiteout));
    Ok(match top {
        Some(InLayer::Whiteout) => Finding::fail(format!("{path} is deleted by a layer")),
        Some(_) => Finding::pass(format!("the image has {path}")),
        None => Finding::fail(format!("no layer has {path}")),
    })
}

pub(super) fn is_digest(id: &str) -> bool {
    id.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn image_name(name: &str) -> Result<String, String> {
    let fits = (1..=200).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/:._-@".contains(&b))
        && !name.contains("..");
    if fits { Ok(name.to_owned()) } else { Err("write an image as name:tag".to_owned()) }
}

fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') && !path.ends_with('/') && !path.contains("/../") {
        Ok(path.to_owned())
    } else {
        Err("write an absolute path to a file".to_owned())
    }
}
