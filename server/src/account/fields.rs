//! What people type into the forms. A value of these types has been looked at.

use std::fmt;

use super::{AccountError, AccountResult};

/// In its normal form: trimmed, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Takes what could be an address at all. Whether mail arrives there is not ours to find out.
    pub fn parse(text: &str) -> AccountResult<Self> {
        let text = text.trim().to_lowercase();
        let fits = text.len() <= 254
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
            })
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
        if fits { Ok(Self(text)) } else { Err(invalid("email", "Write an e-mail address such as ada@example.org.")) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What others see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub fn parse(text: &str) -> AccountResult<Self> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            Err(invalid("name", "Write the name that others shall see."))
        } else if text.chars().count() > 80 {
            Err(invalid("name", "Use at most 80 characters."))
        } else if text.chars().any(is_deceptive) {
            Err(invalid("name", "Use letters, digits and punctuation only."))
        } else {
            Ok(Self(text))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and those that reorder or hide what stands beside them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A password to be set. Never shown, never logged.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    pub const SHORTEST: usize = 10;
    pub const LONGEST: usize = 200;

    /// `field` is the input that it was typed into.
    pub fn parse(text: &str, field: &'static str, email: &Email) -> AccountResult<Self> {
        let count = text.chars().count();
        if count < Self::SHORTEST {
            Err(invalid(field, "Use at least 10 characters; a few words do well."))
        } else if count > Self::LONGEST {
            Err(invalid(field, "Use at most 200 characters."))
        } else if text.to_lowercase() == email.as_str() {
            Err(invalid(field, "Use something other than your e-mail address."))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

fn invalid(field: &'static str, message: &'static str) -> AccountError {
    AccountError::Invalid { field, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_brought_into_its_normal_form() {
        assert_eq!(Email::parse("  Ada@Example.ORG ").expect("an address").as_str(), "ada@example.org");
        for bad in [
            "",
            "ada",
            "@x.org",
            "ada@",
            "a b@x.org",
            "a@b@c",
            "ada@.org",
            "<ada@x.org>",
            &format!("{}@x.org", "a".repeat(300)),
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_name_hides_nothing() {
        assert_eq!(Name::parse("  Ada \t Lovelace ").expect("a name").as_str(), "Ada Lovelace");
        for bad in ["", "  ", "Ada\u{202e}nimda", "a\u{0}b", &"x".repeat(81)] {
            assert!(Name::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_password_is_long_enough_and_never_shown() {
        let email = Email::parse("somebody@example.org").expect("an address");
        assert!(Password::parse("ninechars", "password", &email).is_err());
        assert!(Password::parse("Somebody@example.org", "password", &email).is_err());
        assert!(Password::parse(&"x".repeat(201), "password", &email).is_err());
        let password = Password::parse("ten chars!", "password", &email).expect("long enough");
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
