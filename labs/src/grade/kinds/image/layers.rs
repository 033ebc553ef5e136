//! The directories that an image's layers are, and what lies in each.

use bulkhead_agent::look::{FileKind, Look, Seen};
use serde_json::Value;

use crate::{
    grade::{Eyes, Finding, Halt, Outcome, eyes::misplaced},
    manifest::MachineName,
};

const MAX_LAYERS: usize = 64;

/// The layers' directories, topmost first.
pub(super) fn layers(image: &Value) -> Result<Vec<String>, Halt> {
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

pub(super) fn lacks(eyes: &mut Eyes<'_>, machine: &MachineName, layers: &[String], path: &str) -> Outcome {
    let found = in_layers(eyes, machine, layers, path)?;
    let count = layers.len();
    let from_bottom = found.iter().rev().position(|found| matches!(found, InLayer::Here | InLayer::Elsewhere));
    Ok(match from_bottom {
        None => Finding::pass(format!("none of {count} layers has {path}")),
        Some(at) => Finding::fail(format!("layer {} of {count} has {path}", at + 1)),
    })
}

pub(super) fn has(eyes: &mut Eyes<'_>, machine: &MachineName, layers: &[String], path: &str) -> Outcome {
    let found = in_layers(eyes, machine, layers, path)?;
    let top = found.into_iter().find(|found| matches!(found, InLayer::Here | InLayer::Whiteout));
    Ok(match top {
        Some(InLayer::Whiteout) => Finding::fail(format!("{path} is deleted by a layer")),
        Some(_) => Finding::pass(format!("the image has {path}")),
        None => Finding::fail(format!("no layer has {path}")),
    })
}

/// A file of the merged tree, by its beginning; `None`: there is none.
pub(super) fn merged<'a>(
    eyes: &mut Eyes<'a>,
    machine: &MachineName,
    layers: &[String],
    path: &str,
    limit: u32,
) -> Result<Option<&'a str>, Halt> {
    let look = Look::Layered { machine: machine.to_string(), layers: layers.to_vec(), path: path.to_owned(), limit };
    match eyes.see(look)? {
        Seen::File(facts) if facts.kind != FileKind::File => Ok(None),
        Seen::File(facts) if facts.truncated => {
            Err(Halt::unknown(format!("{path} in the image is {} bytes long", facts.size)))
        }
        Seen::File(facts) => Ok(Some(&facts.content)),
        Seen::Missing => Ok(None),
        other => Err(misplaced(other)),
    }
}
