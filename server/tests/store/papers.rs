//! Tests taken, questions missed.

use std::time::Duration;

use bulkhead::store::{AccountId, HandedIn, NewAccount, Standing};
use bulkhead_app::api::course::Answer;

use crate::{accounts::ada, engine::Fresh};

async fn account(fresh: &Fresh, name: &str) -> AccountId {
    let account = NewAccount { email: format!("{name}@example.org"), ..ada(fresh) };
    fresh.store.accounts().insert(&account).await.expect("inserted").id
}

fn handed(fresh: &Fresh, percent: u8, marks: &[(&str, bool)]) -> HandedIn {
    HandedIn {
        answers: vec![Answer { question: "caps.q1".into(), choices: vec![2], text: String::new() }],
        percent,
        passed: percent >= 80,
        at: fresh.now(),
        marks: marks.iter().map(|(question, right)| ((*question).to_owned(), *right)).collect(),
    }
}

pub(crate) async fn a_paper_is_handed_in_once(fresh: Fresh) {
    let ada = account(&fresh, "ada").await;
    let papers = fresh.store.papers();
    assert_eq!(papers.paper(ada, "final").await.expect("asked"), None);
    let keys = ["caps.q1".to_owned(), "@one.q2".to_owned()];
    let drawn = fresh.now();
    papers.draw(ada, "final", &keys, drawn).await.expect("drawn");
    let paper = papers.paper(ada, "final").await.expect("asked").expect("there");
    assert_eq!((paper.questions.as_slice(), paper.drawn_at, paper.taken), (&keys[..], drawn, None));
    let hand_in = || handed(&fresh, 50, &[("caps.q1", true), ("@one.q2", false)]);
    let other = drawn.plus(Duration::from_millis(1));
    assert!(!papers.hand_in(ada, "final", other, &hand_in()).await.expect("another paper"));
    assert!(papers.hand_in(ada, "final", drawn, &hand_in()).await.expect("handed in"));
    assert!(!papers.hand_in(ada, "final", drawn, &hand_in()).await.expect("again"));
    let paper = papers.paper(ada, "final").await.expect("asked").expect("there");
    assert_eq!(paper.taken.expect("taken").answers, hand_in().answers);
    assert_eq!(paper.standing, Standing { best: Some(50), passed: false, taken: 1 });
    assert_eq!(papers.missed(ada).await.expect("asked"), ["@one.q2"]);
}

pub(crate) async fn the_best_of_all_papers_counts(fresh: Fresh) {
    let (ada, bob) = (account(&fresh, "ada").await, account(&fresh, "bob").await);
    let papers = fresh.store.papers();
    for (at, percent) in [(1, 40), (2, 90), (3, 60)] {
        let drawn = fresh.now().plus(Duration::from_secs(at));
        papers.draw(ada, "one", &[], drawn).await.expect("drawn");
        assert_eq!(papers.paper(ada, "one").await.expect("asked").expect("there").taken, None);
        assert!(papers.hand_in(ada, "one", drawn, &handed(&fresh, percent, &[])).await.expect("handed in"));
    }
    papers.draw(bob, "two", &[], fresh.now()).await.expect("drawn");
    let best = Standing { best: Some(90), passed: true, taken: 3 };
    assert_eq!(papers.standings(ada).await.expect("asked"), [("one".to_owned(), best)]);
    assert_eq!(papers.standings(bob).await.expect("asked"), [("two".to_owned(), Standing::default())]);
}

pub(crate) async fn what_was_missed_comes_in_order(fresh: Fresh) {
    let (ada, bob) = (account(&fresh, "ada").await, account(&fresh, "bob").await);
    let papers = fresh.store.papers();
    let record = async |marks: &[(&str, bool)]| {
        let marks: Vec<_> = marks.iter().map(|(question, right)| ((*question).to_owned(), *right)).collect();
        papers.record(ada, &marks, fresh.now()).await.expect("recorded");
    };
    record(&[("a", false), ("b", true), ("c", false), ("d", false)]).await;
    record(&[("a", true), ("c", false), ("d", false)]).await;
    record(&[("d", false)]).await;
    assert_eq!(papers.missed(ada).await.expect("asked"), ["d", "c", "a"]);
    assert!(papers.missed(bob).await.expect("asked").is_empty());
}
