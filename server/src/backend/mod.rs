//! What the pages ask for. Rules live here: every method authorises by its caller.
//!
//! ```text
//! fault     domain errors to the one error that pages know; internal ones are logged once
//! course    outline, lesson, quiz, search
//! lab       sandboxes, checks, hints, answers, terminals, reports
//! print     the course on paper
//! progress  the student's own, the instructor's matrix
//! test      tests over a module and over the course
//! account   name, password, sessions
//! upkeep    what is swept now and then
//! ```

mod account;
pub(crate) mod course;
mod fault;
mod lab;
pub(crate) mod print;
mod progress;
pub(crate) mod test;
mod upkeep;

use std::sync::Arc;

use async_trait::async_trait;
use bulkhead_app::api::{
    ApiResult, Backend, Caller, Role,
    account::SessionView,
    course::{Answer, GlossaryTerm, LessonPage, Outline, QuizResult, SearchHit},
    lab::{CheckScope, HintView, LabCard, LabPage, SandboxView, TerminalView},
    print::{SummarySheet, WholeCourse},
    progress::{Matrix, MyProgress},
    test::TestPage,
};
use bulkhead_content::Course;

pub use fault::{Fault, RequestId, internal};

use self::course::{Reader, Shelf};
use crate::{
    account::{AccountResult, Accounts},
    assets::Site,
    clock::Clock,
    config::Config,
    document::LabReport,
    live::Live,
    random::Random,
    store::{AccountId, Store},
};

/// Everything that a request handler may reach; the router's state is an `Arc` of it.
pub struct Platform {
    pub config: Config,
    pub clock: Clock,
    pub random: Random,
    pub store: Store,
    pub accounts: Accounts,
    pub course: Arc<Course>,
    /// Sandboxes, terminals, grading, events.
    pub live: Live,
    pub site: Site,
}

impl Platform {
    /// Puts the parts together. Costs one password hash.
    pub fn new(
        config: Config,
        clock: Clock,
        random: Random,
        store: Store,
        course: Arc<Course>,
        live: Live,
    ) -> AccountResult<Self> {
        let accounts = Accounts::new(&config, store.clone(), clock.clone(), random.clone())?;
        let site = Site::open(config.site.clone());
        Ok(Self { config, clock, random, store, accounts, course, live, site })
    }

    /// What is read here.
    fn shelf(&self) -> Shelf<'_> {
        Shelf { course: &self.course, labs: &self.live.catalog }
    }

    /// The printable report of one attempt: the caller's own, or anyone's for instructors.
    pub async fn report(&self, caller: &Caller, lab: &str, attempt: i64) -> ApiResult<LabReport> {
        lab::report(self, caller, lab, attempt).await
    }
}

/// The caller's account, or [`bulkhead_app::api::ApiError::Unauthenticated`].
pub(crate) fn account_of(caller: &Caller) -> ApiResult<AccountId> {
    caller.account().map(|account| AccountId::new(account.id))
}

/// Whoever is less than `role` is told that there is nothing here.
pub(crate) fn require(caller: &Caller, role: Role) -> ApiResult<AccountId> {
    let id = account_of(caller)?;
    if caller.at_least(role) { Ok(id) } else { Err(bulkhead_app::api::ApiError::NotFound) }
}

#[async_trait]
impl Backend for Platform {
    async fn outline(&self, caller: &Caller) -> ApiResult<Outline> {
        course::outline(self, caller).await
    }
    async fn lesson(&self, caller: &Caller, path: &str) -> ApiResult<(LessonPage, Outline)> {
        course::lesson(self, caller, path).await
    }
    async fn submit_quiz(&self, caller: &Caller, lesson: &str, answers: Vec<Answer>) -> ApiResult<QuizResult> {
        course::submit_quiz(self, caller, lesson, answers).await
    }
    async fn glossary(&self, caller: &Caller) -> ApiResult<Vec<GlossaryTerm>> {
        Ok(self.shelf().glossary(&Reader::anonymous(caller)))
    }
    async fn summary(&self, caller: &Caller, module: &str) -> ApiResult<SummarySheet> {
        print::summary(self.shelf(), &Reader::anonymous(caller), module)
    }
    async fn whole_course(&self, caller: &Caller) -> ApiResult<WholeCourse> {
        Ok(print::whole_course(self.shelf(), &Reader::anonymous(caller)))
    }
    async fn search(&self, caller: &Caller, query: &str) -> ApiResult<Vec<SearchHit>> {
        Ok(self.shelf().search(&Reader::anonymous(caller), query))
    }

    async fn test(&self, caller: &Caller, module: Option<&str>) -> ApiResult<TestPage> {
        test::test(self, caller, module).await
    }
    async fn draw_test(&self, caller: &Caller, module: Option<&str>) -> ApiResult<()> {
        test::draw(self, caller, module).await
    }
    async fn hand_in_test(
        &self,
        caller: &Caller,
        module: Option<&str>,
        paper: i64,
        answers: Vec<Answer>,
    ) -> ApiResult<QuizResult> {
        test::hand_in(self, caller, module, paper, answers).await
    }

    async fn labs(&self, caller: &Caller) -> ApiResult<Vec<LabCard>> {
        lab::labs(self, caller).await
    }
    async fn lab(&self, caller: &Caller, lab: &str) -> ApiResult<LabPage> {
        lab::lab(self, caller, lab).await
    }
    async fn start_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
        lab::start(self, caller, lab).await
    }
    async fn extend_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
        lab::extend(self, caller, lab).await
    }
    async fn reset_lab(&self, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
        lab::reset(self, caller, lab).await
    }
    async fn stop_lab(&self, caller: &Caller, lab: &str) -> ApiResult<()> {
        lab::stop(self, caller, lab).await
    }
    async fn check_lab(&self, caller: &Caller, lab: &str, scope: CheckScope) -> ApiResult<()> {
        lab::check(self, caller, lab, scope).await
    }
    async fn hint(&self, caller: &Caller, lab: &str, task: &str, index: u8) -> ApiResult<HintView> {
        lab::hint(self, caller, lab, task, index).await
    }
    async fn answer(&self, caller: &Caller, lab: &str, task: &str, check: &str, text: String) -> ApiResult<()> {
        lab::answer(self, caller, lab, task, check, text).await
    }
    async fn open_terminal(&self, caller: &Caller, lab: &str, machine: &str) -> ApiResult<TerminalView> {
        lab::open_terminal(self, caller, lab, machine).await
    }
    async fn close_terminal(&self, caller: &Caller, lab: &str, terminal: u32) -> ApiResult<()> {
        lab::close_terminal(self, caller, lab, terminal).await
    }

    async fn my_progress(&self, caller: &Caller) -> ApiResult<MyProgress> {
        progress::mine(self, caller).await
    }
    async fn matrix(&self, caller: &Caller) -> ApiResult<Matrix> {
        progress::matrix(self, caller).await
    }

    async fn rename(&self, caller: &Caller, name: String) -> ApiResult<()> {
        account::rename(self, caller, &name).await
    }
    async fn change_password(&self, caller: &Caller, old: String, new: String) -> ApiResult<()> {
        account::change_password(self, caller, &old, &new).await
    }
    async fn sessions(&self, caller: &Caller) -> ApiResult<Vec<SessionView>> {
        account::sessions(self, caller).await
    }
    async fn end_session(&self, caller: &Caller, handle: String) -> ApiResult<()> {
        account::end_session(self, caller, &handle).await
    }
}
