//! The grammars of code, loaded while somebody holds them.
//!
//! Their regular expressions are compiled as they are needed, and are then some 15 MB: more than the course itself. They
//! have a thread to themselves, because the C library keeps apart what each thread allocates and gives it back when all
//! of it is free. Among the pages that are made meanwhile they would leave holes that nothing fills.

use std::{
    cell::LazyCell,
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread::{Builder, JoinHandle},
};

use super::highlight;

/// Whoever renders much holds them meanwhile, or each page loads them for itself. Held only, they cost a thread that waits.
#[derive(Clone, Debug)]
pub struct Grammars(Arc<Keeper>);

impl Grammars {
    pub fn hold() -> Self {
        static HELD: Mutex<Weak<Keeper>> = Mutex::new(Weak::new());
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let keeper = held.upgrade().unwrap_or_else(|| {
            let keeper = Arc::new(Keeper::start());
            *held = Arc::downgrade(&keeper);
            keeper
        });
        Self(keeper)
    }

    /// `None`: no grammar, or it gave up.
    pub(super) fn lines(&self, text: &str, syntax: &str) -> Option<Vec<String>> {
        let (answer, answered) = mpsc::channel();
        let asked = Asked { text: text.to_owned(), syntax: syntax.to_owned(), answer };
        self.0.questions.as_ref()?.send(asked).ok()?;
        answered.recv().ok()?
    }
}

struct Asked {
    text: String,
    syntax: String,
    answer: mpsc::Sender<Option<Vec<String>>>,
}

#[derive(Debug)]
struct Keeper {
    /// `None` once it ends.
    questions: Option<mpsc::Sender<Asked>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Code is shown plainly where no thread can be had.
    fn start() -> Self {
        let (questions, asked) = mpsc::channel::<Asked>();
        let thread = Builder::new().name("grammars".to_owned()).spawn(move || {
            let syntaxes = LazyCell::new(two_face::syntax::extra_newlines);
            for Asked { text, syntax, answer } in asked {
                let _given_up = answer.send(highlight::lines_by(&syntaxes, &text, &syntax));
            }
        });
        Self { questions: Some(questions), thread: thread.ok() }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.questions = None;
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_hold_them_have_the_same() {
        let (first, again) = (Grammars::hold(), Grammars::hold());
        assert!(Arc::ptr_eq(&first.0, &again.0));
        drop(first);
        assert_eq!(again.lines("true\nfalse\n", "bash").map(|lines| lines.len()), Some(2));
        assert_eq!(again.lines("x\n", "no such language"), None);
    }
}
