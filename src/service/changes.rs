//! What changed in a view of the index since a client last looked.
//!
//! Of views that everyone sees alone. A serial says when a view last changed, not whose view it was: who opens more or
//! fewer private packages than when it was given (another token, a package shared or taken away) would be told that
//! nothing has changed and keep what it may no longer read, or never learn of what it may. And a history of who could
//! read what at which time would be one more thing to keep from others. So such readers compare `registry.gz`, which
//! answers 304 where nothing has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Registry;
use super::caller::Caller;
use super::indexing::view_to_stored;
use super::refusal::Refusal;
use crate::index::{Serial, View, ViewName};

/// Most packages that one answer names; a client that is further behind reads `registry.gz`.
const NAMES_MAX: usize = 20_000;

/// What changed in a view since a serial.
#[derive(Debug, Serialize)]
pub struct IndexChanges {
    /// The view's serial now.
    pub serial: u64,
    /// The files that changed, with their hashes now, or nothing where they are gone.
    pub files: Map<String, Value>,
    /// The entries of `summaries.gz` of the packages that changed, as they stand there, or nothing where they are
    /// gone: who has the file of the time before makes the new one from these.
    pub summaries: BTreeMap<String, Option<Box<RawValue>>>,
}

impl Registry {
    /// What changed in a view since `since`. Waits up to `patience` for something to change.
    ///
    /// # Errors
    /// If there is no such view, or `since` is not in its history, which is a [`Refusal::Gone`].
    pub async fn index_changes(
        &self,
        caller: &Caller,
        view: &ViewName,
        since: Serial,
        patience: Duration,
    ) -> Result<IndexChanges, Refusal> {
        if self.seen_view(caller, view)?.is_some_and(|seen| !seen.public) {
            return Err(gone("what changed in a view with private packages is not remembered"));
        }
        let mut moved = self.moved.clone();
        let waited = async {
            loop {
                moved.mark_unchanged();
                let present = self.present(view)?;
                if present.serial() != since {
                    return Ok(present);
                }
                if moved.changed().await.is_err() {
                    return Err(Refusal::Unavailable("the server is stopping".to_owned()));
                }
            }
        };
        let present = match tokio::time::timeout(patience, waited).await {
            Ok(present) => present?,
            Err(_) => self.present(view)?,
        };
        self.changes_up_to(view, &present, since)
    }

    fn present(&self, view: &ViewName) -> Result<Arc<View>, Refusal> {
        let present = self.index.snapshot().view(view).cloned();
        present.ok_or_else(|| Refusal::NotFound("no package is on a channel of that name".to_owned()))
    }

    fn changes_up_to(&self, view: &ViewName, present: &View, since: Serial) -> Result<IndexChanges, Refusal> {
        let serial = present.serial();
        // Held against this view alone: the clock of all views would tell when something changed that is not seen here.
        if since > serial {
            return Err(gone("this serial was not given for this view"));
        }
        let rows = self.store.read()?;
        if since.0 < rows.history_from()? {
            return Err(gone("this serial is older than what is remembered"));
        }
        let own = view_to_stored(view);
        let mut names: BTreeSet<Box<str>> = BTreeSet::new();
        let mut moved = false;
        rows.index_changes(since.0, serial.0, |change| {
            for (views, changed) in change.parts {
                if views.contains(&own) {
                    moved = true;
                    names.extend(changed);
                }
            }
            if names.len() > NAMES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if names.len() > NAMES_MAX {
            return Err(gone("too much has changed since this serial"));
        }
        let mut files = Map::new();
        let mut summaries = BTreeMap::new();
        for name in names {
            let hash = present.package(&name).map(|file| Value::String(file.crc32().to_string()));
            files.insert(format!("packages/{name}.gz"), hash.unwrap_or(Value::Null));
            let entry = present.summary(&name).map(str::to_owned);
            let entry = entry.map(RawValue::from_string).transpose();
            let entry = entry.map_err(|error| Refusal::Unavailable(format!("a summary is no JSON: {error}")))?;
            summaries.insert(name.into_string(), entry);
        }
        if moved {
            files.insert("summaries.gz".to_owned(), Value::String(present.summaries().crc32().to_string()));
        }
        Ok(IndexChanges { serial: serial.0, files, summaries })
    }
}

fn gone(why: &str) -> Refusal {
    Refusal::Gone(format!("{why}; read registry.gz instead"))
}
