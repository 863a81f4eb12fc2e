//! What changed in a view of the index since a client last looked.
//!
//! A serial says when a view last changed, not whose view it was: who opens more or fewer private packages than when it
//! was given (another token, a package shared or taken away) would be told that nothing has changed and keep what it may
//! no longer read, or never learn of what it may. So of a view with private packages only those states are compared
//! that this reader was given, and the client shows by a checksum that it has one of them. Whoever cannot compares
//! `registry.gz`, which answers 304 where nothing has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Registry;
use super::caller::Caller;
use super::indexing::{fill, view_to_stored};
use super::reader_history::KnownState;
use super::refusal::Refusal;
use crate::index::{Serial, View, ViewName};

/// Most packages that one answer names; a client that is further behind reads `registry.gz`.
const NAMES_MAX: usize = 20_000;

/// Most bytes of packages' texts in one answer; a client fetches the files of the others.
const TEXTS_BYTES_MAX: u64 = 4 << 20;

/// What changed in a view since a serial.
#[derive(Debug, Serialize)]
pub struct IndexChanges {
    /// The view's serial now.
    pub serial: u64,
    /// The checksum of `registry.gz` now, by which a client sees that what it made of the changes is right.
    pub registry: String,
    /// The files that changed, with their hashes now, or nothing where they are gone.
    pub files: Map<String, Value>,
    /// The entries of `summaries.gz` of the packages that changed, as they stand there, or nothing where they are
    /// gone: who has the file of the time before makes the new one from these.
    pub summaries: BTreeMap<String, Option<Box<RawValue>>>,
    /// The texts of `packages/*.gz` of packages that changed, of the same state as the rest, where they were asked for
    /// and as many as fit. With them, a client need not fetch files that may have changed again meanwhile.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, String>,
}

/// What changed for a caller.
#[derive(Debug)]
pub struct SeenChanges {
    /// It.
    pub changes: IndexChanges,
    /// Whether everyone sees it so.
    pub public: bool,
}

impl Registry {
    /// What changed in a view since the state `known`, with the texts of the packages that changed if wanted. Waits up to
    /// `patience` for something to change.
    ///
    /// # Errors
    /// If there is no such view, or the state is not in its history, which is a [`Refusal::Gone`].
    pub async fn index_changes(
        self: &Arc<Self>,
        caller: &Caller,
        view: &ViewName,
        known: KnownState,
        patience: Duration,
        with_texts: bool,
    ) -> Result<SeenChanges, Refusal> {
        let mut moved = self.moved.clone();
        let waited = async {
            loop {
                moved.mark_unchanged();
                let seen = self.seen_view(caller, view)?;
                if !known.is_of(&seen.view) {
                    return Ok(seen);
                }
                if moved.changed().await.is_err() {
                    return Err(Refusal::Unavailable("the server is stopping".to_owned()));
                }
            }
        };
        let seen = match tokio::time::timeout(patience, waited).await {
            Ok(seen) => seen?,
            Err(_) => self.seen_view(caller, view)?,
        };
        let changes = match seen.public {
            _ if known.is_of(&seen.view) => changes_to(&seen.view, BTreeSet::new(), false),
            true => self.public_changes(view, &seen.view, known.serial),
            false => self.private_changes(caller, view, &seen.view, known),
        };
        let (mut changes, public) = (changes?, seen.public);
        if with_texts && !changes.summaries.is_empty() {
            let registry = Arc::clone(self);
            let add = move || registry.add_texts(&seen.view, &mut changes).map(|()| changes);
            let added = tokio::task::spawn_blocking(add).await;
            changes = added.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))??;
        }
        Ok(SeenChanges { changes, public })
    }

    /// Adds the texts of the packages that changed, of this state of the view. A package whose lines are not at hand and
    /// that changed again meanwhile is left out.
    fn add_texts(&self, view: &View, changes: &mut IndexChanges) -> Result<(), Refusal> {
        let mut left_bytes = TEXTS_BYTES_MAX;
        let mut rows = None;
        for name in changes.summaries.keys() {
            let Some(file) = view.package(name) else { continue };
            let Some(left) = left_bytes.checked_sub(file.text_len_bytes()) else { continue };
            if !file.is_filled() {
                let rows = match &mut rows {
                    Some(rows) => rows,
                    none => none.insert(self.store.read()?),
                };
                let Ok(full_name) = name.parse() else { continue };
                fill(&self.index, rows, file, &full_name)?;
            }
            if let Some(text) = file.text() {
                changes.packages.insert(name.clone(), text);
                left_bytes = left;
            }
        }
        Ok(())
    }

    fn public_changes(&self, name: &ViewName, now: &View, since: Serial) -> Result<IndexChanges, Refusal> {
        // Held against this view alone: the clock of all views would tell when something changed that is not seen here.
        if since >= now.serial() {
            return Err(gone("this serial was not given for this state of the view"));
        }
        let mut names = BTreeSet::new();
        let moved = self.names_between(name, since, now.serial(), &mut names)?;
        changes_to(now, names, moved)
    }

    fn private_changes(
        &self,
        caller: &Caller,
        name: &ViewName,
        now: &View,
        known: KnownState,
    ) -> Result<IndexChanges, Refusal> {
        let between = self.reader_history.between(&caller.identity, name, known, now);
        let between = between.ok_or_else(|| {
            gone("what you were given of a view with private packages is not remembered, or registry is not its checksum")
        })?;
        let mut names: BTreeSet<Box<str>> = between.names.iter().map(|name| Box::from(&**name)).collect();
        let (from, to) = between.base;
        self.names_between(name, from, to, &mut names)?;
        changes_to(now, names, true)
    }

    /// Adds the packages that changed in a public view between two of its serials, and says whether anything did.
    fn names_between(
        &self,
        name: &ViewName,
        since: Serial,
        until: Serial,
        names: &mut BTreeSet<Box<str>>,
    ) -> Result<bool, Refusal> {
        if since == until {
            return Ok(false);
        }
        let rows = self.store.read()?;
        if since.0 < rows.history_from()? || since > until {
            return Err(gone("this serial is older than what is remembered"));
        }
        let own = view_to_stored(name);
        let mut moved = false;
        rows.index_changes(since.0, until.0, |change| {
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
        Ok(moved)
    }
}

/// What `now` has of the packages that changed; `moved` where anything did.
fn changes_to(now: &View, names: BTreeSet<Box<str>>, moved: bool) -> Result<IndexChanges, Refusal> {
    let mut files = Map::new();
    let mut summaries = BTreeMap::new();
    for name in names {
        let hash = now.package(&name).map(|file| Value::String(file.crc32().to_string()));
        files.insert(format!("packages/{name}.gz"), hash.unwrap_or(Value::Null));
        let entry = now.summary(&name).map(str::to_owned);
        let entry = entry.map(RawValue::from_string).transpose();
        let entry = entry.map_err(|error| Refusal::Unavailable(format!("a summary is no JSON: {error}")))?;
        summaries.insert(name.into_string(), entry);
    }
    if moved {
        files.insert("summaries.gz".to_owned(), Value::String(now.summaries().crc32().to_string()));
    }
    let (serial, registry) = (now.serial().0, now.registry().crc32().to_string());
    Ok(IndexChanges { serial, registry, files, summaries, packages: BTreeMap::new() })
}

fn gone(why: &str) -> Refusal {
    Refusal::Gone(format!("{why}; read registry.gz instead"))
}
