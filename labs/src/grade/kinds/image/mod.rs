//! `kind = "image"`: what an image is made of.
//!
//! | key | |
//! |---|---|
//! | `of`, `name` or `every` | the image of the running container with that role, an image by its name, or every image of a set, which must all hold: `{ label = "lab=app" }`, `{ reference = "lab/app" }` (all its tags) or `{ all = true }` (with those without a name) |
//! | `machine` | with `name` and `every`: whose engine (default `host`) |
//! | `that`, `show` | a jq filter over `GET /images/ID/json`, and what to show of it |
//! | `lacks` | paths that **no layer** may hold: what a later layer deletes is still in the image |
//! | `has` | paths that the image's merged tree must hold |
//! | `lacks_text` | texts (4 to 256 bytes; placeholders allowed) that no layer may have in a name or a file, nor the configuration, nor the history |
//! | `cache` | `true`: nor what builds left on the machine |
//! | `no_setuid` | `true`: no file of the merged tree has a set-id bit or a capability |
//! | `without_programs` | names that no file in a directory of programs may have |
//! | `without_packages` | packages that the merged tree's dpkg must not have installed |
//! | `user_at_least` | `Config.User` leads to at least this id, by the image's own `/etc/passwd` |
//! | `exec_form` | `true`: neither `CMD` nor `ENTRYPOINT` goes through a shell |
//! | `healthcheck` | `true`: it has one |
//! | `built_on` | an image by name whose layers must all be its lowest |
//! | `size_below` | `{ of = "app:1", percent = 60 }`: its size, measured by that of another image |
//!
//! Layers are read as directories on the machine, not from the engine's word; which directories are an image's, the
//! engine says (overlay2's `GraphDriver`). The configuration is read from the disk and must have the hash that is its id.
//!
//! `which` images · `layers` their directories · `config` · `contents`

mod config;
mod contents;
mod history;
mod layers;
mod which;

pub(in crate::grade::kinds) use history::HistoryCheck;
pub(in crate::grade::kinds) use which::is_digest;

use super::{Kind, Watch, container};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, finding, jq::Jq},
    manifest::{Fields, MachineName, Text},
};
use which::{Image, Which, image_name};

#[derive(Debug)]
pub(super) struct ImageCheck {
    which: Which,
    asks: Vec<Ask>,
}

/// One thing that must hold.
#[derive(Debug)]
enum Ask {
    That { that: Jq, show: Jq },
    Lacks(String),
    Has(String),
    LacksText { texts: Vec<Text>, cache: bool },
    NoSetuid,
    WithoutPrograms(Vec<String>),
    WithoutPackages(Vec<String>),
    UserAtLeast(u32),
    ExecForm,
    Healthcheck,
    BuiltOn(String),
    SizeBelow { of: String, percent: u32 },
}

impl ImageCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let which = Which::read(fields);
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let mut asks = Vec::new();
        asks.extend(that.map(|that| Ask::That { show: show.unwrap_or_else(|| container::evidence(&that)), that }));
        asks.extend(fields.parsed_list("lacks", absolute).into_iter().map(Ask::Lacks));
        asks.extend(fields.parsed_list("has", absolute).into_iter().map(Ask::Has));
        let texts = fields.parsed_list("lacks_text", Text::parse);
        let cache = fields.opt_bool("cache").unwrap_or(false);
        if cache && texts.is_empty() {
            fields.error("`cache` says where `lacks_text` looks", "add `lacks_text`");
        }
        asks.extend((!texts.is_empty()).then_some(Ask::LacksText { texts, cache }));
        let flag = |key, ask| fields.opt_bool(key).unwrap_or(false).then_some(ask);
        asks.extend(flag("no_setuid", Ask::NoSetuid));
        let names = |key, ask: fn(Vec<String>) -> Ask| {
            Some(fields.parsed_list(key, file_name)).filter(|names| !names.is_empty()).map(ask)
        };
        asks.extend(names("without_programs", Ask::WithoutPrograms));
        asks.extend(names("without_packages", Ask::WithoutPackages));
        asks.extend(fields.opt_integer("user_at_least", 0..=u64::from(u32::MAX)).map(Ask::UserAtLeast));
        asks.extend(flag("exec_form", Ask::ExecForm));
        asks.extend(flag("healthcheck", Ask::Healthcheck));
        asks.extend(fields.opt_parsed("built_on", image_name).map(Ask::BuiltOn));
        asks.extend(fields.opt_table("size_below").and_then(|size| {
            let of = size.parsed("of", image_name);
            let percent = size.integer("percent", 1..=1000);
            size.finish();
            Some(Ask::SizeBelow { of: of?, percent })
        }));
        if asks.is_empty() {
            fields.error("the check asks nothing of the image", "add `that`, `lacks`, `has` or another of its keys");
        }
        Some(Self { which: which?, asks })
    }
}

impl Ask {
    fn describe(&self) -> String {
        match self {
            Self::That { that, .. } => format!("satisfies {}", that.source()),
            Self::Lacks(path) => format!("has no {path} in any layer"),
            Self::Has(path) => format!("has {path}"),
            Self::LacksText { texts, cache } => {
                let texts: Vec<String> = texts.iter().map(|text| format!("`{}`", text.source())).collect();
                let cache = if *cache { ", nor in what builds left" } else { "" };
                format!("has {} in no layer, configuration or history{cache}", texts.join(", "))
            }
            Self::NoSetuid => "has no file with a set-id bit or a capability".to_owned(),
            Self::WithoutPrograms(names) => format!("has none of the programs {}", names.join(", ")),
            Self::WithoutPackages(names) => format!("has none of the packages {}", names.join(", ")),
            Self::UserAtLeast(least) => format!("runs as a user with an id of at least {least}"),
            Self::ExecForm => "starts its program without a shell".to_owned(),
            Self::Healthcheck => "has a health check".to_owned(),
            Self::BuiltOn(base) => format!("lies on {base}"),
            Self::SizeBelow { of, percent } => format!("has at most {percent} % of the size of {of}"),
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>, image: &Image) -> Outcome {
        match self {
            Self::That { that, show } => container::holds(eyes, &image.inspect, that, show),
            Self::Lacks(path) => layers::lacks(eyes, &image.machine, &layers::layers(&image.inspect)?, path),
            Self::Has(path) => layers::has(eyes, &image.machine, &layers::layers(&image.inspect)?, path),
            Self::LacksText { texts, cache } => {
                let values = eyes.values();
                let texts: Vec<String> = texts.iter().map(|text| text.fill(&values)).collect();
                contents::lacks_text(eyes, image, &texts, *cache)
            }
            Self::NoSetuid => contents::no_setuid(eyes, image),
            Self::WithoutPrograms(names) => contents::without_programs(eyes, image, names),
            Self::WithoutPackages(names) => contents::without_packages(eyes, image, names),
            Self::UserAtLeast(least) => {
                let (_, own) = config::read(eyes, image)?;
                config::user(eyes, image, &own, *least)
            }
            Self::ExecForm => config::read(eyes, image).map(|(_, own)| config::exec_form(&own)),
            Self::Healthcheck => config::read(eyes, image).map(|(_, own)| config::healthcheck(&own)),
            Self::BuiltOn(name) => {
                let (_, own) = config::read(eyes, image)?;
                let base = Image::find(eyes, &image.machine, name)?;
                config::built_on(&own, &config::read(eyes, &base)?.1, name)
            }
            Self::SizeBelow { of, percent } => size_below(eyes, image, of, *percent),
        }
    }
}

fn size_below(eyes: &mut Eyes<'_>, image: &Image, of: &str, percent: u32) -> Outcome {
    let other = Image::find(eyes, &image.machine, of)?;
    let size = |image: &Image| image.inspect["Size"].as_u64().filter(|size| *size > 0);
    let (Some(own), Some(other)) = (size(image), size(&other)) else {
        return Err(Halt::unknown("the engine does not say how large the images are"));
    };
    let share = u128::from(own) * 100 / u128::from(other);
    Ok(Finding::new(
        u128::from(own) * 100 <= u128::from(other) * u128::from(percent),
        format!("it has {own} bytes, {share} % of the {other} of {of}"),
    ))
}

impl Kind for ImageCheck {
    fn name(&self) -> &'static str {
        "image"
    }

    fn expected(&self) -> String {
        let asks: Vec<String> = self.asks.iter().map(Ask::describe).collect();
        format!("{} {}", self.which.describe(), asks.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        self.which.judge(eyes, |eyes, image| {
            let outcomes: Vec<Outcome> = self.asks.iter().map(|ask| ask.judge(eyes, image)).collect();
            finding::all(outcomes)
        })
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![self.which.machine()]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let texts = self.asks.iter().flat_map(|ask| match ask {
            Ask::LacksText { texts, .. } => texts.as_slice(),
            _ => &[],
        });
        texts.map(|text| (text, Vec::new())).collect()
    }
}

fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') && !path.ends_with('/') && !path.contains("/../") {
        Ok(path.to_owned())
    } else {
        Err("write an absolute path to a file".to_owned())
    }
}

fn file_name(name: &str) -> Result<String, String> {
    let fits =
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
    if fits { Ok(name.to_owned()) } else { Err("write a name without a path".to_owned()) }
}
