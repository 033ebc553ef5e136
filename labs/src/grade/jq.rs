//! jq filters over observations, by jaq.
//!
//! The filter is the author's; the data is the student's. Data comes from a bounded observation and a parser that
//! refuses deep nesting. The time is bounded too: a filter that does not answer in time is left behind on its thread,
//! and the check is `unknown`. No filter reaches files, the environment, the clock or our standard streams.

use std::{fmt, sync::mpsc, time::Duration};

use jaq_core::{
    Compiler, Ctx, Vars, data, load,
    load::{Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::Val;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(2);
/// A filter's answer is evidence for a person, or an answer to compare with.
const MAX_OUTPUT: usize = 64 * 1024;
const STACK: usize = 16 << 20;
/// What would do IO, end the program, or make two gradings differ.
const REFUSED: [&str; 12] = [
    "env",
    "now",
    "halt",
    "halt_error",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "input",
    "inputs",
    "localtime",
    "strflocaltime",
];

type Data = data::JustLut<Val>;
type Filter = jaq_core::Filter<Data>;

/// A filter that compiles.
#[derive(Clone, PartialEq, Eq)]
pub struct Jq(String);

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jq({})", self.0)
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JqError {
    /// The filter gave an error for this input (a number where it wants an object, say).
    #[error("the filter {filter} failed: {why}")]
    Failed { filter: String, why: String },
    #[error("the filter {filter} did not end within {DEADLINE:?}")]
    TimedOut { filter: String },
    #[error("the answer of the filter {filter} is longer than {MAX_OUTPUT} bytes")]
    TooLong { filter: String },
}

impl Jq {
    pub fn parse(source: &str) -> Result<Self, String> {
        compile(source)?;
        Ok(Self(source.to_owned()))
    }

    pub fn source(&self) -> &str {
        &self.0
    }

    /// The filter's first output, or `None` where it has none. `$vars` holds `variables`.
    pub fn first(&self, input: &Value, variables: &Value) -> Result<Option<Value>, JqError> {
        let (sender, receiver) = mpsc::channel();
        let (filter, input, variables) = (self.0.clone(), input.to_string(), variables.to_string());
        let failed = |why: String| JqError::Failed { filter: self.0.clone(), why };
        // Not joined: after the deadline nobody waits for it any more.
        std::thread::Builder::new()
            .name("jq".to_owned())
            .stack_size(STACK)
            .spawn(move || sender.send(run(&filter, &input, &variables)))
            .map_err(|why| failed(format!("no thread for it: {why}")))?;
        match receiver.recv_timeout(DEADLINE) {
            Ok(Ok(Some(text))) if text.len() > MAX_OUTPUT => Err(JqError::TooLong { filter: self.0.clone() }),
            Ok(Ok(Some(text))) => serde_json::from_str(&text).map(Some).map_err(|why| failed(why.to_string())),
            Ok(Ok(None)) => Ok(None),
            Ok(Err(why)) => Err(failed(why)),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(JqError::TimedOut { filter: self.0.clone() }),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(failed("its thread ended".to_owned())),
        }
    }

    /// Whether the first output is there and neither `null` nor `false`.
    pub fn holds(&self, input: &Value, variables: &Value) -> Result<bool, JqError> {
        Ok(self.first(input, variables)?.is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false))))
    }
}

fn compile(source: &str) -> Result<Filter, String> {
    let allowed = |name: &str| !REFUSED.contains(&name);
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).filter(|def| allowed(def.name));
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|(name, ..)| allowed(name));
    let arena = Arena::default();
    let modules = Loader::new(defs).load(&arena, File { code: source, path: () }).map_err(|errors| {
        let what = errors.into_iter().next().map(|(_, error)| match error {
            load::Error::Io(_) => "modules cannot be loaded".to_owned(),
            load::Error::Lex(errors) => errors.first().map(|(wants, at)| near(wants.as_str(), at)).unwrap_or_default(),
            load::Error::Parse(errors) => {
                errors.first().map(|(wants, at)| near(wants.as_str(), at)).unwrap_or_default()
            }
        });
        format!("the jq filter does not parse: {}", what.unwrap_or_default())
    })?;
    Compiler::default().with_funs(funs).with_global_vars(["$vars"]).compile(modules).map_err(|errors| {
        let names: Vec<_> = errors
            .into_iter()
            .flat_map(|(_, errors)| errors)
            .map(|(name, kind)| format!("undefined {} `{name}`", kind.as_str()))
            .collect();
        format!("the jq filter does not compile: {}", names.join(", "))
    })
}

fn near(wants: &str, at: &str) -> String {
    let at: String = at.chars().take(20).collect();
    if at.is_empty() { format!("it wants {wants} at its end") } else { format!("it wants {wants} near `{at}`") }
}

fn run(filter: &str, input: &str, variables: &str) -> Result<Option<String>, String> {
    let filter = compile(filter)?;
    let read = |text: &str| jaq_json::read::parse_single(text.as_bytes()).map_err(|why| why.to_string());
    let context = Ctx::<Data>::new(&filter.lut, Vars::new([read(variables)?]));
    match filter.id.run((context, read(input)?)).map(unwrap_valr).next() {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.to_string())),
        Some(Err(why)) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(filter: &str, input: &Value) -> Result<Option<Value>, JqError> {
        Jq::parse(filter).unwrap().first(input, &json!({ "flag": "f00" }))
    }

    #[test]
    fn takes_the_first_output() {
        let input = json!({ "HostConfig": { "ReadonlyRootfs": true, "CapDrop": ["ALL"] } });
        assert_eq!(first(".HostConfig.ReadonlyRootfs", &input), Ok(Some(json!(true))));
        assert_eq!(first(".HostConfig.CapDrop | index(\"ALL\") != null", &input), Ok(Some(json!(true))));
        assert_eq!(first(".HostConfig.CapDrop | any(test(\"^A\"))", &input), Ok(Some(json!(true))));
        assert_eq!(first("empty", &input), Ok(None));
        assert_eq!(first("$vars.flag", &input), Ok(Some(json!("f00"))));
    }

    #[test]
    fn truth_is_neither_null_nor_false() {
        let holds = |filter| Jq::parse(filter).unwrap().holds(&Value::Null, &Value::Null);
        assert_eq!(holds("0"), Ok(true));
        assert_eq!(holds("null"), Ok(false));
        assert_eq!(holds("false, true"), Ok(false));
        assert_eq!(holds("empty"), Ok(false));
    }

    #[test]
    fn reaches_nothing_outside() {
        for source in REFUSED.iter().map(|name| (*name).to_owned()).chain([
            "$ENV".into(),
            "halt(1)".into(),
            "include \"x\"; .".into(),
        ]) {
            assert!(Jq::parse(&source).is_err(), "{source}");
        }
    }

    #[test]
    fn wrong_filters_say_what_is_wrong() {
        insta::assert_snapshot!(Jq::parse(".a | foo").unwrap_err(), @"the jq filter does not compile: undefined filter `foo`");
        insta::assert_snapshot!(Jq::parse(".a |").unwrap_err(), @"the jq filter does not parse: it wants term at its end");
        insta::assert_snapshot!(Jq::parse("\"a").unwrap_err(), @"the jq filter does not parse: it wants closing quote at its end");
    }

    #[test]
    fn an_endless_filter_is_left_behind() {
        assert!(matches!(first("last(repeat(1))", &Value::Null), Err(JqError::TimedOut { .. })));
    }

    #[test]
    fn a_failure_is_an_error_and_not_false() {
        assert!(matches!(first(".a.b", &json!({ "a": 3 })), Err(JqError::Failed { .. })));
    }
}
