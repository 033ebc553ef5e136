//! The student's own progress, and the instructor's matrix.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_app::api::{
    ApiResult, Caller, Role,
    course::LessonState,
    progress::{Matrix, MatrixCell, MatrixRow, ModuleProgress, MyProgress},
};
use bulkhead_content::Status;

use super::{Fault, Platform, account_of, course::lesson_state, lab, require, test};
use crate::store::AccountId;

pub(super) async fn mine(platform: &Platform, caller: &Caller) -> ApiResult<MyProgress> {
    let account = account_of(caller)?;
    let reading = platform.store.reading();
    let read: BTreeSet<_> = reading.lessons_read(account).await.map_err(Fault::shown)?.into_keys().collect();
    let passed = reading.quizzes_passed(account).await.map_err(Fault::shown)?;
    let passed: BTreeSet<_> = passed.into_iter().filter_map(|(lesson, passed)| passed.then_some(lesson)).collect();
    let mut modules: BTreeMap<u8, ModuleProgress> = BTreeMap::new();
    for placed in platform.course.lessons().filter(|placed| placed.lesson.status != Status::Draft) {
        let module = modules.entry(placed.module.number).or_insert_with(|| ModuleProgress {
            number: placed.module.number,
            title: placed.module.title.clone(),
            done: 0,
            total: 0,
        });
        module.total += 1;
        module.done += u32::from(is_done(&read, &passed, placed.lesson));
    }
    Ok(MyProgress {
        lessons_done: modules.values().map(|module| module.done).sum(),
        lessons_total: modules.values().map(|module| module.total).sum(),
        labs: lab::progress(platform, account).await?,
        modules: modules.into_values().collect(),
        tests: test::links(platform, caller).await?.into_iter().map(|(_, test)| test).collect(),
    })
}

pub(super) async fn matrix(platform: &Platform, caller: &Caller) -> ApiResult<Matrix> {
    require(caller, Role::Instructor)?;
    let labs = lab::matrix_labs(platform);
    let mut cells = lab::matrix_cells(platform).await?;
    let mut done = lessons_done(platform).await?;
    let accounts = platform.store.accounts().list().await.map_err(Fault::shown)?;
    let students = accounts.into_iter().filter(|account| account.role == Role::Student).map(|account| MatrixRow {
        account: account.id.get(),
        cells: labs
            .iter()
            .map(|lab| {
                let empty = MatrixCell { best_score: None, passed: false, attempts: 0, live: false, report_href: None };
                cells.remove(&(account.id, lab.id.clone())).unwrap_or(empty)
            })
            .collect(),
        lessons_done: done.remove(&account.id).unwrap_or_default(),
        name: account.name,
        email: account.email,
        last_seen: account.last_seen_at.map(crate::clock::Moment::rfc3339),
    });
    let students = students.collect();
    Ok(Matrix { labs, students })
}

/// Account → lessons done.
async fn lessons_done(platform: &Platform) -> ApiResult<BTreeMap<AccountId, u32>> {
    let reading = platform.store.reading();
    let read = group(reading.all_lessons_read().await.map_err(Fault::shown)?);
    let passed = group(reading.all_quizzes_passed().await.map_err(Fault::shown)?);
    let nothing = BTreeSet::new();
    let count = |(account, read): (&AccountId, &BTreeSet<String>)| {
        let passed = passed.get(account).unwrap_or(&nothing);
        let done = platform.course.lessons().filter(|placed| is_done(read, passed, placed.lesson)).count();
        (*account, u32::try_from(done).unwrap_or(u32::MAX))
    };
    Ok(read.iter().map(count).collect())
}

fn group(pairs: Vec<(AccountId, String)>) -> BTreeMap<AccountId, BTreeSet<String>> {
    let mut groups: BTreeMap<AccountId, BTreeSet<String>> = BTreeMap::new();
    for (account, lesson) in pairs {
        groups.entry(account).or_default().insert(lesson);
    }
    groups
}

fn is_done(read: &BTreeSet<String>, passed: &BTreeSet<String>, lesson: &bulkhead_content::Lesson) -> bool {
    lesson_state(lesson, read.contains(&lesson.id), passed.contains(&lesson.id)) == LessonState::Done
}
