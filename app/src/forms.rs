//! Plain form posts, read the same way that the pages write them.

use std::collections::BTreeMap;

use crate::api::course::{Answer, Question, QuestionKind};

/// Name of a question's input in the quiz form: `q.{id}`, several times where several options may be chosen, and once for
/// each item that is given a place.
pub fn quiz_field(question: &str) -> String {
    format!("q.{question}")
}

/// The quiz form's fields as answers. A choice posts its option's index, a short answer its text; which of the two a
/// value is, the quiz itself decides, so both are filled in where a value could be either.
pub fn quiz_answers<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Answer> {
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    for (name, value) in fields {
        let Some(id) = name.strip_prefix("q.") else { continue };
        let answer =
            answers.entry(id.to_owned()).or_insert_with(|| Answer { question: id.to_owned(), ..Answer::default() });
        if let Ok(choice) = value.parse() {
            answer.choices.push(choice);
        }
        value.clone_into(&mut answer.text);
    }
    answers.into_values().collect()
}

/// Only the part of an answer that its question's kind reads.
pub fn narrowed(question: &Question, mut answer: Answer) -> Answer {
    match question.kind {
        QuestionKind::Single { .. } | QuestionKind::Multiple { .. } | QuestionKind::Order { .. } => answer.text.clear(),
        QuestionKind::Short => answer.choices.clear(),
    }
    answer
}

/// A path on this site to go on to, or `/` for anything that could lead elsewhere.
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_one_question_are_gathered() {
        let answers = quiz_answers([("q.a", "0"), ("q.a", "2"), ("q.b", "cap_sys_admin"), ("other", "1")]);
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0].choices, [0, 2]);
        assert_eq!(answers[1].text, "cap_sys_admin");
        assert!(answers[1].choices.is_empty());
    }

    #[test]
    fn a_number_as_a_short_answer_stays_text() {
        let question =
            Question { id: "a".into(), prompt_html: String::new(), printed: None, kind: QuestionKind::Short };
        let answer = narrowed(&question, quiz_answers([("q.a", "1000")]).remove(0));
        assert_eq!((answer.text.as_str(), answer.choices.len()), ("1000", 0));
    }

    #[test]
    fn only_local_paths_are_followed() {
        assert_eq!(local_path("/labs?x=1"), "/labs?x=1");
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "",
            "/a\r\nSet-Cookie: b",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign:?}");
        }
    }
}
