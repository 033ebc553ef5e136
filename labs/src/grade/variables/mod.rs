//! Values that differ by student and attempt, derived from a seed so that nothing need be stored:
//! HMAC-SHA256(course key, student, lab, attempt), then one value for each name. Values that stand for something that
//! can be there only once (ports, names) differ from each other within a lab.

mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use self::words::{MOODS, PEOPLE, QUALITIES, WORDS};
use crate::manifest::{LabId, VariableKind};

/// Until a value is found that no other variable of the lab has; there are that many names.
const TRIES: u64 = 1024;

/// The installation's key. Never shown, never logged, never in a sandbox.
#[derive(Clone)]
pub struct CourseKey([u8; 64]);

impl CourseKey {
    /// Any length; 32 random bytes are right.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(bytes));
        Self(block)
    }
}

impl fmt::Debug for CourseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CourseKey(…)")
    }
}

/// A lab's variables for one student and attempt (the sandbox's generation). Deterministic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
    secrets: Vec<String>,
}

impl Variables {
    pub fn derive(
        key: &CourseKey,
        student: &str,
        lab: &LabId,
        attempt: u32,
        kinds: &BTreeMap<String, VariableKind>,
    ) -> Self {
        let mut variables = Self::default();
        let mut taken = BTreeSet::new();
        for (name, kind) in kinds {
            let attempt = attempt.to_string();
            let number = u64::from_be_bytes(digest(key, &[student, lab.as_str(), &attempt, name]));
            let value = match kind {
                VariableKind::Port | VariableKind::Name | VariableKind::Container => (0..TRIES)
                    .map(|more| value(kind, number.wrapping_add(more)))
                    .find(|value| taken.insert(value.clone())),
                _ => None,
            };
            let value = value.unwrap_or_else(|| self::value(kind, number));
            if kind.is_secret() {
                variables.secrets.push(value.clone());
            }
            variables.values.insert(name.clone(), value);
        }
        variables
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Values that no verdict may show.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// For setup scripts: `flag` → `BULKHEAD_FLAG`.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.values.iter().map(|(name, value)| (format!("BULKHEAD_{}", name.to_uppercase()), value.clone())).collect()
    }
}

fn value(kind: &VariableKind, number: u64) -> String {
    match kind {
        VariableKind::Hex16 => format!("{number:016x}"),
        VariableKind::Flag => format!("flag_{number:016x}"),
        VariableKind::Port => (20_000 + number % 10_000).to_string(),
        VariableKind::Word => pick(&WORDS, number).to_owned(),
        VariableKind::Name => format!("{}-{}", pick(&QUALITIES, number / 32), pick(&WORDS, number)),
        VariableKind::Container => format!("{}_{}", pick(&MOODS, number / 32), pick(&PEOPLE, number)),
        VariableKind::Choice(among) => {
            let among: Vec<&str> = among.iter().map(String::as_str).collect();
            pick(&among, number).to_owned()
        }
    }
}

fn pick<'a>(among: &[&'a str], number: u64) -> &'a str {
    let index = usize::try_from(number % among.len().max(1) as u64).unwrap_or_default();
    among.get(index).copied().unwrap_or_default()
}

fn digest(key: &CourseKey, parts: &[&str]) -> [u8; 8] {
    let mut mac = Hmac::<Sha256>::new(&key.0.into());
    for part in parts {
        // The length first, so that ("ab", "c") and ("a", "bc") differ.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    let digest = mac.finalize().into_bytes();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds() -> BTreeMap<String, VariableKind> {
        BTreeMap::from([
            ("flag".to_owned(), VariableKind::Hex16),
            ("port".to_owned(), VariableKind::Port),
            ("word".to_owned(), VariableKind::Word),
            ("prize".to_owned(), VariableKind::Flag),
            ("site".to_owned(), VariableKind::Name),
            ("intruder".to_owned(), VariableKind::Container),
            ("store".to_owned(), VariableKind::Choice(["redis", "postgres", "mariadb"].map(str::to_owned).to_vec())),
        ])
    }

    fn derive(student: &str, attempt: u32) -> Variables {
        Variables::derive(&CourseKey::new("key"), student, &LabId::parse("lab").unwrap(), attempt, &kinds())
    }

    #[test]
    fn are_the_same_for_the_same_and_differ_for_another() {
        assert_eq!(derive("ada", 1), derive("ada", 1));
        for other in [derive("ada", 2), derive("bob", 1)] {
            for name in ["flag", "port", "word", "prize", "site", "intruder", "store"] {
                assert_ne!(derive("ada", 1).get(name), other.get(name), "{name}");
            }
        }
    }

    /// No kind gives a class the same lab.
    #[test]
    fn a_class_has_many_labs() {
        let class: Vec<Variables> = (0..100).map(|student| derive(&student.to_string(), 1)).collect();
        for (name, least) in
            [("flag", 100), ("port", 95), ("word", 28), ("prize", 100), ("site", 80), ("intruder", 80), ("store", 3)]
        {
            let values: BTreeSet<_> = class.iter().filter_map(|variables| variables.get(name)).collect();
            assert!(values.len() >= least, "{name}: {} of {least}", values.len());
        }
    }

    #[test]
    fn what_can_be_there_only_once_is_given_once() {
        let kinds: BTreeMap<String, VariableKind> = (0..600)
            .flat_map(|n| [(format!("n{n}"), VariableKind::Name), (format!("p{n}"), VariableKind::Port)])
            .collect();
        let variables = Variables::derive(&CourseKey::new("key"), "ada", &LabId::parse("lab").unwrap(), 1, &kinds);
        let values: BTreeSet<&String> = variables.values().values().collect();
        assert_eq!(values.len(), 1200);
    }

    #[test]
    fn what_a_student_is_to_find_is_never_shown() {
        let variables = derive("ada", 1);
        let secrets: BTreeSet<&str> = variables.secrets().iter().map(String::as_str).collect();
        let hidden = ["flag", "prize", "intruder"].map(|name| variables.get(name).unwrap());
        assert_eq!(secrets, BTreeSet::from(hidden));
    }

    /// A change here would change the flags of sandboxes that are open during an update.
    #[test]
    fn never_change_between_versions() {
        insta::assert_debug_snapshot!(derive("ada", 1).values(), @r#"
        {
            "flag": "9c73b7eae2ca9ab2",
            "intruder": "crazy_blackwell",
            "port": "28056",
            "prize": "flag_4dee9b1a89c66fe9",
            "site": "broad-harbor",
            "store": "redis",
            "word": "rudder",
        }
        "#);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", CourseKey::new("secret")), "CourseKey(…)");
    }
}
