//! The rules. Each method is one decision; what it changes it changes in one transaction.

use std::net::IpAddr;

use bulkhead_app::api::Role;
use serde_json::json;

use super::{AccountError, AccountResult, Email, Limit, Limits, Name, Password, Passwords, Subject};
use crate::{
    clock::Clock,
    config::{Config, Mode},
    random::Random,
    store::{Account, AccountId, Entry, NewAccount, SessionRow, Store, StoreError},
};

/// The local learner's e-mail: it can neither be signed up with nor receive mail.
pub const LOCAL_EMAIL: &str = "learner@localhost";

/// What somebody typed to get an account.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    pub name: &'a str,
    pub email: &'a str,
    pub password: &'a str,
}

/// The rules about accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    passwords: Passwords,
    limits: Limits,
    open: bool,
}

impl Accounts {
    pub fn new(config: &Config, store: Store, clock: Clock, random: Random) -> AccountResult<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let passwords = Passwords::new(config.password_cost, random, cores)?;
        let limits = Limits::new(clock.clone());
        let open = config.sign_up && !matches!(config.mode, Mode::Local);
        Ok(Self { store, clock, passwords, limits, open })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// A stranger makes himself a student.
    pub async fn sign_up(&self, user: NewUser<'_>, address: IpAddr) -> AccountResult<Account> {
        if !self.open {
            return Err(AccountError::Closed);
        }
        self.limits.check(Limit::SignUp, &Subject::Address(address))?;
        let new = self.new_account(user, Role::Student).await?;
        Ok(self.store.accounts().insert(&new).await?)
    }

    /// Counts a try before anything else, and costs one hash whoever asks.
    pub async fn sign_in(&self, email: &str, password: &str, address: IpAddr) -> AccountResult<Account> {
        self.limits.check(Limit::SignInAddress, &Subject::Address(address))?;
        let email = Email::parse(email)?;
        self.limits.check(Limit::SignInAccount, &Subject::Email(email.clone()))?;
        let found = self.store.accounts().credentials(email.as_str()).await?;
        let (account, stored) = found.map_or((None, None), |c| (Some(c.account), c.password_hash));
        let right = self.passwords.verify(password, stored).await?;
        account.filter(|_| right).ok_or(AccountError::WrongCredentials)
    }

    /// The one learner of local mode, made at the first call.
    pub async fn local_learner(&self) -> AccountResult<Account> {
        if let Some(account) = self.store.accounts().by_email(LOCAL_EMAIL).await? {
            return Ok(account);
        }
        let new = NewAccount {
            email: LOCAL_EMAIL.to_owned(),
            name: "Local learner".to_owned(),
            role: Role::Student,
            password_hash: None,
            at: self.clock.now(),
        };
        match self.store.accounts().insert(&new).await {
            // Another process made it meanwhile.
            Err(StoreError::Taken { .. }) => {
                self.store.accounts().by_email(LOCAL_EMAIL).await?.ok_or(AccountError::NoSuchAccount)
            }
            made => Ok(made?),
        }
    }

    /// An account of any role, made by an admin, or (`actor: None`) on the command line.
    pub async fn create(&self, actor: Option<AccountId>, user: NewUser<'_>, role: Role) -> AccountResult<Account> {
        let new = self.new_account(user, role).await?;
        let account = self.store.accounts().insert(&new).await?;
        self.audit(actor, "account.create", account.id, json!({ "email": account.email, "role": role })).await?;
        Ok(account)
    }

    /// Changes a role and ends the account's sessions, so that nobody goes on with rights that he lost.
    pub async fn set_role(&self, actor: Option<AccountId>, email: &str, role: Role) -> AccountResult<Account> {
        let account = self.find(email).await?;
        self.store.accounts().set_role(account.id, role).await?;
        self.store.sessions().end_all(account.id).await?;
        self.audit(actor, "account.role", account.id, json!({ "from": account.role, "to": role })).await?;
        Ok(Account { role, ..account })
    }

    /// Sets a password without the old one (an admin, or the command line), and ends every session.
    pub async fn reset_password(&self, actor: Option<AccountId>, email: &str, new: &str) -> AccountResult<Account> {
        let account = self.find(email).await?;
        let new = Password::parse(new, "password", &Email::parse(&account.email)?)?;
        let hash = self.passwords.hash(&new).await?;
        self.store.accounts().set_password(account.id, &hash, None).await?;
        self.audit(actor, "account.password", account.id, json!({})).await?;
        Ok(account)
    }

    pub async fn rename(&self, id: AccountId, name: &str) -> AccountResult<()> {
        let name = Name::parse(name)?;
        let known = self.store.accounts().rename(id, name.as_str()).await?;
        known.then_some(()).ok_or(AccountError::NoSuchAccount)
    }

    /// Changes one's own password and ends every session but `keep`.
    pub async fn change_password(&self, id: AccountId, old: &str, new: &str, keep: Option<&str>) -> AccountResult<()> {
        self.limits.check(Limit::PasswordChange, &Subject::Account(id))?;
        let found = self.store.accounts().credentials_by_id(id).await?.ok_or(AccountError::NoSuchAccount)?;
        if found.password_hash.is_none() {
            return Err(AccountError::Passwordless);
        }
        let new = Password::parse(new, "new", &Email::parse(&found.account.email)?)?;
        if !self.passwords.verify(old, found.password_hash).await? {
            return Err(AccountError::Invalid { field: "old", message: "This is not your present password." });
        }
        let hash = self.passwords.hash(&new).await?;
        self.store.accounts().set_password(id, &hash, keep).await?;
        self.audit(Some(id), "account.password", id, json!({})).await
    }

    pub async fn sessions(&self, id: AccountId) -> AccountResult<Vec<SessionRow>> {
        Ok(self.store.sessions().of_account(id, self.clock.now()).await?)
    }

    /// Ends one of the account's own sessions; whether it had such a one.
    pub async fn end_session(&self, id: AccountId, handle: &str) -> AccountResult<bool> {
        Ok(self.store.sessions().end(id, handle).await?)
    }

    /// Writes one privileged act down.
    pub async fn audit(
        &self,
        actor: Option<AccountId>,
        action: &str,
        subject: AccountId,
        detail: serde_json::Value,
    ) -> AccountResult<()> {
        let entry = Entry {
            at: self.clock.now(),
            actor,
            action: action.to_owned(),
            subject: format!("account {subject}"),
            detail,
        };
        Ok(self.store.audit().append(&entry).await?)
    }

    async fn find(&self, email: &str) -> AccountResult<Account> {
        let email = Email::parse(email)?;
        self.store.accounts().by_email(email.as_str()).await?.ok_or(AccountError::NoSuchAccount)
    }

    async fn new_account(&self, user: NewUser<'_>, role: Role) -> AccountResult<NewAccount> {
        let name = Name::parse(user.name)?;
        let email = Email::parse(user.email)?;
        if email.as_str() == LOCAL_EMAIL {
            return Err(AccountError::Invalid {
                field: "email",
                message: "This address belongs to the local learner.",
            });
        }
        let password = Password::parse(user.password, "password", &email)?;
        let password_hash = Some(self.passwords.hash(&password).await?);
        Ok(NewAccount {
            email: email.as_str().to_owned(),
            name: name.as_str().to_owned(),
            role,
            password_hash,
            at: self.clock.now(),
        })
    }
}
