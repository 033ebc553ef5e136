//! Sources → steps in build order, each with the tag that all its inputs hash to.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{
    error::ImagesError,
    fixtures::{self, FixtureImage, Fixtures},
    source::{BaseSource, Files, LabSource, Sources, below},
};

/// Part of every hash: raise it when the code of a step changes what comes out.
const RECIPE: u32 = 1;
const PREFIX: &str = "bulkhead";
/// Other people's programs on the student's machine that Debian does not carry.
const TOOLS: [&str; 2] = ["hadolint", "syft"];
/// Says which versions. It is part of the machine's context, and so of its hash.
const TOOLS_PINNED: &str = "tools.txt";

/// What to build, in order. Two plans of equal sources are equal.
#[derive(Clone, Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    host: String,
    labs: Vec<(String, String)>,
}

impl Plan {
    /// The tag of the sandbox image without any lab.
    pub fn host_image(&self) -> &str {
        &self.host
    }

    /// The tag of a lab's sandbox image.
    pub fn lab_image(&self, lab: &str) -> Option<&str> {
        self.labs.iter().find_map(|(id, image)| (id == lab).then_some(image.as_str()))
    }
}

#[derive(Clone, Debug)]
pub struct Step {
    /// The image without its hash, for people.
    pub name: String,
    /// `repository:tag`.
    pub image: String,
    pub(super) work: Work,
}

#[derive(Clone, Debug)]
pub(super) enum Work {
    Bootstrap,
    Pull,
    /// A Dockerfile with its context; `arguments` are build arguments. `tools` join the context, each by its own name: they
    /// are large, and read only when the image is built.
    Dockerfile {
        context: Files,
        tools: Vec<PathBuf>,
        arguments: Vec<(String, String)>,
        kind: &'static str,
    },
    Bake {
        machine: String,
        agent: Vec<u8>,
    },
    Lab {
        host: String,
        preload: Vec<Preload>,
        trees: Vec<Tree>,
    },
}

/// An image of the outer engine, and its name on the student's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preload {
    pub outer: String,
    pub inner: String,
}

/// Files below an absolute path of the student's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub to: String,
    pub files: Files,
}

/// Builds the plan; does no IO.
pub fn plan(sources: &Sources) -> Result<Plan, ImagesError> {
    let base = match &sources.base {
        BaseSource::Bootstrap => {
            let image = tagged("base", &Hash::new("base").text(&super::base::recipe()));
            Step { name: name_of(&image), image, work: Work::Bootstrap }
        }
        BaseSource::Image(image) => Step { name: image.clone(), image: image.clone(), work: Work::Pull },
    };

    let machine = {
        let name = format!("{PREFIX}/machine");
        let mut context = sources.machine.clone();
        context.insert("init".to_owned(), program(sources, &name, "init")?.clone());
        let tools = if context.contains_key(TOOLS_PINNED) { TOOLS.as_slice() } else { &[] };
        let image = tagged("machine", &Hash::new("machine").text(&base.image).files(&context));
        Step {
            name,
            image,
            work: Work::Dockerfile {
                context,
                tools: tools.iter().map(|tool| sources.tools.join(tool)).collect(),
                arguments: vec![("BASE".to_owned(), base.image.clone())],
                kind: "machine",
            },
        }
    };

    let host = {
        let name = format!("{PREFIX}/docker-host");
        let agent = program(sources, &name, "agent")?.clone();
        let image = tagged("docker-host", &Hash::new("bake").text(&machine.image).bytes(&agent));
        Step { name, image, work: Work::Bake { machine: machine.image.clone(), agent } }
    };

    let mut plan = Plan { host: host.image.clone(), labs: Vec::new(), steps: vec![base.clone(), machine, host] };
    for lab in &sources.labs {
        add_lab(&mut plan, sources, &base.image, lab)?;
    }
    Ok(plan)
}

fn add_lab(plan: &mut Plan, sources: &Sources, base: &str, lab: &LabSource) -> Result<(), ImagesError> {
    let fixtures = Fixtures::parse(&lab.id, &lab.fixtures)?;
    let mut built = Vec::<Preload>::new();
    for image in &fixtures.images {
        let step = fixture(sources, base, lab, image, &built)?;
        built.push(Preload { outer: step.image.clone(), inner: image.name.clone() });
        plan.steps.push(step);
    }
    let preload: Vec<Preload> =
        built.into_iter().zip(&fixtures.images).filter(|(_, image)| image.preload).map(|(built, _)| built).collect();
    let name = format!("{PREFIX}/lab-{}", lab.id);
    let mut trees = Vec::new();
    for tree in &fixtures.trees {
        let mut files = below(&lab.fixtures, &tree.from);
        for wanted in &tree.programs {
            files.insert(wanted.clone(), program(sources, &name, wanted)?.clone());
        }
        trees.push(Tree { to: tree.to.clone(), files });
    }
    if preload.is_empty() && trees.is_empty() {
        plan.labs.push((lab.id.clone(), plan.host.clone()));
        return Ok(());
    }
    let mut hash = Hash::new("lab").text(&plan.host);
    for image in &preload {
        hash = hash.text(&image.outer).text(&image.inner);
    }
    for tree in &trees {
        hash = hash.text(&tree.to).files(&tree.files);
    }
    let image = tagged(&format!("lab-{}", lab.id), &hash);
    plan.labs.push((lab.id.clone(), image.clone()));
    plan.steps.push(Step { name, image, work: Work::Lab { host: plan.host.clone(), preload, trees } });
    Ok(())
}

fn fixture(
    sources: &Sources,
    base: &str,
    lab: &LabSource,
    image: &FixtureImage,
    earlier: &[Preload],
) -> Result<Step, ImagesError> {
    let repository = format!("fixture-{}-{}", lab.id, image.short());
    let name = format!("{PREFIX}/{repository}");
    let mut context = below(&lab.fixtures, &image.context);
    for wanted in &image.programs {
        context.insert(wanted.clone(), program(sources, &name, wanted)?.clone());
    }
    let mut arguments = Vec::new();
    if image.base {
        arguments.push(("BASE".to_owned(), base.to_owned()));
    }
    for used in earlier.iter().filter(|earlier| image.uses.contains(&earlier.inner)) {
        arguments.push((fixtures::argument(&used.inner), used.outer.clone()));
    }
    let mut hash = Hash::new("fixture").files(&context);
    for (key, value) in &arguments {
        hash = hash.text(key).text(value);
    }
    let image = tagged(&repository, &hash);
    Ok(Step { name, image, work: Work::Dockerfile { context, tools: Vec::new(), arguments, kind: "fixture" } })
}

fn program<'a>(sources: &'a Sources, image: &str, program: &str) -> Result<&'a Vec<u8>, ImagesError> {
    sources
        .programs
        .get(program)
        .ok_or_else(|| ImagesError::NoProgram { image: image.to_owned(), program: program.to_owned() })
}

fn name_of(image: &str) -> String {
    image.rsplit_once(':').map_or(image, |(name, _)| name).to_owned()
}

fn tagged(repository: &str, hash: &Hash) -> String {
    format!("{PREFIX}/{repository}:{}", hash.tag())
}

/// Every part goes in with its length before it, so that no two lists of parts hash alike.
struct Hash(Sha256);

impl Hash {
    fn new(step: &str) -> Self {
        Self(Sha256::new()).text(step).bytes(&RECIPE.to_be_bytes())
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }
    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }
    fn files(self, files: &Files) -> Self {
        let counted = self.bytes(&(files.len() as u64).to_be_bytes());
        files.iter().fold(counted, |hash, (path, bytes)| hash.text(path).bytes(bytes))
    }
    fn tag(&self) -> String {
        let mut head = [0; 8];
        head[2..].copy_from_slice(&self.0.clone().finalize()[..6]);
        format!("{:012x}", u64::from_be_bytes(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn sources() -> Sources {
        Sources {
            base: BaseSource::Bootstrap,
            machine: files(&[("Dockerfile", "FROM x")]),
            programs: files(&[("agent", "A"), ("init", "I"), ("cms", "C")]),
            tools: "tools".into(),
            labs: vec![
                LabSource { id: "plain".into(), fixtures: Files::new() },
                LabSource {
                    id: "web".into(),
                    fixtures: files(&[
                        (
                            "fixtures.toml",
                            "[[image]]\nname = \"tiny:1\"\ncontext = \"tiny\"\nbase = true\n[[image]]\nname = \"cms:1\"\ncontext = \"cms\"\nprograms = [\"cms\"]\nuses = [\"tiny:1\"]\n[[tree]]\nfrom = \"cms\"\nto = \"/root/cms\"",
                        ),
                        ("tiny/Dockerfile", "FROM x"),
                        ("cms/Dockerfile", "FROM y"),
                    ]),
                },
            ],
        }
    }

    fn images(sources: &Sources) -> Vec<String> {
        plan(sources).unwrap().steps.into_iter().map(|step| step.image).collect()
    }

    /// Which steps get another tag when `change` is done to the sources.
    fn changed(change: impl FnOnce(&mut Sources)) -> Vec<String> {
        let before = images(&sources());
        let mut other = sources();
        change(&mut other);
        images(&other).into_iter().filter(|image| !before.contains(image)).map(|image| name_of(&image)).collect()
    }

    #[test]
    fn a_change_rebuilds_what_depends_on_it_and_nothing_else() {
        assert!(changed(|_| ()).is_empty());
        assert_eq!(
            changed(|s| s.programs.get_mut("agent").unwrap().push(1)),
            ["bulkhead/docker-host", "bulkhead/lab-web"]
        );
        assert_eq!(
            changed(|s| s.programs.get_mut("init").unwrap().push(1)),
            ["bulkhead/machine", "bulkhead/docker-host", "bulkhead/lab-web"]
        );
        assert_eq!(
            changed(|s| s.programs.get_mut("cms").unwrap().push(1)),
            ["bulkhead/fixture-web-cms", "bulkhead/lab-web"]
        );
        assert_eq!(
            changed(|s| s.labs[1].fixtures.get_mut("tiny/Dockerfile").unwrap().push(1)),
            ["bulkhead/fixture-web-tiny", "bulkhead/fixture-web-cms", "bulkhead/lab-web"]
        );
        assert_eq!(changed(|s| s.base = BaseSource::Image("debian@sha256:00".into())).len(), 6);
    }

    #[test]
    fn a_lab_without_fixtures_runs_the_plain_machine() {
        let plan = plan(&sources()).unwrap();
        assert_eq!(plan.lab_image("plain"), Some(plan.host_image()));
        assert!(plan.lab_image("web").unwrap().starts_with("bulkhead/lab-web:"));
        assert_eq!(plan.lab_image("other"), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let mut sources = sources();
        sources.programs.remove("cms");
        assert_eq!(
            plan(&sources).unwrap_err().to_string(),
            "the image bulkhead/fixture-web-cms needs the program `cms`, which has not been built"
        );
    }
}
