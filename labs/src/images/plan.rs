//! Sources → steps in build order, each with the tag that all its inputs hash to.

use std::path::PathBuf;

use bulkhead_agent::boot::MachineKind;
use sha2::{Digest, Sha256};

use super::{
    bake::plain_root,
    error::ImagesError,
    fixtures::{self, FixtureImage, Fixtures, FixturesError},
    source::{BaseSource, Content, Files, LabSource, Sources, below},
    tree::{HOST, HOST_ID_BASE},
};
use crate::sandbox::{id_bases, plain_id_base};

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
        agent: Content,
    },
    /// The tree of `machine` for a machine whose ids begin at `id_base`, laid on the image `below`.
    Plain {
        below: String,
        machine: String,
        id_base: u32,
    },
    Lab {
        host: String,
        preload: Vec<Preload>,
        planted: Vec<Planted>,
    },
}

/// An image of the outer engine, and its name on the student's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preload {
    pub outer: String,
    pub inner: String,
}

/// Files that are on a machine from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planted {
    /// The machine's tree in the image.
    pub below: String,
    pub id_base: u32,
    /// Absolute there: a folder, or a file whose `content` has the empty path.
    pub to: String,
    /// Unless each file's content decides.
    pub mode: Option<u32>,
    pub content: Files,
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
        let image = tagged("docker-host", &Hash::new("bake").text(&machine.image).content(&agent));
        Step { name, image, work: Work::Bake { machine: machine.image.clone(), agent } }
    };

    let mut plan = Plan { host: host.image.clone(), labs: Vec::new(), steps: vec![base.clone(), machine, host] };
    let most = sources.labs.iter().map(LabSource::plain_machines).max().unwrap_or(0);
    let machines = add_plain(&mut plan, sources, &base.image, most)?;
    for lab in &sources.labs {
        add_lab(&mut plan, sources, &base.image, &machines[lab.plain_machines()], lab)?;
    }
    Ok(plan)
}

/// Steps for up to `most` machines without an engine. Which sandbox image has how many of them.
fn add_plain(plan: &mut Plan, sources: &Sources, base: &str, most: usize) -> Result<Vec<String>, ImagesError> {
    let mut images = vec![plan.host.clone()];
    if most == 0 {
        return Ok(images);
    }
    let name = format!("{PREFIX}/plain");
    let mut context = sources.plain.clone();
    context.insert("init".to_owned(), program(sources, &name, "init")?.clone());
    let machine = tagged("plain", &Hash::new("plain").text(base).files(&context));
    let arguments = vec![("BASE".to_owned(), base.to_owned())];
    let work = Work::Dockerfile { context, tools: Vec::new(), arguments, kind: "plain" };
    plan.steps.push(Step { name, image: machine.clone(), work });
    for number in 1..=most {
        let below = images[number - 1].clone();
        let id_base = plain_id_base(number - 1);
        let hash = Hash::new("with-plain").text(&below).text(&machine).bytes(&id_base.to_be_bytes());
        let image = tagged(&format!("with-{number}-plain"), &hash);
        let work = Work::Plain { below, machine: machine.clone(), id_base };
        plan.steps.push(Step { name: name_of(&image), image: image.clone(), work });
        images.push(image);
    }
    Ok(images)
}

fn add_lab(plan: &mut Plan, sources: &Sources, base: &str, host: &str, lab: &LabSource) -> Result<(), ImagesError> {
    let fixtures = Fixtures::parse(&lab.id, &lab.fixtures, &sources.stock)?;
    let mut built = Vec::<Preload>::new();
    for image in &fixtures.images {
        let step = fixture(sources, base, lab, image, &built)?;
        built.push(Preload { outer: step.image.clone(), inner: image.name.clone() });
        plan.steps.push(step);
    }
    let preload: Vec<Preload> =
        built.into_iter().zip(&fixtures.images).filter(|(_, image)| image.preload).map(|(built, _)| built).collect();
    let name = format!("{PREFIX}/lab-{}", lab.id);
    let mut planted = Vec::new();
    for tree in &fixtures.trees {
        let mut content = below(&lab.fixtures, &tree.from);
        for wanted in &tree.programs {
            content.insert(wanted.clone(), program(sources, &name, wanted)?.clone());
        }
        let (below, id_base) = lab.tree(tree.machine.as_deref(), &tree.to)?;
        planted.push(Planted { below, id_base, to: tree.to.clone(), mode: None, content });
    }
    for file in &fixtures.files {
        let bytes = match (&file.program, &file.from) {
            (Some(wanted), _) => program(sources, &name, wanted)?.clone(),
            (None, from) => {
                from.as_ref().and_then(|from| lab.fixtures.get(from)).cloned().unwrap_or_else(|| Vec::new().into())
            }
        };
        let (below, id_base) = lab.tree(file.machine.as_deref(), &file.to)?;
        let content = Files::from([(String::new(), bytes)]);
        planted.push(Planted { below, id_base, to: file.to.clone(), mode: file.mode.map(|mode| mode.0), content });
    }
    if preload.is_empty() && planted.is_empty() {
        plan.labs.push((lab.id.clone(), host.to_owned()));
        return Ok(());
    }
    // The second way to lay out preloaded layers. What is below it has not changed, so the recipe of all has not either.
    let mut hash = Hash::new("lab-2").text(host);
    for image in &preload {
        hash = hash.text(&image.outer).text(&image.inner);
    }
    for Planted { below, id_base: _, to, mode, content } in &planted {
        hash = hash.text(below).text(to).bytes(&mode.unwrap_or(u32::MAX).to_be_bytes()).files(content);
    }
    let image = tagged(&format!("lab-{}", lab.id), &hash);
    plan.labs.push((lab.id.clone(), image.clone()));
    plan.steps.push(Step { name, image, work: Work::Lab { host: host.to_owned(), preload, planted } });
    Ok(())
}

impl LabSource {
    fn plain_machines(&self) -> usize {
        self.machines.iter().filter(|(_, kind)| kind.is_plain()).count()
    }

    /// Where a machine's tree lies in the image, and where its ids begin; without a name, the Docker host's.
    fn tree(&self, machine: Option<&str>, to: &str) -> Result<(String, u32), FixturesError> {
        let Some(machine) = machine else { return Ok((HOST.to_owned(), HOST_ID_BASE)) };
        let ids = id_bases(self.machines.iter().map(|(_, kind)| *kind));
        let found = self.machines.iter().zip(ids).find(|((name, _), _)| name == machine);
        match found {
            Some(((_, MachineKind::DockerHost), id_base)) => Ok((HOST.to_owned(), id_base)),
            Some(((_, kind), id_base)) if kind.is_plain() => {
                Ok((plain_root(id_base).to_string_lossy().into_owned(), id_base))
            }
            _ => {
                let why = format!("{machine} is no machine of this lab that has files");
                Err(FixturesError::Tree { lab: self.id.clone(), to: to.to_owned(), why })
            }
        }
    }
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
    let mut context = image.context(&lab.fixtures, &sources.stock).map_err(|why| FixturesError::Image {
        lab: lab.id.clone(),
        image: image.name.clone(),
        why,
    })?;
    for wanted in &image.programs {
        context.insert(wanted.clone(), program(sources, &name, wanted)?.clone());
    }
    let mut arguments: Vec<(String, String)> =
        image.arguments.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    if image.base {
        arguments.push((fixtures::BASE.to_owned(), base.to_owned()));
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

fn program<'a>(sources: &'a Sources, image: &str, program: &str) -> Result<&'a Content, ImagesError> {
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
        files.iter().fold(counted, |hash, (path, content)| hash.text(path).content(content))
    }
    fn content(self, content: &Content) -> Self {
        self.bytes(content.sha256())
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
        entries.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec().into())).collect()
    }

    fn sources() -> Sources {
        Sources {
            base: BaseSource::Bootstrap,
            machine: files(&[("Dockerfile", "FROM x")]),
            plain: files(&[("Dockerfile", "FROM plain")]),
            stock: files(&[("tiny/Dockerfile", "FROM x")]),
            programs: files(&[("agent", "A"), ("init", "I"), ("cms", "C")]),
            tools: "tools".into(),
            labs: vec![
                LabSource { id: "plain".into(), machines: Vec::new(), fixtures: Files::new() },
                LabSource {
                    id: "web".into(),
                    machines: vec![("host".into(), MachineKind::DockerHost)],
                    fixtures: files(&[
                        (
                            "fixtures.toml",
                            "[[image]]\nname = \"tiny:1\"\nstock = \"tiny\"\nbase = true\n[[image]]\nname = \"cms:1\"\ncontext = \"cms\"\nprograms = [\"cms\"]\nuses = [\"tiny:1\"]\n[[tree]]\nfrom = \"cms\"\nto = \"/root/cms\"",
                        ),
                        ("cms/Dockerfile", "FROM y"),
                    ]),
                },
            ],
        }
    }

    fn append(files: &mut Files, path: &str, more: &str) {
        let changed = [&files[path][..], more.as_bytes()].concat();
        files.insert(path.to_owned(), changed.into());
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
        assert_eq!(changed(|s| append(&mut s.programs, "agent", "!")), ["bulkhead/docker-host", "bulkhead/lab-web"]);
        assert_eq!(
            changed(|s| append(&mut s.programs, "init", "!")),
            ["bulkhead/machine", "bulkhead/docker-host", "bulkhead/lab-web"]
        );
        assert_eq!(changed(|s| append(&mut s.programs, "cms", "!")), ["bulkhead/fixture-web-cms", "bulkhead/lab-web"]);
        assert_eq!(
            changed(|s| append(&mut s.stock, "tiny/Dockerfile", "!")),
            ["bulkhead/fixture-web-tiny", "bulkhead/fixture-web-cms", "bulkhead/lab-web"]
        );
        let accounts = "\n[[image]]\nname = \"more:1\"\nstock = \"tiny\"\narguments = { ACCOUNTS = \"more\" }\n";
        let more = |s: &mut Sources| append(&mut s.labs[1].fixtures, "fixtures.toml", accounts);
        assert_eq!(changed(more), ["bulkhead/fixture-web-more", "bulkhead/lab-web"]);
        let other =
            |s: &mut Sources| append(&mut s.labs[1].fixtures, "fixtures.toml", &accounts.replace("more\" }", "x\" }"));
        let tag = |change: &dyn Fn(&mut Sources)| {
            let mut sources = sources();
            change(&mut sources);
            images(&sources).into_iter().find(|image| image.starts_with("bulkhead/fixture-web-more:"))
        };
        assert_ne!(tag(&more), tag(&other), "a build argument is part of what an image is made of");
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
    fn machines_without_an_engine_are_layers_that_labs_share() {
        let mut sources = sources();
        let machine = |name: &str, kind| (name.to_owned(), kind);
        sources.labs[0].machines = vec![
            machine("work", MachineKind::Plain),
            machine("host", MachineKind::DockerHost),
            machine("probe", MachineKind::Probe),
            machine("attacker", MachineKind::Attacker),
        ];
        sources.labs[1].machines.push(machine("registry", MachineKind::Registry));
        append(
            &mut sources.labs[1].fixtures,
            "fixtures.toml",
            "\n[[file]]\nmachine = \"registry\"\nfrom = \"cms/Dockerfile\"\nto = \"/etc/docker/registry/config.yml\"\n",
        );
        let planned = plan(&sources).unwrap();
        let names: Vec<&str> = planned.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names[3..6], ["bulkhead/plain", "bulkhead/with-1-plain", "bulkhead/with-2-plain"]);
        assert_eq!(planned.lab_image("plain"), Some(planned.steps[5].image.as_str()));
        let Work::Lab { host, planted, .. } = &planned.steps.last().unwrap().work else { panic!("no lab") };
        assert_eq!(*host, planned.steps[4].image);
        assert_eq!((planted[1].below.as_str(), planted[1].id_base), ("plain/300000", 300_000));
        sources.labs[1].machines.pop();
        assert!(plan(&sources).unwrap_err().to_string().contains("registry is no machine of this lab"));
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
