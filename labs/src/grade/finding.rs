//! What a kind's judgement comes to, before it is cleaned and shown.

/// What was seen, and whether it is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub holds: bool,
    /// Hostile text; cleaned before it is shown.
    pub observed: String,
    /// More than the author's `fail` text can know.
    pub why: Option<String>,
    /// The exploit was seen to work.
    pub breach: bool,
}

impl Finding {
    pub fn new(holds: bool, observed: impl Into<String>) -> Self {
        Self { holds, observed: observed.into(), why: None, breach: false }
    }

    pub fn pass(observed: impl Into<String>) -> Self {
        Self::new(true, observed)
    }

    pub fn fail(observed: impl Into<String>) -> Self {
        Self::new(false, observed)
    }

    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

/// Why a judgement stops early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It asked for a look that nobody took yet; judge again once it was taken.
    NotYet,
    /// The platform could not look, or what it saw cannot be trusted. In words for the student.
    Unknown(String),
    /// Enough was seen to say no.
    Fails(Finding),
}

impl Halt {
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }

    pub fn fails(observed: impl Into<String>) -> Self {
        Self::Fails(Finding::fail(observed))
    }
}

pub type Outcome = Result<Finding, Halt>;

/// All of them must hold: one that is still open leaves it open, else failures decide, else the first unknown, else it
/// passes. The evidence is that of all which decided.
pub(crate) fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let (mut pass, mut fail, mut unknown, mut open) = (None, None, None, false);
    for outcome in outcomes {
        match outcome {
            Err(Halt::NotYet) => open = true,
            Err(Halt::Unknown(why)) => _ = unknown.get_or_insert(why),
            Ok(finding) if finding.holds => join(&mut pass, finding),
            Ok(finding) | Err(Halt::Fails(finding)) => join(&mut fail, finding),
        }
    }
    match (open, fail, unknown, pass) {
        (true, ..) => Err(Halt::NotYet),
        (_, Some(fail), ..) => Ok(fail),
        (_, _, Some(why), _) => Err(Halt::Unknown(why)),
        (_, _, _, Some(pass)) => Ok(pass),
        _ => Err(Halt::unknown("there was nothing to look at")),
    }
}

fn join(joined: &mut Option<Finding>, next: Finding) {
    match joined {
        None => *joined = Some(next),
        Some(first) => {
            if !first.observed.contains(&next.observed) {
                first.observed = format!("{}; {}", first.observed, next.observed);
            }
            first.breach |= next.breach;
            first.why = first.why.take().or(next.why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides() {
        let pass = || Ok(Finding::pass("p"));
        let fail = || Ok(Finding::fail("f"));
        let unknown = || Err(Halt::unknown("u"));
        assert_eq!(all([pass(), fail(), unknown()]), fail());
        assert_eq!(all([pass(), unknown()]), unknown());
        assert_eq!(all([fail(), Err(Halt::NotYet)]), Err(Halt::NotYet));
        assert_eq!(all([pass(), pass()]), pass());
        assert!(matches!(all([]), Err(Halt::Unknown(_))));
    }
}
