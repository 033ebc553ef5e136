//! `bulkhead user`: accounts, from the machine that the server runs on. What it does is audited.

use std::io::{self, BufRead, IsTerminal};

use bulkhead_app::api::Role;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::{
    data::DataOptions,
    exit::{CliError, CliResult, Outcome, machine},
    out,
};
use crate::{
    account::{Accounts, NewUser},
    clock::{Clock, Moment},
    config::{Config, Mode, PasswordCost},
    random::Random,
    store::{Account, Store},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes an account.
    Create(Create),
    /// Lists all accounts.
    List(List),
    /// Changes an account's role and ends its sessions.
    SetRole(SetRole),
    /// Sets an account's password and ends its sessions.
    SetPassword(SetPassword),
}

#[derive(Args)]
pub(super) struct Create {
    email: String,
    /// As others see it; without it, the part of the address before the @.
    #[arg(long)]
    name: Option<String>,
    #[arg(long, value_enum, default_value = "student")]
    role: RoleName,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    data: DataOptions,
}

#[derive(Args)]
pub(super) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataOptions,
}

#[derive(Args)]
pub(super) struct SetRole {
    email: String,
    #[arg(value_enum)]
    role: RoleName,
    #[command(flatten)]
    data: DataOptions,
}

#[derive(Args)]
pub(super) struct SetPassword {
    email: String,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    data: DataOptions,
}

#[derive(Args)]
struct PasswordOptions {
    /// Reads the password from standard input: its first line.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Student,
    Instructor,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Student => Self::Student,
            RoleName::Instructor => Self::Instructor,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(command: Command) -> CliResult {
    match command {
        Command::Create(options) => {
            let name = options.name.as_deref().or(options.email.split('@').next()).unwrap_or_default().to_owned();
            let password = options.password.read()?;
            let (accounts, _store) = accounts(&options.data).await?;
            let user = NewUser { name: &name, email: &options.email, password: &password };
            let account = accounts.create(None, user, options.role.into()).await.map_err(refused)?;
            out::say(&format!("made the {} account {}", word(account.role), account.email));
        }
        Command::List(options) => {
            let (_accounts, store) = accounts(&options.data).await?;
            list(&store.accounts().list().await.map_err(machine)?, options.json);
        }
        Command::SetRole(options) => {
            let (accounts, _store) = accounts(&options.data).await?;
            let account = accounts.set_role(None, &options.email, options.role.into()).await.map_err(refused)?;
            out::say(&format!("{} is {} now; its sessions were ended", account.email, word(account.role)));
        }
        Command::SetPassword(options) => {
            let password = options.password.read()?;
            let (accounts, _store) = accounts(&options.data).await?;
            let account = accounts.reset_password(None, &options.email, &password).await.map_err(refused)?;
            out::say(&format!("the password of {} was set; its sessions were ended", account.email));
        }
    }
    Ok(Outcome::Fine)
}

async fn accounts(options: &DataOptions) -> CliResult<(Accounts, Store)> {
    let store = options.store().await?;
    let config = Config {
        data: options.data.clone(),
        database: options.database()?,
        listen: ([127, 0, 0, 1], 0).into(),
        mode: Mode::Public { origin: None },
        behind_proxy: false,
        sign_up: true,
        password_cost: PasswordCost::Production,
        site: None,
    };
    let accounts = Accounts::new(&config, store.clone(), Clock::system(), Random::system()).map_err(machine)?;
    Ok((accounts, store))
}

fn refused(error: crate::account::AccountError) -> CliError {
    match error {
        error @ (crate::account::AccountError::Store(_) | crate::account::AccountError::Hash(_)) => machine(error),
        other => CliError::Usage(other.to_string()),
    }
}

impl PasswordOptions {
    fn read(&self) -> CliResult<String> {
        if !self.password_stdin && io::stdin().is_terminal() {
            return rpassword::prompt_password("Password: ").map_err(machine);
        }
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(machine)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }
}

#[derive(Serialize)]
struct Row {
    id: i64,
    email: String,
    name: String,
    role: Role,
    created_at: String,
    last_seen_at: Option<String>,
}

fn list(accounts: &[Account], json: bool) {
    let rows: Vec<Row> = accounts
        .iter()
        .map(|account| Row {
            id: account.id.get(),
            email: account.email.clone(),
            name: account.name.clone(),
            role: account.role,
            created_at: account.created_at.rfc3339(),
            last_seen_at: account.last_seen_at.map(Moment::rfc3339),
        })
        .collect();
    if json {
        return out::json(&rows);
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            vec![row.email, row.name, word(row.role).to_owned(), row.last_seen_at.unwrap_or_else(|| "never".to_owned())]
        })
        .collect();
    out::table(&["EMAIL", "NAME", "ROLE", "LAST SEEN"], &cells);
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Student => "student",
        Role::Instructor => "instructor",
        Role::Admin => "admin",
    }
}
