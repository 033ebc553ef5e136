//! `lab.toml` → [`Lab`], collecting every error of the file.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use toml::de::DeTable;

use super::{
    Check, CheckId, Diagnostic, Difficulty, Fields, Files, Hint, Lab, LabId, Machine, MachineName, Network, Regrade,
    Requires, Script, Solution, Task, TaskId, TimeRules, VariableKind, WrongFix, fields::Report, lab::version, lint,
    machines, parse_duration, placeholder::RESERVED,
};
use crate::grade::{containers, kinds};

const SETUP_TIMEOUT: Duration = Duration::from_mins(1);
const SCRIPT_TIMEOUT: Duration = Duration::from_mins(3);

/// Reads the lab in `folder`, with what is wrong in it. The lab is there unless an error was found.
pub(super) fn read(folder: &str, files: &Files) -> (Option<Lab>, Vec<Diagnostic>) {
    let path = format!("{folder}/lab.toml");
    let bytes = files.get(&path).map(Vec::as_slice).unwrap_or_default();
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source,
        Err(why) => {
            let report = Report::new(path, "");
            report.error(0, format!("not UTF-8 after byte {}", why.valid_up_to()), "save the file as UTF-8");
            return (None, report.into_findings());
        }
    };
    let report = Report::new(path, source);
    let (document, errors) = DeTable::parse_recoverable(source);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        report.error(at, format!("not TOML: {}", error.message()), "write what is expected there, as toml.io has it");
    }
    // Half a document would add errors that are none.
    if !errors.is_empty() {
        return (None, report.into_findings());
    }
    let reader = Reader { folder, files, incomplete: Cell::new(false) };
    let fields = Fields::new(&report, "the lab", 0, document.get_ref());
    let lab = reader.lab(&fields);
    fields.finish();
    if let Some(lab) = lab.as_ref().filter(|_| !reader.incomplete.get()) {
        lint::manifest(lab, &report);
    }
    let lab = lab.filter(|_| report.is_clean());
    (lab, report.into_findings())
}

struct Reader<'a> {
    folder: &'a str,
    files: &'a Files,
    /// A machine, a task or a check could not be read, so what refers to it is no error.
    incomplete: Cell<bool>,
}

impl Reader<'_> {
    fn lab(&self, f: &Fields<'_>) -> Option<Lab> {
        f.integer::<u8>("schema", 1..=1);
        let id = f.parsed("id", LabId::parse);
        if let Some(id) = &id
            && id.as_str() != self.folder
        {
            f.error_at(
                "id",
                format!("the lab's id is {id} and its folder is {}", self.folder),
                "give both the same name",
            );
        }
        let title = f.string("title");
        let playground = f.opt_bool("playground").unwrap_or(false);
        let summary = f.string("summary");
        let module = f.integer("module", 1..=8);
        let levels = [("easy", Difficulty::Easy), ("medium", Difficulty::Medium), ("hard", Difficulty::Hard)];
        let difficulty = f.opt_choice("difficulty", &levels).unwrap_or(Difficulty::Medium);
        let minutes = f.integer("minutes", 1..=600);
        let objectives = f.strings("objectives");
        let pass = f.opt_integer("pass", 1..=100).unwrap_or(80);
        let story = self.markdown(f, "story", "story.md");
        let time = time(f);
        let networks: Vec<Network> = self.each(f, "network", machines::network);
        let machines: Vec<Machine> = self.each(f, "machine", machines::machine);
        let services = f.parsed_list("services", |role| MachineName::parse(role).map(|role| role.to_string()));
        let variables = variables(f);
        let setup =
            f.one_or_more_tables("setup").into_iter().filter_map(|f| self.script(f, "host", SETUP_TIMEOUT)).collect();
        let gate = f.opt_table("gate").map(|gate| {
            let checks = gate.parsed_list("checks", CheckId::parse);
            gate.finish();
            checks
        });
        let tasks: Vec<Task> = self.each(f, "task", |f| self.task(f));
        let choices = [
            ("never", Regrade::Never),
            ("engine", Regrade::Engine),
            ("engine-and-containers", Regrade::EngineAndContainers),
        ];
        let regrade = f.opt_choice("regrade", &choices).unwrap_or_default();
        let solution = f.opt_table("solution").and_then(|f| self.solution(f));
        let wrong_fixes = f.tables("wrong_fix").into_iter().filter_map(|f| self.wrong_fix(f)).collect();
        let lessons = f.strings("lessons");
        let references = f.strings("references");
        let requires = f.opt_table("requires").map(requires).unwrap_or_default();
        Some(Lab {
            id: id?,
            title,
            playground,
            summary,
            module,
            difficulty,
            minutes,
            objectives,
            story,
            time,
            pass,
            networks,
            machines,
            services,
            variables,
            setup,
            tasks,
            gate: gate.unwrap_or_default(),
            regrade,
            solution,
            wrong_fixes,
            lessons,
            references,
            requires,
        })
    }

    fn each<T>(&self, f: &Fields<'_>, key: &'static str, read: impl Fn(Fields<'_>) -> Option<T>) -> Vec<T> {
        let tables = f.tables(key).into_iter();
        let read = tables.filter_map(|table| {
            let item = read(table);
            self.incomplete.set(self.incomplete.get() || item.is_none());
            item
        });
        read.collect()
    }

    fn task(&self, f: Fields<'_>) -> Option<Task> {
        let id = f.parsed("id", TaskId::parse);
        let title = f.string("title");
        let points = f.integer("points", 1..=100);
        let needs = f.parsed_list("needs", TaskId::parse);
        let usual = id.as_ref().map(|id| format!("tasks/{id}.md"));
        let body = match &usual {
            Some(usual) => self.markdown(&f, "body", usual),
            None => f.opt_string("body").unwrap_or_default(),
        };
        let hints = f.tables("hints").into_iter().map(hint).collect();
        let checks = self.each(&f, "check", check);
        let line = f.line();
        f.finish();
        Some(Task { id: id?, title, points, needs, body, hints, checks, line })
    }

    fn solution(&self, f: Fields<'_>) -> Option<Solution> {
        let text = self.markdown(&f, "text", "solution.md");
        let also = self.also(&f);
        let script = self.script(f, "host", SCRIPT_TIMEOUT)?;
        Some(Solution { script, also, text })
    }

    fn wrong_fix(&self, f: Fields<'_>) -> Option<WrongFix> {
        let title = f.string("title");
        let fails = f.parsed_list("fails", CheckId::parse);
        let line = f.line();
        let also = self.also(&f);
        let script = self.script(f, "host", SCRIPT_TIMEOUT)?;
        Some(WrongFix { script, also, title, fails, line })
    }

    /// Scripts that follow the one of this table.
    fn also(&self, f: &Fields<'_>) -> Vec<Script> {
        f.tables("also").into_iter().filter_map(|f| self.script(f, "host", SCRIPT_TIMEOUT)).collect()
    }

    /// Reads `script`, `machine` and `timeout`; ends the table.
    fn script(&self, f: Fields<'_>, machine: &str, timeout: Duration) -> Option<Script> {
        let machine = containers::read_machine(&f, "machine", machine);
        let timeout = f.opt_parsed("timeout", parse_duration).unwrap_or(timeout);
        let path = f.string("script");
        let text = if path.is_empty() { None } else { self.file(&f, "script", &path) };
        f.finish();
        Some(Script { machine: machine?, path, text: text?, timeout })
    }

    /// The text of the Markdown file under `key`, or of the one that is usual there.
    fn markdown(&self, f: &Fields<'_>, key: &'static str, usual: &str) -> String {
        let path = f.opt_string(key).unwrap_or_else(|| usual.to_owned());
        self.file(f, key, &path).unwrap_or_default()
    }

    fn file(&self, f: &Fields<'_>, key: &str, path: &str) -> Option<String> {
        let Some(bytes) = self.files.get(&format!("{}/{path}", self.folder)) else {
            f.error_at(
                key,
                format!("there is no file {path}"),
                "write the file, or name another, relative to the lab's folder",
            );
            return None;
        };
        let text = String::from_utf8(bytes.clone());
        if text.is_err() {
            f.error_at(key, format!("{path} is not UTF-8"), "save the file as UTF-8");
        }
        text.ok()
    }
}

fn time(f: &Fields<'_>) -> TimeRules {
    let usual = TimeRules {
        limit: Duration::from_hours(1),
        extend: Duration::from_mins(15),
        max: Duration::from_hours(2),
        orphan: Duration::from_mins(10),
        warn: vec![Duration::from_mins(10), Duration::from_mins(2)],
    };
    let Some(time) = f.opt_table("time") else { return usual };
    let read = |key, usual| time.opt_parsed(key, parse_duration).unwrap_or(usual);
    let rules = TimeRules {
        limit: read("limit", usual.limit),
        extend: read("extend", usual.extend),
        max: read("max", usual.max),
        orphan: read("orphan", usual.orphan),
        warn: if time.has("warn") { time.parsed_list("warn", parse_duration) } else { usual.warn },
    };
    if !time.has("warn") {
        time.strings("warn");
    }
    if rules.max < rules.limit {
        time.error("`max` is shorter than `limit`", "make `max` at least as long");
    }
    time.finish();
    rules
}

fn variables(f: &Fields<'_>) -> BTreeMap<String, VariableKind> {
    let mut variables = BTreeMap::new();
    for (name, kind) in f.lists("variables") {
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !named || RESERVED.contains(&name.as_str()) {
            f.error_at(
                "variables",
                format!("`{name}` cannot name a variable"),
                "use a-z, 0-9 and `_`, and not `nonce` or `before`",
            );
        }
        let kind = match kind.as_slice() {
            [kind] => VariableKind::named(kind).ok_or_else(|| format!("`{name}` cannot be \"{kind}\"")),
            among => choice(among).map_err(|why| format!("`{name}` {why}")),
        };
        match kind {
            Ok(kind) => _ = variables.insert(name, kind),
            Err(why) => {
                let kinds = VariableKind::NAMES.join(", ");
                f.error_at("variables", why, format!("write one of {kinds}, or a list to choose from"));
            }
        }
    }
    variables
}

/// Scripts get it in their environment, and texts as it is.
fn choice(among: &[String]) -> Result<VariableKind, &'static str> {
    let is_odd = |text: &String| text.is_empty() || text.len() > 200 || text.chars().any(char::is_control);
    if among.len() < 2 || among.iter().any(is_odd) {
        return Err("is a list of less than two texts, or of texts that are empty, long or of more than one line");
    }
    let different: BTreeSet<&String> = among.iter().collect();
    if different.len() < among.len() {
        return Err("names the same text twice");
    }
    Ok(VariableKind::Choice(among.to_vec()))
}

fn hint(f: Fields<'_>) -> Hint {
    let hint = Hint { text: f.string("text"), after: f.opt_integer("after", 0..=100).unwrap_or(0) };
    f.finish();
    hint
}

fn check(f: Fields<'_>) -> Option<Check> {
    let id = f.parsed("id", CheckId::parse);
    let title = f.opt_string("title");
    let weight = f.opt_integer("weight", 1..=100).unwrap_or(1);
    let expected = f.opt_string("expected");
    let fail = f.string("fail");
    let why = f.opt_string("why").unwrap_or_default();
    let refs = f.strings("refs");
    let lesson = f.opt_string("lesson");
    let passes_at_start = f.opt_bool("passes_at_start").unwrap_or(false);
    let after = f.parsed_list("after", CheckId::parse);
    let within = f.opt_parsed("within", within);
    let kind = f.string("kind");
    let Some((_, read)) = kinds::KINDS.iter().find(|(name, _)| *name == kind) else {
        if !kind.is_empty() {
            let names: Vec<_> = kinds::KINDS.iter().map(|(name, _)| *name).collect();
            f.error_at(
                "kind",
                format!("there is no kind of check \"{kind}\""),
                format!("write one of {}", names.join(", ")),
            );
        }
        return None;
    };
    let line = f.line();
    let kind = read(&f);
    if let Some(kind) = &kind
        && within.is_some()
        && kind.does_something()
    {
        f.error_at(
            "within",
            format!("a check of kind \"{}\" does something, so it is not done again and again", kind.name()),
            "leave `within` out; a service that does not answer yet is asked again anyway",
        );
    }
    f.finish();
    let kind = kind?;
    let within = within.unwrap_or_default();
    let title = title.unwrap_or_else(|| expected.clone().unwrap_or_else(|| kind.expected()));
    Some(Check {
        id: id?,
        title,
        weight,
        expected,
        fail,
        why,
        refs,
        lesson,
        passes_at_start,
        after,
        within,
        kind,
        line,
    })
}

/// A grading is over after a minute, and is one of two where the engine restarts.
fn within(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(30);
    match parse_duration(text)? {
        within if within > longest => Err(format!("`{text}` is longer than {} s", longest.as_secs())),
        within => Ok(within),
    }
}

fn requires(f: Fields<'_>) -> Requires {
    let lowest = |key| {
        f.opt_parsed(key, |text| {
            let version = version(text);
            if version.is_empty() { Err("write a version, such as \"20.10\"") } else { Ok(version) }
        })
    };
    let requires = Requires { engine: lowest("engine"), cgroup: f.integers("cgroup", 1..=2), kernel: lowest("kernel") };
    f.finish();
    requires
}
