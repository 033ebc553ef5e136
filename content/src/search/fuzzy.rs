//! Which words of the course are meant by a word that was typed: itself, its continuations, or one a slip away.

use std::collections::HashMap;

const EXACT: f32 = 1.0;
const PREFIX: f32 = 0.6;
const MAX_WORD: usize = 40;
const MAX_CONTINUATIONS: usize = 40;

#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Sorted.
    words: Vec<String>,
    trigrams: HashMap<[char; 3], Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) word: usize,
    pub(super) quality: f32,
}

impl Vocabulary {
    /// `words` is sorted and without duplicates.
    pub(super) fn new(words: Vec<String>) -> Self {
        let mut trigrams: HashMap<[char; 3], Vec<usize>> = HashMap::new();
        for (number, word) in words.iter().enumerate() {
            for trigram in self::trigrams(word) {
                let entry = trigrams.entry(trigram).or_default();
                if entry.last() != Some(&number) {
                    entry.push(number);
                }
            }
        }
        Self { words, trigrams }
    }

    pub(super) fn word(&self, number: usize) -> &str {
        &self.words[number]
    }

    pub(super) fn meant(&self, typed: &str) -> Vec<Candidate> {
        let length = typed.chars().count();
        if length > MAX_WORD {
            return Vec::new();
        }
        let from = self.words.partition_point(|word| word.as_str() < typed);
        let mut found: Vec<Candidate> = self.words[from..]
            .iter()
            .enumerate()
            .take_while(|(_, word)| word.starts_with(typed))
            .filter(|(_, word)| length > 2 || word.as_str() == typed)
            .take(MAX_CONTINUATIONS)
            .map(|(at, word)| Candidate { word: from + at, quality: if word == typed { EXACT } else { PREFIX } })
            .collect();
        let slips = match length {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if slips > 0 && found.is_empty() {
            found = self.near(typed, slips);
        }
        found
    }

    /// A slip changes at most four trigrams (two letters swapped), so words that share fewer cannot be near.
    fn near(&self, typed: &str, slips: usize) -> Vec<Candidate> {
        let grams = trigrams(typed);
        let needed = grams.len().saturating_sub(4 * slips).max(1);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for number in grams.iter().filter_map(|gram| self.trigrams.get(gram)).flatten() {
            *shared.entry(*number).or_default() += 1;
        }
        shared
            .into_iter()
            .filter(|(_, count)| *count >= needed)
            .filter_map(|(word, _)| {
                let quality = match distance(typed, &self.words[word], slips)? {
                    0 => EXACT,
                    1 => 0.5,
                    _ => 0.25,
                };
                Some(Candidate { word, quality })
            })
            .collect()
    }
}

fn trigrams(word: &str) -> Vec<[char; 3]> {
    let padded: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
    padded.windows(3).map(|window| [window[0], window[1], window[2]]).collect()
}

/// Optimal string alignment: insertions, deletions, changes, and two neighbours swapped. `None` above `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for row in 1..=a.len() {
        let mut line = vec![row];
        for column in 1..=b.len() {
            let change = usize::from(a[row - 1] != b[column - 1]);
            let mut least = (above[column] + 1).min(line[column - 1] + 1).min(above[column - 1] + change);
            if row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1] {
                least = least.min(before[column - 2] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().filter(|found| *found <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(typed: &str) -> Vec<&'static str> {
        let words = ["capabilities", "capability", "container", "containers", "daemon", "docker", "seccomp"];
        let vocabulary = Vocabulary::new(words.map(str::to_owned).into());
        let mut found: Vec<_> = vocabulary.meant(typed).iter().map(|candidate| words[candidate.word]).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn what_was_typed_and_its_continuations() {
        assert_eq!(meant("container"), ["container", "containers"]);
        assert_eq!(meant("capab"), ["capabilities", "capability"]);
        assert_eq!(meant("do"), Vec::<&str>::new());
    }

    #[test]
    fn slips() {
        for typed in ["dcoker", "doker", "docer", "dockerr", "dockar", "socker"] {
            assert_eq!(meant(typed), ["docker"], "{typed}");
        }
        assert_eq!(meant("secomp"), ["seccomp"]);
        assert_eq!(meant("capabilites"), ["capabilities", "capability"]);
        assert_eq!(meant("kubernetes"), Vec::<&str>::new());
    }

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("ab", "ba", 1), Some(1));
        assert_eq!(distance("ab", "cd", 1), None);
    }
}
