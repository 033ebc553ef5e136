//! Search over the course's sections: in memory, tolerant of typing errors, built once when the course loads.
//!
//! A course has some hundred sections and under ten thousand different words, so a word index with BM25 weights and a
//! trigram index over the *vocabulary* answers in well under two milliseconds. A search engine crate (tantivy) would
//! bring a hundred dependencies and a directory on disk; an `fst` answers edit distances but neither weights nor excerpts.
//!
//! ```text
//! words     text -> words with their place
//! fuzzy     vocabulary: which words are meant by what was typed
//! excerpt   the window of a section that shows the most of it, marked
//! ```

mod excerpt;
mod fuzzy;
mod words;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::Course;
use fuzzy::Vocabulary;

/// What is longer is cut: nobody types it.
const MAX_QUERY: usize = 100;
const MAX_TERMS: usize = 8;

const HEADING_WEIGHT: f32 = 5.0;
const TITLE_WEIGHT: f32 = 4.0;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchHit {
    /// `module-slug/lesson-slug`.
    pub path: String,
    pub lesson: String,
    /// The heading of the section, or the lesson's title where it stands before the first.
    pub title: String,
    pub anchor: Option<String>,
    /// Escaped, with the words that were found in `<mark>`.
    pub excerpt_html: String,
    pub score: f32,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    sections: Vec<Indexed>,
    vocabulary: Vocabulary,
    /// By the number of the word: the sections it occurs in, with its weight there.
    postings: Vec<Vec<(usize, f32)>>,
    mean_length: f32,
}

#[derive(Debug)]
struct Indexed {
    path: String,
    lesson: String,
    title: String,
    anchor: Option<String>,
    text: String,
    length: f32,
}

impl Index {
    pub(crate) fn new(course: &Course) -> Self {
        let mut sections = Vec::new();
        let mut weights: BTreeMap<String, BTreeMap<usize, f32>> = BTreeMap::new();
        for placed in course.lessons() {
            let lesson = placed.lesson;
            for (at, section) in lesson.sections.iter().enumerate() {
                let number = sections.len();
                let mut add = |text: &str, weight: f32| {
                    let mut count = 0.0;
                    for word in words::all(text) {
                        *weights.entry(word).or_default().entry(number).or_default() += weight;
                        count += 1.0;
                    }
                    count
                };
                let length = add(&section.text, 1.0);
                if let Some(heading) = &section.heading {
                    add(&heading.text, HEADING_WEIGHT);
                }
                if at == 0 {
                    add(&lesson.title, TITLE_WEIGHT);
                    add(&lesson.summary, 1.0);
                    lesson.tags.iter().for_each(|tag| {
                        add(tag, 2.0);
                    });
                }
                sections.push(Indexed {
                    path: lesson.path.clone(),
                    lesson: lesson.title.clone(),
                    title: section
                        .heading
                        .as_ref()
                        .map_or_else(|| lesson.title.clone(), |heading| heading.text.clone()),
                    anchor: section.heading.as_ref().map(|heading| heading.anchor.clone()),
                    text: section.text.clone(),
                    length,
                });
            }
        }
        let (words, postings): (Vec<_>, Vec<_>) =
            weights.into_iter().map(|(word, sections)| (word, sections.into_iter().collect::<Vec<_>>())).unzip();
        let total: f32 = sections.iter().map(|section: &Indexed| section.length).sum();
        let mean_length = total / count(sections.len().max(1));
        Self { sections, vocabulary: Vocabulary::new(words), postings, mean_length: mean_length.max(1.0) }
    }

    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<SearchHit> {
        let query: String = query.chars().take(MAX_QUERY).collect();
        let mut terms = words::parts(&query).map(|(word, _)| word).collect::<Vec<_>>();
        terms.dedup();
        terms.truncate(MAX_TERMS);
        let meant: Vec<_> = terms.iter().map(|term| self.vocabulary.meant(term)).collect();
        let mut ranked = self.rank(&meant);
        ranked.truncate(limit);
        let shown: HashSet<&str> =
            meant.iter().flatten().map(|candidate| self.vocabulary.word(candidate.word)).collect();
        ranked
            .into_iter()
            .map(|(number, score)| {
                let section = &self.sections[number];
                SearchHit {
                    path: section.path.clone(),
                    lesson: section.lesson.clone(),
                    title: section.title.clone(),
                    anchor: section.anchor.clone(),
                    excerpt_html: excerpt::excerpt(&section.text, &shown),
                    score,
                }
            })
            .collect()
    }

    /// BM25 over the best reading of each term; a section that lacks a term falls far behind.
    fn rank(&self, meant: &[Vec<fuzzy::Candidate>]) -> Vec<(usize, f32)> {
        let mut scores: HashMap<usize, (f32, usize)> = HashMap::new();
        for candidates in meant {
            let mut best: HashMap<usize, f32> = HashMap::new();
            for candidate in candidates {
                let postings = &self.postings[candidate.word];
                let (all, with) = (count(self.sections.len()), count(postings.len()));
                let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
                for (number, weight) in postings {
                    let length = self.sections[*number].length / self.mean_length;
                    let frequency = weight * 2.2 / (weight + 1.2 * (0.25 + 0.75 * length));
                    let score = rarity * frequency * candidate.quality;
                    let entry = best.entry(*number).or_default();
                    *entry = entry.max(score);
                }
            }
            for (number, score) in best {
                let entry = scores.entry(number).or_default();
                *entry = (entry.0 + score, entry.1 + 1);
            }
        }
        let mut ranked: Vec<_> = scores
            .into_iter()
            .map(|(number, (score, found))| (number, score * (count(found) / count(meant.len())).powi(2)))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }
}

#[expect(clippy::cast_precision_loss, reason = "a course has far fewer sections than a float counts exactly")]
fn count(number: usize) -> f32 {
    number as f32
}

impl Course {
    /// Sections that match best, best first. The query is whatever a reader typed.
    pub fn search(&self, query: &str, limit: usize) -> Vec<SearchHit> {
        self.index.search(query, limit)
    }
}
