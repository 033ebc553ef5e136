//! Tests: which questions of the course one is made of. Drawing is pure; who keeps what was drawn is the caller's business.
//!
//! A question is named over the whole course by its key: `lesson-id.question-id`, or `@module-slug.question-id` for one
//! that stands in the module's own `test.md`.

use crate::{Course, Lesson, Module, Placed, Question, Quiz};

/// Questions of a module's test, where the module has as many.
pub const MODULE_TEST: usize = 12;
/// Questions of the final test.
pub const FINAL_TEST: usize = 30;
/// At most so many of the final test's questions are ones that were missed: the rest shows that the others still hold.
const MOST_MISSED: usize = 20;

#[derive(Clone, Debug)]
pub struct Pooled<'a> {
    pub key: String,
    pub question: &'a Question,
    pub module: &'a Module,
    /// `None`: the module's own question.
    pub lesson: Option<Placed<'a>>,
}

impl Course {
    /// Every question that a reader may be asked, in course order; of a module first its own, then its lessons'.
    pub fn pool(&self, sees: impl Fn(&Lesson) -> bool) -> Vec<Pooled<'_>> {
        let mut pool = Vec::new();
        for module in &self.modules {
            pool.extend(module.test.iter().map(|question| Pooled {
                key: format!("@{}.{}", module.slug, question.id),
                question,
                module,
                lesson: None,
            }));
            for placed in self.lessons().filter(|placed| placed.module.slug == module.slug && sees(placed.lesson)) {
                let questions = placed.lesson.quiz.iter().flat_map(|quiz| &quiz.questions);
                pool.extend(questions.map(|question| Pooled {
                    key: key(&placed.lesson.id, &question.id),
                    question,
                    module,
                    lesson: Some(placed),
                }));
            }
        }
        pool
    }
}

/// The key of a lesson's question.
pub fn key(lesson: &str, question: &str) -> String {
    format!("{lesson}.{question}")
}

/// The keys of a module's test: its own questions first, then as many of each lesson as of any other.
pub fn draw_module(pool: &[Pooled<'_>], module: &str, seed: u64) -> Vec<String> {
    let (own, lessons): (Vec<_>, Vec<_>) =
        pool.iter().filter(|pooled| pooled.module.slug == module).partition(|pooled| pooled.lesson.is_none());
    let own = shuffled(own, seed).into_iter().map(|pooled| pooled.key.clone());
    let groups = grouped(lessons, |pooled| pooled.lesson.map(|placed| placed.lesson.path.as_str()), seed);
    own.chain(in_turn(groups)).take(MODULE_TEST).collect()
}

/// The keys of the final test: what was missed (`missed`, the worst first), then as much of each module as of any other.
pub fn draw_final(pool: &[Pooled<'_>], missed: &[String], seed: u64) -> Vec<String> {
    let known = |key: &&String| pool.iter().any(|pooled| pooled.key == **key);
    let mut drawn: Vec<String> = missed.iter().filter(known).take(MOST_MISSED).cloned().collect();
    let rest: Vec<_> = pool.iter().filter(|pooled| !drawn.contains(&pooled.key)).collect();
    let groups = grouped(rest, |pooled| Some(pooled.module.slug.as_str()), seed);
    let missing = FINAL_TEST - drawn.len();
    drawn.extend(in_turn(groups).take(missing));
    drawn
}

/// The questions of a test as one quiz; their ids are their keys. What is no longer in the course is left out.
pub fn paper(pool: &[Pooled<'_>], keys: &[String]) -> Quiz {
    let question = |key: &String| {
        let pooled = pool.iter().find(|pooled| pooled.key == *key)?;
        Some(Question { id: key.clone(), ..pooled.question.clone() })
    };
    Quiz { questions: keys.iter().filter_map(question).collect() }
}

/// In groups by what `of` names, each shuffled, in the order in which the groups first occur.
fn grouped<'p, 'a>(
    pool: Vec<&'p Pooled<'a>>,
    of: impl Fn(&'p Pooled<'a>) -> Option<&'p str>,
    seed: u64,
) -> Vec<Vec<&'p Pooled<'a>>> {
    let mut groups: Vec<(Option<&str>, Vec<&Pooled<'_>>)> = Vec::new();
    for pooled in pool {
        let name = of(pooled);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(pooled),
            None => groups.push((name, vec![pooled])),
        }
    }
    groups.into_iter().map(|(_, group)| shuffled(group, seed)).collect()
}

/// One of each group, then the second of each, and so on.
fn in_turn<'p>(groups: Vec<Vec<&'p Pooled<'_>>>) -> impl Iterator<Item = String> + use<'p> {
    let longest = groups.iter().map(Vec::len).max().unwrap_or_default();
    let keys: Vec<String> = (0..longest)
        .flat_map(|round| groups.iter().filter_map(move |group| group.get(round)).map(|pooled| pooled.key.clone()))
        .collect();
    keys.into_iter()
}

fn shuffled<'p, 'a>(mut pool: Vec<&'p Pooled<'a>>, seed: u64) -> Vec<&'p Pooled<'a>> {
    pool.sort_by_cached_key(|pooled| mixed(&pooled.key, seed));
    pool
}

/// FNV-1a with a finish that spreads neighbours: no secret hangs on it.
fn mixed(key: &str, seed: u64) -> u64 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ seed.rotate_left(17)
}
