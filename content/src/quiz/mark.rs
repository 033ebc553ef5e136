//! Showing a quiz without its keys, and marking what came back. Answers are hostile: they may name anything.

use super::{
    Answer, Kind, Mark, OptionMark, PASS_PERCENT, PublicKind, PublicQuestion, PublicQuiz, Question, Quiz, QuizMarks,
    QuizOption,
};

/// A short answer is one line; what is longer is not looked at.
const MAX_TEXT: usize = 200;

impl Quiz {
    pub fn public(&self) -> PublicQuiz {
        PublicQuiz { questions: self.questions.iter().map(Question::public).collect() }
    }

    /// Marks every question of the quiz. Of several answers to one question the first counts.
    pub fn mark(&self, answers: &[Answer]) -> QuizMarks {
        let marks: Vec<Mark> = self
            .questions
            .iter()
            .map(|question| question.mark(answers.iter().find(|answer| answer.question == question.id)))
            .collect();
        let correct = marks.iter().filter(|mark| mark.correct).count();
        let total = marks.len();
        QuizMarks { correct, total, passed: correct * 100 >= total * PASS_PERCENT, marks }
    }
}

impl Question {
    /// Whether an answer, as it was understood, says anything.
    pub fn is_given(&self, answer: &Answer) -> bool {
        match &self.kind {
            Kind::Single { .. } | Kind::Multiple { .. } => !answer.choices.is_empty(),
            Kind::Short { .. } => !answer.text.trim().is_empty(),
            Kind::Order { items } => answer.choices.iter().any(|place| *place < items.len()),
        }
    }

    fn public(&self) -> PublicQuestion {
        let htmls = |options: &[QuizOption]| options.iter().map(|option| option.html.clone()).collect();
        let kind = match &self.kind {
            Kind::Single { options } => PublicKind::Single { options_html: htmls(options) },
            Kind::Multiple { options } => PublicKind::Multiple { options_html: htmls(options) },
            Kind::Short { .. } => PublicKind::Short,
            Kind::Order { items } => {
                PublicKind::Order { items_html: items.iter().map(|item| item.html.clone()).collect() }
            }
        };
        PublicQuestion {
            id: self.id.clone(),
            prompt_html: self.prompt_html.clone(),
            printed: self.printed.clone(),
            kind,
        }
    }

    fn mark(&self, given: Option<&Answer>) -> Mark {
        let mut answer = Answer { question: self.id.clone(), ..Answer::default() };
        let (correct, why) = match &self.kind {
            Kind::Single { options } | Kind::Multiple { options } => {
                answer.choices = chosen(given, options.len());
                let right = options.iter().enumerate().all(|(at, option)| option.right == answer.choices.contains(&at));
                (
                    right,
                    options
                        .iter()
                        .map(|option| OptionMark {
                            right: option.right,
                            place: None,
                            why_html: option.why_html.clone(),
                        })
                        .collect(),
                )
            }
            Kind::Short { accepted, why_html } => {
                answer.text = given.map(|given| given.text.chars().take(MAX_TEXT).collect()).unwrap_or_default();
                let said = normal(&answer.text);
                let right = accepted.iter().any(|accepted| normal(accepted) == said);
                (right, vec![OptionMark { right, place: None, why_html: why_html.clone() }])
            }
            Kind::Order { items } => {
                answer.choices = places(given, items.len());
                let why: Vec<OptionMark> = items
                    .iter()
                    .zip(&answer.choices)
                    .map(|(item, place)| OptionMark {
                        right: item.place == *place,
                        place: Some(item.place),
                        why_html: item.why_html.clone(),
                    })
                    .collect();
                (why.iter().all(|mark| mark.right), why)
            }
        };
        Mark { question: self.id.clone(), answer, correct, why }
    }
}

fn chosen(given: Option<&Answer>, options: usize) -> Vec<usize> {
    let given = given.map_or(&[][..], |given| &given.choices);
    (0..options).filter(|option| given.contains(option)).collect()
}

/// One for each item; an item that was given none, or one that does not exist, stands behind the last.
fn places(given: Option<&Answer>, items: usize) -> Vec<usize> {
    let given = given.map_or(&[][..], |given| &given.choices);
    (0..items).map(|item| given.get(item).map_or(items, |place| (*place).min(items))).collect()
}

/// Case, surrounding blanks, runs of blanks and enclosing back quotes make no difference in a short answer.
fn normal(text: &str) -> String {
    text.trim().trim_matches('`').split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{super::OrderItem, *};

    fn option(right: bool) -> QuizOption {
        QuizOption { html: "option".into(), right, why_html: "why".into() }
    }

    fn quiz() -> Quiz {
        let question =
            |id: &str, kind| Question { id: id.into(), line: 1, prompt_html: "?".into(), printed: None, kind };
        Quiz {
            questions: vec![
                question("one", Kind::Single { options: vec![option(false), option(true)] }),
                question("many", Kind::Multiple { options: vec![option(true), option(false), option(true)] }),
                question(
                    "word",
                    Kind::Short { accepted: vec!["pivot_root".into(), "pivot_root(2)".into()], why_html: "why".into() },
                ),
            ],
        }
    }

    fn choose(question: &str, choices: &[usize]) -> Answer {
        Answer { question: question.into(), choices: choices.into(), text: String::new() }
    }

    fn write(question: &str, text: &str) -> Answer {
        Answer { question: question.into(), choices: Vec::new(), text: text.into() }
    }

    #[test]
    fn all_right() {
        let marks = quiz().mark(&[choose("one", &[1]), choose("many", &[2, 0]), write("word", "  `Pivot_Root` ")]);
        assert_eq!((marks.correct, marks.total, marks.passed), (3, 3, true));
    }

    #[test]
    fn a_subset_or_a_superset_of_the_right_options_is_wrong() {
        for choices in [&[0][..], &[0, 1, 2], &[]] {
            assert!(!quiz().mark(&[choose("many", choices)]).marks[1].correct, "{choices:?}");
        }
        assert!(!quiz().mark(&[choose("one", &[0, 1])]).marks[0].correct);
    }

    #[test]
    fn unknown_questions_and_options_are_dropped() {
        let marks = quiz().mark(&[choose("one", &[1, 1, 7, usize::MAX]), choose("nowhere", &[0]), choose("one", &[0])]);
        assert!(marks.marks[0].correct);
        assert_eq!(marks.marks[0].answer.choices, [1]);
        assert_eq!((marks.correct, marks.passed), (1, false));
    }

    #[test]
    fn an_order_is_right_as_a_whole_and_each_item_knows_its_place() {
        let item = |place| OrderItem { html: "item".into(), place, why_html: "why".into() };
        let kind = Kind::Order { items: vec![item(2), item(0), item(1)] };
        let question = Question { id: "order".into(), line: 1, prompt_html: "?".into(), printed: None, kind };
        let quiz = Quiz { questions: vec![question] };
        let mark = |choices: &[usize]| quiz.mark(&[choose("order", choices)]).marks.remove(0);
        assert!(mark(&[2, 0, 1]).correct);
        let half = mark(&[2, 1, 0]);
        assert!(!half.correct);
        assert_eq!(
            half.why.iter().map(|why| (why.right, why.place)).collect::<Vec<_>>(),
            [(true, Some(2)), (false, Some(0)), (false, Some(1))]
        );
        for hostile in [&[][..], &[2], &[2, 0, usize::MAX], &[0, 0, 0], &[2, 2, 2]] {
            assert!(!mark(hostile).correct, "{hostile:?}");
        }
        assert_eq!(mark(&[2, usize::MAX]).answer.choices, [2, 3, 3]);
        assert!(mark(&[2, 0, 1, 0, 0]).correct);
        assert!(!format!("{:?}", quiz.public()).contains("place"));
        let given = |choices: &[usize]| quiz.questions[0].is_given(&mark(choices).answer);
        assert!(given(&[1]) && given(&[3, 3, 0]) && !given(&[]) && !given(&[3, 3, 3]));
    }

    #[test]
    fn a_huge_answer_is_cut() {
        let marks = quiz().mark(&[write("word", &"x".repeat(10 << 20))]);
        assert_eq!(marks.marks[2].answer.text.len(), MAX_TEXT);
    }

    #[test]
    fn the_public_view_has_no_key() {
        let shown = format!("{:?}", quiz().public());
        assert!(!shown.contains("right") && !shown.contains("why") && !shown.contains("pivot_root"), "{shown}");
    }
}
