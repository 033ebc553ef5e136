//! `kind = "container"`: a jq filter over the engine's own account of a container.
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "cms" }`, by label |
//! | `see` | `"inspect"` (default) or `"changes"`: what `docker diff` prints, as a list of `{Kind, Path}` |
//! | `that` | the filter; its first output must be neither `null` nor `false`. `$vars` holds the lab's variables |
//! | `show` | the filter for the evidence; unless given, `that` up to its first comparison |
//!
//! The engine is the student's, so where the kernel can tell the same, prefer `process` or `mount`.

use serde_json::Value;

use super::{Kind, Watch, show};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, containers::Of, jq::Jq},
    manifest::{Fields, MachineName},
};

const CHANGES_LIMIT: u32 = 128 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum See {
    Inspect,
    Changes,
}

#[derive(Debug)]
pub(super) struct ContainerCheck {
    of: Of,
    see: See,
    that: Jq,
    show: Jq,
}

impl ContainerCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read(fields);
        let see =
            fields.opt_choice("see", &[("inspect", See::Inspect), ("changes", See::Changes)]).unwrap_or(See::Inspect);
        let that = fields.parsed("that", Jq::parse);
        let show = fields.opt_jq("show");
        let that = that?;
        let show = show.unwrap_or_else(|| evidence(&that));
        Some(Self { of: of?, see, that, show })
    }
}

impl Kind for ContainerCheck {
    fn name(&self) -> &'static str {
        "container"
    }

    fn expected(&self) -> String {
        let what = if self.see == See::Changes { "the changes to" } else { "the engine's account of" };
        format!("{what} the {} container satisfies {}", self.of.role, self.that.source())
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        containers::every(eyes, &self.of, |eyes, container| {
            let input = match self.see {
                See::Inspect => container.inspect.clone(),
                See::Changes => {
                    let path = format!("/containers/{}/changes", container.id);
                    match eyes.engine(&container.machine, &path, CHANGES_LIMIT)? {
                        // An engine says `null` for no changes.
                        (200, Value::Null) => Value::Array(Vec::new()),
                        (200, list @ Value::Array(_)) => list,
                        (status, _) => {
                            return Err(Halt::unknown(format!("the engine answered {status} and no list of changes")));
                        }
                    }
                }
            };
            holds(eyes, &input, &self.that, &self.show)
        })
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.of.machine]
    }

    /// Of what is written in a container nobody tells.
    fn watch(&self) -> Option<Watch<'_>> {
        matches!(self.see, See::Inspect).then(Watch::engine)
    }
}

/// Judges `input` by `that`, with what `show` makes of it as evidence.
pub(super) fn holds(eyes: &Eyes<'_>, input: &Value, that: &Jq, show_filter: &Jq) -> Outcome {
    let variables = eyes.variables();
    let holds = that.holds(input, &variables).map_err(|why| Halt::unknown(why.to_string()))?;
    let observed = match show_filter.first(input, &variables) {
        Ok(Some(value)) => format!("{} is {}", show_filter.source(), show(&value)),
        Ok(None) => format!("{} gives nothing", show_filter.source()),
        Err(why) => why.to_string(),
    };
    Ok(Finding::new(holds, observed))
}

/// What to show for a filter: the path that it starts with, so that "false" says what was false.
pub(super) fn evidence(that: &Jq) -> Jq {
    let source = that.source();
    let end = source.find(['=', '<', '>', '!', '|', ' ', ',', '(']).unwrap_or(source.len());
    let path = source[..end].trim();
    if path.len() > 1 && path.starts_with('.') {
        Jq::parse(path).unwrap_or_else(|_| that.clone())
    } else {
        that.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_the_leading_path() {
        for (that, shown) in [
            (".HostConfig.ReadonlyRootfs", ".HostConfig.ReadonlyRootfs"),
            (".HostConfig.CapDrop | index(\"ALL\")", ".HostConfig.CapDrop"),
            (".Config.User != \"\"", ".Config.User"),
            ("[.[] | .Path] == []", "[.[] | .Path] == []"),
            (". == []", ". == []"),
        ] {
            assert_eq!(evidence(&Jq::parse(that).unwrap()).source(), shown);
        }
    }
}
