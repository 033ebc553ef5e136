//! The data folder, its lock, its database.

use std::{
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use clap::Args;

use super::exit::{CliError, CliResult, machine};
use crate::store::{DatabaseUrl, Store};

#[derive(Args, Clone, Debug)]
pub(super) struct DataOptions {
    /// Folder of the database and whatever else is kept.
    #[arg(long, env = "BULKHEAD_DATA", default_value = ".bulkhead")]
    pub(super) data: PathBuf,
    /// A PostgreSQL database in place of the SQLite file in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
}

impl DataOptions {
    pub(super) fn database(&self) -> CliResult<DatabaseUrl> {
        match &self.database_url {
            Some(url) => DatabaseUrl::parse(url).map_err(|error| CliError::Usage(error.to_string())),
            None => Ok(DatabaseUrl::sqlite_file(&self.data.join("bulkhead.db"))),
        }
    }

    /// Makes the folder where it is missing, readable by its owner alone.
    pub(super) fn make_folder(&self) -> CliResult<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.data).map_err(|error| {
            CliError::Machine(format!("the data folder {} cannot be made: {error}", self.data.display()).into())
        })
    }

    pub(super) async fn store(&self) -> CliResult<Store> {
        self.make_folder()?;
        Store::open(&self.database()?).await.map_err(machine)
    }
}

/// Held by the one server of a data folder. The system lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    pub(super) fn take(data: &Path) -> CliResult<Self> {
        let path = data.join("server.lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(machine)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(CliError::Machine(
                format!(
                    "another server uses the data folder {}. Stop it, or choose another folder with --data.",
                    data.display()
                )
                .into(),
            )),
            Err(TryLockError::Error(error)) => Err(machine(error)),
        }
    }
}
