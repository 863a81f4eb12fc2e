//! From the store to the index: at start everything, then after each commit what it changed.

use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::sync::Notify;

use super::clock::Clock;
use super::refusal::Refusal;
use super::sources::{self, Sources};
use super::{Registry, StartError};
use crate::index::{Index, Serial, render};
use crate::store::media::Media;
use crate::store::{Changes, Snapshot, StorageError, Store, StoreOptions};

/// Packages that are read and handed to the index at once when it is built.
const BATCH: usize = 1000;
/// How far the stored mark of the serial runs ahead, in microseconds: a restart continues above it, so that no serial
/// is given twice even if the system's clock was set back.
const SERIAL_AHEAD: u64 = 60_000_000;

/// Opens a store whose commits update an index, and builds that index.
pub(super) fn open(
    media: Arc<dyn Media>,
    options: StoreOptions,
    clock: &Clock,
    schedule_changed: Arc<Notify>,
) -> Result<(Arc<Store>, Arc<Index>), StartError> {
    // The store calls the observer that needs the store: it is handed in right after opening, before any job.
    let connected: Arc<OnceLock<Connected>> = Arc::default();
    let observer = {
        let (connected, clock) = (Arc::clone(&connected), clock.clone());
        let mut sources = Sources::default();
        move |changes: Changes| {
            if changes.schedule {
                schedule_changed.notify_one();
            }
            if let Some(connected) = connected.get() {
                connected.follow(&changes, &mut sources, &clock);
            }
        }
    };
    let store = Arc::new(Store::open_media(media, options, observer)?);
    let rows = store.read().map_err(Refusal::from)?;
    let index = Arc::new(Index::new(Serial(rows.serial().map_err(Refusal::from)?)));
    build(&index, &store, &rows, clock).map_err(Refusal::from)?;
    // Nothing was written since the snapshot: the store is not shared yet.
    let _ = connected.set(Connected { store: Arc::downgrade(&store), index: Arc::clone(&index) });
    Ok((store, index))
}

/// What the observer of commits holds.
struct Connected {
    store: std::sync::Weak<Store>,
    index: Arc<Index>,
}

impl Connected {
    /// Brings the index up to a commit. Runs on the writer's thread, before anybody is told of the commit.
    fn follow(&self, changes: &Changes, sources: &mut Sources, clock: &Clock) {
        if changes.packages.is_empty() {
            return;
        }
        let Some(store) = self.store.upgrade() else { return };
        match store.read().and_then(|rows| sources.take(&rows, &changes.packages)) {
            Ok(changed) => {
                self.index.apply(&changed, micros(clock));
                sources.keep(changed);
            }
            Err(error) => {
                // The commit stands; its packages are shown as they were until they change again or the server
                // restarts.
                tracing::error!(%error, "the index could not follow a commit");
                sources.clear();
            }
        }
    }
}

/// Builds the whole index, reading on all cores.
fn build(index: &Index, store: &Store, rows: &Snapshot, clock: &Clock) -> Result<(), StorageError> {
    let ids = rows.package_ids()?;
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for batch in ids.chunks(BATCH * threads) {
        let parts: Vec<Result<Vec<_>, StorageError>> = thread::scope(|scope| {
            let readers: Vec<_> = batch
                .chunks(batch.len().div_ceil(threads))
                .map(|part| {
                    scope.spawn(move || {
                        let rows = store.read()?;
                        part.iter()
                            .map(|id| Ok((*id, sources::read(&rows, *id)?.map(|source| render(&source).compressed()))))
                            .collect()
                    })
                })
                .collect();
            let panicked = || Err(StorageError::Internal { detail: "building the index panicked".to_owned() });
            readers.into_iter().map(|reader| reader.join().unwrap_or_else(|_| panicked())).collect()
        });
        let mut packages = Vec::with_capacity(batch.len());
        for part in parts {
            packages.extend(part?);
        }
        index.merge(packages, micros(clock));
    }
    Ok(())
}

fn micros(clock: &Clock) -> u64 {
    clock.now().as_micros().unsigned_abs()
}

impl Registry {
    /// Moves the stored mark of the serial ahead when the index comes near it.
    pub(super) fn keep_serial_ahead(&self) {
        let serial = self.index.serial().0;
        let stored = match self.store.read().and_then(|rows| rows.serial()) {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(%error, "the serial's mark could not be read");
                return;
            }
        };
        if serial + SERIAL_AHEAD / 2 > stored {
            self.store.write_unawaited(move |edit| edit.set_serial(serial + SERIAL_AHEAD));
        }
    }
}
