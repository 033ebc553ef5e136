//! Values that differ by student and attempt, derived from a seed so that nothing need be stored:
//! HMAC-SHA256(course key, student, lab, attempt), then one value for each name.

use std::{collections::BTreeMap, fmt};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::manifest::{LabId, VariableKind};

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
        for (name, kind) in kinds {
            let attempt = attempt.to_string();
            let digest = digest(key, &[student, lab.as_str(), &attempt, name]);
            let number = u64::from_be_bytes(digest);
            let value = match kind {
                VariableKind::Hex16 => format!("{number:016x}"),
                VariableKind::Port => (20_000 + number % 10_000).to_string(),
                VariableKind::Word => {
                    WORDS[usize::try_from(number % WORDS.len() as u64).unwrap_or_default()].to_owned()
                }
            };
            if *kind == VariableKind::Hex16 {
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

const WORDS: [&str; 32] = [
    "anchor", "ballast", "beacon", "binnacle", "bollard", "bosun", "bowline", "buoy", "capstan", "cargo", "compass",
    "davit", "ferry", "fender", "galley", "gunwale", "halyard", "harbor", "hawser", "helm", "keel", "lantern",
    "mooring", "pilot", "pier", "quay", "rudder", "sextant", "tender", "tiller", "trawler", "winch",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(student: &str, attempt: u32) -> Variables {
        let kinds = BTreeMap::from([
            ("flag".to_owned(), VariableKind::Hex16),
            ("port".to_owned(), VariableKind::Port),
            ("word".to_owned(), VariableKind::Word),
        ]);
        Variables::derive(&CourseKey::new("key"), student, &LabId::parse("lab").unwrap(), attempt, &kinds)
    }

    #[test]
    fn are_the_same_for_the_same_and_differ_for_another() {
        assert_eq!(derive("ada", 1), derive("ada", 1));
        assert_ne!(derive("ada", 1).get("flag"), derive("ada", 2).get("flag"));
        assert_ne!(derive("ada", 1).get("flag"), derive("bob", 1).get("flag"));
    }

    /// A change here would change the flags of sandboxes that are open during an update.
    #[test]
    fn never_change_between_versions() {
        insta::assert_debug_snapshot!(derive("ada", 1).values(), @r#"
        {
            "flag": "9c73b7eae2ca9ab2",
            "port": "28056",
            "word": "rudder",
        }
        "#);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", CourseKey::new("secret")), "CourseKey(…)");
    }
}
