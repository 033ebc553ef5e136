//! One sandbox of a proof.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use sha2::{Digest, Sha256};
use time::Duration;

use super::Options;
use crate::{
    engine::{EngineError, SandboxEngine, SandboxId},
    grade::{Answer, Context, CourseKey, Grading, Nonce, Variables, clean, grade_lab, grade_with_restart},
    link::{AgentLink, LinkError},
    manifest::{CheckId, Lab, Script},
    sandbox::{self, ProvisionError},
};

#[derive(Debug, thiserror::Error)]
pub(super) enum BenchError {
    #[error("no sandbox: {0}")]
    Provision(#[from] ProvisionError),
    #[error("`{0}` cannot name a sandbox")]
    Id(String),
    #[error("the sandbox could not be taken away: {0}")]
    Destroy(#[from] EngineError),
    #[error("the script could not be run: {0}")]
    Link(#[from] LinkError),
    #[error("{path} ended with {code}: {said}")]
    Script { path: String, code: i32, said: String },
    #[error("{path} took longer than {seconds} s")]
    TimedOut { path: String, seconds: u64 },
    #[error("{path} says `answer {check} …`: {why}")]
    Answer { path: String, check: String, why: String },
}

pub(super) struct Bench<'a> {
    engine: &'a dyn SandboxEngine,
    lab: &'a Lab,
    options: &'a Options,
    /// Every id that was used, for the last proof.
    ids: Vec<SandboxId>,
    gradings: AtomicU32,
}

pub(super) struct Sandbox {
    id: SandboxId,
    link: AgentLink,
    variables: Variables,
    answers: BTreeMap<CheckId, Answer>,
}

impl Sandbox {
    pub(super) fn link(&self) -> &AgentLink {
        &self.link
    }
}

/// A sandbox after a script, and what came of it.
pub(super) struct Solved {
    pub(super) sandbox: Sandbox,
    pub(super) grading: Grading,
}

/// However slow a machine is, a proof's sandbox is none that a student waits for.
const LIFETIME: Duration = Duration::minutes(30);

impl<'a> Bench<'a> {
    pub(super) fn new(engine: &'a dyn SandboxEngine, lab: &'a Lab, options: &'a Options) -> Self {
        Self { engine, lab, options, ids: Vec::new(), gradings: AtomicU32::new(0) }
    }

    /// A sandbox as a student gets it.
    pub(super) async fn fresh(&mut self) -> Result<Sandbox, BenchError> {
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX) + 1;
        let [a, b, c, d, ..] = self.options.seed;
        let id = format!("proof-{a:02x}{b:02x}{c:02x}{d:02x}-{number}");
        let id = SandboxId::parse(&id).ok_or(BenchError::Id(id))?;
        self.ids.push(id.clone());
        let key = CourseKey::new(self.options.seed);
        let variables = Variables::derive(&key, "proof", &self.lab.id, number, &self.lab.variables);
        let plan = self.lab.plan(id.clone(), "proof", 1, self.options.now + LIFETIME, &self.options.image, &variables);
        let ready = sandbox::provision(self.engine, &plan, &|_| ()).await?;
        Ok(Sandbox { id, link: ready.link, variables, answers: BTreeMap::new() })
    }

    /// A fresh sandbox, the scripts run in it one after the other, graded as a student is.
    pub(super) async fn solve(&mut self, scripts: impl Iterator<Item = &Script>) -> Result<Solved, BenchError> {
        let mut sandbox = self.fresh().await?;
        for script in scripts {
            if let Err(why) = self.run(&mut sandbox, script).await {
                self.destroy(sandbox).await?;
                return Err(why);
            }
        }
        let grading = self.grade(&sandbox, true).await;
        Ok(Solved { sandbox, grading })
    }

    pub(super) async fn grade(&self, sandbox: &Sandbox, regrade: bool) -> Grading {
        let number = self.gradings.fetch_add(1, Ordering::Relaxed);
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&Sha256::digest([&self.options.seed[..], &number.to_be_bytes()].concat())[..16]);
        let context = Context::new(sandbox.variables.clone(), sandbox.answers.clone(), Nonce::new(nonce));
        if regrade {
            grade_with_restart(self.lab, &sandbox.link, &sandbox.link, &context, &|_| ()).await
        } else {
            grade_lab(self.lab, &sandbox.link, &context, &|_| ()).await
        }
    }

    pub(super) async fn destroy(&self, sandbox: Sandbox) -> Result<(), BenchError> {
        Ok(self.engine.destroy(&sandbox.id).await?)
    }

    /// What is still there of this proof's sandboxes; takes it away.
    pub(super) async fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        match self.engine.list().await {
            Ok(list) => left.extend(list.into_iter().map(|found| found.id).filter(|id| self.ids.contains(id))),
            Err(why) => return vec![format!("the engine could not be asked: {why}")],
        }
        for id in &self.ids {
            if !left.contains(id) && !matches!(self.engine.status(id).await, Ok(None)) {
                left.push(id.clone());
            }
        }
        let mut problems = Vec::new();
        for id in left {
            let undone = match self.engine.destroy(&id).await {
                Ok(()) => "it was destroyed now".to_owned(),
                Err(why) => why.to_string(),
            };
            problems.push(format!("the sandbox {id} was left behind; {undone}"));
        }
        problems
    }

    async fn run(&self, sandbox: &mut Sandbox, script: &Script) -> Result<(), BenchError> {
        let environment = sandbox.variables.environment().into_iter().collect();
        let exec = sandbox::script(script.machine.as_str(), &script.text, &environment, script.timeout);
        let result = sandbox.link.exec(exec).await?;
        let path = script.path.clone();
        if result.timed_out {
            return Err(BenchError::TimedOut { path, seconds: script.timeout.as_secs() });
        }
        if result.code != 0 {
            let said = format!("{}{}", result.stdout, result.stderr);
            let tail = said.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
            return Err(BenchError::Script { path, code: result.code, said: clean::clean(&said[tail..]) });
        }
        for line in result.stdout.lines() {
            let Some((check, text)) = line.strip_prefix("answer ").and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            let failed = |why: String| BenchError::Answer { path: path.clone(), check: check.to_owned(), why };
            if self.lab.check(check).is_none_or(|(_, check)| check.kind.question().is_none()) {
                return Err(failed("there is no such question".to_owned()));
            }
            let id = CheckId::parse(check).map_err(|why| failed(why.to_string()))?;
            sandbox.answers.insert(id, Answer::parse(text).map_err(|why| failed(why.to_string()))?);
        }
        Ok(())
    }
}
