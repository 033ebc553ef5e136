//! Questions as they are shown, and marked.

use bulkhead_app::api::course::{Answer, Mark, OptionMark, Printed, Question, QuestionKind, QuizResult};
use bulkhead_content as content;

pub(crate) fn marked(quiz: &content::Quiz, answers: Vec<Answer>) -> QuizResult {
    let answers: Vec<content::Answer> = answers.into_iter().map(given).collect();
    let marks = quiz.mark(&answers);
    let mark = |mark: content::Mark| Mark {
        question: mark.question,
        answer: Answer { question: mark.answer.question, choices: mark.answer.choices, text: mark.answer.text },
        correct: mark.correct,
        why: mark
            .why
            .into_iter()
            .map(|why| OptionMark { right: why.right, place: why.place, why_html: why.why_html })
            .collect(),
    };
    QuizResult {
        correct: marks.correct,
        total: marks.total,
        passed: marks.passed,
        marks: marks.marks.into_iter().map(mark).collect(),
    }
}

pub(super) fn given(answer: Answer) -> content::Answer {
    content::Answer { question: answer.question, choices: answer.choices, text: answer.text }
}

/// Without their keys.
pub(in crate::backend) fn shown_questions(quiz: &content::Quiz) -> Vec<Question> {
    let question = |question: content::PublicQuestion| Question {
        id: question.id,
        prompt_html: question.prompt_html,
        printed: question.printed.map(|printed| Printed { command: printed.command, output: printed.output }),
        kind: match question.kind {
            content::PublicKind::Single { options_html } => QuestionKind::Single { options_html },
            content::PublicKind::Multiple { options_html } => QuestionKind::Multiple { options_html },
            content::PublicKind::Short => QuestionKind::Short,
            content::PublicKind::Order { items_html } => QuestionKind::Order { items_html },
        },
    };
    quiz.public().questions.into_iter().map(question).collect()
}
