//! The store's suite. Every case runs on SQLite and on a PostgreSQL that the suite starts itself and stops again.
//!
//! ```text
//! engine    databases: a file for SQLite, Debian's PostgreSQL on a socket of its own
//! accounts, sessions, reading, papers, audit, opening, sandboxes, attempts   cases by table
//! ```
//!
//! A case is an `async fn(Fresh)` listed in [`CASES`]; it gets an empty database with all tables.

mod accounts;
mod attempts;
mod audit;
mod engine;
mod opening;
mod papers;
mod reading;
mod sandboxes;
mod sessions;

use std::{future::Future, pin::Pin};

use bulkhead::store::Dialect;
use engine::{Fresh, Server};

type Case = fn(Fresh) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($module:ident::$case:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($case)), |fresh| Box::pin($module::$case(fresh)))),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    accounts::an_account_is_found_again,
    accounts::an_email_belongs_to_one_account,
    accounts::racing_sign_ups_make_one_account,
    accounts::unknown_accounts_are_nothing,
    accounts::a_new_password_ends_the_other_sessions,
    attempts::a_finished_attempt_comes_with_evidence_verdicts_and_best,
    attempts::only_who_holds_the_token_finishes_and_only_once,
    attempts::one_attempt_runs_in_a_sandbox,
    attempts::the_best_counts_and_a_pass_stays,
    attempts::an_abandoned_attempt_costs_nothing,
    attempts::answers_and_hints_are_kept_apart,
    audit::entries_come_back_latest_first,
    opening::opening_twice_changes_nothing,
    opening::a_transaction_is_all_or_nothing,
    opening::writers_wait_for_each_other,
    opening::a_row_needs_what_it_belongs_to,
    papers::a_paper_is_handed_in_once,
    papers::the_best_of_all_papers_counts,
    papers::what_was_missed_comes_in_order,
    reading::a_lesson_is_read_once_and_again,
    reading::the_last_submission_counts_and_a_pass_stays,
    reading::progress_of_all_is_told_apart,
    sandboxes::a_sandbox_is_found_again_as_it_was,
    sandboxes::one_for_each_account_and_lab,
    sandboxes::of_two_who_write_one_wins,
    sandboxes::the_queue_has_an_order,
    sandboxes::servers_are_alive_while_they_say_so,
    sandboxes::a_key_is_made_once,
    sandboxes::everything_goes_with_its_account,
    sessions::a_session_keeps_its_data,
    sessions::a_session_is_not_kept_under_its_id,
    sessions::colliding_ids_make_two_sessions,
    sessions::an_ended_session_does_not_rise_again,
    sessions::a_session_ends_after_two_idle_weeks,
    sessions::a_session_ends_after_two_months_of_use,
    sessions::sessions_go_with_their_account,
    sessions::purging_leaves_what_lives,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_case_on_sqlite() {
    run(&Server::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_on_postgres() {
    if let Some(server) = Server::postgres().await {
        run(&server).await;
    }
}

/// Runs all, so that one failure does not hide the others.
async fn run(server: &Server) {
    let mut failed = Vec::new();
    for (name, case) in CASES {
        let fresh = server.fresh().await;
        let store = fresh.store.clone();
        if tokio::spawn(case(fresh)).await.is_err() {
            failed.push(*name);
        }
        store.close().await;
    }
    assert!(failed.is_empty(), "on {:?} failed: {failed:#?}", server.dialect());
    assert!(matches!(server.dialect(), Dialect::Sqlite | Dialect::Postgres));
}
