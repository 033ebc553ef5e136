//! What this machine can do, proved by booting a sandbox and trying to get out of it.
//!
//! ```text
//! mod     examine: the rows, in the order in which a newcomer would fix them
//! facts   what is asked of the machine and the engine (IO)
//! judge   facts -> rows (pure)
//! trial   a sandbox with a privileged container in it, and the attempts to escape
//! ```

mod facts;
mod judge;
mod trial;

use serde::{Deserialize, Serialize};

use crate::engine::{DockerEngine, Tier};

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Stable, for `--json`.
    pub id: String,
    pub title: String,
    pub status: RowStatus,
    /// What was found.
    pub detail: String,
    /// What to do about it; always there when `status` is not `Ok`.
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowStatus {
    Ok,
    /// It works, with a drawback.
    Warn,
    /// Sandboxes do not work, or are not safe.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub rows: Vec<Row>,
    /// The isolation that was proved; `None` when a row failed or no sandbox was booted.
    pub tier: Option<Tier>,
}

impl Report {
    pub fn worst(&self) -> RowStatus {
        self.rows.iter().map(|row| row.status).max().unwrap_or(RowStatus::Ok)
    }
}

/// What to examine.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// As for [`DockerEngine::connect`].
    pub instance: String,
    pub socket: Option<String>,
    /// Sandbox images that labs need. The first that is there is booted.
    pub images: Vec<String>,
}

/// Examines the machine and its engine, boots a sandbox if it can, and says what to do about all that is wrong. `seen` gets
/// each row as soon as it is known.
pub async fn examine(subject: &Subject, seen: &(dyn Fn(&Row) + Send + Sync)) -> Report {
    let mut rows = Vec::new();
    let mut add = |found: Vec<Row>| {
        for row in found {
            seen(&row);
            rows.push(row);
        }
    };
    add(judge::host(&facts::host()));
    let engine = match DockerEngine::connect(&subject.instance, subject.socket.as_deref()).await {
        Ok(engine) => engine,
        Err(error) => {
            add(vec![judge::no_engine(&error)]);
            return Report { rows, tier: None };
        }
    };
    let images = facts::images(&engine, &subject.images).await;
    add(judge::engine(&facts::engine(&engine)));
    add(vec![judge::images(&images)]);
    let Some(image) = images.present.first() else { return Report { rows, tier: None } };
    add(trial::judge(&trial::run(&engine, image).await));
    let tier = (!rows.iter().any(|row| row.status == RowStatus::Fail)).then_some(Tier::Userns);
    Report { rows, tier }
}
