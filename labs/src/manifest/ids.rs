//! Names that authors choose. Immutable once published: rows and labels refer to them.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};

/// The text is no id; says what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id: 1 to 40 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`")]
pub struct BadId(String);

fn is_id(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, BadId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(BadId(text.to_owned())) }
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                if is_id(&text) { Ok(Self(text)) } else { Err(BadId(text)) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A lab; also its folder's name.
    LabId
);
id!(
    /// A task within its lab.
    TaskId
);
id!(
    /// A check within its lab (not merely within its task, so that `wrong_fix.fails` and `gate` can name it).
    CheckId
);
id!(
    /// A machine of a lab's sandbox; also its host name.
    MachineName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_fits_a_host_name_and_nothing_else() {
        for good in ["a", "read-only-but-alive", "m2-6"] {
            assert!(LabId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "2a", "A", "a_b", "a/b", "ä", &"a".repeat(41)] {
            assert!(LabId::parse(bad).is_err(), "{bad}");
        }
    }
}
