//! Many labs side by side: a lab's proofs follow each other, labs do not wait for each other.

use futures::{StreamExt, stream};

use super::{Options, ProofEvent, Report, prove};
use crate::{engine::SandboxEngine, manifest::Lab};

/// What came of one lab.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Tested {
    Proved(Report),
    /// It cannot run here.
    Skipped {
        lab: String,
        title: String,
        reasons: Vec<String>,
    },
}

impl Tested {
    /// Whether nothing is wrong with it, as far as can be seen here.
    pub fn stands(&self) -> bool {
        match self {
            Self::Proved(report) => report.stands(),
            Self::Skipped { .. } => true,
        }
    }

    pub fn lab(&self) -> &str {
        match self {
            Self::Proved(report) => &report.lab,
            Self::Skipped { lab, .. } => lab,
        }
    }
}

/// What happens while labs are proved.
#[derive(Clone, Copy, Debug)]
pub enum TestEvent<'a> {
    Proof(&'a ProofEvent),
    Ended(&'a Tested),
}

/// Proves at most `jobs` labs at once; what came of them is in the order in which they were given. Those with the most
/// wrong fixes begin, as they take longest.
pub async fn prove_all(
    engine: &dyn SandboxEngine,
    labs: &[(&Lab, Options)],
    jobs: usize,
    events: &(dyn Fn(&Lab, TestEvent<'_>) + Send + Sync),
) -> Vec<Tested> {
    let mut order: Vec<usize> = (0..labs.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(labs[*index].0.wrong_fixes.len()));
    let one = async |index: usize| {
        let (lab, options) = &labs[index];
        let reasons = lab.requires.unmet(engine.capabilities());
        let tested = if reasons.is_empty() {
            Tested::Proved(prove(engine, lab, options, &|event| events(lab, TestEvent::Proof(&event))).await)
        } else {
            Tested::Skipped { lab: lab.id.to_string(), title: lab.title.clone(), reasons }
        };
        events(lab, TestEvent::Ended(&tested));
        (index, tested)
    };
    let mut tested: Vec<(usize, Tested)> = stream::iter(order).map(one).buffer_unordered(jobs.max(1)).collect().await;
    tested.sort_by_key(|(index, _)| *index);
    tested.into_iter().map(|(_, tested)| tested).collect()
}
