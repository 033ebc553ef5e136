use std::collections::BTreeSet;

use super::*;
use crate::manifest::{Catalog, Files};

const ODD: &str = "zzzzzzzzzzzz = 1\n";

/// The keys that the reader says it knows where it finds an odd one.
fn known(manifest: &str) -> BTreeSet<String> {
    let files: Files = [("small/lab.toml".to_owned(), manifest.as_bytes().to_vec())].into();
    let catalog = Catalog::parse(&files);
    let finding =
        catalog.diagnostics().iter().find(|f| f.message.contains("zzzzzzzzzzzz")).expect("the odd key is found");
    let keys = finding.fix.strip_prefix("the keys here are ").expect("the reader lists its keys");
    keys.split(", ").map(str::to_owned).collect()
}

fn described(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().expect("a table").keys().cloned().collect()
}

#[test]
fn tables_have_the_keys_that_the_reader_knows() {
    let schema = schema();
    assert_eq!(described(&schema), known(ODD));
    for key in ["time", "gate", "solution", "requires"] {
        assert_eq!(described(&schema["properties"][key]), known(&format!("[{key}]\n{ODD}")), "{key}");
    }
    let setup = &schema["properties"]["setup"]["anyOf"];
    assert_eq!(described(&setup[0]), known(&format!("[setup]\n{ODD}")));
    assert_eq!(described(&setup[1]["items"]), known(&format!("[[setup]]\n{ODD}")));
    let also = &schema["properties"]["solution"]["properties"]["also"]["items"];
    assert_eq!(described(also), known(&format!("[solution]\n[[solution.also]]\n{ODD}")));
    let route = &schema["properties"]["machine"]["items"]["properties"]["routes"]["items"];
    assert_eq!(described(route), known(&format!("[[machine]]\n[[machine.routes]]\n{ODD}")));
    for key in ["network", "machine", "task", "wrong_fix"] {
        assert_eq!(described(&schema["properties"][key]["items"]), known(&format!("[[{key}]]\n{ODD}")), "{key}");
    }
    let hints = &schema["properties"]["task"]["items"]["properties"]["hints"]["items"];
    assert_eq!(described(hints), known(&format!("[[task]]\n[[task.hints]]\n{ODD}")));
}

#[test]
fn checks_have_the_keys_that_the_reader_knows() {
    let schema = schema();
    let kinds =
        schema["properties"]["task"]["items"]["properties"]["check"]["items"]["oneOf"].as_array().unwrap().clone();
    let names: Vec<_> = crate::grade::kinds::KINDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(kinds.iter().map(|k| k["properties"]["kind"]["const"].as_str().unwrap()).collect::<Vec<_>>(), names);
    let check = |keys: &str| known(&format!("[[task]]\n[[task.check]]\n{keys}"));
    for kind in &kinds {
        let name = kind["properties"]["kind"]["const"].as_str().unwrap();
        let mut keys = check(&format!("kind = \"{name}\"\n{ODD}"));
        if name == "attack" {
            // It is either of two forms.
            keys = check(&format!("kind = \"attack\"\nattempt = []\n{ODD}"));
            keys.extend(check(&format!("kind = \"attack\"\nstep = []\n{ODD}")));
        }
        assert_eq!(described(kind), keys, "{name}");
    }
    let of =
        |name: &str| kinds.iter().find(|k| k["properties"]["kind"]["const"] == name).unwrap()["properties"].clone();
    for (name, key) in [
        ("container", "of"),
        ("process", "capabilities"),
        ("answer", "live"),
        ("answer", "file"),
        ("image", "every"),
        ("image", "size_below"),
        ("tls", "client"),
        ("latency", "trigger"),
        ("probe", "tls"),
    ] {
        assert_eq!(
            described(&of(name)[key]),
            check(&format!("kind = \"{name}\"\n[task.check.{key}]\n{ODD}")),
            "{name}.{key}"
        );
    }
    for (name, key) in [("probe", "step"), ("attack", "step"), ("attack", "attempt"), ("exec", "run"), ("net", "cell")]
    {
        assert_eq!(
            described(&of(name)[key]["items"]),
            check(&format!("kind = \"{name}\"\nof = {{ role = \"x\" }}\n[[task.check.{key}]]\n{ODD}")),
            "{name}.{key}"
        );
    }
    let request = &of("attack")["attempt"]["items"]["properties"]["request"];
    let odd = format!("kind = \"attack\"\n[[task.check.attempt]]\n[task.check.attempt.request]\n{ODD}");
    assert_eq!(described(request), check(&odd), "attack.attempt.request");
}
